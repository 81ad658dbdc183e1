# SPDX-License-Identifier: BSD-2-Clause
"""How the images of tools/mkimage are booted: on the bare machine, on the real Xen, on Hauch.

A job (shell text for dom0) travels as a second cpio archive behind dom0's initramfs, so that a machine
without any disk driver can run it too."""

import os
import re
import shutil
import subprocess

import machine
from cpio import Archive

MACHINE_MIB, DOM0_MIB = 1536, 768
HYPERVISOR = {'xen': 'img/xen.elf', 'hauch': 'hv/hauch.elf'}
# Unless told otherwise Xen switches the FPU's registers lazily, and in QEMU 7.2 processes then find foreign
# values in their SSE registers (a loop that watches them, in dom0 and in a domU: 14 of 3000 rounds). Daemons
# die of it.
NEEDED = {'xen': 'spec-ctrl=eager-fpu'}


def out(*parts):
    return os.path.join(machine.OUT, *parts)


def make_images(kind='hauch', kernel='generic', tools='hauch', domu_kernel=None):
    """Builds what a boot of this kind needs; cheap when nothing changed is not promised, so call it once a
    test."""
    script = os.path.join(machine.ROOT, 'tools', 'mkimage')
    subprocess.run([script, 'all', '--kernel', kernel, '--tools', tools]
                   + (['--domu-kernel', domu_kernel] if domu_kernel else []), check=True)
    if kind == 'xen' and not os.path.exists(out('img', 'xen.elf')):
        subprocess.run([script, 'xen'], check=True)


def make_domu(kernel):
    """The kernel and image of one more kind of domU."""
    subprocess.run([os.path.join(machine.ROOT, 'tools', 'mkimage'), 'domu', '--kernel', kernel], check=True)


def initrd_with(name, image, files):
    """A copy of image with small files added; returns its path below out/run."""
    path = out('run', f'{name}.cpio')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    more = Archive.plain()
    for where, text in files.items():
        more.file(where, text, 0o755)
    with open(path, 'wb') as target, open(image, 'rb') as source:
        shutil.copyfileobj(source, target)
        target.write(more.bytes())
    return path


def debian_program(path, *packages):
    """Files, as command() takes them, that bring a program of Debian's into any image: /NAME runs it by a
    loader and with libraries of its own, whatever else the image has. path: in the first package."""
    fetch = os.path.join(machine.ROOT, 'tools', 'fetch')
    subprocess.run([fetch, packages[0], *packages, 'libc6'], check=True)
    root, name = out('pkg', packages[0]), os.path.basename(path)
    loader, program = f'{root}/lib64/ld-linux-x86-64.so.2', f'{root}/{path}'
    run = [loader, '--library-path', f'{root}/usr/lib/x86_64-linux-gnu', '--list', program]
    listing = subprocess.run(run, text=True, stdout=subprocess.PIPE, check=True).stdout
    start = f'cd /opt/{name} && exec ./{os.path.basename(loader)} --library-path . ./{name} "$@"'
    files = {name: f'#!/bin/sh\n{start}\n'}
    for source in [loader, program, *re.findall(rf'=> ({re.escape(root)}/\S+) \(0x', listing)]:
        with open(source, 'rb') as file:
            files[f'opt/{name}/{os.path.basename(source)}'] = file.read()
    return files


def command(kind, name, kernel='generic', tools='hauch', job=None, files=None, dom0_mem=DOM0_MIB, hv_args='',
            kernel_args='', hv_only=False, **qemu):
    """QEMU's command line for one boot; the rest of the arguments is machine.command's."""
    qemu.setdefault('mem', MACHINE_MIB)
    image = out('img', f'dom0-{kernel}-{tools}.cpio')
    files = dict(files or {}) | ({'job': job} if job else {})
    initrd = initrd_with(name, image, files) if files else image
    console = 'ttyS0' if kind == 'native' else 'hvc0'
    memory = f'dom0_mem={dom0_mem}M,max:{dom0_mem}M'
    options = f'com1=115200 console=com1 {memory} {NEEDED.get(kind, "")} {hv_args}'
    return machine.command(kind, None if hv_only else out('img', f'vmlinuz-{kernel}'),
                           f'console={console} quiet panic=1 {kernel_args}'.strip(),
                           None if hv_only else initrd,
                           hypervisor=out(HYPERVISOR[kind]) if kind != 'native' else None,
                           hv_args=' '.join(options.split()), **qemu)
