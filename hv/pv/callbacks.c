/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a guest kernel wants to be entered, how it returns, and the small state that goes with it. */
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <abi/callback.h>
#include <abi/sched.h>

#define FLAG_IF   (1ull << 9)
#define FLAG_IOPL (3ull << 12)
#define FLAG_VM   (1ull << 17)

static bool code_address_ok(uint64_t va) { return guest_range_ok(va, 1); }

static long traps_read(struct vcpu *v, uint64_t list)
{
    struct trap_info t;

    for (unsigned n = 0; n <= 256; n++) {   /* at most one entry a vector, then the end */
        if (guest_read(&t, gaddr_index(GADDR(list), n, sizeof t), sizeof t))
            return -XEN_EFAULT;
        if (!t.address)
            return 0;
        if (!code_address_ok(t.address))
            return refuse(v, -XEN_EINVAL, t.vector, t.address);
        v->pv.traps[t.vector] = t;
    }
    return refuse(v, -XEN_E2BIG, list, 256);
}

long hc_set_trap_table(struct vcpu *v, uint64_t list, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    long r = 0;

    if (list)
        r = traps_read(v, list);
    else
        __builtin_memset(v->pv.traps, 0, sizeof v->pv.traps);
    pv_entry_changed(v);
    return r;
}

/* ---- iret: the frame lies on the guest's stack ---- */
long hc_iret(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct iret_context f;
    struct regs *g = &v->regs;

    if (unlikely(guest_read(&f, GADDR(g->rsp), sizeof f))) {
        domain_crash(v->domain, "iret frame at %lx cannot be read", g->rsp);
        return 0;
    }
    if ((f.cs & 3) == 3) {
        if (unlikely(!mfn_valid_number(v->pv.root_user))) {
            domain_crash(v->domain, "iret to user mode without a root for it");
            return 0;
        }
        pv_toggle_mode(v);
    }
    g->rip = f.rip;
    g->cs = (f.cs & 0xffff) | 3;
    g->rflags = (f.rflags & ~(FLAG_IOPL | FLAG_VM)) | FLAG_IF;
    g->rsp = f.rsp;
    g->ss = (f.ss & 0xffff) | 3;
    if (!(f.flags & VGCF_in_syscall)) {
        g->r11 = f.r11;
        g->rcx = f.rcx;
    }
    v->info->evtchn_upcall_mask = !(f.rflags & FLAG_IF);
    v->pv.nmi_masked = false;
    return (long)f.rax;
}

long hc_stack_switch(struct vcpu *v, uint64_t ss, uint64_t sp, uint64_t a3, uint64_t a4, uint64_t a5)
{
    if (!guest_range_ok(sp - 8, 8))
        return refuse(v, -XEN_EINVAL, ss, sp);
    v->pv.kernel_ss = ss | 3;
    v->pv.kernel_sp = sp;
    pv_entry_stack_changed(&v->pv);
    return 0;
}

static bool base_ok(uint64_t va) { return va + (1ull << 47) < (1ull << 48); }

long hc_set_segment_base(struct vcpu *v, uint64_t which, uint64_t base, uint64_t a3, uint64_t a4, uint64_t a5)
{
    if (which != SEGBASE_GS_USER_SEL && !base_ok(base))
        return refuse(v, -XEN_EINVAL, which, base);
    switch (which) {
    case SEGBASE_FS:
        v->pv.fs_base = base;
        hw_write_fs_base(base);
        return 0;
    case SEGBASE_GS_USER:
        v->pv.gs_base_user = base;
        hw_write_inactive_gs_base(base);
        return 0;
    case SEGBASE_GS_KERNEL:
        v->pv.gs_base_kernel = base;
        hw_write_gs_base(base);
        return 0;
    case SEGBASE_GS_USER_SEL:
        hw_load_user_gs((uint32_t)(base & 0xffff));   /* one that does not load becomes null, as Xen has it */
        return 0;
    }
    return refuse(v, -XEN_EINVAL, which, base);
}

long hc_fpu_taskswitch(struct vcpu *v, uint64_t set, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    v->pv.ctrlreg_cr0_ts = set ? 1 : 0;
    hw_set_ts(set != 0);
    return 0;
}

/* ---- entry points ---- */
static long callback_set(struct vcpu *v, uint16_t type, uint16_t flags, uint64_t address)
{
    if (address && !code_address_ok(address))
        return refuse(v, -XEN_EINVAL, type, address);
    switch (type) {
    case CALLBACKTYPE_event:
        v->pv.event_callback = address;
        return 0;
    case CALLBACKTYPE_failsafe:
        v->pv.failsafe_callback = address;
        v->pv.failsafe_disables_events = flags & CALLBACKF_mask_events;
        return 0;
    case CALLBACKTYPE_syscall:
        v->pv.syscall_callback = address;
        v->pv.syscall_disables_events = flags & CALLBACKF_mask_events;
        pv_entry_changed(v);
        return 0;
    case CALLBACKTYPE_nmi:
        v->pv.nmi_callback = address;
        return 0;
    case CALLBACKTYPE_syscall32:
        v->pv.syscall32_callback = address;
        v->pv.syscall32_disables_events = flags & CALLBACKF_mask_events;
        return 0;
    case CALLBACKTYPE_sysenter:
        return 0;           /* CPUID does not offer it to 32-bit programs: never called */
    }
    return refuse(v, -XEN_ENOSYS, type, address);
}

long hc_callback_op(struct vcpu *v, uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct callback_register r;
    struct callback_unregister u;

    switch (cmd) {
    case CALLBACKOP_register:
        if (guest_read(&r, GADDR(arg), sizeof r))
            return -XEN_EFAULT;
        return callback_set(v, r.type, r.flags, r.address);
    case CALLBACKOP_unregister:
        if (guest_read(&u, GADDR(arg), sizeof u))
            return -XEN_EFAULT;
        if (u.type == CALLBACKTYPE_event || u.type == CALLBACKTYPE_failsafe || u.type == CALLBACKTYPE_syscall)
            return -XEN_EINVAL;
        return callback_set(v, u.type, 0, 0);
    }
    return -XEN_ENOSYS;
}

long hc_set_callbacks(struct vcpu *v, uint64_t event, uint64_t failsafe, uint64_t syscall, uint64_t a4,
                      uint64_t a5)
{
    long r = callback_set(v, CALLBACKTYPE_event, 0, event);

    if (!r)
        r = callback_set(v, CALLBACKTYPE_failsafe, 0, failsafe);
    if (!r)
        r = callback_set(v, CALLBACKTYPE_syscall, 0, syscall);
    return r;
}

long hc_nmi_op(struct vcpu *v, uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct xennmi_callback c;

    switch (cmd) {
    case XENNMI_register_callback:
        if (guest_read(&c, GADDR(arg), sizeof c))
            return -XEN_EFAULT;
        return callback_set(v, CALLBACKTYPE_nmi, 0, c.handler_address);
    case XENNMI_unregister_callback:
        v->pv.nmi_callback = 0;
        return 0;
    }
    return -XEN_ENOSYS;
}

long hc_vm_assist(struct vcpu *v, uint64_t cmd, uint64_t type, uint64_t a3, uint64_t a4, uint64_t a5)
{
    if (type > 63 || !(VM_ASSIST_KNOWN & 1ull << type))
        return refuse(v, -XEN_EINVAL, cmd, type);
    if (cmd == VMASST_CMD_enable)
        __atomic_fetch_or(&v->domain->pv.vm_assist, 1ull << type, __ATOMIC_SEQ_CST);
    else if (cmd == VMASST_CMD_disable)
        __atomic_fetch_and(&v->domain->pv.vm_assist, ~(1ull << type), __ATOMIC_SEQ_CST);
    else
        return refuse(v, -XEN_ENOSYS, cmd, type);
    for_each_vcpu(v->domain, other)
        pv_entry_changed(other);
    return 0;
}

/* ---- debug registers: breakpoints only on guest addresses, no I/O breakpoints ---- */
#define DR7_FIXED    0x400ull
#define DR7_RESERVED 0xffffffff0000d800ull
#define DR7_GD       (1ull << 13)

static bool dr7_ok(uint64_t value)
{
    if (value & (DR7_RESERVED | DR7_GD))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (value >> (2 * i) & 3 && (value >> (16 + 4 * i) & 3) == 2)
            return false;
    return true;
}

int pv_set_debugreg(struct vcpu *v, unsigned n, uint64_t value)
{
    switch (n) {
    case 0: case 1: case 2: case 3:
        if (value && !guest_range_ok(value, 8))
            return -XEN_EPERM;
        break;
    case 4: case 6:
        n = 6;
        value = (value & 0xe00full) | 0xffff0ff0ull;
        break;
    case 5: case 7:
        n = 7;
        if (!dr7_ok(value & ~DR7_FIXED))
            return -XEN_EPERM;
        value = (value & ~DR7_RESERVED) | DR7_FIXED;
        break;
    default:
        return -XEN_EINVAL;
    }
    v->pv.debugreg[n] = value;
    return 0;
}

long hc_set_debugreg(struct vcpu *v, uint64_t n, uint64_t value, uint64_t a3, uint64_t a4, uint64_t a5)
{
    int r = n < 8 ? pv_set_debugreg(v, (unsigned)n, value) : -XEN_EINVAL;

    if (r)
        return refuse(v, r, n, value);
    hw_set_debugreg((unsigned)n, value);
    return 0;
}

long hc_get_debugreg(struct vcpu *v, uint64_t n, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    if (n < 4 || n == 6 || n == 7)
        return (long)v->pv.debugreg[n];
    return -XEN_EINVAL;
}

/* The oldest form: commands without a structure. */
long hc_sched_op_compat(struct vcpu *v, uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
    switch (cmd) {
    case 0:
        vcpu_yield(v);
        return 0;
    case 1:
        return hc_sched_op(v, SCHEDOP_block, 0, 0, 0, 0);
    case 2:
        if (arg > SHUTDOWN_MAX)
            return refuse(v, -XEN_EINVAL, arg, SHUTDOWN_MAX);
        domain_shutdown(v->domain, (uint32_t)arg);
        return 0;
    }
    return -XEN_ENOSYS;
}
