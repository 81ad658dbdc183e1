# SPDX-License-Identifier: BSD-2-Clause
"""Domains that end by themselves: each gets what on_poweroff, on_reboot and on_crash say, dom0 goes on."""
import job

NEEDS = ['hv/hauch.elf', 'dom0/hauch', 'dom0/hauchd', 'dom0/hauch-store', 'dom0/hauch-console']
STEPS = ['tools', 'a domU that powers off is removed', 'a domU that panics is kept',
         'its last words are in the log', 'a domU that reboots comes back', 'under a new number',
         'dom0 is well']

TEXT = r'''
check tools bring_up
DOMU_ARGS='job=halt' demo_config off 10.9.0.11
hauch create /etc/off.cfg
check 'a domU that powers off is removed' await gone off

DOMU_ARGS='job=panic panic=1' demo_config crash 10.9.0.12 "on_crash = 'preserve'"
hauch create /etc/crash.cfg
crashed() { hauch list | grep -q '^crash .*c-'; }
check 'a domU that panics is kept' await crashed
check 'its last words are in the log' grep -q 'sysrq' /var/log/hauch/console/crash.log
hauch destroy crash

demo_config again 10.9.0.13 "on_reboot = 'restart'"
hauch create /etc/again.cfg
prompt() { console_log again | grep -q 'again login:'; }
await prompt
old=$(hauch domid again)
hauch reboot again
back() { new=$(hauch domid again 2>/dev/null) && [ "$new" != "$old" ]; }
check 'a domU that reboots comes back' await back
check 'under a new number' test "$new" -gt "$old"
hauch destroy again
check 'dom0 is well' hauch list
'''


def run(report):
    job.run(report, 'system-deaths', STEPS, TEXT, timeout=240)
