# SPDX-License-Identifier: BSD-2-Clause
"""Every command of `hauch` once more, on the real Xen 4.17 of Debian: test_verbs word for word."""
import test_verbs

NEEDS = test_verbs.NEEDS
NIGHTLY = True


def run(report):
    test_verbs.run(report, 'system-verbs-on-xen', 'xen')
