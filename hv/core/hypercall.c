/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dispatcher, made from the tables. A row of a family becomes one case: copy the argument in, find the
 * target and check the right, call the handler, copy back. The switch has direct calls only.
 */
#include <hv/hypercall.h>
#include <hv/missing.h>
#include <hv/ops.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

enum copy { NONE = 0, IN = 1, OUT = 2, INOUT = 3 };
enum who { ANYONE, CONTROL };

#define MEMORY_OP_BITS 6        /* the rest of the command is the first extent; abi/memory.h */

/* ---- targets ---- */
struct domain *target_get(struct vcpu *v, domid_t id)
{
    if (id == DOMID_SELF || id == v->domain->id)
        return v->domain;
    return v->domain->privileged ? domain_get(id) : NULL;
}

void target_put(struct vcpu *v, struct domain *d)
{
    if (d && d != v->domain)
        domain_put(d);
}

int refuse(struct vcpu *v, int error, uint64_t a, uint64_t b)
{
    v->refusal_a = a;
    v->refusal_b = b;
    return error;
}

/* ---- long operations ---- */
bool preempt_due(struct vcpu *v)
{
    if (unlikely(vcpu_is_idle(v)))      /* boot: nobody waits */
        return false;
    hw_irq_window();
    return this_cpu()->pending || event_upcall_due(v);
}

long hypercall_restart(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    if (v->multicall) {
        v->multicall->args[0] = a1;
        v->multicall->args[1] = a2;
        v->multicall->args[2] = a3;
        v->multicall->args[3] = a4;
    } else {
        v->regs.rdi = a1;
        v->regs.rsi = a2;
        v->regs.rdx = a3;
        v->regs.r10 = a4;
        v->regs.rip -= 2;               /* the length of SYSCALL */
    }
    v->restart = true;
    return 0;
}

/* ---- what surrounds every operation of a family ---- */
static int op_begin(struct vcpu *v, void *arg, size_t len, gaddr_t at, enum copy copy, enum who who)
{
    if (who == CONTROL && !v->domain->privileged)
        return -XEN_EPERM;
    if (copy & IN)
        return guest_read(arg, at, len);
    if (copy & OUT)
        __builtin_memset(arg, 0, len);
    return 0;
}

static int op_target(struct vcpu *v, domid_t id, struct domain **d)
{
    *d = target_get(v, id);
    if (*d)
        return 0;
    return refuse(v, v->domain->privileged ? -XEN_ESRCH : -XEN_EPERM, id, 0);
}

static long op_end(struct vcpu *v, struct domain *d, const void *arg, size_t len, gaddr_t at, enum copy copy,
                   long r)
{
    target_put(v, d);
    if ((copy & OUT) && (r >= 0 || r == -XEN_ERESTART) && guest_write(at, arg, len))
        return -XEN_EFAULT;
    return r;
}

#define SELF         DOMID_SELF
#define TARGET(id)   (id)
#define OP(nr, name, type, copy, who, target)                                           \
    case nr: {                                                                          \
        type op, *arg = &op;                                                            \
        struct domain *d = NULL;                                                        \
        long r = op_begin(v, arg, sizeof op, at, copy, who);                            \
        if (r == 0 && (r = op_target(v, target, &d)) == 0)                              \
            r = OP_HANDLER(name)(v, d, arg);                                            \
        return op_end(v, d, arg, sizeof op, at, copy, r);                               \
    }

#define OP_HANDLER(name) event_op_##name
static long family_event_channel_op(struct vcpu *v, uint64_t cmd, gaddr_t at)
{
    switch ((int)cmd) {
#include <abi/ops/event.def>
    }
    return -XEN_ENOSYS;
}
#undef OP_HANDLER

#define OP_HANDLER(name) sched_op_##name
static long family_sched_op(struct vcpu *v, uint64_t cmd, gaddr_t at)
{
    switch ((int)cmd) {
#include <abi/ops/sched.def>
    }
    return -XEN_ENOSYS;
}
#undef OP_HANDLER

#define OP_HANDLER(name) physdev_op_##name
static long family_physdev_op(struct vcpu *v, uint64_t cmd, gaddr_t at)
{
    switch ((int)cmd) {
#include <abi/ops/physdev.def>
    }
    return -XEN_ENOSYS;
}
#undef OP_HANDLER

#define OP_HANDLER(name) memory_op_##name
static long memory_dispatch(struct vcpu *v, uint64_t cmd, gaddr_t at)
{
    switch (cmd) {
#include <abi/ops/memory.def>
    }
    return -XEN_ENOSYS;
}
#undef OP_HANDLER
#undef OP

/* The upper bits of the command say where an interrupted list goes on. */
static long family_memory_op(struct vcpu *v, uint64_t cmd, gaddr_t at)
{
    long r;

    v->extent = cmd >> MEMORY_OP_BITS;
    r = memory_dispatch(v, cmd & ((1u << MEMORY_OP_BITS) - 1), at);
    if (r == -XEN_ERESTART)
        return hypercall_restart(v, (cmd & ((1u << MEMORY_OP_BITS) - 1)) | v->extent << MEMORY_OP_BITS, at.va,
                                 0, 0);
    return r;
}

#define OP(nr, name, type, copy, who, state)                                            \
    case nr: {                                                                          \
        type arg;                                                                       \
        long r = op_begin(v, &arg, sizeof arg, at, copy, who);                          \
        if (r == 0)                                                                     \
            r = vcpu_op_##name(v, target, &arg);                                        \
        return op_end(v, NULL, &arg, sizeof arg, at, copy, r);                          \
    }
static long family_vcpu_op(struct vcpu *v, uint64_t cmd, uint64_t id, gaddr_t at)
{
    struct vcpu *target = id == (uint32_t)id ? domain_vcpu(v->domain, (uint32_t)id) : NULL;

    if (!target)
        return -XEN_ENOENT;
    switch ((int)cmd) {
#include <abi/ops/vcpu.def>
    }
    return -XEN_ENOSYS;
}
#undef OP

/* ---- the three large ones: one structure with a union, interface version checked ---- */
enum domctl_target { DOM, NEW, FROM };

static struct domain *domctl_target(struct vcpu *v, enum domctl_target how, domid_t id)
{
    switch (how) {
    case NEW:
        return NULL;
    case FROM:
        return domain_get_from(id);
    case DOM:
        break;
    }
    if (id == DOMID_SELF)
        id = v->domain->id;
    return domain_get(id);
}

/*
 * One domctl at a time on a domain: handlers need not expect each other. Two tools at the same domain are
 * rare, so the second does not wait here, where it would have to be answered for, but calls again.
 */
static bool control_begin(struct domain *d)
{
    return !d || !__atomic_exchange_n(&d->controlled, true, __ATOMIC_ACQUIRE);
}

static void control_end(struct domain *d)
{
    if (!d)
        return;
    __atomic_store_n(&d->controlled, false, __ATOMIC_RELEASE);
    domain_put(d);
}

static long domctl_run(struct vcpu *v, struct xen_domctl *op, bool *copy_back)
{
    struct domain *d;
    long r;

    switch (op->cmd) {
#define OP(nr, name, member, copy, target)                                              \
    case nr:                                                                            \
        d = domctl_target(v, target, op->domain);                                       \
        if (!d && target != NEW)                                                        \
            return refuse(v, -XEN_ESRCH, op->domain, op->cmd);                          \
        if (!control_begin(d)) {                                                        \
            domain_put(d);                                                              \
            return -XEN_ERESTART;                                                       \
        }                                                                               \
        r = domctl_##name(v, d, op);                                                    \
        *copy_back = (copy & OUT) && (r == 0 || r == -XEN_ENOBUFS || r == -XEN_ERESTART);  \
        break;
#include <abi/ops/domctl.def>
#undef OP
    default:
        missing_note(v, __HYPERVISOR_domctl, op->cmd);
        return -XEN_ENOSYS;
    }
    control_end(d);
    return r;
}

static long family_domctl(struct vcpu *v, gaddr_t at)
{
    struct xen_domctl op;
    bool copy_back = false;
    long r = op_begin(v, &op, sizeof op, at, IN, CONTROL);

    if (r)
        return r;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return refuse(v, -XEN_EACCES, op.interface_version, XEN_DOMCTL_INTERFACE_VERSION);
    v->refusal_op = (uint16_t)op.cmd;
    r = domctl_run(v, &op, &copy_back);
    if (copy_back && guest_write(at, &op, sizeof op))
        return -XEN_EFAULT;
    return r;
}

static long sysctl_run(struct vcpu *v, struct xen_sysctl *op, bool *copy_back)
{
    long r;

    switch (op->cmd) {
#define OP(nr, name, member, copy)                                                      \
    case nr:                                                                            \
        r = sysctl_##name(v, op);                                                       \
        *copy_back = (copy & OUT) && (r == 0 || r == -XEN_ENOBUFS);                       \
        return r;
#include <abi/ops/sysctl.def>
#undef OP
    }
    missing_note(v, __HYPERVISOR_sysctl, op->cmd);
    return -XEN_ENOSYS;
}

static long family_sysctl(struct vcpu *v, gaddr_t at)
{
    struct xen_sysctl op;
    bool copy_back = false;
    long r = op_begin(v, &op, sizeof op, at, IN, CONTROL);

    if (r)
        return r;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return refuse(v, -XEN_EACCES, op.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
    v->refusal_op = (uint16_t)op.cmd;
    r = sysctl_run(v, &op, &copy_back);
    if (copy_back && guest_write(at, &op, sizeof op))
        return -XEN_EFAULT;
    return r;
}

static long platform_run(struct vcpu *v, struct xen_platform_op *op, bool *copy_back)
{
    long r;

    switch (op->cmd) {
#define OP(nr, name, member, copy)                                                      \
    case nr:                                                                            \
        r = platform_op_##name(v, op);                                                  \
        *copy_back = (copy & OUT) && r >= 0;                                            \
        return r;
#include <abi/ops/platform.def>
#undef OP
    }
    missing_note(v, __HYPERVISOR_platform_op, op->cmd);
    return -XEN_ENOSYS;
}

static long family_platform_op(struct vcpu *v, gaddr_t at)
{
    struct xen_platform_op op;
    bool copy_back = false;
    long r = op_begin(v, &op, sizeof op, at, IN, CONTROL);

    if (r)
        return r;
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return refuse(v, -XEN_EACCES, op.interface_version, XENPF_INTERFACE_VERSION);
    v->refusal_op = (uint16_t)op.cmd;
    r = platform_run(v, &op, &copy_back);
    if (copy_back && guest_write(at, &op, sizeof op))
        return -XEN_EFAULT;
    return r;
}

/* ---- several calls in one: rows FAMILY become functions of the common form ---- */
#define TWO(name) \
    long hc_##name(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) \
    { \
        long r = family_##name(v, a1, GADDR(a2)); \
        if (r == -XEN_ENOSYS) \
            missing_note(v, __HYPERVISOR_##name, a1); \
        return r == -XEN_ERESTART ? hypercall_restart(v, a1, a2, a3, a4) : r; \
    }
#define ONE(name) \
    long hc_##name(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) \
    { \
        long r = family_##name(v, GADDR(a1)); \
        return r == -XEN_ERESTART ? hypercall_restart(v, a1, a2, a3, a4) : r; \
    }
TWO(event_channel_op)
TWO(sched_op)
TWO(physdev_op)
TWO(memory_op)
ONE(domctl)
ONE(sysctl)
ONE(platform_op)

long hc_vcpu_op(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    long r = family_vcpu_op(v, a1, a2, GADDR(a3));

    if (r == -XEN_ENOSYS)
        missing_note(v, __HYPERVISOR_vcpu_op, a1);
    return r == -XEN_ERESTART ? hypercall_restart(v, a1, a2, a3, a4) : r;
}

/* ---- the outer switch ---- */
#define HC_LEAF(nr, name)   case nr: return hc_##name(v, a1, a2, a3, a4, a5);
#define HC_STREAM(nr, name) HC_LEAF(nr, name)
#define HC_FAMILY(nr, name) HC_LEAF(nr, name)
#define HC_NONE(nr, name)   case nr: break;
#define HYPERCALL(nr, name, who, class, what) HC_##class(nr, name)

static long call(struct vcpu *v, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    switch ((uint32_t)nr) {
#include <abi/hypercalls.def>
    }
    missing_note(v, (uint32_t)nr, 0);
    return -XEN_ENOSYS;
}
#undef HYPERCALL

/* Answers that are no news: kernels probe for what may not be there. */
static bool expected(uint32_t nr, uint64_t op, long error)
{
    switch (nr) {
    case __HYPERVISOR_iret:             /* the result is the guest's own RAX */
        return true;
    case __HYPERVISOR_vcpu_op:
        return error == -XEN_ENOENT || error == -XEN_ETIME;
    case __HYPERVISOR_domctl:
        return error == -XEN_ESRCH;
    }
    return error == -XEN_ENOSYS;
}

static inline __attribute__((always_inline))
long call_noting(struct vcpu *v, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    long r;

    v->refusal_a = a1;
    v->refusal_b = a2;
    v->refusal_op = (uint16_t)a1;
    r = call(v, nr, a1, a2, a3, a4, a5);
    if (unlikely(r < 0 && r > -4096) && !expected((uint32_t)nr, a1, r))
        refusal_note(v->domain, (uint16_t)nr, v->refusal_op, (int)r, v->refusal_a, v->refusal_b);
    return r;
}

void hypercall(struct vcpu *v)
{
    struct regs *g = &v->regs;
    long r;

    v->restart = false;
    r = call_noting(v, g->rax, g->rdi, g->rsi, g->rdx, g->r10, g->r8);
    if (likely(!v->restart))
        g->rax = (uint64_t)r;
}

/* Over at once whatever its arguments are, so that a batch of them is, too. */
static bool is_short(uint32_t nr)
{
#define SHORT_LEAF(nr)   | 1ull << (nr)
#define SHORT_STREAM(nr)
#define SHORT_FAMILY(nr)
#define SHORT_NONE(nr)
#define HYPERCALL(nr, name, who, class, what) SHORT_##class(nr)
    static const uint64_t leaves = 0
#include <abi/hypercalls.def>
    ;
#undef HYPERCALL

    return nr < 64 && leaves >> nr & 1;
}

/*
 * A call that may take long looks for pending work only while it has more to do: here is the look after it.
 */
long hc_multicall(struct vcpu *v, uint64_t list, uint64_t count, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct multicall_entry e;
    bool look = false;

    if (v->multicall)
        return -XEN_EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        gaddr_t at = gaddr_index(GADDR(list), i, sizeof e);
        long r;

        if (i && (look || i % PREEMPT_BATCH == 0) && preempt_due(v))
            return hypercall_restart(v, at.va, count - i, 0, 0);
        if (guest_read(&e, at, sizeof e))
            return -XEN_EFAULT;
        v->multicall = &e;
        r = -XEN_EINVAL;
        if ((uint32_t)e.op != __HYPERVISOR_iret)
            r = call_noting(v, e.op, e.args[0], e.args[1], e.args[2], e.args[3], e.args[4]);
        v->multicall = NULL;
        if (v->restart) {
            v->restart = false;
            if (guest_write(at, &e, sizeof e))
                return -XEN_EFAULT;
            return hypercall_restart(v, at.va, count - i, 0, 0);
        }
        look = !is_short((uint32_t)e.op);
        e.result = (uint64_t)r;
        if (guest_write(GADDR(at.va + offsetof(struct multicall_entry, result)), &e.result, sizeof e.result))
            return -XEN_EFAULT;
    }
    return 0;
}
