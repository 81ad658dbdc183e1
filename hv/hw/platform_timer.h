/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of the chipset, whose rate is known: HPET, ACPI PM timer, PIT. */
#ifndef HW_PLATFORM_TIMER_H
#define HW_PLATFORM_TIMER_H

#include <hv/types.h>

struct platform_timer {
    const char *name;
    uint64_t hz;
    uint64_t mask;              /* the bits it counts in */
    uint64_t (*read)(void);
};

/*
 * Readies the best there is; never NULL, for every PC has a PIT. The PIT goes round in 55 ms: it serves to
 * measure, not to tell the time.
 */
const struct platform_timer *platform_timer_ready(bool no_hpet);
bool platform_timer_tells_time(const struct platform_timer *t);

#endif
