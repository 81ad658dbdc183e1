# SPDX-License-Identifier: BSD-2-Clause
"""The store's protocol, step by step: what each request is answered and which watch events come.

run(folder) talks to a store daemon that runs with tests/host/xen_shim.c in that folder: as a client of its
socket ("root"), and as domains 5 and 6 through their rings. It returns {step: verdict}; a verdict is the
answer's text ("ok" for OK, ENOENT for an error, else the payload, NUL shown as ;), then the events that came,
in order. Nothing here knows what is right: tests/system/test_store_protocol.py compares stores."""

import mmap
import os
import select
import socket
import struct
import time
import traceback

(CONTROL, DIRECTORY, READ, GET_PERMS, WATCH, UNWATCH, START, END, INTRODUCE, RELEASE, GET_DOMAIN_PATH, WRITE,
 MKDIR, RM, SET_PERMS, EVENT, ERROR, IS_INTRODUCED, RESUME, SET_TARGET) = range(20)
RESET_WATCHES, DIRECTORY_PART = 21, 22
HEADER = struct.Struct('<4I')
RING, REQ_CONS, REQ_PROD, RSP_CONS, RSP_PROD = 1024, 2048, 2052, 2056, 2060
ANSWER_LIMIT = 3.0


class Closed(Exception):
    pass


class Silent(Exception):
    pass


class Client:
    """What is common to both ways."""

    def __init__(self):
        self.buffer, self.events, self.next_id, self.payload = b'', [], 1, b''

    def message(self):
        """The next message, or None."""
        self.buffer += self.receive()
        if len(self.buffer) < HEADER.size:
            return None
        kind, number, tx, length = HEADER.unpack_from(self.buffer)
        if len(self.buffer) < HEADER.size + length:
            return None
        payload = self.buffer[HEADER.size:HEADER.size + length]
        self.buffer = self.buffer[HEADER.size + length:]
        return kind, number, tx, payload

    def collect(self):
        """Takes in the events that were sent so far: all that come before the answer to a harmless
        request."""
        payload = self.payload
        self.ask(GET_DOMAIN_PATH, '0\0')
        self.payload = payload

    def raw(self, data):
        """Sends bytes; returns the next answer's (kind, number, tx, payload)."""
        self.send(data)
        end = time.monotonic() + ANSWER_LIMIT
        while time.monotonic() < end:
            got = self.message()
            if got and got[0] != EVENT:
                return got
            if got:
                path, token = got[3].split(b'\0')[:2]
                self.events.append(f'{path.decode()}={token.decode()}')
        raise Silent

    def ask(self, kind, payload=b'', tx=0):
        """The verdict on one request."""
        if isinstance(payload, str):
            payload = payload.encode()
        self.next_id += 1
        try:
            got = self.raw(HEADER.pack(kind, self.next_id, tx, len(payload)) + payload)
        except Closed:
            return 'closed'
        except Silent:
            return 'silent'
        if got[1] != self.next_id or got[2] != tx:
            return f'answer to another request: {got}'
        if got[0] == ERROR:
            return got[3].rstrip(b'\0').decode()
        if got[0] != kind:
            return f'answer of type {got[0]}'
        self.payload = got[3]
        return 'ok' if got[3] == b'OK\0' else got[3].decode(errors='replace').replace('\0', ';')


class Socket(Client):
    def __init__(self, folder, name='socket'):
        super().__init__()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f'{folder}/{name}')

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Closed from error

    def receive(self):
        if not select.select([self.socket], [], [], 0.002)[0]:
            return b''
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Closed from error
        if not data:
            raise Closed
        return data


class Ring(Client):
    """A guest's kernel: its page, and an event after each change."""

    def __init__(self, folder, domid):
        super().__init__()
        self.domid = domid
        self.events_fd = os.open(f'{folder}/events', os.O_RDWR | os.O_NONBLOCK)
        with open(f'{folder}/ring-{domid}', 'r+b') as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def index(self, at):
        return struct.unpack_from('<I', self.page, at)[0]

    def set_index(self, at, value):
        struct.pack_into('<I', self.page, at, value & 0xffffffff)

    def kick(self):
        os.write(self.events_fd, struct.pack('<I', self.domid))

    def send(self, data):
        end = time.monotonic() + ANSWER_LIMIT
        while data and time.monotonic() < end:
            prod = self.index(REQ_PROD)
            room = RING - (prod - self.index(REQ_CONS) & 0xffffffff)
            for i, byte in enumerate(data[:room]):
                self.page[(prod + i) % RING] = byte
            self.set_index(REQ_PROD, prod + len(data[:room]))
            data = data[room:]
            self.kick()
            if data:
                time.sleep(0.001)
        if data:
            raise Silent

    def receive(self):
        cons, prod = self.index(RSP_CONS), self.index(RSP_PROD)
        data = bytes(self.page[RING + (cons + i) % RING] for i in range(prod - cons & 0xffffffff))
        if data:
            self.set_index(RSP_CONS, prod)
            self.kick()
        else:
            time.sleep(0.001)
        return data


class Suite:
    def __init__(self, folder, restart):
        self.folder, self.restart, self.verdicts = folder, restart, {}
        self.root, self.second = Socket(folder), Socket(folder)
        self.clients = {'root': self.root, 'second': self.second}

    def note(self, step, verdict):
        assert step not in self.verdicts, step
        self.verdicts[step] = verdict

    def events(self):
        """What came to anybody, by client."""
        words = []
        for name, client in self.clients.items():
            client.collect()
            if client.events:
                words.append(f'{name}: ' + ' '.join(client.events))
            client.events = []
        return words

    def step(self, name, client, kind, payload=b'', tx=0):
        """One request, and the events that it caused for all."""
        verdict = self.clients[client].ask(kind, payload, tx)
        self.note(name, ' | '.join([verdict] + self.events()))
        return verdict

    def quiet(self, client, kind, payload=b'', tx=0):
        """One request that is preparation."""
        verdict = self.clients[client].ask(kind, payload, tx)
        self.events()
        return verdict

    def start(self, client='root'):
        assert self.quiet(client, START, '\0').rstrip(';').isdigit()
        return int(self.clients[client].payload.rstrip(b'\0'))


# ---- the steps ----

def nodes(s):
    s.step('write makes node and parents', 'root', WRITE, '/t/a/b\0value')
    s.step('read', 'root', READ, '/t/a/b\0')
    s.step('read of an empty parent', 'root', READ, '/t/a\0')
    s.step('write over', 'root', WRITE, '/t/a/b\0other')
    s.step('read again', 'root', READ, '/t/a/b\0')
    s.step('write of nothing', 'root', WRITE, '/t/a/b\0')
    s.step('read of nothing', 'root', READ, '/t/a/b\0')
    s.step('value with NULs', 'root', WRITE, b'/t/a/b\0x\0y\0')
    s.step('read value with NULs', 'root', READ, '/t/a/b\0')
    s.step('read what is not there', 'root', READ, '/t/none\0')
    s.step('read below what is not there', 'root', READ, '/t/none/deeper\0')
    s.step('mkdir', 'root', MKDIR, '/t/dir/sub\0')
    s.step('mkdir again', 'root', MKDIR, '/t/dir/sub\0')
    s.step('mkdir keeps a value', 'root', MKDIR, '/t/a/b\0')
    s.step('read after mkdir', 'root', READ, '/t/a/b\0')
    s.step('directory', 'root', DIRECTORY, '/t\0')
    s.step('directory of a leaf', 'root', DIRECTORY, '/t/a/b\0')
    s.step('directory of what is not there', 'root', DIRECTORY, '/t/none\0')
    s.step('rm of a subtree', 'root', RM, '/t/dir\0')
    s.step('rm again, parent there', 'root', RM, '/t/dir\0')
    s.step('rm, parent not there', 'root', RM, '/t/dir/sub\0')
    s.step('read below what was removed', 'root', READ, '/t/dir/sub\0')
    s.step('order of children', 'root', DIRECTORY, '/t\0')
    s.step('largest value', 'root', WRITE, b'/t/big\0' + b'v' * (4096 - 7))
    verdict = s.quiet('root', READ, '/t/big\0')
    s.note('largest value read', str(len(verdict)))


def paths(s):
    for name, path in {'no path': '', 'without a slash': 't', 'slash at the end': '/t/',
                       'two slashes': '/t//a', 'root': '/', 'odd byte': '/t/a b',
                       'all letters': '/t/aZ09-/_@', 'special as a path': '@introduceDomain',
                       'unknown special': '@nothing', 'high byte': '/t/\xe4'}.items():
        s.step(f'path: read {name}', 'root', READ, path.encode('latin-1') + b'\0')
        s.step(f'path: write {name}', 'root', WRITE, path.encode('latin-1') + b'\0x')
    for length in (3071, 3072, 3073):
        path = '/t/' + 'p' * (length - 3)
        s.step(f'path of {length} bytes', 'root', WRITE, path + '\0x')
        s.quiet('root', RM, path + '\0')
    s.step('relative path of 2048 bytes', 'root', WRITE, 'p' * 2048 + '\0x')
    s.step('relative path of 2049 bytes', 'root', WRITE, 'p' * 2049 + '\0x')
    s.step('relative path is below the home', 'root', WRITE, 'suite\0x')
    s.step('relative read by its full path', 'root', READ, '/local/domain/0/suite\0')
    s.quiet('root', RM, 'suite\0')


def malformed(s):
    s.step('watch of one text', 'root', WATCH, '/t\0')
    s.step('watch of three texts', 'root', WATCH, '/t\0tok\0more\0')
    s.step('unwatch of what is not watched', 'root', UNWATCH, '/t\0tok\0')
    s.step('set perms without entries', 'root', SET_PERMS, '/t\0')
    s.step('set perms with a bad letter', 'root', SET_PERMS, '/t\0x0\0')
    s.step('set perms without a number', 'root', SET_PERMS, '/t\0r\0')
    s.step('set perms of what is not there', 'root', SET_PERMS, '/t/none\0r0\0')
    s.step('unknown type', 'root', 99, '/t\0')
    s.step('type 20', 'root', 20, '/t\0')
    s.step('an event from a client', 'root', EVENT, '/t\0tok\0')
    s.step('an error from a client', 'root', ERROR, 'EINVAL\0')
    s.step('introduce without arguments', 'root', INTRODUCE, '5\0')
    s.step('introduce of domain 0', 'root', INTRODUCE, '0\0001\0009\0')
    s.step('introduce of nobody', 'root', INTRODUCE, '9\0001\0009\0')
    s.step('introduce with port 0', 'root', INTRODUCE, '5\0001\0000\0')
    s.step('release of nobody', 'root', RELEASE, '9\0')
    s.step('release of domain 0', 'root', RELEASE, '0\0')
    s.step('release of a word', 'root', RELEASE, 'x\0')
    s.step('resume of nobody', 'root', RESUME, '9\0')
    s.step('domain path', 'root', GET_DOMAIN_PATH, '77\0')
    s.step('domain path of a word', 'root', GET_DOMAIN_PATH, 'x\0')
    s.step('is introduced: 0', 'root', IS_INTRODUCED, '0\0')
    s.step('is introduced: 9', 'root', IS_INTRODUCED, '9\0')
    s.step('is introduced: a word', 'root', IS_INTRODUCED, 'x\0')
    s.step('end of no transaction', 'root', END, 'T\0')
    s.step('end of an unknown transaction', 'root', END, 'T\0', tx=4711)
    s.step('read in an unknown transaction', 'root', READ, '/t/a/b\0', tx=4711)
    s.step('unknown control', 'root', CONTROL, 'frobnicate\0')
    s.step('control print', 'root', CONTROL, 'print\0hello\0')
    s.step('control log on', 'root', CONTROL, 'log\0on\0')
    s.step('control log off', 'root', CONTROL, 'log\0off\0')
    s.step('control check', 'root', CONTROL, 'check\0')


ODD = {'read without NUL': (READ, '/t'), 'read of two texts': (READ, '/t\0/t\0'),
       'read without payload': (READ, ''), 'write without NUL': (WRITE, '/t'),
       'write without payload': (WRITE, ''), 'mkdir without NUL': (MKDIR, '/t'),
       'mkdir without payload': (MKDIR, ''), 'watch token without NUL': (WATCH, '/t\0tok'),
       'directory without NUL': (DIRECTORY, '/t')}


def unterminated(s):
    """What a store may not survive; each time a new client, and a new daemon if need be."""
    for name, (kind, payload) in ODD.items():
        client = Socket(s.folder)
        client.ask(READ, '/some/longer/path/before\0')
        verdict = client.ask(kind, payload)
        try:
            alive = Socket(s.folder).ask(GET_DOMAIN_PATH, '0\0') != 'closed'
        except OSError:
            alive = False
        s.note(name, verdict if alive else 'the store died')
        if not alive:
            s.restart()
    s.note('rm of the root', Socket(s.folder).ask(RM, '/\0'))


def stream(s):
    """Messages in pieces, several at once, too long."""
    s.quiet('root', WRITE, b'/t/a/b\0x\0y\0')
    data = HEADER.pack(READ, 7, 0, 7) + b'/t/a/b\0'
    for i in range(len(data) - 1):
        s.root.send(data[i:i + 1])
        time.sleep(0.001)
    got = s.root.raw(data[-1:])
    s.note('request in single bytes', f'{got[0]} {got[1]} {got[3]}')
    s.root.send(data * 20)
    numbers = []
    for _ in range(20):
        numbers.append(str(s.root.raw(b'')[1]))
    s.note('twenty requests at once', ' '.join(numbers))
    got = s.root.raw(HEADER.pack(READ, 0xffffffff, 0, 7) + b'/t/a/b\0')
    s.note('any request number', f'{got[0]} {got[1]:x}')
    for name, header in {'payload of 4097 bytes': HEADER.pack(WRITE, 1, 0, 4097),
                         'payload of 4 GiB': HEADER.pack(READ, 1, 0, 0xffffffff),
                         'garbage': b'\xa5' * 16}.items():
        odd = Socket(s.folder)
        try:
            got = odd.raw(header + b'x' * 5000)
            s.note(f'header: {name}', f'answer {got[0]} {got[3]}')
        except Closed:
            s.note(f'header: {name}', 'closed')
        except Silent:
            s.note(f'header: {name}', 'silent')
        s.step(f'others go on after {name}', 'root', READ, '/t/a/b\0')


def watches(s):
    s.quiet('root', RM, '/w\0')
    s.step('watch fires when it is set', 'root', WATCH, '/w\0top\0')
    s.step('watch twice', 'root', WATCH, '/w\0top\0')
    s.step('same path, other token', 'root', WATCH, '/w\0again\0')
    s.step('create below', 'root', WRITE, '/w/a/b\x001')
    s.step('write below', 'root', WRITE, '/w/a/b\x002')
    s.step('write of the same value', 'root', WRITE, '/w/a/b\x002')
    s.step('mkdir of what is there', 'root', MKDIR, '/w/a/b\0')
    s.step('mkdir of new', 'root', MKDIR, '/w/c/d\0')
    s.step('set perms fires', 'root', SET_PERMS, '/w/a\0r0\0')
    s.step('unwatch', 'root', UNWATCH, '/w\0again\0')
    s.step('unwatch again', 'root', UNWATCH, '/w\0again\0')
    s.step('sibling does not fire', 'root', WRITE, '/wx\x001')
    s.step('watch inside', 'second', WATCH, '/w/a/b\0inside\0')
    s.step('watch of what is not there', 'second', WATCH, '/w/none\0none\0')
    s.step('created later', 'root', WRITE, '/w/none\x001')
    s.step('rm above tells inside', 'root', RM, '/w/a\0')
    s.step('rm of nothing', 'root', RM, '/w/a\0')
    s.step('watch of a relative path', 'second', WATCH, 'rel\0rel\0')
    s.step('event of a relative watch', 'root', WRITE, '/local/domain/0/rel/x\x001')
    s.quiet('root', RM, 'rel\0')
    s.step('watch with a slash at the end', 'second', WATCH, '/w/\0slash\0')
    s.step('watch of no path', 'second', WATCH, '\0none\0')
    s.step('watch with an empty token', 'second', WATCH, '/w/none\0\0')
    s.step('watch of the root', 'second', WATCH, '/\0root\0')
    s.step('the root sees all', 'root', WRITE, '/other\x001')
    s.step('watch of a special path', 'second', WATCH, '@releaseDomain\0special\0')
    s.step('watch of an unknown special path', 'second', WATCH, '@unknown\0special\0')
    s.step('reset watches', 'second', RESET_WATCHES, '\0')
    s.step('nothing after it', 'root', WRITE, '/w/none\x002')
    s.step('depth: only on the path itself', 'second', WATCH, '/w/none\0d\x000\0')
    s.quiet('second', RESET_WATCHES, '\0')
    token = 't' * 1000
    verdict = s.clients['second'].ask(WATCH, '/w/none\0' + token + '\0')
    s.second.collect()
    s.note('token of 1000 bytes', f"{verdict} {[len(e) for e in s.second.events]}")
    s.second.events = []
    s.quiet('second', RESET_WATCHES, '\0')
    s.quiet('root', UNWATCH, '/w\0top\0')


def transactions(s):
    tx = s.start()
    s.step('tx: write', 'root', WRITE, '/x/a\x001', tx)
    s.step('tx: sees its own', 'root', READ, '/x/a\0', tx)
    s.step('tx: others do not', 'second', READ, '/x/a\0')
    s.quiet('second', WATCH, '/x\0w\0')
    s.step('tx: write fires nothing', 'root', WRITE, '/x/b\x001', tx)
    s.step('tx: nested', 'root', START, '\0', tx)
    s.step('tx: commit fires', 'root', END, 'T\0', tx)
    s.step('tx: is gone', 'root', READ, '/x/a\0', tx)
    s.step('tx: committed', 'second', READ, '/x/a\0')
    tx = s.start()
    s.quiet('root', WRITE, '/x/c\x001', tx)
    s.step('tx: dropped', 'root', END, 'F\0', tx)
    s.step('tx: nothing of it', 'root', READ, '/x/c\0')
    tx = s.start()
    s.quiet('root', READ, '/x/a\0', tx)
    s.quiet('second', WRITE, '/x/a\x002')
    s.quiet('root', WRITE, '/x/d\x001', tx)
    s.step('tx: what it read was changed', 'root', END, 'T\0', tx)
    s.step('tx: nothing of the conflict', 'root', READ, '/x/d\0')
    tx = s.start()
    s.quiet('second', WRITE, '/x/a\x003')
    s.step('tx: read after it changed outside', 'root', READ, '/x/a\0', tx)
    s.step('tx: only read, changed before', 'root', END, 'T\0', tx)
    tx = s.start()
    s.quiet('root', WRITE, '/x/a\x004', tx)
    s.quiet('second', WRITE, '/x/a\x005')
    s.step('tx: blind write against a write', 'root', END, 'T\0', tx)
    tx = s.start()
    s.quiet('root', WRITE, '/x/e\x001', tx)
    s.quiet('second', WRITE, '/x/f\x001')
    s.step('tx: two new children of one node', 'root', END, 'T\0', tx)
    tx = s.start()
    s.quiet('root', WRITE, '/x/g\x001', tx)
    s.quiet('second', WRITE, '/elsewhere\x001')
    s.step('tx: unrelated change', 'root', END, 'T\0', tx)
    tx = s.start()
    s.step('tx: rm', 'root', RM, '/x/g\0', tx)
    s.step('tx: rm seen inside', 'root', READ, '/x/g\0', tx)
    s.step('tx: rm not seen outside', 'second', READ, '/x/g\0')
    s.step('tx: rm commits', 'root', END, 'T\0', tx)
    tx = s.start()
    s.step('tx: bad verdict', 'root', END, 'X\0', tx)
    s.step('tx: after the bad verdict', 'root', END, 'F\0', tx)
    tx = s.start()
    s.quiet('root', MKDIR, '/x/m\0', tx)
    s.quiet('root', RM, '/x/m\0', tx)
    s.step('tx: made and removed', 'root', END, 'T\0', tx)
    tx = s.start()
    s.step('tx: empty', 'root', END, 'T\0', tx)
    one, two = s.start(), s.start('second')
    s.note('tx: numbers differ or belong to a client', 'yes' if one and two else 'no')
    s.quiet('root', END, 'F\0', one)
    s.quiet('second', END, 'F\0', two)
    tx = s.start()
    s.step('tx: of another client', 'second', READ, '/x/a\0', tx + 1000)
    s.quiet('root', END, 'F\0', tx)
    s.quiet('second', RESET_WATCHES, '\0')


def directory_part(s):
    for i in range(300):
        s.quiet_fast('root', WRITE, f'/many/child-with-a-long-name-{i:04}\x00')
    s.step('directory too long', 'root', DIRECTORY, '/many\0')
    names, offset, parts, generation = b'', 0, 0, None
    while parts < 10:
        s.root.ask(DIRECTORY_PART, f'/many\0{offset}\0')
        head, _, body = s.root.payload.partition(b'\0')
        same = generation in (None, head)
        generation = head
        names += body
        offset += len(body)
        parts += 1
        if body.endswith(b'\0\0') or not body.strip(b'\0'):
            break
    listed = [n for n in names.split(b'\0') if n]
    s.note('directory in parts', f'{len(listed)} names, {len(set(listed))} different, same generation {same}')
    s.step('directory part of what is not there', 'root', DIRECTORY_PART, '/none\x000\0')
    verdict = s.quiet('root', DIRECTORY_PART, '/many\x00x\0')
    s.note('directory part with a bad offset', 'names' if 'child' in verdict else verdict)
    s.step('directory part of one text', 'root', DIRECTORY_PART, '/many\0')
    s.quiet('root', RM, '/many\0')


def guests(s):
    s.step('watch of introductions', 'root', WATCH, '@introduceDomain\0in\0')
    s.step('watch of releases', 'root', WATCH, '@releaseDomain\0out\0')
    s.quiet('root', MKDIR, '/local/domain/5\0')
    s.quiet('root', SET_PERMS, '/local/domain/5\0n5\0')
    s.quiet('root', MKDIR, '/local/domain/6\0')
    s.quiet('root', SET_PERMS, '/local/domain/6\0n6\0')
    if not s.step('introduce', 'root', INTRODUCE, '5\0001\0009\0').startswith('ok'):
        raise AssertionError('a guest cannot be introduced')
    s.step('introduce another', 'root', INTRODUCE, '6\0002\00010\0')
    s.step('is introduced: 5', 'root', IS_INTRODUCED, '5\0')
    s.clients['five'], s.clients['six'] = Ring(s.folder, 5), Ring(s.folder, 6)
    s.step('guest: its home', 'five', GET_DOMAIN_PATH, '5\0')
    s.step('guest: write at home', 'five', WRITE, 'a\x00one')
    s.step('guest: read at home', 'five', READ, 'a\0')
    s.step('guest: permissions at home', 'five', GET_PERMS, 'a\0')
    s.step('guest: another may not read', 'six', READ, '/local/domain/5/a\0')
    s.step('guest: another sees not that there is nothing', 'six', READ, '/local/domain/5/none\0')
    s.step('guest: another may not write', 'six', WRITE, '/local/domain/5/b\x001')
    s.step('guest: another may not list', 'six', DIRECTORY, '/local/domain/5\0')
    s.step('guest: gives a right', 'five', SET_PERMS, 'a\0n5\0r6\0')
    s.step('guest: another may read now', 'six', READ, '/local/domain/5/a\0')
    s.step('guest: but not write', 'six', WRITE, '/local/domain/5/a\x002')
    s.step('guest: nor change rights', 'six', SET_PERMS, '/local/domain/5/a\0n6\0')
    s.step('guest: gives its node away', 'five', SET_PERMS, 'a\0n6\0')
    s.step('guest: may not write outside', 'five', WRITE, '/t/new\x001')
    s.step('guest: may not read the root', 'five', DIRECTORY, '/\0')
    s.step('guest: may not introduce', 'five', INTRODUCE, '6\0001\0009\0')
    s.step('guest: may not release', 'five', RELEASE, '6\0')
    s.step('guest: may not control', 'five', CONTROL, 'print\0x\0')
    s.step('guest: may not set targets', 'five', SET_TARGET, '5\0006\0')
    s.step('guest: may not resume', 'five', RESUME, '6\0')
    s.step('guest: is introduced', 'five', IS_INTRODUCED, '6\0')
    s.step('guest: watch at home', 'five', WATCH, 'dev\0tok\0')
    s.step('guest: event at home', 'root', WRITE, '/local/domain/5/dev/1\x00x')
    s.step('guest: watch of what it may not see', 'six', WATCH, '/local/domain/5/dev\0spy\0')
    s.step('guest: no event of that', 'five', WRITE, 'dev/1\x00y')
    s.step('guest: watch of introductions', 'five', WATCH, '@introduceDomain\0in\0')
    s.step('guest: read-write for all', 'five', SET_PERMS, 'a\0b5\0')
    s.step('guest: another writes', 'six', WRITE, '/local/domain/5/a\x00six')
    s.step('guest: and below, owned by whom it is', 'six', WRITE, '/local/domain/5/a/below\x001')
    s.step('guest: whose it is', 'root', GET_PERMS, '/local/domain/5/a/below\0')
    s.step('guest: write-only', 'five', SET_PERMS, 'a\0w5\0')
    s.step('guest: write-only read', 'six', READ, '/local/domain/5/a\0')
    s.step('guest: write-only write', 'six', WRITE, '/local/domain/5/a\x00x')
    tx = s.start('five')
    s.quiet('five', WRITE, 't1\x001', tx)
    s.step('guest: commit', 'five', END, 'T\0', tx)
    s.step('guest: rm at home', 'five', RM, 't1\0')
    s.step('guest: rm of its home', 'six', RM, '/local/domain/6\0')
    s.quiet('root', MKDIR, '/local/domain/6\0')
    s.quiet('root', SET_PERMS, '/local/domain/6\0n6\0')
    value = 'v' * 2000
    s.step('guest: value of 2000 bytes through the ring', 'five', WRITE, f'long\0{value}')
    s.note('guest: and back', 'same' if s.quiet('five', READ, 'long\0') == value else 'different')
    s.step('guest: value beyond its limit', 'five', WRITE, 'long\0' + 'v' * 3000)
    s.step('set target', 'root', SET_TARGET, '5\0006\0')
    s.step('guest: has the rights of its target', 'five', WRITE, '/local/domain/6/x\x001')
    s.step('guest: its path beyond', 'five', READ, '/local/domain/6/x\0')


def guest_limits(s):
    count = 0
    while count < 200 and s.clients['five'].ask(WATCH, f'q/{count}\0t\0') == 'ok':
        count += 1
    s.events()
    s.note('guest: watches it may have', 'between 100 and 200' if 100 <= count < 200 else str(count))
    s.step('guest: one watch more', 'five', WATCH, 'q/more\0t\0')
    s.step('guest: reset watches', 'five', RESET_WATCHES, '\0')
    open_ones = 0
    while open_ones < 50 and s.clients['five'].ask(START, '\0').rstrip(';').isdigit():
        open_ones += 1
    s.note('guest: transactions it may have open', '10' if open_ones == 10 else f'{open_ones}')
    s.step('guest: one transaction more', 'five', START, '\0')
    s.step('guest: reset ends them as well', 'five', RESET_WATCHES, '\0')
    s.step('guest: and it may start again', 'five', END, 'F\0', 1)
    made = 0
    while made < 1200 and s.clients['five'].ask(WRITE, f'n/{made}\x001') == 'ok':
        made += 1
    s.events()
    s.note('guest: nodes it may have', 'between 900 and 1000' if 900 <= made <= 1000 else str(made))
    s.step('guest: one node more', 'five', WRITE, 'n/more\x001')
    s.step('guest: but it may write what it has', 'five', WRITE, 'n/1\x002')
    s.quiet('root', RM, '/local/domain/5/n\0')


def release(s):
    s.quiet('root', WRITE, '/shared\x001')
    s.quiet('root', SET_PERMS, '/shared\0n0\0r5\0r6\0')
    os.unlink(f'{s.folder}/ring-5')
    del s.clients['five']
    s.step('release', 'root', RELEASE, '5\0')
    s.step('released: is introduced', 'root', IS_INTRODUCED, '5\0')
    s.step('released: its rights elsewhere', 'root', GET_PERMS, '/shared\0')
    s.step('released: others go on', 'six', GET_DOMAIN_PATH, '6\0')
    s.step('released again', 'root', RELEASE, '5\0')


def quiet_fast(self, client, kind, payload):
    self.clients[client].ask(kind, payload)


Suite.quiet_fast = quiet_fast
PARTS = (nodes, paths, malformed, stream, watches, transactions, directory_part, guests, guest_limits,
         release, unterminated)


def run(folder, restart):
    """{step: verdict}, and the name of the part that could not go on, or None."""
    suite = Suite(folder, restart)
    for part in PARTS:
        try:
            part(suite)
        except (Closed, Silent, AssertionError, OSError, AttributeError) as error:
            return suite.verdicts, f'{part.__name__} at {traceback.format_exc().splitlines()[-4:]}: {error!r}'
    return suite.verdicts, None
