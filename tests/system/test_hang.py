# SPDX-License-Identifier: BSD-2-Clause
"""Two processors, and what the hypervisor says of them: debug keys, a hang that the watchdog ends, a machine
check."""
import boots
import machine

NEEDS = ['hv/hauch.elf']
SHARED = dict(tools='none', mem=512, dom0_mem=256, smp=2)
KEYS = [('d', r'^CPU [01] \(APIC [01]\): (in the (guest|hypervisor) at|prints this)'),
        ('t', r'^CPU [01]: skew -?\d+ ns, known to \d+ ns; in order'),
        ('N', r'^CPU [01]: 1 NMI, the last at '),
        ('n', r'^CPU [01]: 1 NMIs'),
        ('m', r'^    heap\[1\d\]: \d+kB free'),
        ('a', r'^  in -?\d+ us: beat\+0x0/0x[0-9a-f]+ '),
        ('z', r'^   ?\d vector [3-9a-e][0-9a-f] APIC 0 '),
        ('e', r'pending|VIRQ to vCPU'),
        ('r', r'^  d0v0 on CPU ')]


def boot(name, hv_args, job):
    argv = boots.command('hauch', name, job=job, hv_args=hv_args, **SHARED)
    return machine.Machine(name, argv, 150)


def seen(report, pc, step, pattern, timeout=40):
    """Reports whether the pattern comes; the text from there on is what the next one is looked for in."""
    try:
        pc.expect(pattern, timeout)
        report(step, True)
    except machine.Timeout as error:
        report(step, False, str(error))


def keys(report):
    with boot('system-keys', 'noreboot watchdog', 'sleep 100') as pc:
        pc.expect(r'^@@ init', 120)
        report('the watchdog says how it works', 'watchdog: 5 s, by looking at each other' in pc.text)
        pc.write('\x01\x01\x01')
        for key, pattern in KEYS:
            pc.write(key)
            seen(report, pc, f'key {key}', pattern)
        pc.write('!')
        seen(report, pc, 'the watchdog panics', r'^PANIC on CPU [01]: watchdog: this processor hangs')
        seen(report, pc, 'it shows where the processor hangs', r'^  vector 2 error 0 at hang\+0x')
        seen(report, pc, 'it shows the other processor',
             r'^CPU [01] \(APIC [01]\): in the hypervisor at hw_accuse\+0x')


def machine_check(report):
    """An uncorrected error on the second processor; bank 1's address is told."""
    with boot('system-machine-check', 'noreboot', 'sleep 100') as pc:
        pc.expect(r'^@@ init', 120)
        pc.monitor_command('mce 1 1 0xb600000000000000 5 0x12345000 0')
        seen(report, pc, 'the bank is told',
             r'^machine check: CPU 1 bank 1 status b6\w+ address 12345000 .*not corrected')
        seen(report, pc, 'the machine panics', r'^PANIC on CPU 1: machine check')
        seen(report, pc, 'it shows the first processor', r'^CPU 0 \(APIC 0\): in the')


def run(report):
    boots.make_images('hauch', 'generic', 'none')
    keys(report)
    machine_check(report)
