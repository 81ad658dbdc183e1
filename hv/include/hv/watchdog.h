/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog (option `watchdog`): a processor that has not run its timers for watchdog_timeout= seconds
 * hangs, and the machine panics with what that processor is doing.
 *
 * Two look on. A performance counter interrupts its own processor by NMI about once a second of work; and
 * each processor looks at the next one's last beat, and sends it an NMI when that is too old. One that waits
 * for another, and so cannot run its timers, looks while it waits (hw_relax()). QEMU without KVM has no such
 * counter; a single processor without one has no watchdog, which is said at boot.
 */
#ifndef HV_WATCHDOG_H
#define HV_WATCHDOG_H

#include <hv/types.h>

struct regs;

/* Boot, once all processors run: does nothing unless the option is given. */
void watchdog_start(void);
/* The performance counter of this processor has interrupted it. Any context. */
void watchdog_nmi(const struct regs *r);
/* The running processor is at something long that is allowed: it counts as alive now. */
void watchdog_touch(void);
/* Now and then while the running processor waits for another, interrupts off. */
void watchdog_waiting(void);
/* For good: a crash may take as long as it takes. */
void watchdog_stop(void);

#endif
