/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control of domains: making and ending them, pausing, limits, and what the tools may know. The dispatcher
 * has copied the argument in, checked that the caller is the control domain, and holds a reference of d.
 */
#include <hv/frame.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include "control.h"

#define KIB_PER_FRAME (PAGE_SIZE >> 10)
#define PAUSES_MOST   255u

/* ---- creation ---- */
/* Numbers are not reused soon, so that a tool with an old number in hand does not reach another domain. */
static uint32_t last_id;        /* atomic; counts on, taken modulo the numbers that there are */

/* A number that nobody had a moment ago; 0: none is free. */
static domid_t id_next(void)
{
    for (unsigned tries = 0; tries < MAX_DOMAINS; tries++) {
        domid_t id = (domid_t)(__atomic_fetch_add(&last_id, 1, __ATOMIC_RELAXED) % (MAX_DOMAINS - 1) + 1);

        if (!domain_id_used(id))
            return id;
    }
    return 0;
}

/* What domain_create() does not look at because it is the tools' side of the configuration. */
static int config_check(struct vcpu *v, const struct xen_domctl_createdomain *c)
{
    if (c->grant_opts != 1)             /* version 1, no further options */
        return refuse(v, -XEN_EINVAL, c->grant_opts, 1);
    if (c->cpupool_id)
        return refuse(v, -XEN_ESRCH, c->cpupool_id, 0);
    if (c->iommu_opts || c->vmtrace_size)
        return refuse(v, -XEN_EINVAL, c->iommu_opts, c->vmtrace_size);
    if (c->arch.emulation_flags & ~XEN_X86_EMU_PIT || c->arch.misc_flags & ~XEN_X86_MISC_FLAGS_MAX)
        return refuse(v, -XEN_EINVAL, c->arch.emulation_flags, c->arch.misc_flags);
    return 0;
}

static int create_named(struct vcpu *v, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    int r = 0;

    if (domain_id_used(op->domain))
        return refuse(v, -XEN_EEXIST, op->domain, 0);
    return domain_create(op->domain, c, false, &r) ? 0 : refuse(v, r, c->flags, c->max_vcpus);
}

/* Two who create at once get different numbers, unless one of them names a number: then the other tries the
 * next. */
static int create_next(struct vcpu *v, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    int r;

    do {
        op->domain = id_next();
        if (!op->domain)
            return refuse(v, -XEN_ENOSPC, MAX_DOMAINS, 0);
        if (domain_create(op->domain, c, false, &r))
            return 0;
    } while (r == -XEN_EEXIST);
    return refuse(v, r, c->flags, c->max_vcpus);
}

int domctl_createdomain(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    bool named = op->domain > 0 && op->domain < DOMID_FIRST_RESERVED;
    int r = config_check(v, &op->u.createdomain);

    if (r)
        return r;
    return named ? create_named(v, op) : create_next(v, op);
}

int domctl_max_vcpus(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    int r = 0;

    if (op->u.max_vcpus.max != d->max_vcpus || d == v->domain)
        return refuse(v, -XEN_EINVAL, op->u.max_vcpus.max, d->max_vcpus);
    if (d->dying)
        return refuse(v, -XEN_EINVAL, d->id, d->dying);
    for (unsigned n = 0; r == 0 && n < d->max_vcpus; n++) {
        if (control_vcpu(d, n))
            continue;
        if (preempt_due(v))
            return -XEN_ERESTART;
        r = domain_add_vcpu(d, n);
    }
    return r;
}

int domctl_destroydomain(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    return d == v->domain ? -XEN_EINVAL : domain_kill(d);
}

/* ---- life ---- */
int domctl_pausedomain(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    if (d == v->domain)
        return -XEN_EINVAL;
    if (d->pause_count >= PAUSES_MOST)
        return refuse(v, -XEN_EBUSY, d->id, d->pause_count);
    domain_pause(d, true);
    return 0;
}

/* A dying domain is held by the hypervisor itself: nobody lets it go on. */
int domctl_unpausedomain(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    if (d == v->domain || d->dying || !d->pause_count)
        return refuse(v, -XEN_EINVAL, d->dying, d->pause_count);
    domain_unpause(d);
    return 0;
}

int domctl_resumedomain(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    return d == v->domain ? -XEN_EINVAL : domain_resume(d);
}

int domctl_getdomaininfo(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    domain_info(d, &op->u.getdomaininfo);
    op->domain = d->id;
    return 0;
}

int domctl_setdomainhandle(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    __builtin_memcpy(d->handle, op->u.setdomainhandle.handle, sizeof d->handle);
    return 0;
}

/* ---- limits ---- */
int domctl_max_mem(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    spin_lock(&d->frames_lock);
    d->max_frames = op->u.max_mem.max_memkb / KIB_PER_FRAME;
    spin_unlock(&d->frames_lock);
    return 0;
}

int domctl_scheduler_op(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
    struct xen_domctl_sched_credit2 *c = &s->u.credit2;

    if (s->sched_id != XEN_SCHEDULER_CREDIT2)
        return refuse(v, -XEN_EINVAL, s->sched_id, XEN_SCHEDULER_CREDIT2);
    switch (s->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        c->weight = d->sched.weight;
        c->cap = d->sched.cap;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        /* weight 0, cap all ones: leave it */
        sched_domain_set(d, c->weight ? c->weight : d->sched.weight,
                         c->cap != UINT16_MAX ? c->cap : d->sched.cap);
        return 0;
    }
    return refuse(v, -XEN_EINVAL, s->cmd, 0);
}

/* ---- time ---- */
int domctl_settimeoffset(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    d->time_offset_seconds = op->u.settimeoffset.time_offset_seconds;
    wallclock_write(d);
    return 0;
}

enum { TSC_DEFAULT, TSC_EMULATE, TSC_NATIVE };

/* The counter is always the processor's own: what would need emulating is refused. */
int domctl_settscinfo(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_tsc_info *t = &op->u.tsc_info;

    if (d == v->domain)
        return -XEN_EINVAL;
    if (t->tsc_mode != TSC_DEFAULT && t->tsc_mode != TSC_NATIVE)
        return refuse(v, -XEN_EOPNOTSUPP, t->tsc_mode, 0);
    if (t->tsc_mode == TSC_DEFAULT && t->gtsc_khz && t->gtsc_khz != tsc_khz())
        return refuse(v, -XEN_EOPNOTSUPP, t->gtsc_khz, tsc_khz());
    return cpuid_tsc_set(d, t->tsc_mode, t->incarnation);
}

int domctl_gettscinfo(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct cpu_policy *p = cpuid_policy_of(d);

    op->u.tsc_info = (struct xen_domctl_tsc_info){
        .tsc_mode = p->tsc_mode, .incarnation = p->tsc_incarnation, .gtsc_khz = (uint32_t)tsc_khz(),
        .elapsed_nsec = p->tsc_mode == TSC_DEFAULT ? now_ns() : 0,
    };
    return 0;
}

/* ---- small settings ---- */
int domctl_set_address_size(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    return op->u.address_size.size == 64 ? 0 : refuse(v, -XEN_EINVAL, op->u.address_size.size, 64);
}

int domctl_get_address_size(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    op->u.address_size.size = 64;
    return 0;
}

int domctl_set_virq_handler(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    return event_virq_handler_set(d, op->u.set_virq_handler.virq);
}

/* ---- not in Hauch ---- */
#define ABSENT(name) \
    int domctl_##name(struct vcpu *v, struct domain *d, struct xen_domctl *op) { return -XEN_EOPNOTSUPP; }
ABSENT(setdebugging)            /* needs the debugger stub */
ABSENT(subscribe)
ABSENT(soft_reset)
ABSENT(set_target)              /* a domain that serves one other: device models only */
ABSENT(setvnumainfo)
ABSENT(shadow_op)               /* dirty page log: comes with migration */
ABSENT(memory_mapping)          /* these four are of hardware-virtualised guests */
ABSENT(ioport_mapping)
ABSENT(get_paging_mempool_size)
ABSENT(set_paging_mempool_size)
