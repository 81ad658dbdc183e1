# SPDX-License-Identifier: BSD-2-Clause
"""The scheduler's model with ten times as many random loads and interleavings."""
import os
import subprocess

NIGHTLY = True
NEEDS = ['host/tests/sched_smp']


def run(report):
    r = subprocess.run(['out/host/tests/sched_smp'], env=os.environ | {'NIGHTLY': '1'}, timeout=1800,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    report('random loads', r.returncode == 0, '' if r.returncode == 0 else r.stdout[-2000:])
