# SPDX-License-Identifier: BSD-2-Clause
"""Every error and warning of the dom0 programs is read by a test: object, value, limit, remedy.

Collected is each string that dom0/ and lib/ hand to one of the functions that report, or return as a reason.
A message is read if one string of a test (C or Python below tests/, the expectations in tests/data) has all
of its literal stretches, those between the conversions, in order. What cannot be provoked stands in
tests/unread.txt under the reason why; a line there that is not needed is a complaint, too.

`python3 tests/messages.py` lists what is unread, `--all` every message."""

import ast
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UNREAD = 'tests/unread.txt'

# Functions whose strings a person reads when something is wrong. Of those that can also write elsewhere, only
# the calls whose arguments before the format match.
REPORTS = {name: None for name in (
    'fault_set', 'fault_errno', 'fault_wrap', 'xc_refused', 'config_error', 'config_warn', 'image_fail',
    'say', 'report', 'store_logf', 'doctor_tell', 'usage_exit', 'control_answer', 'fail', 'complain',
    'unexpected', 'console_dismiss', 'viewer_dismiss', 'show_text')}
REPORTS |= {'fputs': None, 'return': None, 'fprintf': r'stderr',
            'snprintf': r'error|answer|xs -> error|remedy'}
# Tables whose strings are reasons why something is not to be had.
REASONS = ('dom0/hauch/absent.c', 'lib/config_keys.def')
# Those that the compiler checks like printf() and that report nothing. One that is in neither list is a
# complaint.
OTHERS = {'xs_client_writef', 'put', 'add'}

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\w+|->|[^\s\w]', re.S)
CONVERSION = re.compile(r'%[-+ 0#]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j)?[a-zA-Z]')
ESCAPES = {'n': '\n', 't': '\t', 'r': '\r', '"': '"', '\\': '\\', "'": "'"}


def read(path):
    with open(os.path.join(ROOT, path), errors='replace') as file:
        return file.read()


def below(*patterns):
    return sorted(path for pattern in patterns for path in glob.glob(pattern, root_dir=ROOT, recursive=True))


def unescape(text):
    return re.sub(r'\\(.)', lambda m: ESCAPES.get(m[1], m[0]), text)


def c_strings(text):
    """(line, function, arguments before, text) of each string of a C source, neighbours joined. A macro
    between them counts as a conversion."""
    text = re.sub(r'^[ \t]*#[ \t]*include.*', '', text, flags=re.M).replace('\\\n', ' \n')
    calls, previous, joined = [['', '']], '', None
    for match in TOKEN.finditer(text):
        token = match[0]
        if token.startswith(('/*', '//')):
            continue
        if token[0] == '"':
            joined = joined or [text.count('\n', 0, match.start()) + 1, *calls[-1], '']
            joined[3] += unescape(token[1:-1])
            continue
        if joined and re.fullmatch(r'PRI[a-z]\w+', token):
            joined[3] += 'd'
            continue
        if joined and re.fullmatch(r'[A-Z][A-Z0-9_]+', token):
            joined[3] += '%s'
            continue
        if joined:
            yield joined
            joined = None
        if token in '([{':
            calls.append([previous if token == '(' else '', ''])
        elif token in ')]}' and len(calls) > 1:
            calls.pop()
        elif token == ';':
            calls[-1][0] = ''
        elif token == 'return':
            calls[-1][0] = token
        calls[-1][1] = '' if token in '([{;' else f'{calls[-1][1]} {token}'
        previous = token


def stretches(message):
    parts = (part.strip() for part in CONVERSION.split(message.replace('%%', '%')))
    return [part for part in parts if re.search(r'\w{2}', part)]


def is_report(path, function, before, text):
    """A row of a table of reasons, or a call that reports; @before are its arguments up to the string."""
    if path in REASONS and function in ('', 'REFUSED', 'IDLE'):
        return ' ' in text
    if function not in REPORTS:
        return False
    return REPORTS[function] is None or re.match(rf'\s*(?:{REPORTS[function]})\b', before) is not None


def messages():
    """{(path, message): line}; a word alone is a part of one, not a message."""
    found = {}
    for path in below('dom0/**/*.c', 'lib/*.c', 'lib/*.def'):
        for line, function, before, text in c_strings(read(path)):
            words = sum(len(re.findall(r'[A-Za-z]{2,}', part)) for part in stretches(text))
            if words + (function == 'fault_errno') >= 2 and is_report(path, function, before, text):
                found.setdefault((path, ' '.join(text.split())), line)
    return found


def expectations():
    """All strings of tests, NUL between them, blanks and line ends as one blank."""
    strings = []
    for path in below('tests/**/*.[ch]'):
        strings += [string[3] for string in c_strings(read(path))]
    for path in below('tests/**/*.py'):
        if not os.path.samefile(os.path.join(ROOT, path), __file__):
            strings += [node.value for node in ast.walk(ast.parse(read(path)))
                        if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    for path in below('tests/data/config/*.json'):
        strings += [unescape(line) for line in read(path).split('\n')]
    return '\0'.join(' '.join(string.split()) for string in strings)


def is_read(message, expected):
    parts = [re.escape(part) for part in stretches(message)]
    in_order = r'[^\0]*?'.join(parts)
    return all(re.search(part, expected) for part in parts) and re.search(in_order, expected) is not None


def complaints():
    found, expected = messages(), expectations()
    listed = {line.strip() for line in read(UNREAD).split('\n') if line.startswith('    ')}
    unread = {f'{path}: {text}': line for (path, text), line in found.items() if not is_read(text, expected)}
    printf_like = {name for path in below('dom0/**/*.[ch]', 'lib/*.[ch]')
                   for name in re.findall(r'(\w+)\((?:[^;{}()]|__attribute__)*\.\.\.\)', read(path))}
    return ([f'{key.replace(":", f":{line}:", 1)}: no test reads this message'
             for key, line in unread.items() if key not in listed] +
            [f'{UNREAD}: {key}: is read, or is no more: take it out'
             for key in sorted(listed - set(unread))] +
            [f'tests/messages.py: {name}() takes a format: does it report?'
             for name in sorted(printf_like - set(REPORTS) - OTHERS)])


if __name__ == '__main__':
    if '--all' in sys.argv:
        print(*(f'{path}:{line}: {text}' for (path, text), line in messages().items()), sep='\n')
    else:
        print(*complaints(), sep='\n')
