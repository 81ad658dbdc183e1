# SPDX-License-Identifier: BSD-2-Clause
"""All three daemons killed with SIGKILL at random moments while domains are made, listed and removed, and one
of them writes to its disk and its console: the guest notices nothing, nothing is lost, what ran is found
again, nothing is left over."""
import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console',
         'bench/noop.elf']
STEPS = ['tools', 'web runs', 'a storm', 'domains were made in it', 'each daemon was killed',
         'the daemons are well', 'web is the same domain', 'web answers', 'no line of its console is lost',
         'its disk has what it wrote', 'a death while hauchd is dead', 'is seen', 'nothing is left over',
         'doctor finds no leak']

# Each round of the killer: one daemon, then a pause of 0 to 400 ms; what a command cannot do meanwhile it is
# asked again.
TEXT = r'''
random() { echo $(($(od -An -N2 -tu2 /dev/urandom) % $1)); }
start() { case $1 in
    hauch-store) hauch-store --background ;; hauch-console) hauch-console --daemon ;;
    hauchd) hauchd 2>>/var/log/hauch/hauchd.log & ;; esac; }
kill_one() { kill -9 $(pidof $1) 2>/dev/null; start $1; echo $1 >>/tmp/killed; }
killer() {
    while [ ! -f /tmp/enough ]; do
        case $(random 3) in
            0) kill_one hauch-store ;; 1) kill_one hauch-console ;; *) kill_one hauchd ;; esac 2>>/tmp/said
        usleep $(($(random 300) * 1000 + 30000))
    done
}
again() {
    k=0
    until "$@" >/dev/null 2>>/tmp/refused; do k=$((k + 1)); [ $k -lt 200 ] || return; usleep 50000; done
}
# made or found made: a request whose answer was lost may have been fulfilled
make() { hauch domid $1 || hauch create /etc/noop.cfg "name='$1'"; }
unmake() {
    ! hauch list >/tmp/now || { ! grep -q "^$1 " /tmp/now || hauch destroy $1; }
    hauch list >/tmp/now && ! grep -q "^$1 " /tmp/now
}
storm() {
    made=0 r=0
    while [ $r -lt 10 ]; do
        again make n$r || { echo "n$r is not made"; return 1; }
        made=$((made + 1))
        again hauch list || return
        again unmake n$r || { echo "n$r does not go"; return 1; }
        r=$((r + 1))
    done
}
prompt() { console_log web | grep -q 'web login:'; }
alive() { ping -c 1 -w 20 10.9.0.11 >/dev/null; }
type() { (echo "$1"; sleep 2) | timeout 20 hauch console web >/dev/null 2>&1; }
domains() { hauch list | awk 'NR > 1 { print $1, $2 }' | sort; }
check tools bring_up
printf "kernel='/noop.elf'\nmemory=4\n" >/etc/noop.cfg
demo_config web 10.9.0.11
hauch create /etc/web.cfg
check 'web runs' await prompt
await alive
domains >/tmp/before
make last; hauch destroy last
nodes() {
    xenstore-ls -f | sed 's/ = .*//' |
        grep -v -e device-misc -e /console -e '^/local/domain/0/backend/v[a-z]*$' | sort
}
nodes >/tmp/nodes
type root
# as fast as it can: lines to the console, and 4 MiB to the disk
lines='(while [ $k -le 2000 ]; do echo "line $k."; k=$((k + 1)); done; echo all-out-$k)'
disk='dd if=/dev/urandom of=/tmp/x bs=1M count=4; cat /tmp/x | dd of=/dev/xvda bs=64k conv=fsync'
type "k=1; $lines & $disk; md5sum /tmp/x | sed s/^/sum=/; wait"
echo; mark storm
killer &
check 'a storm' storm
touch /tmp/enough; wait $!
mark calm
check 'domains were made in it' test "$made" = 10
each() { for d in hauchd hauch-store hauch-console; do grep -qx $d /tmp/killed || return; done; }
check 'each daemon was killed' each
sort /tmp/killed | uniq -c
well() { hauch list && pidof hauch-store && pidof hauch-console; }
check 'the daemons are well' await well
domains >/tmp/after
check 'web is the same domain' cmp /tmp/before /tmp/after
check 'web answers' alive
complete() { console_log web | grep -q 'all-out-2001' && console_log web | grep -q sum=; }
await complete
lines() {
    n=$(console_log web | tr -d '\r' | grep -o 'line [0-9]*\.' | sort -u | wc -l)
    [ "$n" = 2000 ] || { echo "$n lines"; false; }
}
check 'no line of its console is lost' lines
sum=$(console_log web | tr -d '\r' | sed -n 's/.*sum=\([0-9a-f]\{32\}\).*/\1/p')
same 'its disk has what it wrote' "$sum" "$(head -c 4194304 /var/lib/hauch/web.img | md5sum | cut -c1-32)"
mark death
DOMU_ARGS='job=halt' demo_config off 10.9.0.14
hauch create /etc/off.cfg
kill -9 $(pidof hauchd)
down() { console_log off | grep -q -e 'System halted' -e 'Power down'; }
check 'a death while hauchd is dead' await down
start hauchd; await hauch list
check 'is seen' await gone off
left() {
    nodes >/tmp/nodes2
    cmp /tmp/nodes /tmp/nodes2 && [ $(ls /run/hauch/domains) = $(hauch domid web).json ]
}
check 'nothing is left over' await left
diff /tmp/nodes /tmp/nodes2; ls /run/hauch/domains
no_leak() { ! hauch doctor | grep -e 'leaks.*problem' -e 'problem.*leaks'; }
check 'doctor finds no leak' no_leak
hauch doctor | grep leaks
sort /tmp/refused | sed 's/[0-9][0-9]*/N/g' | sort | uniq -c | sort -rn | head -20
'''


def run(report):
    with open(job.boots.out('bench', 'noop.elf'), 'rb') as file:
        job.run(report, 'system-kill-storm', STEPS, TEXT, timeout=420, files={'noop.elf': file.read()})
