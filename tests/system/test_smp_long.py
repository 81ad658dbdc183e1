# SPDX-License-Identifier: BSD-2-Clause
"""The longer form of test_smp: longer runs of hackbench, and three hundred domains come and go."""
import test_smp

NIGHTLY = True
NEEDS = test_smp.NEEDS


def run(report):
    test_smp.run(lambda step, *more: report(f'long: {step}', *more), hacks=100, noops=300, timeout=1800)
