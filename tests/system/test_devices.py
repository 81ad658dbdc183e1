# SPDX-License-Identifier: BSD-2-Clause
"""dom0 drives the machine's real devices; each device is alone in a boot of its own."""
import hashlib
import os
import re
import tempfile

import job

NEEDS = ['hv/hauch.elf']
SIZE = 4 << 20
SMALL = {'dom0_mem': 256, 'mem': 512}              # six boots: less memory to clear is a third of their time

DISKS = {'virtio disk': ('vda', ['-device', 'virtio-blk-pci,drive=d']),
         'AHCI disk': ('sda', ['-device', 'ahci,id=a', '-device', 'ide-hd,drive=d,bus=a.0']),
         'NVMe disk': ('nvme0n1', ['-device', 'nvme,drive=d,serial=hauch']),
         'USB stick on xHCI': ('sda', ['-device', 'qemu-xhci', '-device', 'usb-storage,drive=d'])}
CARDS = {'e1000e': 'e1000e', 'virtio network': 'virtio-net-pci'}

# The first MiB is the host's pattern; the job reads it, writes its own copy behind it, and reads that back.
DISK_TEXT = r'''
found() { coldplug; test -b /dev/{disk}; }
check 'the disk appears' await found
dd if=/dev/{disk} of=/tmp/first bs=64k count=16 2>/dev/null
same 'it reads what the host wrote' {digest} "$(md5sum </tmp/first | cut -c1-32)"
dd if=/tmp/first of=/dev/{disk} bs=64k seek=16 conv=fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
dd if=/dev/{disk} bs=64k skip=16 count=16 2>/dev/null >/tmp/again
cmp /tmp/again /tmp/first && echo "@ok it reads back what it wrote"
grep -iE 'msi|ahci|nvme|xhci|virtio' /proc/interrupts
'''
NET_TEXT = r'''
card() { ls /sys/class/net | grep -v '^lo$' | head -n 1; }
found() { coldplug; test -n "$(card)"; }
check 'the card appears' await found
ip link set $(card) up; ip addr add 10.0.2.15/24 dev $(card)
check 'it reaches the host' await ping -c 1 -w 2 10.0.2.2         # the link takes seconds to come up
cat /proc/interrupts
'''


def disk_test(report, name, disk, devices):
    pattern = os.urandom(1 << 20)
    with tempfile.NamedTemporaryFile() as image:
        image.write(pattern + bytes(SIZE - len(pattern)))
        image.flush()
        extra = ['-drive', f'file={image.name},format=raw,if=none,id=d', *devices]
        text = DISK_TEXT.replace('{disk}', disk).replace('{digest}', hashlib.md5(pattern).hexdigest())
        job.run(lambda step, *more: report(f'{name}: {step}', *more), 'system-' + re.sub(r'\W+', '-', name),
                ['the disk appears', 'it reads what the host wrote', 'it reads back what it wrote'], text,
                120, 'none', extra=extra, **SMALL)
        image.seek(len(pattern))
        report(f'{name}: the host sees what it wrote', image.read(len(pattern)) == pattern)


def run(report):
    for name, (disk, devices) in DISKS.items():
        disk_test(report, name, disk, devices)
    for name, device in CARDS.items():
        extra = ['-netdev', 'user,id=n', '-device', f'{device},netdev=n']
        job.run(lambda step, *more, who=name: report(f'{who}: {step}', *more),
                'system-' + re.sub(r'\W+', '-', name), ['the card appears', 'it reaches the host'], NET_TEXT,
                120, 'none', extra=extra, **SMALL)
