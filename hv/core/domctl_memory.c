/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control of a domain's memory and of the machine's parts that it may touch: ports, device frames,
 * interrupts.
 */
#include <hv/dom0.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hw/hw.h>

#include "control.h"

/* ---- frames ---- */
#define FRAMES_PER_CALL 1024u

static uint64_t frame_info(const struct domain *d, mfn_t m)
{
    uint64_t type, info = XEN_DOMCTL_PFINFO_NOTAB;

    if (!frame_get(m, d))
        return XEN_DOMCTL_PFINFO_XTAB;
    type = __atomic_load_n(&frame_of(m)->type, __ATOMIC_RELAXED);
    if (type_is_table(type_of(type)) && type & TYPE_VALIDATED) {
        info = (uint64_t)(type_of(type) - TYPE_L1 + 1) << XEN_DOMCTL_PFINFO_LTAB_SHIFT;
        if (type & TYPE_PINNED)
            info |= XEN_DOMCTL_PFINFO_LPINTAB;
    }
    frame_put(m);
    return info;
}

int domctl_getpageframeinfo3(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_getpageframeinfo3 *a = &op->u.getpageframeinfo3;
    uint64_t part[PREEMPT_BATCH];

    if (a->num > FRAMES_PER_CALL)
        return refuse(v, -XEN_E2BIG, a->num, FRAMES_PER_CALL);
    for (uint64_t done = 0; done < a->num; done += ARRAY_LEN(part)) {
        gaddr_t at = gaddr_index(a->array, done, sizeof part[0]);
        size_t n = MIN(a->num - done, ARRAY_LEN(part));

        if (guest_read(part, at, n * sizeof part[0]))
            return -XEN_EFAULT;
        for (size_t i = 0; i < n; i++)
            part[i] = frame_info(d, MFN(part[i]));
        if (guest_write(at, part, n * sizeof part[0]))
            return -XEN_EFAULT;
    }
    return 0;
}

int domctl_hypercall_init(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    mfn_t m = MFN(op->u.hypercall_init.gmfn);
    void *page;

    if (!frame_get_writable(m, d))
        return refuse(v, -XEN_EACCES, d->id, m.n);
    page = frame_map(m);
    hypercall_page_write(page);
    frame_unmap(page);
    frame_put_writable(m);
    return 0;
}

/* ---- rights: nobody can give what it does not have ---- */
static int right_change(struct domain *d, struct ranges *of, uint64_t first, uint64_t last, bool allow)
{
    int r;

    spin_lock(&d->lock);
    r = allow ? ranges_add(of, first, last) : ranges_remove(of, first, last);
    spin_unlock(&d->lock);
    return r;
}

int domctl_irq_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_irq_permission *a = &op->u.irq_permission;

    if (!ranges_have(&v->domain->pv.irqs, a->pirq, a->pirq))
        return refuse(v, -XEN_EPERM, a->pirq, 0);
    return right_change(d, &d->pv.irqs, a->pirq, a->pirq, a->allow_access);
}

int domctl_iomem_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_iomem_permission *a = &op->u.iomem_permission;
    uint64_t last = a->first_mfn + a->nr_mfns - 1;

    if (!a->nr_mfns || last < a->first_mfn)
        return refuse(v, -XEN_EINVAL, a->first_mfn, a->nr_mfns);
    if (!ranges_have(&v->domain->pv.io_frames, a->first_mfn, last))
        return refuse(v, -XEN_EPERM, a->first_mfn, a->nr_mfns);
    return right_change(d, &d->pv.io_frames, a->first_mfn, last, a->allow_access);
}

int domctl_ioport_permission(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ioport_permission *a = &op->u.ioport_permission;
    uint64_t last = (uint64_t)a->first_port + a->nr_ports - 1;

    if (!a->nr_ports || last > 0xffff)
        return refuse(v, -XEN_EINVAL, a->first_port, a->nr_ports);
    if (!ranges_have(&v->domain->pv.io_ports, a->first_port, last))
        return refuse(v, -XEN_EPERM, a->first_port, a->nr_ports);
    return right_change(d, &d->pv.io_ports, a->first_port, last, a->allow_access);
}
