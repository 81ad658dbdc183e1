# SPDX-License-Identifier: BSD-2-Clause
"""Checks of the tree itself: each function returns a list of complaints, a line each, empty if all is well.

They hold what review would else have to: the layers (only hv/hw touches the machine), headers that stand
alone, sizes that one can read, licence lines, and nothing of the machine a file was written on."""

import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILE_LINES, FUNCTION_LINES, LINE_COLUMNS = 800, 80, 110
SOURCES = ('.c', '.h', '.S', '.py', '.def', '.mk', '.sh')
SPDX = 'SPDX-License-Identifier: BSD-2-Clause'


def tracked():
    """Files of the tree as git knows them, or all below it where there is no git (a tar ball)."""
    try:
        argv = ['git', 'ls-files']
        text = subprocess.run(argv, cwd=ROOT, text=True, capture_output=True, check=True).stdout
        return [f for f in text.splitlines() if os.path.isfile(os.path.join(ROOT, f))]
    except (OSError, subprocess.CalledProcessError):
        found = glob.glob('**/*', root_dir=ROOT, recursive=True)
        return [f for f in found if os.path.isfile(os.path.join(ROOT, f)) and not f.startswith('out/')]


def read(path):
    with open(os.path.join(ROOT, path), errors='replace') as file:
        return file.read()


def strip_comments(text):
    """C without comments and string contents; line numbers stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: '""' if m[0][0] in '"\'' else '\n' * m[0].count('\n'), text)


def headers():
    """Each public header compiles alone."""
    problems = []
    for path in tracked():
        if not re.match(r'(abi|lib|hv/include)/.*\.h$', path):
            continue
        include = path.removeprefix('hv/include/') if path.startswith('hv/') else path
        argv = ['gcc', '-std=gnu11', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-fsyntax-only',
                '-I.', '-Ihv/include', '-Itests/host/include', '-x', 'c', '-']
        done = subprocess.run(argv, cwd=ROOT, text=True, capture_output=True, timeout=60, check=False,
                              input=f'#include <{include}>\n#include <{include}>\nextern int unused;\n')
        if done.returncode:
            problems.append(f'{path}: does not compile alone: {done.stderr.strip().splitlines()[0]}')
    return problems


def layers():
    """Assembler and privileged things live in hv/hw alone. Core knows of it what hw/hw.h declares, which the
    host tests implement a second time; parsers know nothing."""
    problems = []
    asm = re.compile(r'\b(?:__)?asm(?:__)?\b')
    for path in tracked():
        if not path.startswith('hv/') or not path.endswith(('.c', '.h')):
            continue
        in_hw = path.startswith(('hv/hw/', 'hv/include/hv/hw/'))
        text = strip_comments(read(path))
        includes = re.findall(r'#\s*include\s*[<"]([^>"]+)[>"]', read(path))
        if not in_hw and asm.search(text):
            line = text[:asm.search(text).start()].count('\n') + 1
            problems.append(f'{path}:{line}: assembler outside hv/hw')
        if path.startswith('hv/core/'):
            problems += [f'{path}: includes {i}: core does not know the processor or PV page tables'
                         for i in includes if i.startswith(('hv/hw/', 'hw/', 'pv/', 'hv/pv/'))
                         and os.path.basename(i) != 'hw.h']
        if path.startswith('hv/boot/'):
            problems += [f'{path}: includes {i}: a parser knows a buffer and its length only'
                         for i in includes if i.startswith(('hv/hw/', 'hv/core/', 'hv/mm/', 'hv/pv/'))]
    return problems


def function_lengths(text):
    """(name, first line, lines) of each C function in K&R style: head in column 0, a lone } at the end."""
    lines = text.split('\n')
    head = None
    for at, line in enumerate(lines):
        if re.match(r'[A-Za-z_]', line) and '=' not in line and not line.rstrip().endswith(';'):
            if head is None or not re.search(r'[,(]\s*$', lines[at - 1]):
                head = at
        elif line == '}' and head is not None:
            name = re.search(r'(\w+)\s*\(', ' '.join(lines[head:head + 3]))
            if name:
                yield name[1], head + 1, at - head + 1
            head = None


def sizes():
    """Files of at most 800 lines, functions of at most 80."""
    problems = []
    for path in tracked():
        if not path.endswith(SOURCES) and not path.startswith(('tools/', 'tests/run')):
            continue
        text = read(path)
        if text.count('\n') > FILE_LINES:
            problems.append(f'{path}: {text.count(chr(10))} lines, the limit is {FILE_LINES}: split by noun')
        if path.endswith('.c'):
            problems += [f'{path}:{at}: {name}() has {count} lines, the limit is {FUNCTION_LINES}'
                         for name, at, count in function_lengths(strip_comments(text))
                         if count > FUNCTION_LINES]
    return problems


def columns():
    """Lines of at most 110 columns."""
    return [f'{path}:{number}: {len(line.expandtabs(8))} columns, the limit is {LINE_COLUMNS}'
            for path in tracked() if path.endswith(('.c', '.h', '.S', '.py'))
            for number, line in enumerate(read(path).split('\n'), 1)
            if len(line.expandtabs(8)) > LINE_COLUMNS]


def licence():
    """The licence line stands in the first three lines of every source."""
    return [f'{path}: no "{SPDX}" in its first lines' for path in tracked()
            if path.endswith(('.c', '.h', '.S', '.py', '.def'))
            and SPDX not in '\n'.join(read(path).split('\n')[:3])]


def strangers():
    """No path of the machine that a file was written on, and no host name of a package mirror."""
    words = [r'(?<![\w.$)-])' + re.escape(ROOT + '/')]      # not the end of a longer path
    try:
        argv = ['apt-get', 'indextargets', '--format', '$(REPO_URI)']
        text = subprocess.run(argv, text=True, capture_output=True, timeout=60, check=True).stdout
        words += [re.escape(h) for h in sorted(set(re.findall(r'//([^/\s]+)', text)))]
    except (OSError, subprocess.SubprocessError):
        pass
    pattern = re.compile('|'.join(words))
    problems = []
    for path in tracked():
        for number, line in enumerate(read(path).split('\n'), 1):
            if pattern.search(line):
                problems.append(f'{path}:{number}: names a path or package host of this machine: '
                                f'{line.strip()[:80]}')
    return problems


def documents():
    """Pages made from tables are up to date; manual pages are well formed and name what programs take."""
    sys.path.insert(0, os.path.join(ROOT, 'tools'))
    import gen_docs
    return gen_docs.complaints()


def names():
    """Files and functions that documents name in backquotes are there, and so are words_like_this."""
    files = tracked()
    code = [f for f in files if not f.endswith('.md')]
    words = {w for f in code for w in re.findall(r'\w+', read(f))}
    words |= {os.path.basename(f).split('.')[0] for f in code}
    problems = []
    for path in files:
        if not path.endswith('.md') or path == 'docs/missing-hypercalls.md':    # which names those of Linux
            continue
        for number, line in enumerate(read(path).split('\n'), 1):
            for quoted in re.findall(r'`([^`]+)`', line):
                wanted = [f for f in re.findall(r'[\w./-]+\.(?:c|h|S|py|def|md|mk|lds)\b', quoted)
                          if f == f.lower() and not any(('/' + t).endswith('/' + f) for t in files)]
                wanted += [w for w in re.findall(r'\b([a-z]\w*)\(\)', quoted) if w not in words]
                if re.fullmatch(r'[a-z]+_[a-z_]+', quoted) and quoted not in words:
                    wanted.append(quoted)
                problems += [f'{path}:{number}: names {w}, which is not there' for w in wanted]
    return problems


def messages():
    """Every error and warning of the dom0 programs is read by a test (tests/messages.py)."""
    import messages as reader
    return reader.complaints()


ALL = {'headers': headers, 'layers': layers, 'sizes': sizes, 'columns': columns, 'licence': licence,
       'strangers': strangers, 'documents': documents, 'names': names, 'messages': messages}

if __name__ == '__main__':
    for wanted in sys.argv[1:] or ALL:
        print(*ALL[wanted](), sep='\n')
