#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""play.py [hauch|xen] [--tools hauch|xl] - three domUs, played over the serial console as a person would.

One "ok" or "not ok" line a step; exit status 0 only if all of it was seen to work. On a terminal,
--interactive hands the console to the person instead. The same play runs our tools on the real Xen and
Debian's xl on Hauch: whatever fails in one mixture and not in the other tells where to look."""

import argparse
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools'))
import boots                                                                             # noqa: E402
import machine                                                                           # noqa: E402

DOMUS = {'web': '10.9.0.11', 'left': '10.9.0.12', 'right': '10.9.0.13'}
# Of a PV guest's serial input the hypervisor may keep no more than this many bytes at a time.
CHUNK = 64
ESCAPE = '\x1d'                                       # Ctrl-] leaves a domU's console


class Wrong(Exception):
    """A step saw something else than it should."""


class Shell:
    """A shell prompt at the far end of the serial console."""

    def __init__(self, pc, host):
        self.pc, self.prompt, self.number = pc, rf'{host}# $', 0

    def type(self, text):
        """Types text as fast as its echo comes back, since nothing else holds back a serial line."""
        for at in range(0, len(text), CHUNK):
            part = text[at:at + CHUNK]
            before = len(self.pc.text)
            self.pc.write(part)
            limit = time.monotonic() + 5
            while len(self.pc.text) < before + len(part) and time.monotonic() < limit:
                time.sleep(0.01)

    def run(self, command, timeout=20):
        """Runs a command there; returns (status, what it printed)."""
        self.number += 1
        start = self.pc.seen
        self.type(f'{command}; echo "rc=$?.{self.number}"\n')
        match = self.pc.expect(rf'rc=(\d+)\.{self.number}\b', timeout, start)
        self.pc.expect(self.prompt, 10)
        return int(match[1]), self.pc.text[start:match.start()]

    def good(self, command, timeout=20):
        status, text = self.run(command, timeout)
        if status:
            raise Wrong(f'{command!r} ended with status {status}:\n{text}')
        return text


class Play:
    """The steps share the machine, dom0's shell and the name of the tool."""

    def __init__(self, pc, tool):
        self.pc, self.tool, self.dom0 = pc, tool, Shell(pc, 'dom0')

    def states(self):
        """name -> state letters, as `list` shows them."""
        text = self.dom0.good(f'{self.tool} list')
        return dict(re.findall(r'^(\S+)\s+\d+\s+\d+\s+\d+\s+([-a-z]{6})\s+[\d.]+$', text, re.M))

    def until(self, what, condition, timeout):
        limit = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > limit:
                raise Wrong(f'{what}: not within {timeout} s')
            time.sleep(0.3)

    def enter(self, name):
        """Opens a domU's console and logs in where a login prompt waits; returns its shell."""
        shell = Shell(self.pc, name)
        shell.number = 1000
        self.dom0.type(f'{self.tool} console {name}\n')
        self.pc.expect(f'console {name}', 10)
        self.pc.write('\n')
        if self.pc.expect(rf'{name} login: $|{shell.prompt}', 20)[0].endswith('login: '):
            self.pc.write('root\n')
            self.pc.expect(shell.prompt, 20)
        return shell

    def leave(self):
        """Waits for dom0's prompt: xl takes the key only when nothing follows it at once."""
        self.pc.write(ESCAPE)
        self.pc.expect(self.dom0.prompt, 10)

    def recover(self):
        """After a failed step: back to dom0's prompt, from wherever the step was left."""
        self.pc.seen = len(self.pc.text)
        self.pc.write(ESCAPE)
        time.sleep(1)
        self.pc.write('\n')
        self.pc.expect(self.dom0.prompt, 40)                   # every command that steps type ends by itself
        self.dom0.good('true', 10)

    # ---- the steps, in order -----------------------------------------------------------------------------
    def boot(self):
        self.pc.expect(r'^@@ init ', 120)

    def tools_up(self):
        self.pc.expect(r'^@@ tools |did not start|Kernel panic', 60)
        if 'tools' not in self.pc.text[self.pc.seen - 12:self.pc.seen]:
            raise Wrong(self.pc.last_lines())

    def create(self):
        self.pc.expect(r'^@@ created |create \w+ failed', 120)
        if 'failed' in self.pc.text[self.pc.seen - 12:self.pc.seen]:
            raise Wrong(self.pc.last_lines())
        self.pc.expect(r'^@@ shell', 10)
        self.pc.expect(self.dom0.prompt, 20)

    def listed(self):
        missing = set(DOMUS) - set(self.states())
        if missing:
            raise Wrong(f'list does not show {sorted(missing)}')

    def prompts(self):
        for name in DOMUS:
            look = f'console_log {name} | grep -q "{name} login:"'
            self.until(f'login prompt of {name}', lambda what=look: self.dom0.run(what)[0] == 0, 90)

    def console(self):
        shell = self.enter('web')
        text = shell.good('hostname; cat /sys/hypervisor/type; echo typed-$((6 * 7))')
        self.leave()
        if 'typed-42' not in text or 'xen' not in text:
            raise Wrong(f"web's console answered:\n{text}")

    def ping(self):
        for name, address in DOMUS.items():
            self.dom0.good(f'ping -c 2 -w 20 {address}', 30)
        shell = self.enter('left')
        for address in ('10.9.0.1', DOMUS['web'], DOMUS['right']):
            shell.good(f'ping -c 2 -w 20 {address}', 30)
        self.leave()

    def disk(self):
        shell = self.enter('left')
        shell.good('dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null')
        shell.good('dd if=/tmp/data of=/dev/xvda bs=64k conv=fsync 2>/dev/null', 30)
        shell.good('echo 3 >/proc/sys/vm/drop_caches')
        shell.good('dd if=/dev/xvda bs=64k count=16 2>/dev/null | cmp - /tmp/data', 30)
        inside = re.search(r'^([0-9a-f]{32})', shell.good('md5sum /tmp/data'), re.M)[1]
        self.leave()
        # what the domU wrote is in dom0's file, and nowhere else
        text = self.dom0.good('sync; dd if=/var/lib/hauch/left.img bs=64k count=16 2>/dev/null | md5sum')
        other = self.dom0.good('dd if=/var/lib/hauch/right.img bs=64k count=16 2>/dev/null | md5sum')
        if inside not in text or inside in other:
            raise Wrong(f'left wrote {inside}; its image says {text}, the image of right {other}')

    def web_page(self):
        # -T would be wget's own limit, but busybox 1.35 crashes on it
        text = self.dom0.good(f'timeout 20 wget -q -O - http://{DOMUS["web"]}/', 30)
        if 'Hello from web' not in text:
            raise Wrong(f'the page is:\n{text}')

    def pause(self):
        self.dom0.good(f'{self.tool} pause right')
        if 'p' not in self.states()['right']:
            raise Wrong('right is not shown as paused')
        if self.dom0.run(f'ping -c 1 -w 3 {DOMUS["right"]} >/dev/null')[0] == 0:
            raise Wrong('right answers while it is paused')
        self.dom0.good(f'{self.tool} unpause right')
        self.dom0.good(f'ping -c 1 -w 20 {DOMUS["right"]}', 30)

    def shutdown(self):
        self.dom0.good(f'{self.tool} shutdown left', 30)
        self.until('left gone from the list', lambda: 'left' not in self.states(), 60)

    def destroy(self):
        self.dom0.good(f'{self.tool} destroy right', 30)
        self.until('right gone from the list', lambda: 'right' not in self.states(), 20)
        if 'web' not in self.states():
            raise Wrong('web went too')

    def again(self):
        self.dom0.good(f'{self.tool} create /etc/left.cfg', 60)
        self.until('left answers again',
                   lambda: self.dom0.run(f'ping -c 1 -w 2 {DOMUS["left"]}', 30)[0] == 0, 60)

    def power_off(self):
        self.pc.send('poweroff')
        status = self.pc.wait_end(60)
        if status:
            raise Wrong(f'QEMU ended with status {status}')

    STEPS = [('stock dom0 reaches its init', boot), ('tools come up', tools_up),
             ('create web, left and right', create), ('list shows the three', listed),
             ('each is at its login prompt', prompts), ('type on the console of web', console),
             ('dom0 and the three ping each other', ping), ('write a disk and read it back', disk),
             ('web serves a page over the network', web_page), ('pause and unpause', pause),
             ('shut down from outside', shutdown), ('destroy', destroy), ('create once more', again),
             ('power off', power_off)]
    VITAL = 5           # without these steps the later ones mean nothing


def perform(play, report):
    """Runs every step; report(step, good, note). Returns how many failed."""
    failed, dead = 0, ''
    for number, (name, step) in enumerate(play.STEPS):
        if dead:
            report(name, False, f'not reached: {dead}')
            failed += 1
            continue
        try:
            step(play)
            report(f'{name}, at {play.pc.seconds():.0f} s', True)
        except (Wrong, machine.Timeout, KeyError, TypeError) as error:
            failed += 1
            report(name, False, f'{type(error).__name__}: {error}\nwhole console: {play.pc.log_path}')
            dead = f'"{name}" failed' if number < play.VITAL or play.pc.ended else ''
            if not dead:
                try:
                    play.recover()
                except (Wrong, machine.Timeout):
                    dead = f'no prompt after "{name}"'
    return failed


def play(kind, tools, report, name='play', kernel='generic', domu_kernel=None, timeout=420, extra=(), smp=2):
    boots.make_images(kind, kernel, tools, domu_kernel)
    argv = boots.command(kind, name, kernel=kernel, tools=tools, extra=extra, smp=smp)
    with machine.Machine(name, argv, timeout) as pc:
        return perform(Play(pc, 'xl' if tools == 'xl' else 'hauch'), report)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', nargs='?', choices=['hauch', 'xen'], default='hauch')
    parser.add_argument('--tools', choices=['hauch', 'xl'], default='hauch')
    parser.add_argument('--kernel', choices=['generic', 'trixie'], default='generic')
    parser.add_argument('--domu-kernel', choices=['generic', 'cloud', 'trixie'])
    parser.add_argument('--smp', type=int, default=2, help='processors')
    parser.add_argument('--interactive', action='store_true',
                        help='give the console to whoever sits at the terminal')
    o = parser.parse_args()
    if o.interactive and sys.stdin.isatty() and sys.stdout.isatty():
        boots.make_images(o.kind, o.kernel, o.tools, o.domu_kernel)
        argv = boots.command(o.kind, 'run', kernel=o.kernel, tools=o.tools, serial='mon:stdio', smp=o.smp)
        os.execvp(argv[0], argv)

    def report(step, good, note=''):
        print(('ok ' if good else 'not ok ') + step, *note.splitlines(), sep='\n    ', flush=True)
    start = time.monotonic()
    counts = boots.out('log', 'run.counts')
    counter = ['-plugin', f'{boots.out("bench", "insn.so")},log={counts}']
    failed = play(o.kind, o.tools, report, 'run', o.kernel, o.domu_kernel, extra=counter, smp=o.smp)
    print(f'{len(Play.STEPS) - failed} of {len(Play.STEPS)} steps seen to work, '
          f'{time.monotonic() - start:.0f} s')
    with open(counts, encoding='ascii') as file:
        last = file.read().split()[-2:]
    if last:
        print(f'guest instructions: {int(last[0]) / 1e6:,.0f} million, CR3 writes: {int(last[1]):,}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
