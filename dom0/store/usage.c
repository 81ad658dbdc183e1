/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits and credit of guests: usage.h. The clock is asked only when credit is used up or a line is to be
 * logged. */
#include "dom0/store/usage.h"

#include "dom0/store/domain.h"
#include "dom0/store/store.h"

static uint64_t clock_ms(const struct conn *c) {
    return c->store->clock ? c->store->clock() : 0;
}

static void tell(struct conn *c, enum quota_kind kind, uint64_t value, uint64_t limit) {
    struct usage *u = &domain_of(c)->usage;
    uint64_t now = clock_ms(c);
    bool hit = value > limit;
    if (u->quiet_until[kind] && now < u->quiet_until[kind])
        return;
    u->quiet_until[kind] = now + USAGE_QUIET_MS;
    store_logf(c->store,
               "domain %u %s its limit of %llu %s (%llu, %u times so far); `xenstore-control quota set %s N` "
               "raises it for all guests",
               c->who.domid, hit ? "hit" : "is near", (unsigned long long)limit, quota_kind_name(kind),
               (unsigned long long)value, u->hits[kind], quota_kind_name(kind));
}

bool usage_within(struct conn *c, enum quota_kind kind, uint64_t value) {
    uint64_t limit = quota_kind_limit(c->limits, kind);
    if (c->lasting && !c->who.privileged && value >= limit / 100 * USAGE_WARN_PERCENT + limit % 100 * 4 / 5 &&
        value) {
        domain_of(c)->usage.hits[kind] += value > limit;
        tell(c, kind, value, limit);
    }
    return value <= limit;
}

static void refill(struct conn *c, struct usage *u) {
    uint64_t now = clock_ms(c), rate = c->limits->rate, more = (now - u->credit_at) * rate / 1000;
    if (!u->started || more > rate)
        more = rate;
    u->started = true;
    if (more == 0)
        return;
    u->credit = more;
    u->credit_at = now;
}

bool usage_spend(struct conn *c) {
    struct usage *u = &domain_of(c)->usage;
    if (c->who.privileged || !c->store->clock)
        return true;
    if (u->credit == 0)
        refill(c, u);
    if (u->credit > 0) {
        u->credit--;
        return true;
    }
    u->hits[QUOTA_RATE]++;
    tell(c, QUOTA_RATE, c->limits->rate + 1, c->limits->rate);
    return false;
}

uint64_t usage_now(const struct conn *c, enum quota_kind kind) {
    const struct account *a = quota_find(&c->store->quota, c->who.domid);
    switch (kind) {
    case QUOTA_NODES: return a ? a->nodes : 0;
    case QUOTA_WATCHES: return c->watch_count;
    case QUOTA_TRANSACTIONS: return c->txn_count;
    case QUOTA_OUTSTANDING: return c->replies;
    case QUOTA_MEMORY: return (a ? a->memory : 0) + conn_memory(c);
    default: return UINT64_MAX;
    }
}
