/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: the list of all, references, and creation.
 *
 * Numbers are looked up all the time, by all processors: chains by number, each with a lock of its own. Who
 * goes through all of them asks a map of bits for the next number.
 *
 * A domain is in the list from its creation until its last reference goes, so a dead one whose frames
 * somebody still maps can be seen. References count upwards only from a number that is not zero: once the
 * last is gone nobody gets another, and the memory is given back by a task, because the last reference may
 * go with any lock held.
 *
 * Life and death are in domain_life.c.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include <string.h>

#include "domain_life.h"

#define BUCKETS 256                     /* a power of two */

struct domain *dom0;

/* ---- the list: chains by number, each with a lock of its own, and a bit for each number in use ---- */

static struct bucket { spinlock_t lock; struct domain *first; } buckets[BUCKETS] = {
    [0 ... BUCKETS - 1] = { .lock = SPINLOCK(LOCK_DOMLIST) },
};
static uint64_t ids_used[DIV_ROUND_UP(DOMID_FIRST_RESERVED, 64)];   /* atomic words */

static struct bucket *bucket_of(domid_t id) { return &buckets[id % BUCKETS]; }

/* With the bucket locked. */
static struct domain *find(const struct bucket *b, domid_t id)
{
    struct domain *d = b->first;

    while (d && d->id != id)
        d = d->hash_next;
    return d;
}

static void id_mark(domid_t id, bool used)
{
    uint64_t bit = 1ull << id % 64;

    if (used)
        __atomic_fetch_or(&ids_used[id / 64], bit, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&ids_used[id / 64], ~bit, __ATOMIC_SEQ_CST);
}

/* The first number from `id` on that is in use; DOMID_FIRST_RESERVED: none. */
static uint32_t id_next_used(uint32_t id)
{
    for (uint32_t i = id / 64; i < ARRAY_LEN(ids_used); i++) {
        uint64_t word = __atomic_load_n(&ids_used[i], __ATOMIC_SEQ_CST);

        if (i == id / 64)
            word &= ~0ull << id % 64;
        if (word)
            return i * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return DOMID_FIRST_RESERVED;
}

static void link_out(struct domain *d)
{
    struct bucket *b = bucket_of(d->id);
    struct domain **at;

    spin_lock(&b->lock);
    for (at = &b->first; *at != d; at = &(*at)->hash_next)
        ;
    *at = d->hash_next;
    id_mark(d->id, false);
    spin_unlock(&b->lock);
}

bool domain_get_again(struct domain *d)
{
    uint32_t n = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

    while (n)
        if (__atomic_compare_exchange_n(&d->refs, &n, n + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

struct domain *domain_get(domid_t id)
{
    struct bucket *b = bucket_of(id);
    struct domain *d;

    spin_lock(&b->lock);
    d = find(b, id);
    if (d && !domain_get_again(d))
        d = NULL;
    spin_unlock(&b->lock);
    return d;
}

struct domain *domain_get_from(domid_t id)
{
    struct domain *d = NULL;

    for (uint32_t n = id; !d && (n = id_next_used(n)) < DOMID_FIRST_RESERVED; n++)
        d = domain_get((domid_t)n);
    return d;
}

bool domain_id_used(domid_t id)
{
    return id < DOMID_FIRST_RESERVED && __atomic_load_n(&ids_used[id / 64], __ATOMIC_SEQ_CST) >> id % 64 & 1;
}

static void domain_free(struct domain *d)
{
    sched_domain_free(d);
    for (unsigned n = 0; n < MAX_VCPUS; n++)
        if (d->vcpu[n])
            vcpu_free(d->vcpu[n]);
    pv_domain_free(d);
    grant_table_free(d);
    event_table_free(d);
    irq_domain_free(d);
    domain_watchdogs_free(d);
    if (d->shared_info)
        frame_share_end(d->shared_info_mfn, d);
    kfree(d);
}

static void free_later(void *arg)
{
    struct domain *d = arg;

    link_out(d);
    domain_free(d);
    event_raise_global_virq(VIRQ_DOM_EXC);
}

void domain_put(struct domain *d)
{
    uint32_t before = __atomic_fetch_sub(&d->refs, 1, __ATOMIC_ACQ_REL);

    BUG_ON(before == 0);
    if (before > 1)
        return;
    d->free_task = (struct task){ .fn = free_later, .arg = d };
    task_queue(&d->free_task);
}

/* ---- creation ---- */

static int check(domid_t id, const struct xen_domctl_createdomain *c)
{
    if (id >= DOMID_FIRST_RESERVED)
        return -XEN_EINVAL;
    if (c->max_vcpus == 0 || c->max_vcpus > MAX_VCPUS)
        return -XEN_EINVAL;
    if (c->flags & ~(uint32_t)(XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_s3_integrity))
        return -XEN_EINVAL;             /* PV only: no hvm, hap, iommu */
    return 0;
}

static int share_info(struct domain *d)
{
    d->shared_info_mfn = frames_alloc(0, ALLOC_ZERO);
    if (!mfn_valid_number(d->shared_info_mfn))
        return -XEN_ENOMEM;
    d->shared_info = page_of_mfn(d->shared_info_mfn);
    frame_share(d->shared_info_mfn, d, true);
    return 0;
}

static void fill(struct domain *d, domid_t id, const struct xen_domctl_createdomain *c, bool privileged)
{
    d->id = id;
    d->privileged = privileged;
    d->refs = 1;
    d->pause_count = 1;
    d->shutdown_reason = SHUTDOWN_NONE;
    d->max_vcpus = c->max_vcpus;
    d->create_flags = c->flags;
    d->ssidref = c->ssidref;
    d->frames_head = FRAME_NIL;
    d->tsc_stable = tsc_reliable();
    memcpy(d->handle, c->handle, sizeof(d->handle));
    spin_init(&d->lock, LOCK_DOMAIN);
    spin_init(&d->frames_lock, LOCK_FRAMES);
}

static uint32_t or_default(int32_t wanted)
{
    return wanted < 0 ? 0 : (uint32_t)wanted;
}

static int build(struct domain *d, const struct xen_domctl_createdomain *c)
{
    int rc = sched_domain_init(d);

    if (rc == 0)
        rc = domain_watchdogs_init(d);
    if (rc == 0)
        rc = share_info(d);
    if (rc == 0)
        rc = event_table_init(d, c->max_evtchn_port);
    if (rc == 0)
        rc = grant_table_init(d, or_default(c->max_grant_frames), or_default(c->max_maptrack_frames));
    if (rc == 0)
        rc = pv_domain_init(d);
    return rc;
}

static int publish(struct domain *d)
{
    struct bucket *b = bucket_of(d->id);
    bool taken;

    spin_lock(&b->lock);
    taken = find(b, d->id) != NULL;
    if (!taken) {
        d->hash_next = b->first;
        b->first = d;
        id_mark(d->id, true);
    }
    spin_unlock(&b->lock);
    return taken ? -XEN_EEXIST : 0;
}

struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *config, bool privileged,
                             int *err)
{
    struct domain *d = NULL;

    *err = check(id, config);
    if (*err)
        return NULL;
    d = kalloc(sizeof(*d));
    if (!d) {
        *err = -XEN_ENOMEM;
        return NULL;
    }
    fill(d, id, config, privileged);
    *err = build(d, config);
    if (*err == 0)
        *err = publish(d);
    if (*err) {
        domain_free(d);
        return NULL;
    }
    wallclock_write(d);
    return d;
}

int domain_add_vcpu(struct domain *d, unsigned n)
{
    struct vcpu *v;
    int rc = 0;

    if (n >= d->max_vcpus)
        return -XEN_EINVAL;
    if (domain_vcpu(d, n))
        return -XEN_EEXIST;
    v = vcpu_create(d, n);
    if (!v)
        return -XEN_ENOMEM;
    spin_lock(&d->lock);
    if (d->vcpu[n])
        rc = -XEN_EEXIST;
    if (rc == 0) {
        if (d->pause_count)
            v->pause_flags |= PAUSE_CONTROL;
        __atomic_store_n(&d->vcpu[n], v, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&d->lock);
    if (rc)
        vcpu_free(v);
    else if (__atomic_load_n(&d->shutting_down, __ATOMIC_SEQ_CST))
        vcpu_pause(v, PAUSE_SHUTDOWN, false);   /* domain_shutdown() may have passed over it */
    return rc;
}
