/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: the list of all, references, and creation.
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

#define HASH 256

struct domain *dom0;

static spinlock_t list_lock = SPINLOCK(LOCK_DOMLIST);
static struct domain *first, *last;     /* by ascending number */
static struct domain *hash[HASH];

/* ---- the list ---- */

static struct domain *find(domid_t id)
{
    struct domain *d = hash[id % HASH];

    while (d && d->id != id)
        d = d->hash_next;
    return d;
}

/* Numbers mostly grow, so the end is tried first. */
static void link_in(struct domain *d)
{
    struct domain **at = last && last->id < d->id ? &last->next : &first;

    while (*at && (*at)->id < d->id)
        at = &(*at)->next;
    d->next = *at;
    *at = d;
    if (!d->next)
        last = d;
    d->hash_next = hash[d->id % HASH];
    hash[d->id % HASH] = d;
}

static void link_out(struct domain *d)
{
    struct domain **at = &first, *before = NULL;

    for (; *at != d; at = &(*at)->next)
        before = *at;
    *at = d->next;
    if (last == d)
        last = before;
    for (at = &hash[d->id % HASH]; *at != d; at = &(*at)->hash_next)
        ;
    *at = d->hash_next;
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
    struct domain *d;

    spin_lock(&list_lock);
    d = find(id);
    if (d && !domain_get_again(d))
        d = NULL;
    spin_unlock(&list_lock);
    return d;
}

struct domain *domain_get_from(domid_t id)
{
    struct domain *d;

    spin_lock(&list_lock);
    d = find(id);
    for (d = d ? d : first; d && (d->id < id || !domain_get_again(d)); d = d->next)
        ;
    spin_unlock(&list_lock);
    return d;
}

static void domain_free(struct domain *d)
{
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

    spin_lock(&list_lock);
    link_out(d);
    spin_unlock(&list_lock);
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
    d->sched.weight = SCHED_WEIGHT_DEFAULT;
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
    int rc = domain_watchdogs_init(d);

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
    bool taken;

    spin_lock(&list_lock);
    taken = find(d->id) != NULL;
    if (!taken)
        link_in(d);
    spin_unlock(&list_lock);
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
    if (d->vcpu[n])
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
        __atomic_store_n(&d->vcpu[n], v, __ATOMIC_RELEASE);
    }
    spin_unlock(&d->lock);
    if (rc)
        vcpu_free(v);
    return rc;
}
