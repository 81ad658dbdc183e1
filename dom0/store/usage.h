/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How near a guest is to its limits: told in the log from 80 % on and when a limit is hit, counted, shown by
 * `xenstore-control usage`. And how much of the daemon's time it may take: each request and each event costs
 * one of its credit, which comes back at a rate; who has none left waits, with its event channel masked, so
 * that a guest that floods its ring or its channel slows only itself.
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "dom0/store/quota.h"

struct conn;

#define USAGE_WARN_PERCENT 80
#define USAGE_QUIET_MS     60000 /* between two lines of the log on the same kind and domain */

struct usage {
    uint32_t hits[QUOTA_KINDS];
    uint64_t quiet_until[QUOTA_KINDS];
    uint64_t credit, credit_at; /* ms */
    bool started;
};

/* Is value, which c wants to have of that kind, within its limit? */
bool usage_within(struct conn *c, enum quota_kind kind, uint64_t value);

/* Takes one of the credit. False: there is none now. */
bool usage_spend(struct conn *c);

/* What c has now; UINT64_MAX for kinds that are not held. */
uint64_t usage_now(const struct conn *c, enum quota_kind kind);

#endif
