/* SPDX-License-Identifier: BSD-2-Clause */
/* Control calls on domains: see xc.h. */
#include <abi/event.h>

#include "lib/xc_internal.h"

#include <errno.h>
#include <string.h>

struct xen_domctl *xc_domctl(struct xc *xc, uint32_t cmd, uint16_t domid)
{
    struct xen_domctl *op = xc_op_buffer(xc);

    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return op;
}

int xc_domctl_run(struct xc *xc, struct xen_domctl *op)
{
    return xc_call(xc, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0);
}

static int refused(struct fault *f, int rc, const char *call, uint16_t domid)
{
    if (rc == -EACCES)
        return fault_set(f, rc,
                         "%s of domain %u: the hypervisor speaks another version of the control interface "
                         "than 0x%x (Xen 4.17): boot Hauch or Xen 4.17",
                         call, domid, XEN_DOMCTL_INTERFACE_VERSION);
    return xc_refused(f, rc, domid, "%s of domain %u", call, domid);
}

/* A call with nothing but a domain in it. */
static int simple(struct xc *xc, uint32_t cmd, const char *name, uint16_t domid, struct fault *f)
{
    int rc = xc_domctl_run(xc, xc_domctl(xc, cmd, domid));

    return rc < 0 ? refused(f, rc, name, domid) : 0;
}

int xc_domain_create(struct xc *xc, const struct xc_domain_spec *spec, uint16_t *domid, struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_createdomain, 0);
    int                rc;

    memcpy(op->u.createdomain.handle, spec->uuid, sizeof(spec->uuid));
    op->u.createdomain.max_vcpus = spec->vcpus;
    op->u.createdomain.max_evtchn_port = spec->event_ports - 1;
    op->u.createdomain.max_grant_frames = spec->grant_frames;
    op->u.createdomain.max_maptrack_frames = spec->maptrack_frames;
    op->u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
    rc = xc_domctl_run(xc, op);
    if (rc < 0)
        return fault_errno(f, rc, "cannot make a domain with %u vCPUs, %d grant frames, %u event channels "
                                  "(hauch dmesg may say why)",
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
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_max_vcpus, domid);
    int                rc;

    op->u.max_vcpus.max = vcpus;
    rc = xc_domctl_run(xc, op);
    return rc < 0 ? xc_refused(f, rc, domid, "max_vcpus of domain %u to %u", domid, vcpus) : 0;
}

int xc_domain_max_mem(struct xc *xc, uint16_t domid, uint64_t kib, struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_max_mem, domid);
    int                rc;

    op->u.max_mem.max_memkb = kib;
    rc = xc_domctl_run(xc, op);
    return rc < 0 ? xc_refused(f, rc, domid, "max_mem of domain %u to %llu "
                                             "KiB", domid, (unsigned long long)kib)
                  : 0;
}

int xc_domain_hypercall_page(struct xc *xc, uint16_t domid, uint64_t mfn, struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_hypercall_init, domid);
    int                rc;

    op->u.hypercall_init.gmfn = mfn;
    rc = xc_domctl_run(xc, op);
    return rc < 0 ? refused(f, rc, "hypercall_init", domid) : 0;
}

int xc_domain_tsc_mode(struct xc *xc, uint16_t domid, unsigned mode, struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_settscinfo, domid);
    int                rc;

    op->u.tsc_info.tsc_mode = mode;
    rc = xc_domctl_run(xc, op);
    return rc < 0 ? xc_refused(f, rc, domid, "tsc_mode %u of domain %u", mode, domid) : 0;
}

int xc_vcpu_context(struct xc *xc, uint16_t domid, unsigned vcpu, struct vcpu_guest_context *out,
                    struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_getvcpucontext, domid);
    void              *list = xc_list_buffer(xc);
    int                rc;

    op->u.vcpucontext.vcpu = vcpu;
    op->u.vcpucontext.ctxt.va = (uintptr_t)list;
    rc = xc_domctl_run(xc, op);
    if (rc < 0)
        return xc_refused(f, rc, domid, "getvcpucontext of domain %u vCPU %u", domid, vcpu);
    memcpy(out, list, sizeof(*out));
    return 0;
}

int xc_vcpu_set_context(struct xc *xc, uint16_t domid, unsigned vcpu, const struct vcpu_guest_context *ctx,
                        struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_setvcpucontext, domid);
    void              *list = xc_list_buffer(xc);
    int                rc;

    memcpy(list, ctx, sizeof(*ctx));
    op->u.vcpucontext.vcpu = vcpu;
    op->u.vcpucontext.ctxt.va = (uintptr_t)list;
    rc = xc_domctl_run(xc, op);
    return rc < 0 ? xc_refused(f, rc, domid, "setvcpucontext of domain %u vCPU %u", domid, vcpu) : 0;
}

int xc_domain_info(struct xc *xc, uint16_t domid, struct xen_domctl_getdomaininfo *out, struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_getdomaininfo, domid);
    int                rc = xc_domctl_run(xc, op);

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
        return xc_refused(f, rc, domid, "event channel for domain %u", domid);
    *port = op->port;
    return 0;
}
