# SPDX-License-Identifier: BSD-2-Clause
"""Known faults planted into the page-table code, one at a time: the model must find each."""
import os
import subprocess

NIGHTLY = True
PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'model', 'mutants')


def run(report):
    done = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=1800)
    for line in done.stdout.splitlines():
        verdict, what = line.split(': ', 1)
        report(what, verdict == 'ok', line)
    report('the script ran to its end', done.returncode == 0, done.stderr)
