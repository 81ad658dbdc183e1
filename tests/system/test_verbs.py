# SPDX-License-Identifier: BSD-2-Clause
"""The commands of `hauch` against a running domain, in one boot: each does what it says, as the domain, the
hypervisor or the store shows it. What they print byte for byte is tested on the host
(tests/host/hauch_cli.c)."""
import re

import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']

TEXT = r'''
check tools bring_up
demo_config web 10.9.0.11 'maxvcpus = 2' 'maxmem = 160' 'cpu_weight = 512'
hauch create -q /etc/web.cfg
prompt() { console_log web | grep -q 'web login:'; }
check 'web runs' await prompt
id=$(hauch domid web)
says() {
    what=$1 words=$2; shift 2
    "$@" >/tmp/said 2>&1
    grep -Eq -- "$words" /tmp/said && echo "@ok $what" || echo "@not $what: $(tr '\n' ' ' </tmp/said)"
}

says 'list' "^web +$id +128 +1 " hauch list
says 'list -l is JSON with the configuration' '"kernel":"/boot/vmlinuz"' hauch list -l web
says 'vm-list' "^[0-9a-f-]{36}  $id +web" hauch vm-list
says 'uptime' "^web +$id  ?0:[0-9:]+" hauch uptime web
says 'vcpu-list' "^web +$id +0 +[0-9]+ +[r-][b-]- .* all / all" hauch vcpu-list web
says 'a vCPU that is offline' "^web +$id +1 +- +--p" hauch vcpu-list web
says 'weight of the configuration' "^web +$id +512 +0" hauch sched-credit2 -d web
hauch sched-credit2 -d web -w 300
says 'sched-credit2' "^web +$id +300 +0" hauch sched-credit2
check 'vcpu-pin' hauch vcpu-pin web all 0 all
says 'vcpu-pin beyond the host' 'no CPU 99: this host has' hauch vcpu-pin web 0 99
check 'vcpu-set' hauch vcpu-set web 2
says 'vcpu-set writes the store' online hauch store read /local/domain/$id/cpu/1/availability
says 'vcpu-set beyond the limit' 'can have 1 to 2; maxvcpus' hauch vcpu-set web 3
check 'mem-set' hauch mem-set web 100
smaller() { hauch list web | grep -Eq "^web +$id +100 "; }
check 'the domain gives memory back' await smaller
says 'mem-set beyond the limit' 'can have .* to 163840 KiB' hauch mem-set web 200
says 'block-list' "^51712 0   $id +4 " hauch block-list web
says 'network-list' '^0   0  00:16:3e:' hauch network-list web
truncate -s 8M /tmp/more.img
check 'block-attach' hauch block-attach web /tmp/more.img raw xvdb w
connected() { hauch block-list web | grep -Eq "^51728 0   $id +4 "; }
check 'the domain has it' await connected
check 'block-detach' hauch block-detach web xvdb
says 'block-detach of nothing' 'has no disk xvdb; hauch block-list' hauch block-detach web xvdb
check 'its loop device is gone' test ! -e /sys/block/loop1/loop
check 'network-attach' hauch network-attach web bridge=xenbr0
linked() { hauch network-list web | grep -Eq "^1   0  00:16:3e:.*     1     4 "; }
check 'the domain has the card' await linked
check 'network-detach' hauch network-detach web 1
check 'its interface is gone' test ! -e /sys/class/net/vif$id.1
says 'info -n' '^   0: +[0-9]+ +[0-9]+ +10$' hauch info -n
says 'info names the version' '^xen_version            : 4.17' hauch info
check 'dump-core' hauch dump-core web /tmp/core
check 'the core file holds its memory' test "$(stat -c %s /tmp/core)" -gt 90000000
says 'the domain goes on' "^web .* [r-][b-]----" hauch list web
rm -f /tmp/core
says 'store ls' "^/local/domain/$id/name = \"web\"" hauch store ls /local/domain/$id
check 'store write' hauch store write /test/a 1 /test/b 2
says 'store read' '^2$' hauch store read /test/b
says 'store watch' '^/test/b$' hauch store watch -n 1 -t 5 /test/b
check 'store rm' hauch store rm /test
says 'store rm of nothing' 'no such node' hauch store rm /test
says 'logs' 'web login:' hauch logs web
says 'top' "^web +$id .*128|^web +$id .*100" hauch top -b -i 1
hauch debug-keys h
says 'debug-keys' '[Rr]eboot' hauch dmesg
hauch sysrq web h
magic() { console_log web | grep -qi 'sysrq.*help'; }
check 'sysrq' await magic
ln -sf "$(command -v hauch)" /tmp/xl
says 'xl list' "^web +$id +100 +[12] " /tmp/xl list
says 'xl has no migrate' 'migrate is not in Hauch, because' /tmp/xl migrate web host
hauch events >/tmp/events & events=$!
check 'define' hauch define /etc/web.cfg name=kept memory=100
says 'list --defined' '^kept +- off' hauch list --defined
check 'autostart' hauch autostart kept on
check 'edit keeps what makes sense' env EDITOR='sed -i s/^memory.=.100/memory=96/' hauch edit kept
says 'edit refuses nonsense' 'nothing was changed; your text is in' \
    env EDITOR='sed -i s/^memory/memory=[/' hauch edit kept
check 'rename' hauch rename web other
says 'domname' '^other$' hauch domname $id
check 'shutdown -w' hauch shutdown -w other
check 'gone' gone other
check 'pause of a paused one' hauch create -q -p /etc/web.cfg
says 'created paused' '^web .* --p---' hauch list web
check 'host-stop' hauch host-stop -t 5
check 'nothing is left' gone web
says 'no domain while the host goes down' 'going down.*host-start' hauch create /etc/web.cfg
says 'host-start brings what ran' '^web$' hauch host-start
check 'it runs' hauch domid web
says 'a second user of an image is refused' 'kept: not created.*web.img' cat /var/log/hauch/hauchd.log
check 'destroy' hauch destroy web
check 'start' hauch start -p kept
says 'it runs under its name' '^kept .*--p---' hauch list
check 'undefine' hauch undefine kept
check 'it is still there' hauch domid kept
check 'its end' hauch destroy kept
check 'no disk was deleted' test -e /var/lib/hauch/web.img
says 'doctor finds hauchd' '^good +hauchd answers' hauch doctor
says 'doctor finds nothing left' '^good +the store holds no domain that is gone' hauch doctor
kill $events
says 'events' '"event":"renamed".*"name":"other"' cat /tmp/events
says 'event of an end' '"event":"gone".*"name":"kept"' cat /tmp/events
'''


def run(report, log='system-verbs', kind=job.KIND):
    steps = ['tools'] + re.findall(r"^(?:check|says) '([^']*)'", TEXT, re.M)
    job.run(report, log, steps, TEXT, timeout=240, kind=kind)
