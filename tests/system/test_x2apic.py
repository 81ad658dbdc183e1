# SPDX-License-Identifier: BSD-2-Clause
"""Four processors with x2APICs: QEMU of Debian 13, whose emulation has them, fetched and never installed.
dom0 has a vCPU on each, and every vCPU gets its timer and the others' interrupts. Where the package is not to
be had, the test is passed over and says so."""
import os
import re
import subprocess

import boots
import machine

NEEDS = ['hv/hauch.elf']
NIGHTLY = True          # the package and what it depends on are 140 MB
CPU = 'Nehalem,+x2apic'
JOB = r'''
for n in 0 1 2 3; do taskset $((1 << n)) sh -c "sleep 0.2; echo @ran $n"; done
taskset 1 dd if=/dev/zero of=/tmp/a bs=1M count=20 2>/dev/null &
taskset 8 dd if=/tmp/b of=/dev/null 2>/dev/null; wait
grep -E 'RES|CAL' /proc/interrupts | sed 's/^/@count /'
grep -c ^processor /proc/cpuinfo | sed 's/^/@processors /'
'''


def fetched_qemu():
    """The start of a command line that runs Debian 13's QEMU by its own loader, or None."""
    fetch = subprocess.run([os.path.join(machine.ROOT, 'tools', 'fetch'), '--suite', 'trixie', '--closure',
                            'qemu10', 'qemu-system-x86'], capture_output=True, text=True, timeout=900)
    root = boots.out('pkg', 'qemu10')
    if fetch.returncode:
        return None, fetch.stderr.strip()[-300:]
    data = [part for folder in ('share/qemu', 'share/seabios', 'lib/ipxe/qemu')
            for part in ('-L', os.path.join(root, 'usr', folder))]
    return [os.path.join(root, 'lib64/ld-linux-x86-64.so.2'), '--library-path',
            os.path.join(root, 'usr/lib/x86_64-linux-gnu'), os.path.join(root, 'usr/bin/qemu-system-x86_64'),
            *data], ''


def run(report):
    qemu, why = fetched_qemu()
    if not qemu:
        report('passed over: QEMU of Debian 13 cannot be fetched', True, why)
        print(f'skip system x2apic: QEMU of Debian 13 cannot be fetched: {why}')
        return
    boots.make_images(tools='none')
    argv = boots.command('hauch', 'system-x2apic', tools='none', job=JOB, smp=4, cpu=CPU,
                         hv_args='loglvl=all')
    with machine.Machine('system-x2apic', qemu + argv[1:], 300) as pc:
        try:
            pc.wait_end(305)
            note = ''
        except machine.Timeout as error:
            note = str(error)
        text = pc.text
    report('the local APICs are in x2APIC mode', 'local APIC: x2APIC' in text, note or text[-800:])
    report('four processors run', re.search(r'^4 processors', text, re.M) and '@processors 4' in text,
           note or text[-800:])
    report('each vCPU sleeps and wakes', all(f'@ran {n}' in text for n in range(4)), note or text[-800:])
