# SPDX-License-Identifier: BSD-2-Clause
"""The hypervisor panics; after the warm restart dom0 reads why, with the state of the processor,
symbolised."""
import re

import job

NEEDS = ['hv/hauch.elf']

# The same job in both boots. A record that was cleared is gone; so the third look finds none.
TEXT = r'''
bring_up
if hauch dmesg --last-crash 2>/dev/null >/tmp/crash; [ -s /tmp/crash ]; then
    check 'the record names the reason' grep -q 'PANIC on CPU [01]: asked for by debug key C' /tmp/crash
    check 'it names the build' grep -Eq '^build [0-9a-f]{40}, up' /tmp/crash
    check 'it shows functions' grep -Eq 'debug_key\+0x[0-9a-f]+/0x[0-9a-f]+' /tmp/crash
    check 'it shows which vCPU ran' grep -Eq 'idle|runs d0v[0-9]' /tmp/crash
    check 'it shows the other processor' \
        grep -Eq '^CPU [01] \(APIC [01]\): in the (guest|hypervisor) at' /tmp/crash
    check 'it holds the log before' grep -q 'Hauch, loaded by' /tmp/crash
    check 'the log announces it' sh -c 'hauch dmesg | grep -q "crashed before: PANIC on CPU [01]: asked for"'
    hauch dmesg --last-crash -c >/dev/null
    check 'cleared, it is gone' test -z "$(hauch dmesg --last-crash 2>/dev/null)"
else
    echo "@ready"
    sleep 100
fi
'''
STEPS = re.findall(r"check '([^']*)'", TEXT)


def crash(pc):
    pc.expect(r'^@ready', 150)
    pc.write('\x01\x01\x01C')
    pc.expect(r'^PANIC on CPU [01]: asked for', 30)
    pc.expect(r'restarts in 5 seconds', 30)
    pc.expect(r'the machine crashed before', 60)


def run(report):
    job.run(report, 'system-crash', STEPS, TEXT, timeout=300, tools='hauch', before=crash, mem=512,
            dom0_mem=256, smp=2, extra=['-action', 'reboot=reset'])
