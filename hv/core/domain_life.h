/* SPDX-License-Identifier: BSD-2-Clause */
/* Between core/domain.c and core/domain_life.c: the watchdog timers of a domain. */
#ifndef CORE_DOMAIN_LIFE_H
#define CORE_DOMAIN_LIFE_H

#include <hv/domain.h>

/* Room for the timers: 0 or -ENOMEM. */
int  domain_watchdogs_init(struct domain *d);
/* After init, also where that failed. */
void domain_watchdogs_free(struct domain *d);
/* SCHEDOP_watchdog: id 0 makes a new one and answers its number; seconds 0 stops it. Number, 0, or -errno. */
int  domain_watchdog_set(struct domain *d, uint32_t id, uint32_t seconds);

#endif
