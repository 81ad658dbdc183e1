# SPDX-License-Identifier: BSD-2-Clause
"""The daemons killed with SIGKILL while domains run: nobody notices, nothing is lost, deaths in between are
seen."""
import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
STEPS = ['tools', 'web runs', 'the store has a user of its own', 'the console has a user of its own',
         'neither has privcmd open', 'limits of the store are shown', 'store and console killed twenty times',
         'web answers', 'the store is as it was', 'a second domain comes up', 'its disk and card are there',
         'killed while a domain writes to its console', 'no line of it is lost',
         'a death while no store runs', 'is seen', 'nothing is left', 'a shutdown by request']

TEXT = r'''
prompt() { console_log $1 | grep -q "$1 login:"; }
alive() { ping -c 1 -w 20 10.9.0.11 >/dev/null; }
store_again() { kill -9 $(pidof hauch-store); hauch-store --background; }
console_again() { kill -9 $(pidof hauch-console); hauch-console --daemon; }
# what does not change by itself
picture() { xenstore-ls -f | grep -v -e '^/local/domain/0/device-misc' -e console | sort; }
user_is() {
    status=/proc/$(pidof $1)/status
    grep -q "^Uid:	$2	$2	$2	$2" $status && grep -q '^NoNewPrivs:	1' $status &&
        grep -q '^Seccomp:	2' $status && grep -q '^CapEff:	0000000000000000' $status
}
no_privcmd() { ! ls -l /proc/$(pidof hauch-store)/fd /proc/$(pidof hauch-console)/fd | grep privcmd; }
many_times() {
    k=0
    while [ $k -lt 20 ]; do store_again && console_again || return; usleep 20000; k=$((k + 1)); done
}
check tools bring_up
demo_config web 10.9.0.11
hauch create /etc/web.cfg
check 'web runs' await prompt web
check 'the store has a user of its own' user_is hauch-store 101
check 'the console has a user of its own' user_is hauch-console 102
check 'neither has privcmd open' no_privcmd
limits() {
    hauch store quota $1 >/tmp/limits && [ $(wc -l </tmp/limits) = 9 ] &&
        awk '$2 == "nodes" && $3 > 0 && $3 < $4 && $5 == 0' /tmp/limits | grep -q . &&
        hauch store quota | grep -q "^ *$1  watches" &&
        hauch store quota -j $1 | grep -q '"kind": *"memory"' && ! hauch store quota 999 2>/dev/null
}
check 'limits of the store are shown' limits $(hauch domid web)
await alive
picture >/tmp/before
check 'store and console killed twenty times' many_times
check 'web answers' alive
picture >/tmp/after
check 'the store is as it was' cmp /tmp/before /tmp/after
await hauch list
demo_config left 10.9.0.12
hauch create /etc/left.cfg
check 'a second domain comes up' await prompt left
left() { ping -c 1 -w 20 10.9.0.12 >/dev/null; }
check 'its disk and card are there' await left

# numbered lines by way of the terminal, while the console daemon dies again and again
count() { sleep 1; k=0; while [ $k -lt 8 ]; do console_again; usleep 200000; k=$((k + 1)); done; }
tty=$(xenstore-read /local/domain/$(hauch domid left)/console/tty 2>/dev/null)
type() { (echo "$1"; sleep 2) | timeout 20 hauch console left >/dev/null 2>&1; }
type root
type 'k=1; while [ $k -le 3000 ]; do echo "line $k."; k=$((k + 1)); done; echo all-out-$k'
check 'killed while a domain writes to its console' count
complete() { console_log left | grep -q 'all-out-3001'; }
await complete
lines() {
    n=$(console_log left | tr -d '\r' | grep -o 'line [0-9]*\.' | sort -u | wc -l)
    [ "$n" = 3000 ] || { echo "$n lines"; false; }
}
check 'no line of it is lost' lines

id=$(hauch domid left) uuid=$(xenstore-read /local/domain/$id/vm)
kill -9 $(pidof hauch-store)
check 'a death while no store runs' hauch destroy left
hauch-store --background 2>/tmp/said
cat /tmp/said
check 'is seen' grep -q 'is no more' /tmp/said
# its nodes, which are dom0's, and with them what dom0's kernel has of its card and disk
nothing() {
    xenstore-ls -f | grep -e "^/local/domain/$id/" -e "^$uuid" -e "/vbd/$id/" -e "/vif/$id/" && return 1
    ! ls /sys/class/net | grep "^vif$id\\." && ! ls /sys/bus/xen-backend/devices | grep -e "-$id-" &&
        ! grep -l left.img /sys/block/loop*/loop/backing_file && ! ls /run/hauch/domains | grep left$
}
check 'nothing is left' await nothing
hauch shutdown web
check 'a shutdown by request' await gone web
'''


def run(report):
    job.run(report, 'system-restart', STEPS, TEXT, timeout=240)
