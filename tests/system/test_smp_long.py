# SPDX-License-Identifier: BSD-2-Clause
"""The longer form of test_smp: more messages, and three hundred domains that come and go meanwhile."""
import test_smp

NIGHTLY = True
NEEDS = test_smp.NEEDS


def run(report):
    test_smp.run(lambda step, *more: report(f'long: {step}', *more), hacks=400, noops=300, timeout=1800)
