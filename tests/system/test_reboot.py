# SPDX-License-Identifier: BSD-2-Clause
"""dom0 reboots: the machine starts again (QEMU is told to end there instead of starting over)."""
import job

NEEDS = ['hv/hauch.elf']


def run(report):
    def reset_seen(pc):
        pc.listen()
        pc.expect(r'^@ok init', 120)
        pc.wait_end(60)
        reason = pc.shutdown_reason()
        report('the machine was reset, not switched off', reason == 'guest-reset', f'QEMU says {reason}')
    job.run(report, 'system-reboot', ['init'], 'check init true\nbusybox reboot -f\n', timeout=180,
            tools='none', before=reset_seen)
