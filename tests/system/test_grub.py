# SPDX-License-Identifier: BSD-2-Clause
"""GRUB starts Hauch by multiboot 1 and 2 from a disc, with options that it does not know."""
import os
import shutil
import subprocess
import tempfile

import machine

NEEDS = ['hv/hauch.elf', 'guests/boot_hello.elf']
MENU = """set timeout=0
serial --unit=0 --speed=115200
terminal_output serial
menuentry test {{
    {load} /boot/hauch.elf placeholder com1=115200 console=com1,vga loglvl=all noreboot no-such-option=7
    {module} /boot/test.elf placeholder
}}
"""


def disc(folder, protocol):
    """A CD image whose only menu entry loads the test kernel as dom0."""
    boot = os.path.join(folder, protocol, 'boot')
    os.makedirs(os.path.join(boot, 'grub'))
    shutil.copy(os.path.join(machine.OUT, 'hv', 'hauch.elf'), boot)
    shutil.copy(os.path.join(machine.OUT, 'guests', 'boot_hello.elf'), os.path.join(boot, 'test.elf'))
    with open(os.path.join(boot, 'grub', 'grub.cfg'), 'w', encoding='ascii') as menu:
        menu.write(MENU.format(load=protocol, module=protocol.replace('multiboot', 'module')))
    image = os.path.join(folder, f'{protocol}.iso')
    subprocess.run(['grub-mkrescue', '-d', '/usr/lib/grub/i386-pc', '-o', image, os.path.dirname(boot)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    return image


def run(report):
    with tempfile.TemporaryDirectory() as folder:
        for protocol in ('multiboot', 'multiboot2'):
            argv = ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', machine.CPU, '-m', '256', '-nodefaults',
                    '-vga', 'std', '-display', 'none', '-serial', 'stdio', '-no-reboot',
                    '-cdrom', disc(folder, protocol), '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
            with machine.Machine(f'system-grub-{protocol}', argv, 60) as pc:
                pc.expect(r'VERDICT: success', 50)
                pc.wait_end(20)
                report(f'{protocol}: the test kernel succeeds', True)
                report(f'{protocol}: the unknown option is named', 'no-such-option' in pc.text,
                       pc.text[-500:])
