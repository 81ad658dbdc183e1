# SPDX-License-Identifier: BSD-2-Clause
"""Debian's own xl, libxl, xenstored and xenconsoled of Xen 4.17, unchanged, on our hypervisor."""
import play

NEEDS = ['hv/hauch.elf']


def run(report):
    play.play('hauch', 'xl', report, 'system-judge')
