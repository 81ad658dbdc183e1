# SPDX-License-Identifier: BSD-2-Clause
"""Test kernels on the hypervisor that checks the order of its locks, with two processors: a lock taken out of
order stops the machine, whether or not two processors meet there. Those kernels that take the most kinds of
locks."""

import glob
import os
import re

import machine

NEEDS = ['hv-debug/hauch.elf', 'guests/boot_hello.elf']
KERNELS = r'(ctl_create|dev_physdev|dev_pci|dom_crash|dom_events|dom_grants|dom_memory|event_fifo|' \
          r'event_reset|grant_map|grant_replace|memory_exchange|sched_timers|vcpu_info|vcpu_second)\.elf'
LIMIT = 60


def run(report):
    hypervisor = os.path.join(machine.OUT, 'hv-debug', 'hauch.elf')
    for path in sorted(glob.glob(os.path.join(machine.OUT, 'guests', '*.elf'))):
        if not re.fullmatch(KERNELS, os.path.basename(path)):
            continue
        name = os.path.splitext(os.path.basename(path))[0]
        argv = machine.command('hauch', path, hypervisor=hypervisor, mem=256,
                               hv_args='com1=115200 console=com1 loglvl=all guest_loglvl=all noreboot',
                               extra=['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-smp', '2'])
        note = ''
        with machine.Machine(f'lock-order-{name}', argv, LIMIT) as pc:
            try:
                pc.wait_end(LIMIT + 5)
            except machine.Timeout as error:
                note = str(error)
        report(name, 'VERDICT: success' in pc.text and not note, note or pc.text)
