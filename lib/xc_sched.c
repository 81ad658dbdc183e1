/* SPDX-License-Identifier: BSD-2-Clause */
/* Control calls about vCPUs, their affinity and shares, and the processors they run on: see xc.h. */
#include "lib/xc_internal.h"

#include <errno.h>
#include <string.h>

int xc_vcpu_info(struct xc *xc, uint16_t domid, unsigned vcpu, struct xen_domctl_getvcpuinfo *out,
                 struct fault *f)
{
    struct xen_domctl *op = xc_domctl(xc, XEN_DOMCTL_getvcpuinfo, domid);
    int                rc;

    op->u.getvcpuinfo.vcpu = vcpu;
    rc = xc_domctl_run(xc, op);
    if (rc < 0)
        return xc_refused(f, rc, domid, "getvcpuinfo of domain %u vCPU %u", domid, vcpu);
    *out = op->u.getvcpuinfo;
    return 0;
}

/* Both maps lie in the list buffer, one behind the other. */
static struct xen_domctl *affinity_op(struct xc *xc, uint32_t cmd, uint16_t domid, unsigned vcpu,
                                      struct xc_affinity **maps)
{
    struct xen_domctl              *op = xc_domctl(xc, cmd, domid);
    struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;

    *maps = memset(xc_list_buffer(xc), 0, sizeof(**maps));
    a->vcpu = vcpu;
    a->cpumap_hard.bitmap.va = (uintptr_t)(*maps)->hard;
    a->cpumap_soft.bitmap.va = (uintptr_t)(*maps)->soft;
    a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = XC_CPUS;
    return op;
}

int xc_vcpu_affinity(struct xc *xc, uint16_t domid, unsigned vcpu, struct xc_affinity *out, struct fault *f)
{
    struct xc_affinity *maps;
    struct xen_domctl  *op = affinity_op(xc, XEN_DOMCTL_getvcpuaffinity, domid, vcpu, &maps);
    int                 rc;

    op->u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
    rc = xc_domctl_run(xc, op);
    if (rc < 0)
        return xc_refused(f, rc, domid, "CPU affinity of domain %u vCPU %u", domid, vcpu);
    *out = *maps;
    return 0;
}

int xc_vcpu_set_affinity(struct xc *xc, uint16_t domid, unsigned vcpu, const uint64_t *hard,
                         const uint64_t *soft, bool force, struct fault *f)
{
    struct xc_affinity *maps;
    struct xen_domctl  *op = affinity_op(xc, XEN_DOMCTL_setvcpuaffinity, domid, vcpu, &maps);
    int                 rc;

    op->u.vcpuaffinity.flags = (hard ? XEN_VCPUAFFINITY_HARD : 0) | (soft ? XEN_VCPUAFFINITY_SOFT : 0) |
                               (force ? XEN_VCPUAFFINITY_FORCE : 0);
    if (hard)
        memcpy(maps->hard, hard, sizeof(maps->hard));
    if (soft)
        memcpy(maps->soft, soft, sizeof(maps->soft));
    rc = xc_domctl_run(xc, op);
    if (rc == -EBUSY)
        return fault_set(f, rc, "vCPU %u of domain %u is pinned by its own kernel for now; try again or say "
                         "--force", vcpu, domid);
    return rc < 0 ? xc_refused(f, rc, domid, "CPU affinity of domain %u vCPU %u", domid, vcpu) : 0;
}

/* Reads or writes the parameters of the scheduler @id; the two that a PV host runs keep them at the same
 * place under different names. */
static int sched_op(struct xc *xc, uint16_t domid, uint32_t id, bool put, uint16_t *weight, uint16_t *cap)
{
    struct xen_domctl              *op = xc_domctl(xc, XEN_DOMCTL_scheduler_op, domid);
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
    int                             rc;

    s->sched_id = id;
    s->cmd = put ? XEN_DOMCTL_SCHEDOP_putinfo : XEN_DOMCTL_SCHEDOP_getinfo;
    if (id == XEN_SCHEDULER_CREDIT)
        s->u.credit.weight = *weight, s->u.credit.cap = *cap;
    else
        s->u.credit2.weight = *weight, s->u.credit2.cap = *cap;
    rc = xc_domctl_run(xc, op);
    *weight = id == XEN_SCHEDULER_CREDIT ? s->u.credit.weight : s->u.credit2.weight;
    *cap = id == XEN_SCHEDULER_CREDIT ? s->u.credit.cap : s->u.credit2.cap;
    return rc;
}

static const uint32_t sched_ids[] = { XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_CREDIT };

int xc_domain_share(struct xc *xc, uint16_t domid, unsigned *weight, unsigned *cap, struct fault *f)
{
    uint16_t w = 0, c = 0;
    int      rc = -EINVAL;

    for (unsigned i = 0; i < 2 && rc < 0; i++)
        rc = sched_op(xc, domid, sched_ids[i], false, &w, &c);
    *weight = w;
    *cap = c;
    return rc < 0 ? xc_refused(f, rc, domid, "weight and cap of domain %u", domid) : 0;
}

int xc_domain_set_share(struct xc *xc, uint16_t domid, int weight, int cap, struct fault *f)
{
    uint16_t w = 0, c = 0;
    int      rc = -EINVAL;

    for (unsigned i = 0; i < 2 && rc < 0; i++) {
        rc = sched_op(xc, domid, sched_ids[i], false, &w, &c);
        if (rc < 0)
            continue;
        w = weight >= 0 ? weight : w;
        c = cap >= 0 ? cap : c;
        rc = sched_op(xc, domid, sched_ids[i], true, &w, &c);
    }
    return rc < 0 ? xc_refused(f, rc, domid, "changing weight and cap of domain %u", domid) : 0;
}

int xc_host_scheduler(struct xc *xc, unsigned *id, struct fault *f)
{
    struct xen_sysctl *op = xc_sysctl(xc, XEN_SYSCTL_sched_id);
    int                rc = xc_sysctl_run(xc, op, "sched_id", f);

    *id = rc ? 0 : op->u.sched_id.sched_id;
    return rc;
}

int xc_host_ratelimit(struct xc *xc, unsigned *us, struct fault *f)
{
    struct xen_sysctl              *op = xc_sysctl(xc, XEN_SYSCTL_scheduler_op);
    struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;
    int                             rc;

    s->sched_id = XEN_SCHEDULER_CREDIT2;
    s->cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    rc = xc_sysctl_run(xc, op, "scheduler_op", f);
    *us = rc ? 0 : s->u.sched_credit2.ratelimit_us;
    return rc;
}

int xc_host_topology(struct xc *xc, struct xen_sysctl_cputopo *out, unsigned max, struct fault *f)
{
    struct xen_sysctl *op = xc_sysctl(xc, XEN_SYSCTL_cputopoinfo);
    void              *list = xc_list_buffer(xc);
    unsigned           n;
    int                rc;

    max = max < XC_CPUS ? max : XC_CPUS;
    op->u.cputopoinfo.num_cpus = max;
    op->u.cputopoinfo.cputopo.va = (uintptr_t)list;
    rc = xc_sysctl_run(xc, op, "cputopoinfo", f);
    if (rc)
        return rc;
    n = op->u.cputopoinfo.num_cpus < max ? op->u.cputopoinfo.num_cpus : max;
    memcpy(out, list, n * sizeof(*out));
    return n;
}

int xc_host_numa(struct xc *xc, struct xc_numa *out, struct fault *f)
{
    struct xen_sysctl         *op = xc_sysctl(xc, XEN_SYSCTL_numainfo);
    struct xen_sysctl_meminfo *memory = xc_list_buffer(xc);
    uint32_t                  *distance = (uint32_t *)(memory + XC_NODES);
    int                        rc;

    op->u.numainfo.num_nodes = XC_NODES;
    op->u.numainfo.meminfo.va = (uintptr_t)memory;
    op->u.numainfo.distance.va = (uintptr_t)distance;
    rc = xc_sysctl_run(xc, op, "numainfo", f);
    if (rc)
        return rc;
    out->nodes = op->u.numainfo.num_nodes < XC_NODES ? op->u.numainfo.num_nodes : XC_NODES;
    memcpy(out->memory, memory, out->nodes * sizeof(*memory));
    memcpy(out->distance, distance, out->nodes * out->nodes * sizeof(*distance));
    return 0;
}
