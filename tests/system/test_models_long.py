# SPDX-License-Identifier: BSD-2-Clause
"""The models of many processors with more random loads and interleavings than the host tests can afford."""
import os
import subprocess

import machine

NIGHTLY = True
MODELS = ['sched_smp', 'timer_smp', 'space_smp']
NEEDS = [f'host/tests/{name}' for name in MODELS]


def run(report):
    for name in MODELS:
        program = os.path.join(machine.OUT, 'host', 'tests', name)
        r = subprocess.run([program], env=os.environ | {'NIGHTLY': '1'}, timeout=1800, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        report(name, r.returncode == 0, '' if r.returncode == 0 else r.stdout[-2000:])
