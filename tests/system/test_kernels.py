# SPDX-License-Identifier: BSD-2-Clause
"""Stock kernels: Debian 12's 6.1 and Debian 13's 6.12 as dom0, each with domUs of its own kind and 6.12's
with a domU of the 6.1 cloud kernel. Whatever they call that Hauch does not have is counted and compared with
the list in docs/missing-hypercalls.md: a call too many or too few, or another number of calls, fails the
test."""
import os
import re

import boots
import job
import machine

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
LIST = os.path.join(machine.ROOT, 'docs', 'missing-hypercalls.md')

# Each domU answers on the network and has written its name to its disk.
TEXT = r'''
check tools bring_up
prompt() { console_log $1 | grep -q "$1 login:"; }
page() { timeout 20 wget -q -O - http://$1/ | grep "Hello from $2: $3"; }
disk() { dd if=/var/lib/hauch/$1.img bs=16 count=1 2>/dev/null | grep -q "^disk.of.$1[.]*$"; }
# domu NAME ADDRESS KERNEL RELEASE
domu() {
    DOMU_ARGS='job=mark' demo_config $1 $2
    sed -i "s#/boot/vmlinuz#/boot/vmlinuz$3#;s#/boot/domu#/boot/domu$3#" /etc/$1.cfg
    check "create $1" hauch create /etc/$1.cfg
    check "$1 is at its prompt" await prompt $1
    check "$1 serves a page with its release" page $2 $1 $4
    check "what $1 wrote is on its disk" disk $1
}
'''
MISSING = r'''
hauch dmesg --missing | sed 's/^/@missing /'
check 'shut down' hauch shutdown --wait --all
'''


def listed(domus):
    """(call, operation) -> how often a boot with so many domUs makes it, by the table in docs."""
    with open(LIST, encoding='utf-8') as file:
        rows = re.findall(r'^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|', file.read(), re.M)
    return {(call, int(op)): int(dom0) + domus * int(domu) for call, op, dom0, domu in rows}


def counted(console):
    return {(call, int(op)): int(times)
            for call, op, times in re.findall(r'^@missing (\S+) (\d+) \S+: (\d+) times', console, re.M)}


def one_boot(report, kernel, domus, files=None):
    """domus: (name, address, suffix of its files in dom0's /boot, what its release contains)."""
    steps, text = ['tools'], TEXT
    for name, address, suffix, release in domus:
        steps += [f'create {name}', f'{name} is at its prompt', f'{name} serves a page with its release',
                  f'what {name} wrote is on its disk']
        text += f"domu {name} {address} '{suffix}' {release}\n"

    def told(step, *more):
        report(f'{kernel}: {step}', *more)
    console = job.run(told, f'system-kernels-{kernel}', [*steps, 'shut down'], text + MISSING, kernel=kernel,
                      timeout=300, files=files)
    expected, seen = listed(len(domus)), counted(console)
    told('the calls that Hauch does not have are those that docs list', bool(seen) and seen == expected,
         f'counted: {sorted(seen.items())}\nlisted:  {sorted(expected.items())}')


def run(report):
    one_boot(report, 'generic', [('web', '10.9.0.11', '', '6.1.')])
    boots.make_domu('cloud')
    files = {}
    for name, path in (('vmlinuz-cloud', 'vmlinuz-cloud'), ('domu-cloud.cpio', 'domu-cloud.cpio')):
        with open(boots.out('img', path), 'rb') as file:
            files[f'boot/{name}'] = file.read()
    one_boot(report, 'trixie',
             [('web', '10.9.0.11', '', '6.12.'), ('left', '10.9.0.12', '-cloud', '6.1.*cloud')],
             files)
