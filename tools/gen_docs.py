#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gen_docs.py [--check] - writes the pages of docs/ that are tables of the source, checks manual pages.

docs/hypercalls.md comes from abi/hypercalls.def and abi/ops/*.def, docs/command-line.md from
hv/include/hv/boot/options.def. In hand-written pages a block between the lines "generated: NAME" and "end
of NAME" is made as well: the keys that are accepted or refused in docs/man/hauch.cfg.5, and the limits in
docs/spec.md. With --check nothing is written: what differs is told, and so is every command, option or key
of the programs that its manual page does not name. `make docs` writes, `make check` checks."""

import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAN = 'docs/man'
NOTE = '<!-- made by `make docs` from {}: do not edit -->\n'


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def find(pattern):
    return sorted(glob.glob(pattern, root_dir=ROOT))


# ---- rows of .def files ----------------------------------------------------------------------------------
def strip_comments(text):
    return re.sub(r'/\*.*?\*/', '', text, flags=re.S)


def split_arguments(text):
    """At commas outside parentheses and strings."""
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|\((?:[^()])*\)|[^,"(])+', text)
    return [re.sub(r'\s+', ' ', part.strip()) for part in parts]


def rows(path):
    """[(macro, [argument, ...])] of a file that has one macro call a line."""
    return [(macro, split_arguments(inner))
            for macro, inner in re.findall(r'^(\w+)\((.*)\)\s*$', strip_comments(read(path)), re.M)]


def unquote(text):
    return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


def cell(text):
    return text.replace('|', '\\|')


def table(head, body):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    return '\n'.join(lines + ['| ' + ' | '.join(cell(c) for c in row) + ' |' for row in body]) + '\n'


def numbers():
    """The value of each constant that abi/*.h gives as a plain number."""
    found = {}
    for path in find('abi/*.h'):
        text = strip_comments(read(path))
        plain = r'^#define\s+(\w+)\s+\(?(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\)?\s*$'
        found |= {name: str(int(value, 0)) for name, value in re.findall(plain, text, re.M)}
    return found


# ---- docs/hypercalls.md ----------------------------------------------------------------------------------
HYPERCALLS_HEAD = """# Hypercalls

A hypercall is how a guest kernel asks the hypervisor for something: a number in RAX, arguments in RDI, RSI,
RDX, R10 and R8, the SYSCALL instruction, the answer in RAX (0 or more, or a negative error number of
`abi/errno.h`). Hauch speaks the published Xen guest ABI and the control ABI of Xen 4.17. These tables are
the ones that the dispatcher, the check of rights, the names in logs and the tests are made from.

Who: *anyone*, or *control*, the privileged domain (dom0) only; others get -EPERM. Class:

* *leaf*: arguments in registers only;
* *stream*: a list of elements, each copied once by the handler;
* *family*: an operation number and one structure; a table of its own below;
* *none*: not in Hauch. It answers -ENOSYS ("there is no such call") and is counted. So are operations that
  no table has.

Numbers that are missing here answer -ENOSYS too. The operations of the stream calls mmuext_op,
grant_table_op, xen_version, console_io and callback_op stand in `abi/xen.h`, `grant.h`, `version.h`,
`console.h` and `callback.h`.

"""

OPERATIONS_HEAD = """
Copy: what the dispatcher copies of the argument: *in* before the call, *out* after it, *inout* both, *none*
nothing. Acts on: *the caller*, or the domain that the argument names. `DOMID_SELF` (0x7ff0) names the
caller; naming another domain needs control.
"""


def acts_on(target):
    named = re.fullmatch(r'TARGET\(arg->(.*)\)', target)
    return f'domain `{named[1]}`' if named else 'the caller'


DOMCTL_TARGETS = {'DOM': 'domain `domain`', 'NEW': 'a domain that it makes',
                  'FROM': 'the first domain from `domain` on'}
FAMILIES = {
    'event_channel_op': ('event', 'The argument is the structure.'),
    'memory_op': ('memory', 'Upper bits of the operation number say how many elements of a list are done.'),
    'physdev_op': ('physdev', 'The argument is the structure.'),
    'sched_op': ('sched', 'The argument is the structure.'),
    'vcpu_op': ('vcpu', 'Acts on a virtual processor of the caller, by number; -ENOENT if there is none.'),
    'platform_op': ('platform', 'Control only. The argument is a member of `struct xen_platform_op`.'),
    'sysctl': ('sysctl', 'Control only. The argument is a member of `struct xen_sysctl`.'),
    'domctl': ('domctl', 'Control only. The argument is a member of `struct xen_domctl`.'),
}


def refused_always():
    """{handler: error} of handlers that do nothing but refuse."""
    text = ''.join(strip_comments(read(path)) for path in find('hv/core/*.c'))
    found = re.findall(r'^int (\w+)\(struct vcpu \*v,[^)]*\)\s*\{\s*return -XEN_(\w+);\s*\}', text, re.M)
    absent = re.findall(r'^ABSENT\((\w+)\)', text, re.M)
    return dict(found) | {f'domctl_{name}': 'EOPNOTSUPP' for name in absent}


def operation(family, args, value, refused):
    """One row of an operation table; the columns of the .def files differ by family."""
    number, name, what, copy = args[:4]
    if number not in value:
        raise SystemExit(f'gen_docs: abi/ops/{family}.def: {number} has no plain number in abi/*.h')
    who = args[4].lower() if family in ('event', 'memory', 'physdev', 'sched', 'vcpu') else 'control'
    target = (DOMCTL_TARGETS[args[4]] if family == 'domctl' else 'a vCPU' if family == 'vcpu' else
              'the machine' if family in ('platform', 'sysctl') else acts_on(args[5]))
    what = '-' if what in ('no_argument_t', 'pad') else f'`{what}`'
    error = refused.get(f'{family}_{name}', refused.get(f'{family}_op_{name}'))
    return int(value[number]), [value[number], f'`{name}`', what, copy.lower(), who,
                                f'nothing: always -{error}' if error else target]


def hypercalls():
    value, refused = numbers(), refused_always()
    calls = rows('abi/hypercalls.def')
    text = NOTE.format('abi/hypercalls.def and abi/ops/*.def') + HYPERCALLS_HEAD
    text += table(['number', 'name', 'who', 'class', 'what it does'],
                  [[n, f'`{name}`', who.lower(), kind.lower(), unquote(what)]
                   for _, (n, name, who, kind, what) in calls])
    text += OPERATIONS_HEAD
    for _, (number, name, _, kind, what) in calls:
        if kind != 'FAMILY':
            continue
        family, note = FAMILIES[name]
        body = sorted(operation(family, args, value, refused)
                      for _, args in rows(f'abi/ops/{family}.def'))
        text += f'\n## {name} ({number}): {unquote(what)}\n\n{note}\n\n'
        text += table(['number', 'operation', 'argument', 'copy', 'who', 'acts on'], [row for _, row in body])
    return text


# ---- docs/command-line.md --------------------------------------------------------------------------------
COMMAND_LINE_HEAD = """# The hypervisor's command line

Options are words separated by blanks, after the file name of the hypervisor in the boot loader's entry.
Double quotes keep blanks inside a word. An unknown option or a bad value is named on the console and
ignored; the boot goes on. Of an option given twice the last one counts. Names and meanings are those that
Xen publishes.

    multiboot2 /boot/hauch.elf dom0_mem=2G,max:2G com1=115200 console=com1,vga
    module2 /boot/vmlinuz root=/dev/sda2 console=hvc0
    module2 /boot/initrd.img

The first module is the kernel of dom0 (the privileged Linux), with its own command line; the second is its
initrd. Both `multiboot` with `module` and `multiboot2` with `module2` work in GRUB. QEMU takes `-kernel
hauch.elf -append "OPTIONS" -initrd "vmlinuz ARGUMENTS,initrd.img"` (a comma inside ARGUMENTS is written
twice).

Kinds of value:

* *flag*: on if named alone or as `name=yes|on|true|enable|1`, off as `no-name` or
  `name=no|off|false|disable|0`;
* *number*: decimal, 0x hexadecimal, or octal with a leading 0;
* *size*: a number with B, K, M, G or T; without a suffix it means K.

"""

COMMAND_LINE_TAIL = """
"Not yet" in the last column: the option is read and checked, and nothing in the hypervisor acts on it yet.

## Memory of dom0

    dom0_mem=2G              2 GiB
    dom0_mem=1G,max:4G       1 GiB now; the limit up to which dom0 may ask for more is 4 GiB
    dom0_mem=25%,min:512M    a quarter of all memory, but at least 512 MiB
    dom0_mem=1G+10%          1 GiB and a tenth of all memory
    dom0_mem=-2G             all but 2 GiB

Without `dom0_mem` dom0 gets **512 MiB plus a sixteenth of all memory, at most 8 GiB**: 640 MiB on a machine
of 2 GiB, 1.5 GiB on one of 16, 8 GiB from 120 GiB on. `min:` and `max:` bound that as well. dom0 stays at
that size: the rest is free for other domains. What cannot be had is cut down, with a warning: 16 MiB are
always left. The limit is the size itself unless `max:` is given.

## Processors of dom0

    dom0_max_vcpus=2         two virtual processors
    dom0_max_vcpus=2-4       as many as the machine has, at least two, at most four
    dom0_max_vcpus=2-        as many as the machine has, at least two
    dom0_max_vcpus=-4        as many as the machine has, at most four

Without it dom0 gets as many as Hauch uses, which is one at present. The limit is {MAX_VCPUS}.

## Consoles

    com1=115200                the first serial port, 8 data bits, no parity, 1 stop bit
    com1=9600,7e1              7 data bits, even parity (n, e, o, m or s)
    com1=115200,8n1,0x3f8,4    with its I/O port and interrupt line
    com1=115200,8n1,0x3f8,0    without an interrupt: the port is looked at fifty times a second
    com1=auto                  the speed that firmware or boot loader has set
    console=com1,vga           where messages go; this is the default
    console=none               nowhere but into the ring buffer, which `hauch dmesg` reads

`com2` is the same with 0x2f8 and line 3. A `/CLOCK` after the speed is accepted and ignored. Hauch keeps
the ports that `console` names and dom0 cannot use them; others are dom0's. The screen is used in text mode,
until dom0 starts.

## What is printed

`loglvl` is for messages about the machine, `guest_loglvl` for those about domains other than dom0. The
level before the slash is always shown; levels above it, up to the one after the slash, are shown at a
limited rate.

    loglvl=all                   everything
    loglvl=warning               the default; while the machine comes up, all from info on is shown
    guest_loglvl=none/warning    the default: warnings and errors at a limited rate
"""

OPTION_NOTES = {
    'noreboot': 'a panic or a crash of dom0 otherwise restarts the machine, a panic after five seconds',
    'gnttab_max_frames': 'it is applied to dom0, a domU has `max_grant_frames` of hauch.cfg(5)',
    'gnttab_max_maptrack_frames': 'it is applied to dom0, a domU has `max_maptrack_frames` of hauch.cfg(5)',
    'conring_size': 'rounded up to a power of two',
    'dom0_mem': 'see below',
    'dom0_max_vcpus': 'see below',
    'com1': 'see below',
    'com2': 'see below',
    'console': 'see below',
    'clocksource': 'what system time comes from while the TSC is good; a bad TSC is found without it',
    'loglvl': 'see below',
    'guest_loglvl': 'see below',
}
SPECIAL_DEFAULTS = {
    'dom0_mem': '512M + 1/16, at most 8G', 'dom0_max_vcpus': 'processors in use',
    'com1': '115200,8n1,0x3f8,4', 'com2': '115200,8n1,0x2f8,3', 'console': 'com1,vga', 'clocksource': 'tsc',
    'loglvl': 'warning', 'guest_loglvl': 'none/warning',
}


def size_text(bytes_text):
    number = int(bytes_text)
    for suffix, unit in (('G', 1 << 30), ('M', 1 << 20), ('K', 1 << 10)):
        if number and number % unit == 0:
            return f'{number // unit}{suffix}'
    return f'{number}B'


def acted_on():
    """Names of options that the source reads outside the parser that fills them in."""
    names = set()
    for path in find('hv/**/*.c') + find('hv/*.c') + find('hv/*/*.c'):
        text = '' if path.endswith('boot/cmdline.c') else read(path)
        if 'machine.options' in text or 'struct cmdline_options' in text:
            names |= set(re.findall(r'\b(?:options|o)(?:\.|->)(\w+)', text))
    return names


def option_row(macro, args, used):
    name, what = args[0], unquote(args[-1])
    note = f'; {OPTION_NOTES[name]}' if name in OPTION_NOTES else ''
    works = '' if macro == 'IGNORE' or name in used else 'not yet'
    if macro == 'FLAG':
        return [f'`{name}`', 'flag', 'on' if args[1] == 'true' else 'off', '', what + note, works]
    if macro == 'UINT':
        default = args[1] if int(args[1]) >= int(args[2]) else 'no limit'
        return [f'`{name}=`', 'number', default, f'{args[2]} to {args[3]}', what + note, works]
    if macro == 'SIZE':
        low, high = size_text(args[2]), size_text(args[3])
        return [f'`{name}=`', 'size', size_text(args[1]), f'{low} to {high}', what + note, works]
    if macro == 'IGNORE':
        return [f'`{name}`', '', '', '', f'accepted and ignored: {what}', '']
    return [f'`{name}=`', what, SPECIAL_DEFAULTS[name], '', OPTION_NOTES[name], works]


def command_line():
    used = acted_on()
    text = NOTE.format('hv/include/hv/boot/options.def') + COMMAND_LINE_HEAD
    text += table(['option', 'value', 'default', 'range', 'meaning', ''],
                  [option_row(macro, args, used) for macro, args in rows('hv/include/hv/boot/options.def')])
    return text + COMMAND_LINE_TAIL.replace('{MAX_VCPUS}', dict(limits())['MAX_VCPUS'][0])


# ---- blocks inside hand-written pages --------------------------------------------------------------------
def limits():
    """(name, (default, meaning)) of hv/include/hv/limits.h."""
    found = re.findall(r'^#define (\w+) (\w+)[ \t]*(?:/\* (.*?) \*/)?$', read('hv/include/hv/limits.h'), re.M)
    return [(name, (str(int(value, 0)), what)) for name, value, what in found]


def limits_block():
    return table(['parameter', 'default', 'what'],
                 [[f'`{n}`', v, LIMIT_NOTES.get(n, w)] for n, (v, w) in limits()])


LIMIT_NOTES = {
    'MAX_DOMAINS': 'domains at a time, dom0 included; the published interface reserves numbers from here on',
    'MAX_GRANT_FRAMES': 'pages of a grant table, when the creator of the domain does not say',
    'MAX_MAPTRACK_FRAMES': 'pages that count the grants a domain maps, likewise',
}


def roff(text):
    """Text for an mdoc line: no backslash, and no line that begins like a request."""
    return text.replace('\\', '\\e').replace('-', '\\-')


def key_rows(kind):
    return [args for macro, args in rows('lib/config_keys.def') if macro == kind]


def keys_with_reasons(kind):
    lines = ['.Bl -tag -width Ds']
    for key, why in key_rows(kind):
        lines += [f'.It Ic {key}', roff(unquote(why)) + '.']
    return '\n'.join(lines + ['.El']) + '\n'


def hvm_block():
    keys = [args[0] for args in key_rows('HVM')]
    return '.Bd -ragged -offset indent\n' + ''.join(
        f'.Ic {key}{" ," if key != keys[-1] else ""}\n' for key in keys) + '.Ed\n'


BLOCKS = {
    'docs/spec.md': {'limits': limits_block},
    f'{MAN}/hauch.cfg.5': {'idle keys': lambda: keys_with_reasons('IDLE'), 'hvm keys': hvm_block,
                           'refused keys': lambda: keys_with_reasons('REFUSED')},
}


def with_blocks(path, blocks):
    text = read(path)
    for name, make in blocks.items():
        pattern = re.compile(rf'^(.*generated: {name}\b.*\n)(?:.*\n)*?(.*end of {name}\b.*\n)', re.M)
        if not pattern.search(text):
            raise SystemExit(f'gen_docs: {path} has no lines "generated: {name}" and "end of {name}"')
        text = pattern.sub(lambda found, made=make(): found[1] + made + found[2], text)
    return text


def pages():
    """{path: what it should hold}"""
    made = {'docs/hypercalls.md': hypercalls(), 'docs/command-line.md': command_line()}
    return made | {path: with_blocks(path, blocks) for path, blocks in BLOCKS.items()}


# ---- what manual pages must name -------------------------------------------------------------------------
def long_options(path):
    row = r'\{\s*"([a-z][a-z-]+)",\s*(?:no_argument|required_argument|[01]),\s*NULL,'
    return set(re.findall(row, read(path)))


def named(page):
    """The page's words as a reader sees them, dashes plain."""
    return read(f'{MAN}/{page}').replace('\\-', '-').replace('Fl -', '--')


def missing_words(page, words, what):
    text = named(page)
    return [f'{MAN}/{page}: does not name {what} {word}' for word in sorted(words)
            if not re.search(rf'(?<![\w-]){re.escape(word)}(?![\w-])', text)]


def manual_names():
    problems = []
    for path in find('dom0/hauch/cmd_*.c'):
        verbs = set(re.findall(r'const struct command cmd_\w+ = \{\s*"([\w-]+)"', read(path)))
        problems += missing_words('hauch.8', verbs, 'the command')
        problems += missing_words('hauch.8', {f'--{o}' for o in long_options(path)}, f'an option of {path}:')
    for page, path in (('hauchd.8', 'dom0/hauchd/main.c'), ('hauch-store.8', 'dom0/store/main.c'),
                       ('hauch-console.8', 'dom0/console/main.c')):
        problems += missing_words(page, {f'--{o}' for o in long_options(path)}, 'the option')
    keys = {args[0] for _, args in rows('lib/config_keys.def')}
    disk, vif = (set(re.findall(r'\{ "([\w-]+)", (?:\w+, )?\w+ \}', read(f'lib/config_{kind}.c')))
                 for kind in ('disk', 'vif'))
    problems += missing_words('hauch.cfg.5', keys, 'the key')
    problems += missing_words('hauch.cfg.5', disk, 'the disk parameter')
    problems += missing_words('hauch.cfg.5', vif, 'the vif parameter')
    counts = [('commands', len(find('dom0/hauch/cmd_*.c'))), ('keys', len(keys)),
              ('disk parameters', len(disk)), ('vif parameters', len(vif))]
    return problems + [f'tools/gen_docs.py: finds only {n} {what}: has their form in the source changed?'
                       for what, n in counts if n < 10]


def manual_lint():
    """mandoc finds nothing to warn about."""
    files = find(f'{MAN}/*.[1-9]')
    try:
        done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', *files], cwd=ROOT, timeout=60,
                              text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        return [f'mandoc cannot be run ({error}): make deps installs it']
    return done.stdout.splitlines() or ([f'mandoc: exit status {done.returncode}'] if done.returncode else [])


def complaints():
    """What `make check` reports; empty when all is well."""
    problems = [f'{path}: not what the source says: run make docs and commit it'
                for path, text in pages().items()
                if not os.path.exists(os.path.join(ROOT, path)) or read(path) != text]
    return problems + manual_lint() + manual_names()


def main():
    if sys.argv[1:] == ['--check']:
        print(*complaints(), sep='\n')
        return 1 if complaints() else 0
    for path, text in pages().items():
        if not os.path.exists(os.path.join(ROOT, path)) or read(path) != text:
            with open(os.path.join(ROOT, path), 'w', encoding='utf-8') as file:
                file.write(text)
            print(f'wrote {path}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
