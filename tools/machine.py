# SPDX-License-Identifier: BSD-2-Clause
"""A PC in QEMU: the one place of this project that starts QEMU, talks to it and ends it.

    with Machine('hauch', name='play', modules=[...]) as pc:
        pc.expect(r'dom0# ', 60)
        pc.send('hauch list')

The serial port is a pair of pipes, read by a thread into one growing text (also written to out/log/NAME.log);
expect() looks for a pattern after the last match, with a time limit of its own. The whole machine has a hard
limit too. At either limit the registers of every virtual CPU go to the log first: of a guest that hangs they
are often all one gets. Nothing but the QEMU started here is ever signalled."""

import json
import os
import re
import socket
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, os.environ.get('O', 'out'))
# SMAP: QEMU 7.2 lets IRET read the stack with supervisor rights at CPL 3, so a PV kernel's own IRET faults.
# ERMS: off so that page clearing costs the same number of instructions in every comparison.
# Fast short moves go with fast moves: Linux corrupts memory where a processor has only the first.
CPU = 'max,-smap,-erms,-fsrm'
MOST_THREADS = 16           # beyond so many processors one thread runs them all in turn
ANSI = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1bc|\r|\x00')


class Timeout(Exception):
    """A wait came to its limit; the message says for what, and shows the last lines of the console."""


def module(path, arguments=''):
    """One multiboot module as QEMU's -initrd wants it; a comma would end it, so it is doubled."""
    return f'{path} {arguments}'.strip().replace(',', ',,')


def command(kind, kernel, kernel_args='', initrd=None, hypervisor=None, hv_args='', mem=1024, smp=1, cpu=CPU,
            machine='pc', extra=(), serial='stdio'):
    """The QEMU command line. kind is native (kernel on the bare machine), xen or hauch (kernel is a module;
    None stands for a hypervisor alone). mem is in MiB; smp a number, or all that -smp takes. initrd of a
    native boot may be None."""
    thread = 'multi' if 1 < int(str(smp).split(',', maxsplit=1)[0]) <= MOST_THREADS else 'single'
    cmd = ['qemu-system-x86_64', '-accel', f'tcg,thread={thread}', '-M', machine, '-cpu', cpu, '-m', str(mem),
           '-smp', str(smp), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
           '-serial', serial]
    if kind == 'native':
        cmd += ['-kernel', kernel, '-append', kernel_args] + (['-initrd', initrd] if initrd else [])
    else:
        modules = [module(kernel, kernel_args)] if kernel else []
        modules += [module(initrd)] if initrd else []
        cmd += ['-kernel', hypervisor, '-append', hv_args]
        cmd += ['-initrd', ','.join(modules)] if modules else []
    return cmd + list(extra)


class Machine:
    """A running QEMU. argv comes from command(); timeout is the hard limit of its life in seconds."""

    def __init__(self, name, argv, timeout, echo=None, log_dir=None):
        self.name, self.argv, self.limit, self.echo = name, argv, timeout, echo
        self.log_path = os.path.join(log_dir or os.path.join(OUT, 'log'), f'{name}.log')
        os.makedirs(os.path.dirname(self.log_path), exist_ok=True)
        self.text, self.seen, self.tail = '', 0, ''
        self.news = threading.Condition()
        self.ended = False
        self.timed_out = False

    def __enter__(self):
        ours, theirs = socket.socketpair()
        self.monitor = ours
        argv = self.argv + ['-chardev', f'socket,id=qmp,fd={theirs.fileno()}',
                            '-mon', 'chardev=qmp,mode=control']
        self.log = open(self.log_path, 'wb')
        self.log.write((' '.join(argv) + '\n').encode())
        self.start = time.monotonic()
        # whoever kills us kills it
        self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        pass_fds=[theirs.fileno()])
        theirs.close()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.timer = threading.Timer(self.limit, self._expire)
        self.timer.daemon = True
        self.timer.start()
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(10)
        self.process.stdin.close()
        self.monitor.close()
        self.log.close()

    # ---- the console ---------------------------------------------------------------------------------------
    def _read(self):
        while True:
            raw = os.read(self.process.stdout.fileno(), 65536)
            if not raw:
                break
            self.log.write(raw)
            self.log.flush()
            # a program that clears the line to write it anew begins a new one here
            clean = ANSI.sub('', (self.tail + raw.decode('latin-1')).replace('\x1b[K', '\n'))
            # an escape sequence cut in two by the read waits for its rest
            cut = clean.rfind('\x1b')
            if cut < 0 or len(clean) - cut >= 12:
                cut = len(clean)
            self.tail, clean = clean[cut:], clean[:cut]
            if self.echo:
                self.echo(clean)
            with self.news:
                self.text += clean
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def expect(self, pattern, timeout, start=None):
        """Waits until pattern matches after the last match (or after position start); returns the match.
        Raises Timeout, also when QEMU ends before."""
        regex = re.compile(pattern, re.M)
        limit = time.monotonic() + timeout
        begin = self.seen if start is None else start
        with self.news:
            while True:
                match = regex.search(self.text, begin)
                if match:
                    self.seen = match.end()
                    return match
                left = limit - time.monotonic()
                if self.ended or left <= 0:
                    break
                self.news.wait(left)
        why = 'the machine ended' if self.ended else f'{timeout} s passed'
        if not self.ended:
            self.dump_registers()
        raise Timeout(f'{self.name}: {why} without /{pattern}/; last lines:\n' + self.last_lines())

    def send(self, line):
        self.write(line + '\n')

    def write(self, text):
        try:
            self.process.stdin.write(text.encode('latin-1'))
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Timeout(f'{self.name}: the machine ended before it could be sent {text!r}') from None

    def last_lines(self, count=15):
        return '\n'.join('    ' + line for line in self.text.splitlines()[-count:])

    def seconds(self):
        return time.monotonic() - self.start

    # ---- the machine ---------------------------------------------------------------------------------------
    def wait_end(self, timeout):
        """Waits until QEMU ends by itself (power off); returns its exit status, raises Timeout."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.dump_registers()
            raise Timeout(f'{self.name}: still running after {timeout} s; last lines:\n'
                          f'{self.last_lines()}') from None
        self.reader.join(10)
        if self.timed_out:
            raise Timeout(f'{self.name}: still running after {self.limit} s; last lines:\n'
                          f'{self.last_lines()}')
        return status

    def monitor_command(self, line):
        """Runs one command of the human monitor, returns its text; empty when QEMU does not answer."""
        requests = [{'execute': 'qmp_capabilities'},
                    {'execute': 'human-monitor-command', 'arguments': {'command-line': line}, 'id': 'answer'}]
        try:
            self.monitor.sendall(b''.join(json.dumps(r).encode() + b'\n' for r in requests))
            for reply in self._monitor_lines():
                if reply.get('id') == 'answer':
                    return reply.get('return', str(reply.get('error')))
        except OSError:
            pass
        return ''

    def _monitor_lines(self):
        """What QEMU sends until it stops for ten seconds or ends."""
        self.monitor.settimeout(10)
        pending = b''
        while True:
            try:
                more = self.monitor.recv(65536)
            except OSError:
                return
            if not more:
                return
            *lines, pending = (pending + more).split(b'\n')
            yield from map(json.loads, lines)

    def shutdown_reason(self):
        """Once the machine has ended: why, in QEMU's words (guest-shutdown, guest-reset), or None. The
        monitor must have been opened before, by listen()."""
        for reply in self._monitor_lines():
            if reply.get('event') == 'SHUTDOWN':
                return reply['data']['reason']
        return None

    def listen(self):
        """Asks QEMU to send its events from here on."""
        self.monitor.sendall(b'{"execute": "qmp_capabilities"}\n')

    def dump_registers(self):
        text = self.monitor_command('info registers -a')
        self.log.write(f'\n--- registers after {self.seconds():.1f} s ---\n{text}\n'.encode())
        self.log.flush()

    def _expire(self):
        self.timed_out = True
        self.dump_registers()
        self.process.kill()
