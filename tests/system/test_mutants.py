# SPDX-License-Identifier: BSD-2-Clause
"""Known faults planted into the hypervisor, one at a time: the models must find each."""
import os
import subprocess

NIGHTLY = True
MODELS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'model')


def run(report):
    pages = subprocess.run([os.path.join(MODELS, 'mutants')], capture_output=True, text=True, timeout=1800)
    for line in pages.stdout.splitlines():
        verdict, what = line.split(': ', 1)
        report(what, verdict == 'ok', line)
    report('page tables: the script ran to its end', pages.returncode == 0, pages.stderr)
    core = subprocess.run([os.path.join(MODELS, 'core_mutants')], capture_output=True, text=True,
                          timeout=1800)
    report('events, grants, scheduler, timers: each fault is noticed', core.returncode == 0,
           core.stdout + core.stderr)
