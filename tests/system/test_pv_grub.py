# SPDX-License-Identifier: BSD-2-Clause
"""A domU whose kernel is Debian's GRUB for Xen, and whose own disk says what to boot.

GRUB is a paravirtual guest that shares nothing with Linux: it drives store, disk and console by itself, and
hands page tables of its own making to the kernel that it found on the disk."""
import os
import shutil
import subprocess
import tempfile

import boots
import job
import machine

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
STEPS = ['tools', 'create web', 'GRUB reads its menu from the disk', 'its choice is at its prompt',
         'it serves a page', 'it writes its disk', 'reboot, through GRUB again', 'shut down']
TEXT = r'''
check tools bring_up
config() {
    cat >/etc/web.cfg <<EOF
name = 'web'
type = 'pv'
memory = 192
kernel = '/boot/grub-xen.bin'
disk = ['format=raw,vdev=xvda,access=rw,target=/boot/web.img']
vif = ['mac=00:16:3e:09:00:0b,bridge=xenbr0']
EOF
}
prompts() { [ "$(console_log web | grep -c 'web login:')" -ge $1 ]; }
menu() { console_log web | grep 'Reading (xen/xvda)/boot/grub/grub.cfg'; }
mark_there() { dd if=/boot/web.img bs=16 count=1 2>/dev/null | grep '^disk.of.web'; }
page() { timeout 20 wget -q -O - http://10.9.0.11/ | grep 'Hello from web'; }
config
check 'create web' $TOOL create /etc/web.cfg
check 'its choice is at its prompt' await prompts 1
check 'GRUB reads its menu from the disk' menu
check 'it serves a page' page
# job=mark writes the first bytes of the disk: no file system of ours begins before 1024
check 'it writes its disk' mark_there
check 'reboot, through GRUB again' $TOOL reboot web
await prompts 2 || echo "@not reboot, through GRUB again: no second prompt"
check 'shut down' $TOOL shutdown -w web
'''
MENU = """set timeout=0
menuentry 'the kernel of web' {
    linux /boot/vmlinuz console=hvc0 quiet name=web addr=10.9.0.11 job=mark
    initrd /boot/domu.cpio
}
"""


def disk(folder):
    """An ext2 image with kernel, initramfs and menu."""
    boot, image = os.path.join(folder, 'root', 'boot'), os.path.join(folder, 'web.img')
    os.makedirs(os.path.join(boot, 'grub'))
    shutil.copy(boots.out('img', 'vmlinuz-generic'), os.path.join(boot, 'vmlinuz'))
    shutil.copy(boots.out('img', 'domu-generic.cpio'), os.path.join(boot, 'domu.cpio'))
    with open(os.path.join(boot, 'grub', 'grub.cfg'), 'w', encoding='ascii') as menu:
        menu.write(MENU)
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext2', '-d', os.path.dirname(boot), image, '16m'],
                   check=True, stdout=subprocess.DEVNULL)
    return image


def run(report):
    boots.make_images()
    subprocess.run([os.path.join(machine.ROOT, 'tools', 'fetch'), 'grub-xen', 'grub-xen-host'], check=True)
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        grub = boots.out('pkg', 'grub-xen', 'usr', 'lib', 'grub-xen', 'grub-x86_64-xen.bin')
        for name, path in (('grub-xen.bin', grub), ('web.img', disk(folder))):
            with open(path, 'rb') as file:
                files[f'boot/{name}'] = file.read()
    job.run(report, 'system-pv-grub', STEPS, TEXT, files=files)
