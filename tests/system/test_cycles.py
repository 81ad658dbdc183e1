# SPDX-License-Identifier: BSD-2-Clause
"""Twenty domains created and destroyed: afterwards nothing is left of them, in dom0 or in the hypervisor."""
import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
STEPS = ['tools', 'first domain', 'free memory is told', 'twenty cycles', 'free memory', 'loop devices',
         'network links', 'store nodes', 'event channels', 'console still works']

# The first domain is made before the counting: what daemons keep for good, they have then.
TEXT = r'''
free_memory() { hauch info --json | grep -o '"free_kib[^,]*'; }
loops() { ls -d /sys/block/loop*/loop 2>/dev/null | wc -l; }
links() { ls /sys/class/net | wc -l; }
nodes() { xenstore-ls -f | wc -l; }
ports() { grep -c xen-dyn /proc/interrupts; }
cycle() {
    hauch create /etc/web.cfg && hauch destroy web && await gone web
}
twenty() {
    round=0                                     # await has its own n
    while [ $round -lt 20 ]; do cycle >/dev/null || return; round=$((round + 1)); done
}
check tools bring_up
demo_config web 10.9.0.11
check 'first domain' cycle
check 'free memory is told' free_memory
memory=$(free_memory) loops=$(loops) links=$(links) nodes=$(nodes) ports=$(ports)
check 'twenty cycles' twenty
# page scrubbing and the kernel's release of devices may lag a little
n=0; while [ "$(free_memory)" != "$memory" ] && [ $n -lt 20 ]; do usleep 500000; n=$((n + 1)); done
same 'free memory' "$memory" "$(free_memory)"
same 'loop devices' "$loops" "$(loops)"
same 'network links' "$links" "$(links)"
same 'store nodes' "$nodes" "$(nodes)"
same 'event channels' "$ports" "$(ports)"
hauch create /etc/web.cfg
prompt() { console_log web | tail -n 3 | grep -q 'web login:'; }
check 'console still works' await prompt
'''


def run(report):
    job.run(report, 'system-cycles', STEPS, TEXT, timeout=300)
