# SPDX-License-Identifier: BSD-2-Clause
"""Runs one shell job in dom0 and judges it by lines the job prints: "@ok STEP" and "@not STEP: WHY".

Prepended to every job: `check STEP COMMAND...` prints one of the two by the command's status, `same STEP A B`
compares. A step that the test expects and the job did not reach counts as failed."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools'))
import boots                                                                             # noqa: E402
import machine                                                                           # noqa: E402

# Where the hypervisor of a test may be exchanged by hand, to ask the real one the same question.
KIND = os.environ.get('HYPERVISOR', 'hauch')

PRELUDE = '''
check() { what=$1; shift; if "$@"; then echo "@ok $what"; else echo "@not $what: $* failed"; fi; }
same() { if [ "$2" = "$3" ]; then echo "@ok $1"; else echo "@not $1: was ($2), is ($3)"; fi; }
gone() { ! $TOOL domid "$1" >/dev/null 2>&1; }
'''


def run(report, name, steps, text, timeout=240, tools='hauch', before=None, status=0, kind=KIND, **boot):
    """Boots dom0 with the job text; steps are what it must report. before(pc) may act while it runs."""
    boots.make_images(kind, boot.get('kernel', 'generic'), tools)
    argv = boots.command(kind, name, tools=tools, job=PRELUDE + text, **boot)
    note = ''
    with machine.Machine(name, argv, timeout) as pc:
        try:
            if before:
                before(pc)
            ended = pc.wait_end(timeout + 5)
            note = '' if ended == status else f'QEMU ended with status {ended}'
        except machine.Timeout as error:
            note = str(error)
        console = pc.text
    seen = dict((step, 'ok' if verdict == 'ok' else why)
                for verdict, step, why in re.findall(r'^@(ok|not) ([^:\n]+)(?:: (.*))?$', console, re.M))
    for step in steps:
        why = seen.get(step, note or 'not reached')
        report(step, why == 'ok',
               '' if why == 'ok' else f'{why}\n{pc.last_lines()}\nwhole console: {pc.log_path}')
    if note and all(seen.get(step) == 'ok' for step in steps):
        report('the machine ends as it should', False, note)
    return console
