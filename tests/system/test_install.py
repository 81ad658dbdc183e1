# SPDX-License-Identifier: BSD-2-Clause
"""What `make install` puts where: all is there, the units make sense to systemd, the completion completes,
and `make uninstall` takes it away again. No boot: that is test_debian."""
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
FILES = ['boot/hauch.elf', 'usr/bin/hauch', 'usr/sbin/hauchd', 'usr/sbin/hauch-store',
         'usr/sbin/hauch-console', 'usr/lib/hauch/bin/xl', 'usr/share/man/man8/hauch.8',
         'usr/share/man/man5/hauch.cfg.5',
         'usr/share/bash-completion/completions/hauch', 'usr/lib/systemd/system/hauch-store.service',
         'usr/lib/systemd/system/hauch-console.service', 'usr/lib/systemd/system/hauchd.service',
         'usr/lib/systemd/system/hauch-domains.service', 'usr/lib/systemd/system/proc-xen.mount',
         'usr/lib/modules-load.d/hauch.conf', 'usr/lib/sysusers.d/hauch.conf', 'etc/hauch/domains',
         'etc/grub.d/15_hauch', 'etc/default/grub.d/hauch.cfg']

COMPLETE = r'''
PATH=%s/usr/bin:$PATH; . %s/usr/share/bash-completion/completions/hauch
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _hauch; echo "${COMPREPLY[@]}"; }
try hauch vcpu-; try hauch vcpu-list --js; try hauch store w; try hauch autostart web o
'''
COMPLETED = ['vcpu-list vcpu-set vcpu-pin', '--json', 'write watch', 'on off']


def call(argv, **more):
    return subprocess.run(argv, cwd=ROOT, text=True, capture_output=True, timeout=300, check=False, **more)


def units(report, folder):
    """systemd's own opinion; that programs are not in /usr of this machine is none of its business."""
    if not shutil.which('systemd-analyze'):
        report('units', True, 'no systemd here')
        return
    names = sorted(os.path.join(folder, n) for n in os.listdir(folder) if not n.endswith('.d'))
    said = call(['systemd-analyze', 'verify', '--man=no', *names])
    wrong = [line for line in (said.stderr + said.stdout).splitlines()
             if 'hauch' in line and 'not executable' not in line]
    report('units make sense to systemd', not wrong, '\n'.join(wrong))


def files_below(folder):
    return [os.path.join(at, f) for at, _, names in os.walk(folder) for f in names]


def again(report, place):
    """Another prefix: the units name programs that are there; settings that were changed stay; all goes."""
    where = ['PREFIX=/usr/local', f'DESTDIR={place}']
    call(['make', 'install', *where])
    settings = os.path.join(place, 'etc/default/grub.d/hauch.cfg')
    with open(settings, 'a', encoding='ascii') as file:
        file.write('GRUB_DEFAULT=saved\n')
    call(['make', 'install', *where])
    with open(settings, encoding='ascii') as file:
        report('settings that were changed stay', file.read().endswith('\nGRUB_DEFAULT=saved\n'))
    folder = os.path.join(place, 'usr/local/lib/systemd/system')
    text = ''.join(open(file, encoding='ascii').read() for file in files_below(folder))
    programs = set(re.findall(r'/usr/[a-z/]*bin/[a-z-]+', text))
    missing = [p for p in programs if not os.path.exists(place + p)]
    report('units name programs that are there', len(programs) == 4 and not missing, f'{programs} {missing}')
    done = call(['make', 'uninstall', *where])
    report('make uninstall leaves no file', not done.returncode and not files_below(place),
           done.stderr + ' '.join(files_below(place)))


def run(report):
    with tempfile.TemporaryDirectory() as place:
        again(report, place)
    with tempfile.TemporaryDirectory() as place:
        done = call(['make', 'install', f'DESTDIR={place}'])
        report('make install', done.returncode == 0, done.stderr[-500:])
        missing = [f for f in FILES if not os.path.exists(os.path.join(place, f))]
        report('all is there', not missing, ' '.join(missing))
        said = call([os.path.join(place, 'usr/lib/hauch/bin/xl'), 'migrate'])
        report('xl is ours', 'is not in Hauch, because' in said.stderr, said.stderr)
        units(report, os.path.join(place, 'usr/lib/systemd/system'))
        said = call(['bash', '-c', COMPLETE % (place, place)], env=os.environ | {'HAUCHD_SOCKET': '/nowhere'})
        lines = [' '.join(dict.fromkeys(line.split())) for line in said.stdout.splitlines()]
        report('completion', lines == COMPLETED, f'{lines} {said.stderr}')
