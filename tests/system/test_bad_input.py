# SPDX-License-Identifier: BSD-2-Clause
"""What users, files and guests get wrong, and daemons that are killed: a clear error, nothing left behind,
and a domain beside it that goes on. One boot; `says` wants a failing command whose words name object, value
and remedy."""
import re

import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']

# The console's log lies on a file system of its own from the start, so that it can be filled.
SETUP = r'''
mkdir -p /var/log/hauch/console; mount -t tmpfs -o size=256k console /var/log/hauch/console
check tools bring_up
says() {
    what=$1 words=$2; shift 2
    if "$@" >/tmp/said 2>&1; then echo "@not $what: $* succeeded"; return; fi
    said="$(tr '\n' ' ' </tmp/said)"
    printf "%s" "$said" | grep -Eq "$words" && echo "@ok $what" || echo "@not $what: $said"
}
prompt() { console_log $1 | grep -q "$1 login:"; }
alive() { ping -c 1 -w 20 10.9.0.11 >/dev/null; }
free_memory() { hauch info --json | grep -o '"free_kib[^,]*'; }
rest() {
    echo $(free_memory) $(ls -d /sys/block/loop*/loop 2>/dev/null | wc -l) $(ls /sys/class/net | wc -l) \
        $(xenstore-ls -f | wc -l)
}
as_before() { test "$(rest)" = "$before"; }
# bad KEY=VALUE... - a domain that must not come to be
bad() { hauch create /etc/bad.cfg "$@"; }
demo_config web 10.9.0.11
hauch create /etc/web.cfg
check 'web runs' await prompt web
demo_config bad 10.9.0.12
before=$(rest)
'''

# Name of the step: what the message has to say (extended regular expression), and the command.
WRONG = {
    'missing configuration': ('/etc/none.cfg.*No such file', 'hauch create /etc/none.cfg'),
    'missing kernel': ('/boot/none.*No such file', "bad kernel=/boot/none"),
    'kernel is a folder': ('/boot.*regular file', 'bad kernel=/boot'),
    'missing ramdisk': ('/boot/none.*No such file', "bad ramdisk=/boot/none"),
    'truncated kernel': ('/tmp/half.*(truncated|ends|short|incomplete)', 'bad kernel=/tmp/half'),
    'a kernel of noise': ('/tmp/noise.*(bzImage|ELF)', 'bad kernel=/tmp/noise'),
    'an empty kernel': ('/tmp/empty', 'bad kernel=/tmp/empty'),
    'missing image': ('xvda.*/none.img.*No such file', "bad \"disk=['/none.img,raw,xvda,w']\""),
    'image in use': (
        'web.img.*web.*(detach|read-only)', "bad \"disk=['/var/lib/hauch/web.img,raw,xvda,w']\""),
    'an empty image': ('/tmp/empty.*truncate', "bad \"disk=['/tmp/empty,raw,xvda,w']\""),
    'not enough memory': ('100000.*(MiB|memory)', 'bad memory=100000'),
    'no memory at all': ('memory', 'bad memory=0'),
    'name taken': ('name web is taken.*(rename|destroy)', 'bad name=web'),
    'bad name': ('\\.\\./x', 'bad name=../x'),
    'bad MAC': ('00:16:3e:zz:00:01', "bad \"vif=['mac=00:16:3e:zz:00:01']\""),
    'bad bridge': ('none0', "bad \"vif=['bridge=none0']\""),
    'too many vCPUs': ('vcpus', 'bad vcpus=100000'),
    'no such domain': ('nobody.*hauch list', 'hauch destroy nobody'),
    'dom0 is not for destroying': ('domain 0', 'hauch destroy 0'),
    'no such command': ('frobnicate', 'hauch frobnicate'),
}

CONFIG = r'''
printf 'bogus_key = 1\n' >>/etc/bad.cfg
line=$(grep -n bogus_key /etc/bad.cfg | cut -d: -f1)
hauch create -n /etc/bad.cfg >/dev/null 2>/tmp/said
check 'unknown key, a warning with line and column' grep -q "bad.cfg:$line:1:.*bogus_key" /tmp/said
sed -i '/bogus_key/d' /etc/bad.cfg
printf 'memory = [\n' >/etc/broken.cfg
says 'syntax error, with line and column' 'broken.cfg:[0-9]+:[0-9]+:' hauch create /etc/broken.cfg
head -c 1000000 /boot/vmlinuz >/tmp/half; head -c 1000000 /dev/urandom >/tmp/noise; : >/tmp/empty
'''

# What remains after the mistakes is what was there before. Then texts of guests, a full disk, killed daemons.
LATER = r'''
check 'nothing is left of all these' await as_before
check 'web goes on' alive

xenstore-write /local/domain/0/name "$(printf 'Dom\033[31m\n0')"
hauch list >/tmp/said
check 'control characters in a name are escaped' grep -q '^Dom.x1b\[31m.x0a0 ' /tmp/said
xenstore-write /local/domain/0/name Domain-0

dd if=/dev/zero of=/var/log/hauch/console/fill bs=4k 2>/dev/null
DOMU_ARGS='' demo_config full 10.9.0.13
check 'create with a full disk for logs' hauch create /etc/full.cfg
reached() { ping -c 1 -w 5 10.9.0.13 >/dev/null; }
check 'a domain runs although its console cannot be logged' await reached
rm /var/log/hauch/console/fill
check 'and goes away' hauch destroy full
check 'web goes on beside the full disk' alive

kill -9 $(pidof hauch-console); usleep 300000
says 'no console without its daemon' 'hauch-console' timeout 10 hauch console web
hauch-console --daemon
demo_config bad 10.9.0.12
logged() { hauch create /etc/bad.cfg && await prompt bad; }
check 'consoles work with a new hauch-console' logged
check 'destroyed' hauch destroy bad

kill -9 $(pidof hauchd); usleep 300000
says 'no answer without hauchd, but a remedy' 'cannot reach hauchd.*start hauchd' hauch list
hauchd 2>>/var/log/hauch/hauchd.log &
await hauch list
check 'a new hauchd finds web again' hauch domid web
check 'web goes on without them' alive
check 'nothing is left after the daemons' await as_before

kill -9 $(pidof hauch-store); usleep 300000
says 'no store, and create names it and the remedy' 'store.*hauch-store' bad
check 'hauchd lives on' hauch list
check 'web goes on without a store' alive
'''


def run(report):
    text, steps = SETUP + CONFIG, ['tools', 'web runs']
    steps += re.findall(r"^(?:check|says) '([^']*)'", CONFIG, re.M)
    for step, (words, command) in WRONG.items():
        text += f"says '{step}' '{words}' {command}\n"
        steps.append(step)
    steps += re.findall(r"^(?:check|says) '([^']*)'", LATER, re.M)
    job.run(report, 'system-bad-input', steps, text + LATER, timeout=300)
