# SPDX-License-Identifier: BSD-2-Clause
"""hauch-store and both of Debian's xenstored, C and OCaml, are asked the same (store_suite.py), all on this
machine without a hypervisor (tests/host/xen_shim.c). Where they differ, docs/store-differences.md says so and
why; a difference that is not there fails, and so does a line there that is none."""

import os
import re
import shutil
import subprocess
import tempfile
import time

import machine
import store_suite

NEEDS = ['dom0/hauch-store', 'tests/xen_shim.so']
XEN = ['xen-store', 'xen-utils-4.17', 'libxenmisc4.17', 'libxenevtchn1', 'libxengnttab1', 'libxentoollog1',
       'libxentoolcore1', 'libxencall1', 'libxenforeignmemory1', 'libxendevicemodel1', 'libxenstore4']
PAGE = os.path.join(machine.ROOT, 'docs', 'store-differences.md')
STORES = ('hauch', 'C', 'OCaml')
CONFIG = '''xenstored-kva = /proc/xen/xsd_kva
xenstored-port = /proc/xen/xsd_port
quota-activate = true
quota-maxentity = 1000
quota-maxsize = 2048
quota-maxwatch = 100
quota-transaction = 10
'''


class Daemon:
    """One store in a folder of its own."""

    def __init__(self, folder, argv, libraries):
        self.folder, self.process = folder, None
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        os.mkfifo(f'{folder}/events')
        os.chmod(f'{folder}/events', 0o666)
        for name in ('ring-0', 'ring-5', 'ring-6', 'xsd_kva'):
            with open(f'{folder}/{name}', 'wb') as file:
                file.truncate(4096)
            os.chmod(f'{folder}/{name}', 0o666)         # the store may have become another user
        for name, text in (('xsd_port', '1'), ('conf', CONFIG)):
            with open(f'{folder}/{name}', 'w', encoding='ascii') as file:
                file.write(text)
        self.argv = [word.replace('FOLDER', folder) for word in argv]
        self.env = {'PATH': '/usr/bin:/bin', 'FAKE_XEN': folder,
                    'LD_PRELOAD': f'{machine.OUT}/tests/xen_shim.so'}
        if libraries:
            self.env['LD_LIBRARY_PATH'] = libraries

    def start(self):
        if os.path.exists(f'{self.folder}/socket'):
            os.unlink(f'{self.folder}/socket')
        with open(f'{self.folder}/log', 'ab') as log:
            self.process = subprocess.Popen(self.argv, env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        for _ in range(100):
            time.sleep(0.05)
            if self.answers():
                return
        raise OSError(f'{self.argv[0]} does not answer: {self.log()}')

    def answers(self):
        try:
            answer = store_suite.Socket(self.folder).ask(store_suite.GET_DOMAIN_PATH, '0\0')
            return answer == '/local/domain/0;'
        except OSError:
            return False

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(f'{self.folder}/log', encoding='utf-8', errors='replace') as file:
            return file.read()[-1000:]


def debian():
    """Where Debian's two lie, and their libraries alone (not its C library)."""
    subprocess.run([os.path.join(machine.ROOT, 'tools', 'fetch'), *XEN], check=True, capture_output=True)
    root = os.path.join(machine.OUT, 'pkg', XEN[0])
    return f'{root}/usr/lib/xen-4.17/bin', f'{root}/usr/lib/x86_64-linux-gnu'


def verdicts(where):
    programs, libraries = debian()
    argv = {'hauch': ([f'{machine.OUT}/dom0/hauch-store', '--socket', '/run/xenstored/socket',
                       '--state', 'FOLDER/state'], ''),
            'C': ([f'{programs}/xenstored', '-N'], libraries),
            'OCaml': ([f'{programs}/oxenstored', '--no-fork', '--config-file', 'FOLDER/conf'], libraries)}
    result = {}
    for store in STORES:
        daemon = Daemon(f'{where}/{store}', *argv[store])
        try:
            daemon.start()
            found, trouble = store_suite.run(daemon.folder, daemon.restart)
            result[store] = found, trouble and f'{trouble}\n{daemon.log()}'
        finally:
            daemon.stop()
    return result


def documented():
    """{step: (hauch, C, OCaml)} of the page's table."""
    rows = {}
    with open(PAGE, encoding='utf-8') as page:
        for line in page:
            cells = [c.strip() for c in re.split(r'(?<!\\)\|', line)[1:-1]]
            if len(cells) == 5 and cells[0] not in ('step', '') and not cells[0].startswith('--'):
                rows[cells[0]] = tuple(c.strip('`').replace('\\|', '|') for c in cells[1:4])
    return rows


def short(verdict):
    return verdict if len(verdict) <= 120 else verdict[:100] + f'… {len(verdict)}'


def differences(found):
    steps = dict.fromkeys(step for store in STORES for step in found[store])
    rows = {step: tuple(short(found[store].get(step, 'not reached')) for store in STORES) for step in steps}
    return {step: row for step, row in rows.items() if len(set(row)) > 1}, len(rows)


def run(report):
    where = tempfile.mkdtemp(prefix='store-protocol-')
    os.chmod(where, 0o755)
    try:
        result = verdicts(where)
    finally:
        shutil.rmtree(where, ignore_errors=True)
    for store in STORES:
        report(f'{store}: the suite comes to its end', result[store][1] is None, result[store][1] or '')
    found, count = differences({store: result[store][0] for store in STORES})
    known = documented()
    report('enough is asked', count >= 220, f'{count} steps')
    for step, row in found.items():
        report(f'difference: {step}', known.get(step) == row,
               f'found {row}, {os.path.basename(PAGE)} has {known.get(step)}')
    for step in known.keys() - found.keys():
        report(f'no difference any more: {step}', False, f'remove it from {os.path.basename(PAGE)}')
