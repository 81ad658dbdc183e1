# SPDX-License-Identifier: BSD-2-Clause
"""The first week with Hauch on a real Debian 12, as docs/install.md tells it: install, try once, make it the
default, domains that start with the host and outlive its restart, daemons that end, a user of the group; then
all gone again.

The machine has one disk that tools/mkdebian made, and a second one that is a tar file: what `make install`
gives, kernel and initrd of a domU, and the sources, for `make uninstall`. Its network ends in QEMU."""
import os
import re
import shutil
import subprocess
import tempfile

import boots
import machine

NIGHTLY = True
NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
HOST, WEB, LEFT = '10.0.2.15', '10.0.2.50', '10.0.2.51'
BOOT, SLOW, QUICK = 400, 150, 60     # seconds: bounds, not what it takes

BRIDGE = {'10-xenbr0.netdev': '[NetDev]\nName=xenbr0\nKind=bridge\n',
          '20-card.network': '[Match]\nName=en*\n[Network]\nBridge=xenbr0\n',
          '30-xenbr0.network': '[Match]\nName=xenbr0\n[Network]\nDHCP=ipv4\n'}
# An emulated machine beside other work is slow: nothing that comes late is missing.
PATIENCE = '[Manager]\nDefaultDeviceTimeoutSec=300\nDefaultTimeoutStartSec=300\nDefaultTimeoutStopSec=200\n'
DOMAIN = '''name = "{name}"
kernel = "/srv/vmlinuz"
ramdisk = "/srv/domu.cpio"
extra = "console=hvc0 name={name} addr={address}"
memory = 128
disk = ["/srv/{name}.img,raw,xvda,w"]
vif = ["bridge=xenbr0"]
'''


# ---- the machine -----------------------------------------------------------------------------------------
def second_disk(folder):
    """What comes to the machine from outside, as one tar file."""
    root = os.path.join(folder, 'root')
    subprocess.run(['make', '-s', 'install', f'DESTDIR={root}'], cwd=machine.ROOT, check=True, timeout=300,
                   stdout=subprocess.DEVNULL)
    for where in ('srv', 'etc/systemd/network', 'usr/src/hauch'):
        os.makedirs(os.path.join(root, where))
    shutil.copy(boots.out('img', 'vmlinuz-generic'), os.path.join(root, 'srv', 'vmlinuz'))
    shutil.copy(boots.out('img', 'domu-generic.cpio'), os.path.join(root, 'srv', 'domu.cpio'))
    for name, address in (('web', WEB), ('left', LEFT)):
        with open(os.path.join(root, 'srv', f'{name}.img'), 'wb') as disk:
            disk.truncate(1 << 20)
        with open(os.path.join(root, 'srv', f'{name}.cfg'), 'w', encoding='ascii') as config:
            config.write(DOMAIN.format(name=name, address=address))
    for name, text in BRIDGE.items():
        with open(os.path.join(root, 'etc/systemd/network', name), 'w', encoding='ascii') as file:
            file.write(text)
    os.makedirs(os.path.join(root, 'etc/systemd/system.conf.d'))
    with open(os.path.join(root, 'etc/systemd/system.conf.d/patience.conf'), 'w', encoding='ascii') as file:
        file.write(PATIENCE)
    sources = subprocess.run(['git', 'ls-files', '-z'], cwd=machine.ROOT, check=True,
                             capture_output=True).stdout
    packed = subprocess.run(['tar', '--null', '-T', '-', '-c'], cwd=machine.ROOT, check=True, input=sources,
                            capture_output=True).stdout
    subprocess.run(['tar', '-C', os.path.join(root, 'usr/src/hauch'), '-x'], check=True, input=packed)
    tar = os.path.join(folder, 'install.tar')
    subprocess.run(['tar', '-C', root, '--owner=0', '--group=0', '-cf', tar, '.'], check=True)
    return tar


def start(name, disk, tar, native):
    """A PC with this disk. native boots its kernel without a boot loader; else GRUB decides, and the machine
    may restart."""
    drives = [w for file in (disk, tar) for w in ('-drive', f'file={file},if=virtio,format=raw')]
    extra = [*drives, '-vga', 'std', '-netdev', 'user,id=net,restrict=on',
             '-device', 'virtio-net-pci,netdev=net']
    argv = machine.command('native', boots.out('img', 'debian-vmlinuz'),
                           'root=/dev/vda1 ro console=ttyS0 loglevel=4', boots.out('img', 'debian-initrd'),
                           machine='q35', mem=1536, extra=extra)
    if not native:
        at = argv.index('-kernel')
        argv[at:at + 6] = []
        argv.remove('-no-reboot')
    return machine.Machine(f'system-debian-{name}', argv, 500 if native else 1200)


class Shell:
    """root's shell on a console: commands, what they said, and their status."""

    def __init__(self, pc):
        self.pc = pc

    def log_in(self, timeout=BOOT):
        self.pc.expect(r'debian login: ', timeout)
        self.pc.send('root')
        self.pc.expect(r'root@debian:~# ', SLOW)
        # no echo, no prompt: what comes back is what commands say
        self.pc.send('exec bash --norc --noediting')
        self.pc.send('stty -echo; PS1=; PS2=; dmesg -n 1; echo rea""dy')
        self.pc.expect(r'ready$', QUICK)

    def run(self, line, timeout=QUICK):
        """Returns (status, what it said)."""
        begin = self.pc.seen
        self.pc.send(f'{{ {line}; }} 2>&1; echo "@@$?@@"')
        match = self.pc.expect(r'@@(\d+)@@\n', timeout)
        return int(match[1]), self.pc.text[begin:match.start()].strip()

    def say(self, line, timeout=QUICK):
        """What a command that must succeed says."""
        status, text = self.run(line, timeout)
        if status:
            raise RuntimeError(f'{line}: status {status}: {text}')
        return text

    def await_(self, line, seconds=60):
        """Until the command succeeds, or that long."""
        self.say(f'n={seconds * 2}; until {line} >/dev/null 2>&1; do sleep 0.5; '
                 f'[ $((n -= 1)) -gt 0 ] || break; done; {line}', 2 * seconds + QUICK)

    def console(self, name):
        return self.say(f'cat /var/log/hauch/console/{name}.log')


# ---- the story -------------------------------------------------------------------------------------------
def install(report, sh):
    """Without Hauch: unpack what `make install` gives, and what docs/install.md says is done then."""
    sh.say('tar -C / -xf /dev/vdb', SLOW)
    sh.say('systemd-sysusers')
    sh.say('systemctl enable hauchd systemd-networkd 2>&1', SLOW)
    for name, value in (('CMDLINE_HAUCH', 'dom0_mem=640M com1=115200 console=com1'),
                        ('CMDLINE_LINUX_HAUCH', 'console=hvc0')):
        sh.say(f"sed -i 's/^GRUB_{name}=.*/GRUB_{name}=\"{value}\"/' /etc/default/grub.d/hauch.cfg")
    sh.say("sed -i 's/^#GRUB_DEFAULT/GRUB_DEFAULT/' /etc/default/grub.d/hauch.cfg")
    sh.say('grub-install /dev/vda', SLOW)
    # an older kernel gets an entry of its own, one that was built without Xen's interface does not
    sh.say('touch /boot/vmlinuz-5.10.0-9-amd64 /boot/vmlinuz-6.0.0-bare /boot/config-6.0.0-bare')
    said = sh.say('update-grub; rm /boot/*-5.10.0-9-amd64 /boot/*-6.0.0-bare', SLOW)
    ids = sh.say("""sed -n "s/^menuentry.*--id '\\(hauch.*\\)' {/\\1/p" /boot/grub/grub.cfg""").split()
    report('update-grub finds Hauch', ids == ['hauch', 'hauch-5.10.0-9-amd64'], f'{ids} {said}')
    status, said = sh.run('systemctl --failed --no-legend')
    report('nothing failed before', not status and not said, said)
    sh.say('grub-reboot hauch')
    sh.pc.send('systemctl poweroff')
    sh.pc.wait_end(SLOW)


def healthy(report, sh, when):
    """systemd has no complaint, and neither has doctor."""
    sh.run('systemctl is-system-running --wait', SLOW)
    _, failed = sh.run('systemctl --failed --no-legend')
    report(f'{when}: no unit failed', not failed, failed)
    status, said = sh.run('hauch doctor')
    report(f'{when}: doctor is content', status == 0 and not re.search(r'^(note|problem)', said, re.M), said)


def first_domains(report, sh):
    sh.say('grub-set-default hauch')
    sh.say('hauch define /srv/web.cfg')
    sh.say('hauch autostart web on')
    sh.say('hauch start web', SLOW)
    sh.say('hauch create -q /srv/left.cfg', SLOW)
    sh.await_(f'ping -c1 -W1 {WEB}')
    sh.await_(f'ping -c1 -W1 {LEFT}')
    report('two domains answer', True, '')
    sh.pc.send('hauch console web; echo le""ft')
    sh.pc.write('\n')
    sh.pc.expect(r'web login: ', QUICK)
    sh.pc.send('root')
    sh.pc.expect(r'web# ', QUICK)
    sh.pc.send('echo "written before" | dd of=/dev/xvda conv=fsync,notrunc 2>/dev/null; echo wri""tten')
    sh.pc.expect(r'^written', QUICK)
    sh.pc.write('\x1d')
    sh.pc.expect(r'left$', QUICK)
    report("a domain's console, and its disk", sh.say('head -c 14 /srv/web.img') == 'written before')


def daemons(report, sh):
    """Restarted and killed, each comes back, and the domains are what they were."""
    before = sh.say("hauch list | awk 'NR > 1 { print $1, $2 }'")
    for unit in ('hauchd', 'hauch-store', 'hauch-console'):
        for how in (f'systemctl restart {unit}', f'kill -9 $(systemctl show -P MainPID {unit})'):
            old = sh.say(f'systemctl show -P MainPID {unit}')
            sh.say(how, SLOW)
            sh.await_(f'! systemctl show -P MainPID {unit} | grep -qx "0\\|{old}"')
            sh.await_('hauch list')
            after = sh.say("hauch list | awk 'NR > 1 { print $1, $2 }'")
            answers, said = sh.run(f'ping -c1 -W5 {WEB} && ping -c1 -W5 {LEFT}')
            report(f'{how.split(" ")[0]} of {unit}: the domains go on', before == after and not answers,
                   f'{after}\n{said}')
    healthy(report, sh, 'after that')


def members(report, sh):
    sh.say('useradd -m -s /bin/bash -G hauch anna; useradd -m -s /bin/bash otto')
    for command, word in (('list', 'web'), ('logs web', 'Linux version'), ('console -t 2 web', ''),
                          ('store read /local/domain/0/name', 'Domain-0'), ('doctor', 'hauchd answers')):
        status, said = sh.run(f"su - anna -c 'hauch {command}'")
        report(f'a member of group hauch: hauch {command}', status == 0 and word in said, said)
    status, said = sh.run("su - otto -c 'hauch list'")
    report('another user does not, and is told', status != 0 and 'group' in said, said)


def after_restart(report, sh):
    sh.await_(f'ping -c1 -W1 {WEB}')            # a login may be there before them
    sh.await_(f'ping -c1 -W1 {LEFT}')
    names = sh.say("hauch list | awk '{ print $1 }'").split()
    report('what ran runs again, defined or not', {'web', 'left'} <= set(names), ' '.join(names))
    for name in ('web', 'left'):
        log = sh.console(name)
        report(f'{name} was asked to end, and ended by itself',
               log.count('Linux version') == 2 and log.count('reboot: System halted') == 1, log[-2000:])


def hauch(report, sh):
    """Under Hauch, from the first boot of its entry to power off."""
    healthy(report, sh, 'first boot')
    first_domains(report, sh)
    daemons(report, sh)
    members(report, sh)
    sh.pc.send('systemctl reboot')
    sh.log_in()
    healthy(report, sh, 'after the restart')
    after_restart(report, sh)
    sh.pc.send('systemctl poweroff')
    sh.pc.wait_end(SLOW)
    report('poweroff ends the machine', True)


def uninstall(report, sh):
    """Without Hauch below, where its units must not be in the way; then without Hauch at all."""
    sh.run('systemctl is-system-running --wait', SLOW)
    _, failed = sh.run('systemctl --failed --no-legend')
    report('without Hauch below no unit failed', not failed, failed)
    sh.say('make -C /usr/src/hauch uninstall', SLOW)
    said = sh.say('update-grub', SLOW)
    report('update-grub forgets Hauch', 'Hauch' not in said, said)
    report('nothing of Hauch is in the boot menu', sh.run('grep -c hauch.elf /boot/grub/grub.cfg')[1] == '0')
    left = sh.say('find / -xdev -iname "*hauch*" -not -path "/usr/src/*"', SLOW)
    report('what people and domains made is left, no more',
           set(left.split()) == {'/etc/hauch', '/var/lib/hauch', '/var/log/hauch'}, left)
    sh.pc.send('systemctl poweroff')
    sh.pc.wait_end(SLOW)


def run(report):
    if os.geteuid():
        print('skip system debian: tools/mkdebian needs root')
        return
    subprocess.run([os.path.join(machine.ROOT, 'tools', 'mkdebian')], check=True, timeout=900)
    boots.make_domu('generic')
    with tempfile.TemporaryDirectory(dir=boots.out('run')) as folder:
        tar, disk = second_disk(folder), os.path.join(folder, 'disk.img')
        subprocess.run(['cp', '--sparse=always', boots.out('img', 'debian.img'), disk], check=True)
        with start('install', disk, tar, True) as pc:
            sh = Shell(pc)
            sh.log_in()
            install(report, sh)
        with start('hauch', disk, tar, False) as pc:
            sh = Shell(pc)
            sh.log_in()
            hauch(report, sh)
        with start('uninstall', disk, tar, True) as pc:
            sh = Shell(pc)
            sh.log_in()
            uninstall(report, sh)
