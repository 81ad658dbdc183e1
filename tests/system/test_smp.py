# SPDX-License-Identifier: BSD-2-Clause
"""Several processors: Debian's kernel as dom0 with four vCPUs and two domUs with up to four each, on four
processors. vCPUs go and come from inside and by the store; Debian's hackbench runs in the domUs while domains
that do nothing are created and destroyed, a hundred times; then nothing is lost, no clock went backwards, no
kernel complained. HYPERVISOR=xen asks the real one, with xl."""
import os
import re

import boots
import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console',
         'tests/smp_load', 'bench/noop.elf']
NAMES = ('left', 'right')
STEPS = ['dom0 has four processors', 'a processor of dom0 goes and comes', "dom0's clock", 'tools']
STEPS += [f'{what} {name}' for name in NAMES for what in ('create', 'two of four processors in')]
STEPS += [f'hackbench begins in {name}' for name in NAMES] + ['hundred domains come and go']
STEPS += [f'hackbench goes on in {name}' for name in NAMES]
STEPS += ['load in dom0', 'four vCPUs for left by the store', 'one vCPU for left by the store']
STEPS += [f'{name} comes to its end' for name in NAMES]

# What dom0 and domUs run. Of an error in one of its processes hackbench prints a line, whatever its status.
HACK = r'''
hack() {
    /hackbench -g 1 -f 5 -l $1 >/tmp/hack 2>&1 && grep -q ^Time: /tmp/hack \
        && ! grep -v -e ^Running -e ^Each -e ^Time: /tmp/hack
}
'''
# What a domU does: its first word on each line of its console is looked for below.
DOMU = HACK + r'''
cpus() { ls -d /sys/devices/system/cpu/cpu[0-9]*/online 2>/dev/null | xargs cat | grep -c 1; }
say() { echo "@domu $*"; }
# cpu0 has no "online" file
present() { echo $(( $(cpus) + 1 )); }
# awaited N SECONDS - nobody here brings a new processor on line but this loop
awaited() {
    n=0
    while [ $n -lt $(( $2 * 5 )) ]; do
        for c in /sys/devices/system/cpu/cpu[1-9]*; do
            [ ! -e $c/online ] || [ $1 -lt 4 ] || echo 1 2>/dev/null >$c/online
        done
        [ "$(present)" != $1 ] || return 0
        usleep 200000; n=$((n + 1))
    done
    return 1
}
start=$(present); say processors $start
echo 0 >/sys/devices/system/cpu/cpu1/online && [ $(present) = 1 ] \
    && echo 1 >/sys/devices/system/cpu/cpu1/online && [ $(present) = 2 ] && say hotplug good
/smp_load clock 2 & clock=$!
# A third processor is dom0's sign that it has had its hundred domains.
[ ! -e /sys/devices/system/cpu/cpu2/online ] && say hack begins
rounds=0
until [ -e /sys/devices/system/cpu/cpu2/online ]; do
    hack HACKS || { rounds=0; break; }
    rounds=$((rounds + 1))
    sleep 1
done
say hack rounds $rounds; [ $rounds = 0 ] || say hack good
wait $clock && say clock good
/smp_load clock 2 && say clock again
if [ "$(hostname)" = left ]; then
    awaited 4 60 && say four
    /smp_load clock 2 & clock=$!
    hack HACKS && wait $clock && say busy
    awaited 1 60 && say one
fi
dmesg | grep -E 'BUG:|Oops|rcu.*stall|WARNING:|soft lockup|Call Trace' && say complaint
say end
'''

TEXT = HACK + r'''
check() { what=$1; shift; if "$@"; then echo "@ok $what"; else echo "@not $what: $* failed"; return 1; fi; }
said() { console_log $1 | grep -q "@domu $2"; }
goes_on() { ! said $1 'hack rounds'; }
patient() { await "$@" || await "$@" || await "$@"; }
cpu3=/sys/devices/system/cpu/cpu3/online
plug() { echo 0 >$cpu3 && [ $(nproc) = 3 ] && echo 1 >$cpu3 && [ $(nproc) = 4 ]; }
same 'dom0 has four processors' 4 "$(grep -c ^processor /proc/cpuinfo)"
check 'a processor of dom0 goes and comes' plug
check "dom0's clock" /smp_load clock 2
check tools bring_up
printf "name = 'noop'\ntype = 'pv'\nmemory = 4\nkernel = '/noop.elf'\n" >/etc/noop.cfg
noops() {
    round=0
    while [ $round -lt NOOPS ]; do
        $TOOL create /etc/noop.cfg >/dev/null 2>&1 && $TOOL destroy noop || return
        round=$((round + 1))
    done
}
for name in left right; do
    DOMU_ARGS=job=bench demo_config $name 10.9.0.2${#name} 'maxvcpus = 4'
    cat /boot/domu.cpio /smp.cpio >/run/domu-smp.cpio
    sed -i "s#^ramdisk.*#ramdisk = '/run/domu-smp.cpio'#; s#^vcpus.*#vcpus = 2#" /etc/$name.cfg
    check "create $name" $TOOL create /etc/$name.cfg || return
done
for name in left right; do
    check "two of four processors in $name" await said $name 'processors 2'
done
for name in left right; do
    check "hackbench begins in $name" patient said $name 'hack begins'
done
hack HACKS & hack=$!
check 'hundred domains come and go' noops
for name in left right; do
    check "hackbench goes on in $name" goes_on $name
done
check 'load in dom0' wait $hack
$TOOL vcpu-set left 4
$TOOL vcpu-set right 3
check 'four vCPUs for left by the store' patient said left four
patient said left busy
$TOOL vcpu-set left 1
check 'one vCPU for left by the store' patient said left one
for name in left right; do
    check "$name comes to its end" patient said $name end
    console_log $name | sed "s/^/@console $name /"
done
dmesg | sed 's/^/@console dom0 /'
'''
COMPLAINTS = re.compile(r'^@console (\S+) .*(?:BUG:|Oops|rcu.*stall|soft lockup|WARNING:|Call Trace).*', re.M)


def run(report, hacks=10, noops=100, timeout=600):
    inner = boots.Archive.plain()
    with open(boots.out('tests', 'smp_load'), 'rb') as file:
        load = file.read()
    inner.file('smp_load', load, 0o755)
    inner.file('bench.sh', DOMU.replace('HACKS', str(hacks)))
    hackbench = boots.debian_program('usr/bin/hackbench', 'rt-tests')
    for path, data in hackbench.items():
        inner.file(path, data, 0o755)
    with open(boots.out('bench', 'noop.elf'), 'rb') as file:
        files = {'noop.elf': file.read(), 'smp.cpio': inner.bytes(), 'smp_load': load} | hackbench
    text = TEXT.replace('HACKS', str(hacks)).replace('NOOPS', str(noops))
    console = job.run(report, 'system-smp', STEPS, text, timeout=timeout,
                      tools=os.environ.get('TOOLS', 'hauch'), files=files, smp=4)
    for name in NAMES:
        said = set(re.findall(rf'^@console {name} @domu (.*?)\s*$', console, re.M))
        for step in ('hotplug good', 'clock good', 'hack good', 'clock again'):
            report(f'in {name}: {step}', step in said, f'{name} said: {sorted(said)}')
    complaint = COMPLAINTS.search(console)
    report('no kernel complained', '@console dom0' in console and not complaint,
           complaint[0] if complaint else 'no log')
