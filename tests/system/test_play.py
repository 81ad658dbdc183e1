# SPDX-License-Identifier: BSD-2-Clause
"""The scripted play: our hypervisor, our tools, three stock domUs."""
import play

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']


def run(report):
    play.play('hauch', 'hauch', report, 'system-play')
