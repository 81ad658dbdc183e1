# SPDX-License-Identifier: BSD-2-Clause
"""Writes initramfs archives (cpio "newc": the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst) without being root: owners and device nodes are
only numbers in the archive. Linux unpacks archives that follow one another, so a small one behind a large one
adds files to it."""

import os
import stat

EPOCH = 1700000000          # a fixed time, so that equal inputs give equal archives


class Archive:
    """Collects entries by path; a later entry replaces an earlier one, and parents appear by themselves."""

    MERGED = ('bin', 'sbin', 'lib', 'lib64')     # Debian's merged /usr: these are links into usr

    def __init__(self):
        self.entries = {}
        for top in self.MERGED:
            self.directory(f'usr/{top}')
            self.entries[top] = (stat.S_IFLNK | 0o777, f'usr/{top}'.encode(), (0, 0))

    @classmethod
    def plain(cls):
        """An archive without the links of merged /usr: to be added to one that has them."""
        archive = cls()
        archive.entries.clear()
        return archive

    def _put(self, path, mode, data=b'', device=(0, 0)):
        path = path.strip('/')
        if path in self.MERGED:
            return
        if path.split('/')[0] in self.MERGED:
            path = f'usr/{path}'
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.directory(parent)
        self.entries[path] = (mode, data, device)

    def directory(self, path, mode=0o755):
        self._put(path, stat.S_IFDIR | mode)

    def file(self, path, data, mode=0o644):
        self._put(path, stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data)

    def link(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def node(self, path, kind, major, minor, mode=0o600):
        """kind is 'c' or 'b'."""
        self._put(path, {'c': stat.S_IFCHR, 'b': stat.S_IFBLK}[kind] | mode, device=(major, minor))

    def copy(self, path, source, mode=None):
        """Adds a file or symbolic link of this machine as it is."""
        info = os.lstat(source)
        if stat.S_ISLNK(info.st_mode):
            self.link(path, os.readlink(source))
        else:
            with open(source, 'rb') as file:
                self.file(path, file.read(), mode or stat.S_IMODE(info.st_mode))

    def tree(self, source, keep=lambda path: True):
        """Adds all below the folder source whose relative path keep() accepts; a refused folder is not
        entered."""
        for folder, folders, files in os.walk(source):
            relative = os.path.relpath(folder, source)
            inside = '' if relative == '.' else relative + '/'
            for name in list(folders):
                if not keep(inside + name):
                    folders.remove(name)
                elif os.path.islink(os.path.join(folder, name)):
                    self.link(inside + name, os.readlink(os.path.join(folder, name)))
                else:
                    self.directory(inside + name)
            for name in files:
                full = os.path.join(folder, name)
                if keep(inside + name) and (os.path.islink(full) or os.path.isfile(full)):
                    self.copy(inside + name, full)

    def bytes(self):
        out = bytearray()
        for inode, path in enumerate(sorted(self.entries), 1):
            mode, data, device = self.entries[path]
            out += self._entry(path, inode, mode, data, device)
        out += self._entry('TRAILER!!!', 0, 0, b'', (0, 0))
        return bytes(out) + bytes(-len(out) % 512)

    @staticmethod
    def _entry(path, inode, mode, data, device):
        name = path.encode() + b'\0'
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = [inode, mode, 0, 0, links, EPOCH, len(data), 0, 0, *device, len(name), 0]
        head = b'070701' + b''.join(b'%08X' % f for f in fields) + name
        return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)

    def write(self, path):
        """Atomically: a test that starts meanwhile sees the old archive or the new one."""
        os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
        with open(f'{path}.{os.getpid()}', 'wb') as file:
            file.write(self.bytes())
        os.replace(f'{path}.{os.getpid()}', path)
