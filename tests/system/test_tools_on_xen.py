# SPDX-License-Identifier: BSD-2-Clause
"""Our tools, unchanged, on the real Xen 4.17 of Debian."""
import play

NEEDS = ['dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']


def run(report):
    play.play('xen', 'hauch', report, 'system-tools-on-xen', smp=1)
