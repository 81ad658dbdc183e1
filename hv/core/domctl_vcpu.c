/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control of virtual processors: registers in and out, placement, what CPUID shows. Registers are touched
 * only while the domain is paused and no processor holds them; a domain cannot do that to itself.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/pcpu.h>
#include <hv/time.h>
#include <hw/hw.h>

#include "control.h"

/* The vCPU named, of another domain than the caller's: 0, -ESRCH, -EINVAL. */
static int other_vcpu(struct vcpu *v, struct domain *d, uint32_t id, struct vcpu **target)
{
    *target = control_vcpu(d, id);
    if (!*target)
        return refuse(v, -XEN_ESRCH, id, d->max_vcpus);
    return d == v->domain ? refuse(v, -XEN_EINVAL, d->id, id) : 0;
}

/* ---- registers ---- */
static int context_set(struct domain *d, struct vcpu *target, gaddr_t from, struct vcpu_guest_context *c)
{
    int r;

    if (guest_read(c, from, sizeof *c))
        return -XEN_EFAULT;
    domain_pause(d, true);
    r = vcpu_set_context(target, c);
    domain_unpause(d);
    return r;
}

int domctl_setvcpucontext(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpucontext *a = &op->u.vcpucontext;
    struct vcpu_guest_context *c;
    struct vcpu *target;
    int r = other_vcpu(v, d, a->vcpu, &target);

    if (r)
        return r;
    if (d->dying)                       /* its tables have gone or are going: it gets no new ones */
        return refuse(v, -XEN_EINVAL, d->id, d->dying);
    if (!a->ctxt.va)
        return -XEN_EOPNOTSUPP;         /* reset: of use only to restart a saved domain in place */
    c = kalloc(sizeof *c);
    if (!c)
        return -XEN_ENOMEM;
    r = context_set(d, target, a->ctxt, c);
    kfree(c);
    /* A builder may have cleared the shared page: the first vCPU's context is the last it does before the
     * start. */
    if (!r && !target->id)
        wallclock_write(d);
    return r;
}

int domctl_getvcpucontext(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpucontext *a = &op->u.vcpucontext;
    struct vcpu_guest_context *c;
    struct vcpu *target;
    int r = other_vcpu(v, d, a->vcpu, &target);

    if (r)
        return r;
    if (!target->initialised)
        return refuse(v, -XEN_ENODATA, d->id, a->vcpu);
    c = kalloc(sizeof *c);
    if (!c)
        return -XEN_ENOMEM;
    domain_pause(d, true);
    pv_vcpu_get_context(target, c);
    domain_unpause(d);
    r = guest_write(a->ctxt, c, sizeof *c);
    kfree(c);
    return r;
}

int domctl_getvcpuinfo(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_getvcpuinfo *a = &op->u.getvcpuinfo;
    const struct vcpu *target = control_vcpu(d, a->vcpu);
    uint32_t flags;

    if (!target)
        return -XEN_ESRCH;
    flags = __atomic_load_n(&target->pause_flags, __ATOMIC_RELAXED);
    a->online = !(flags & PAUSE_DOWN);
    a->blocked = (flags & (PAUSE_BLOCKED | PAUSE_POLL)) != 0;
    a->running = target->running;
    a->cpu_time = vcpu_run_time(target);
    a->cpu = target->cpu->id;
    return 0;
}

/* ---- extended state: xcr0, the states ever used, the XSAVE area ---- */
#define STATE_HEAD 16u
#define STATE_MAX  (PAGE_SIZE * 2)
#define MXCSR_AT   24
#define HEADER_AT  512

static size_t extstate_size(void) { return STATE_HEAD + hw_fpu_size(); }

int domctl_getvcpuextstate(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_vcpuextstate *a = &op->u.vcpuextstate;
    struct vcpu *target;
    uint64_t head[2];
    int r = other_vcpu(v, d, a->vcpu, &target);

    if (r)
        return r;
    if (!hw_xcr0())
        return -XEN_EOPNOTSUPP;
    a->xfeature_mask = hw_xcr0();
    if (!a->buffer.va) {
        a->size = extstate_size();
        return 0;
    }
    if (a->size < extstate_size())
        return refuse(v, -XEN_EINVAL, a->size, extstate_size());
    a->size = extstate_size();
    domain_pause(d, true);
    hw_vcpu_save(target);
    head[0] = target->pv.xcr0;
    head[1] = hw_xcr0();
    r = guest_write(a->buffer, head, sizeof head);
    if (r == 0)
        r = guest_write(GADDR(a->buffer.va + STATE_HEAD), target->pv.fpu, hw_fpu_size());
    domain_unpause(d);
    return r;
}

static bool xcr0_ok(uint64_t x)
{
    return x & 1 && !(x & ~hw_xcr0()) && (!(x & 4) || x & 2) && (!(x & 0xe0) || (x & 0xe6) == 0xe6);
}

/*
 * The area's header: which states are there, standard form, the rest zero. Else the processor would refuse
 * it.
 */
static bool area_ok(const uint8_t *area)
{
    uint64_t header[8];

    __builtin_memcpy(header, area + HEADER_AT, sizeof header);
    for (unsigned i = 1; i < ARRAY_LEN(header); i++)
        if (header[i])
            return false;
    return !(header[0] & ~hw_xcr0());
}

static void mxcsr_clean(uint8_t *area)
{
    uint32_t mxcsr;

    __builtin_memcpy(&mxcsr, area + MXCSR_AT, sizeof mxcsr);
    mxcsr &= 0xffff;
    __builtin_memcpy(area + MXCSR_AT, &mxcsr, sizeof mxcsr);
}

static int extstate_take(struct domain *d, struct vcpu *target, uint8_t *image, size_t len)
{
    uint64_t xcr0;

    __builtin_memcpy(&xcr0, image, sizeof xcr0);
    if (!xcr0_ok(xcr0) || !area_ok(image + STATE_HEAD))
        return -XEN_EINVAL;
    mxcsr_clean(image + STATE_HEAD);
    domain_pause(d, true);
    hw_vcpu_save(target);
    hw_fpu_init(target->pv.fpu);
    __builtin_memcpy(target->pv.fpu, image + STATE_HEAD, len - STATE_HEAD);
    target->pv.xcr0 = xcr0;
    domain_unpause(d);
    return 0;
}

int domctl_setvcpuextstate(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuextstate *a = &op->u.vcpuextstate;
    struct vcpu *target;
    uint8_t *image;
    int r = other_vcpu(v, d, a->vcpu, &target);

    if (r)
        return r;
    if (!hw_xcr0())
        return -XEN_EOPNOTSUPP;
    if (a->size < STATE_HEAD + HEADER_AT + 64 || a->size > extstate_size())
        return refuse(v, -XEN_EINVAL, a->size, extstate_size());
    image = kalloc(a->size);
    if (!image)
        return -XEN_ENOMEM;
    r = guest_read(image, a->buffer, a->size);
    if (r == 0)
        r = extstate_take(d, target, image, a->size);
    kfree(image);
    return r;
}

/* ---- what else a saved vCPU has ---- */
/* Entry points for 32-bit programs, which CPUID never offers, and no MSRs. */
int domctl_get_ext_vcpucontext(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ext_vcpucontext *a = &op->u.ext_vcpucontext;
    uint32_t id = a->vcpu;
    struct vcpu *target;
    int r = other_vcpu(v, d, id, &target);

    if (r == 0)
        op->u.ext_vcpucontext = (struct xen_domctl_ext_vcpucontext){ .vcpu = id, .size = sizeof *a };
    return r;
}

int domctl_set_ext_vcpucontext(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ext_vcpucontext *a = &op->u.ext_vcpucontext;
    struct vcpu *target;
    int r = other_vcpu(v, d, a->vcpu, &target);

    if (r == 0 && a->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
        r = refuse(v, -XEN_EINVAL, a->size, sizeof *a);
    return r;
}

int domctl_get_vcpu_msrs(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct vcpu *target;
    int r = other_vcpu(v, d, op->u.vcpu_msrs.vcpu, &target);

    op->u.vcpu_msrs.msr_count = 0;
    return r;
}

int domctl_set_vcpu_msrs(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct vcpu *target;
    int r = other_vcpu(v, d, op->u.vcpu_msrs.vcpu, &target);

    return r ? r : op->u.vcpu_msrs.msr_count ? refuse(v, -XEN_EINVAL, op->u.vcpu_msrs.msr_count, 0) : 0;
}

int domctl_sendtrigger(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct vcpu *target = control_vcpu(d, op->u.sendtrigger.vcpu);

    if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
        return -XEN_EOPNOTSUPP;
    if (!target)
        return refuse(v, -XEN_ESRCH, op->u.sendtrigger.vcpu, d->max_vcpus);
    return vcpu_op_send_nmi(v, target, NULL);
}

/* ---- placement ---- */
_Static_assert(sizeof(struct control_bits) <= sizeof(struct cpu_set), "a tool's map fits a set");

static int set_read(const struct xenctl_bitmap *map, struct cpu_set *out)
{
    struct control_bits bits;

    *out = (struct cpu_set){ 0 };
    if (bits_read(map, pcpu_count, &bits))
        return -XEN_EFAULT;
    __builtin_memcpy(out, &bits, sizeof bits);
    return 0;
}

static int set_write(const struct xenctl_bitmap *map, const struct cpu_set *set)
{
    struct control_bits bits;

    __builtin_memcpy(&bits, set, sizeof bits);
    return bits_write(map, pcpu_count, &bits);
}

/* `effective`: of the soft set only what the hard one allows, which is how a change is answered. */
static int affinity_answer(const struct vcpu *target, const struct xen_domctl_vcpuaffinity *a, bool effective)
{
    struct cpu_set hard, soft;
    int r = 0;

    vcpu_affinity_get(target, &hard, &soft);
    if (effective)
        soft = cpu_set_and(&soft, &hard);
    if (a->flags & XEN_VCPUAFFINITY_HARD)
        r = set_write(&a->cpumap_hard, &hard);
    if (r == 0 && a->flags & XEN_VCPUAFFINITY_SOFT)
        r = set_write(&a->cpumap_soft, &soft);
    return r;
}

static bool affinity_flags_ok(uint32_t f)
{
    return !(f & ~(uint32_t)(XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE)) &&
           f & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT);
}

/* A number that the domain can never have is a wrong argument; one that it has not yet is somebody
 * missing. */
static int affinity_target(const struct domain *d, uint32_t id, struct vcpu **target)
{
    *target = control_vcpu(d, id);
    if (*target)
        return 0;
    return id < d->max_vcpus ? -XEN_ESRCH : -XEN_EINVAL;
}

int domctl_setvcpuaffinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    bool hard = a->flags & XEN_VCPUAFFINITY_HARD, soft = a->flags & XEN_VCPUAFFINITY_SOFT;
    struct cpu_set want_hard, want_soft;
    struct vcpu *target;
    int r = affinity_target(d, a->vcpu, &target);

    if (r)
        return refuse(v, r, a->vcpu, d->max_vcpus);
    if (!affinity_flags_ok(a->flags))
        return refuse(v, -XEN_EINVAL, a->vcpu, a->flags);
    if ((hard && set_read(&a->cpumap_hard, &want_hard)) || (soft && set_read(&a->cpumap_soft, &want_soft)))
        return -XEN_EFAULT;
    r = vcpu_affinity_set(target, hard ? &want_hard : NULL, soft ? &want_soft : NULL,
                          a->flags & XEN_VCPUAFFINITY_FORCE);
    /* No processor with a number below the second value is among those asked for. */
    return r ? refuse(v, r, a->vcpu, pcpu_count) : affinity_answer(target, a, true);
}

int domctl_getvcpuaffinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    struct vcpu *target;
    int r = affinity_target(d, a->vcpu, &target);

    if (r)
        return refuse(v, r, a->vcpu, d->max_vcpus);
    if (!affinity_flags_ok(a->flags))
        return refuse(v, -XEN_EINVAL, a->vcpu, a->flags);
    return affinity_answer(target, a, false);
}

/* Memory is one node. */
int domctl_setnodeaffinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct control_bits nodes;

    if (bits_read(&op->u.nodeaffinity.nodemap, 1, &nodes))
        return -XEN_EFAULT;
    return bits_have(&nodes, 0) ? 0 : refuse(v, -XEN_EINVAL, op->u.nodeaffinity.nodemap.nr_bits, 1);
}

int domctl_getnodeaffinity(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct control_bits nodes;

    bits_fill(&nodes, 1);
    return bits_write(&op->u.nodeaffinity.nodemap, 1, &nodes);
}

/* ---- CPU policy ---- */
int domctl_get_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *a = &op->u.cpu_policy;

    a->err_leaf = a->err_subleaf = a->err_msr = ~0u;
    return policy_write(cpuid_policy_of(d), a->leaves, &a->nr_leaves, a->msrs, &a->nr_msrs);
}

static int policy_msrs_check(struct xen_domctl_cpu_policy *a)
{
    struct xen_msr_entry m;

    if (a->nr_msrs > CPUID_MSRS)
        return -XEN_E2BIG;
    for (uint32_t i = 0; i < a->nr_msrs; i++) {
        if (guest_read(&m, gaddr_index(a->msrs, i, sizeof m), sizeof m))
            return -XEN_EFAULT;
        if (m.val || m.flags || (m.idx != 0xce && m.idx != 0x10a)) {
            a->err_msr = m.idx;
            return -XEN_EINVAL;
        }
    }
    return 0;
}

static int policy_leaves_set(struct domain *d, struct xen_domctl_cpu_policy *a, struct xen_cpuid_leaf *list)
{
    uint32_t bad = 0;
    int r;

    if (guest_read(list, a->leaves, a->nr_leaves * sizeof *list))
        return -XEN_EFAULT;
    domain_pause(d, true);
    r = cpuid_policy_set(d, list, a->nr_leaves, &bad);
    domain_unpause(d);
    if (r == -XEN_EINVAL) {
        a->err_leaf = list[bad].leaf;
        a->err_subleaf = list[bad].subleaf;
    }
    return r;
}

int domctl_set_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *a = &op->u.cpu_policy;
    struct xen_cpuid_leaf *list;
    int r;

    a->err_leaf = a->err_subleaf = a->err_msr = ~0u;
    if (d == v->domain)
        return refuse(v, -XEN_EINVAL, d->id, 0);
    if (a->nr_leaves > 2 * CPUID_LEAVES_ANSWERED)
        return refuse(v, -XEN_E2BIG, a->nr_leaves, 2 * CPUID_LEAVES_ANSWERED);
    r = policy_msrs_check(a);
    if (r || !a->nr_leaves)
        return r ? refuse(v, r, a->nr_msrs, a->err_msr) : 0;
    list = kalloc(a->nr_leaves * sizeof *list);
    if (!list)
        return -XEN_ENOMEM;
    r = policy_leaves_set(d, a, list);
    kfree(list);
    return r ? refuse(v, r, a->err_leaf, a->err_subleaf) : 0;
}
