/* SPDX-License-Identifier: BSD-2-Clause */
/* Control calls on domains: see xc.h. */
#include <abi/event.h>

#include "lib/xc.h"

#include <errno.h>
#include <string.h>

static struct xen_domctl *domctl(struct xc *xc, uint32_t cmd, uint16_t domid)
{
    struct xen_domctl *op = xc_op_buffer(xc);

    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return op;
}

static int run(struct xc *xc, struct xen_domctl *op)
{
    return xc_call(xc, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0);
}

static int refused(struct fault *f, int rc, const char *call, uint16_t domid)
{
    if (rc == -EACCES)
        return fault_set(f, rc,
                         "%s of domain %u: the hypervisor speaks another version of the control interface "
                         "than 0x%x (Xen 4.17)",
                         call, domid, XEN_DOMCTL_INTERFACE_VERSION);
    return fault_errno(f, rc, "%s of domain %u", call, domid);
}

/* A call with nothing but a domain in it. */
static int simple(struct xc *xc, uint32_t cmd, const char *name, uint16_t domid, struct fault *f)
{
    int rc = run(xc, domctl(xc, cmd, domid));

    return rc < 0 ? refused(f, rc, name, domid) : 0;
}

int xc_domain_create(struct xc *xc, const struct xc_domain_spec *spec, uint16_t *domid, struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_createdomain, 0);
    int                rc;

    memcpy(op->u.createdomain.handle, spec->uuid, sizeof(spec->uuid));
    op->u.createdomain.max_vcpus = spec->vcpus;
    op->u.createdomain.max_evtchn_port = spec->event_ports - 1;
    op->u.createdomain.max_grant_frames = spec->grant_frames;
    op->u.createdomain.max_maptrack_frames = spec->maptrack_frames;
    op->u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
    rc = run(xc, op);
    if (rc < 0)
        return fault_errno(f, rc, "createdomain with %u vCPUs, %d grant frames, %u event channels",
                           spec->vcpus, spec->grant_frames, spec->event_ports);
    *domid = op->domain;
    return 0;
}

int xc_domain_destroy(struct xc *xc, uint16_t domid, struct fault *f)
{
    return simple(xc, XEN_DOMCTL_destroydomain, "destroydomain", domid, f);
}

int xc_domain_pause(struct xc *xc, uint16_t domid, struct fault *f)
{
    return simple(xc, XEN_DOMCTL_pausedomain, "pausedomain", domid, f);
}

int xc_domain_unpause(struct xc *xc, uint16_t domid, struct fault *f)
{
    return simple(xc, XEN_DOMCTL_unpausedomain, "unpausedomain", domid, f);
}

int xc_domain_max_vcpus(struct xc *xc, uint16_t domid, unsigned vcpus, struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_max_vcpus, domid);
    int                rc;

    op->u.max_vcpus.max = vcpus;
    rc = run(xc, op);
    return rc < 0 ? fault_errno(f, rc, "max_vcpus of domain %u to %u", domid, vcpus) : 0;
}

int xc_domain_max_mem(struct xc *xc, uint16_t domid, uint64_t kib, struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_max_mem, domid);
    int                rc;

    op->u.max_mem.max_memkb = kib;
    rc = run(xc, op);
    return rc < 0 ? fault_errno(f, rc, "max_mem of domain %u to %llu KiB", domid, (unsigned long long)kib)
                  : 0;
}

int xc_domain_hypercall_page(struct xc *xc, uint16_t domid, uint64_t mfn, struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_hypercall_init, domid);
    int                rc;

    op->u.hypercall_init.gmfn = mfn;
    rc = run(xc, op);
    return rc < 0 ? refused(f, rc, "hypercall_init", domid) : 0;
}

int xc_domain_tsc_mode(struct xc *xc, uint16_t domid, unsigned mode, struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_settscinfo, domid);
    int                rc;

    op->u.tsc_info.tsc_mode = mode;
    rc = run(xc, op);
    return rc < 0 ? fault_errno(f, rc, "tsc_mode %u of domain %u", mode, domid) : 0;
}

int xc_vcpu_set_context(struct xc *xc, uint16_t domid, unsigned vcpu, const struct vcpu_guest_context *ctx,
                        struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_setvcpucontext, domid);
    void              *list = xc_list_buffer(xc);
    int                rc;

    memcpy(list, ctx, sizeof(*ctx));
    op->u.vcpucontext.vcpu = vcpu;
    op->u.vcpucontext.ctxt.va = (uintptr_t)list;
    rc = run(xc, op);
    return rc < 0 ? fault_errno(f, rc, "setvcpucontext of domain %u vCPU %u", domid, vcpu) : 0;
}

int xc_vcpu_set_affinity(struct xc *xc, uint16_t domid, unsigned vcpu, const uint64_t *cpus, unsigned bits,
                         struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_setvcpuaffinity, domid);
    void              *list = xc_list_buffer(xc);
    int                rc;

    memcpy(list, cpus, (bits + 7) / 8);
    op->u.vcpuaffinity.vcpu = vcpu;
    op->u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op->u.vcpuaffinity.cpumap_hard.bitmap.va = (uintptr_t)list;
    op->u.vcpuaffinity.cpumap_hard.nr_bits = bits;
    rc = run(xc, op);
    return rc < 0 ? fault_errno(f, rc, "CPU affinity of domain %u vCPU %u (cpus=)", domid, vcpu) : 0;
}

/* Reads or writes the parameters of the scheduler @id; the two that a PV host runs keep them at the same
 * place under different names. */
static int sched_op(struct xc *xc, uint16_t domid, uint32_t id, bool put, uint16_t *weight, uint16_t *cap)
{
    struct xen_domctl              *op = domctl(xc, XEN_DOMCTL_scheduler_op, domid);
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
    int                             rc;

    s->sched_id = id;
    s->cmd = put ? XEN_DOMCTL_SCHEDOP_putinfo : XEN_DOMCTL_SCHEDOP_getinfo;
    if (id == XEN_SCHEDULER_CREDIT)
        s->u.credit.weight = *weight, s->u.credit.cap = *cap;
    else
        s->u.credit2.weight = *weight, s->u.credit2.cap = *cap;
    rc = run(xc, op);
    *weight = id == XEN_SCHEDULER_CREDIT ? s->u.credit.weight : s->u.credit2.weight;
    *cap = id == XEN_SCHEDULER_CREDIT ? s->u.credit.cap : s->u.credit2.cap;
    return rc;
}

int xc_domain_sched(struct xc *xc, uint16_t domid, unsigned weight, unsigned cap, struct fault *f)
{
    static const uint32_t ids[] = { XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_CREDIT };
    uint16_t              w = 0, c = 0;
    int                   rc = -EINVAL;

    if (!weight && !cap)
        return 0;
    for (unsigned i = 0; i < 2 && rc < 0; i++) {
        rc = sched_op(xc, domid, ids[i], false, &w, &c);
        if (rc < 0)
            continue;
        w = weight ? weight : w;
        c = cap ? cap : c;
        rc = sched_op(xc, domid, ids[i], true, &w, &c);
    }
    return rc < 0 ? fault_errno(f, rc, "cpu_weight %u, cap %u of domain %u", weight, cap, domid) : 0;
}

int xc_domain_info(struct xc *xc, uint16_t domid, struct xen_domctl_getdomaininfo *out, struct fault *f)
{
    struct xen_domctl *op = domctl(xc, XEN_DOMCTL_getdomaininfo, domid);
    int                rc = run(xc, op);

    /* The call answers for the next living domain when there is none of that number. */
    if (rc == 0 && op->u.getdomaininfo.domain != domid)
        rc = -ESRCH;
    if (rc == -ESRCH)
        return fault_set(f, rc, "there is no domain %u", domid);
    if (rc < 0)
        return refused(f, rc, "getdomaininfo", domid);
    *out = op->u.getdomaininfo;
    return 0;
}

int xc_evtchn_alloc_unbound(struct xc *xc, uint16_t domid, uint32_t *port, struct fault *f)
{
    struct evtchn_alloc_unbound *op = xc_op_buffer(xc);
    int                          rc;

    op->dom = domid;
    op->remote_dom = 0;
    rc = xc_call(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uintptr_t)op, 0, 0);
    if (rc < 0)
        return fault_errno(f, rc, "event channel for domain %u", domid);
    *port = op->port;
    return 0;
}
