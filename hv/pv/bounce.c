/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving a guest kernel its exceptions, system calls and events.
 *
 * A processor would push an interrupt frame and jump; we do the same for it: switch the guest to kernel mode
 * if need be, write the frame on its kernel stack (below the usual words stand R11 and RCX, as the ABI
 * wants), and change the saved registers so that the guest goes on at its handler. The virtual interrupt flag
 * is the upcall mask in vcpu_info; frames show it as RFLAGS.IF. A saved CS with RPL 0 means "was in the guest
 * kernel": both really run in ring 3.
 *
 * A stack that cannot be written is the end of the domain, as a triple fault is the end of a PC.
 */
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/vcpu.h>
#include <hw/hw.h>

#define FLAG_TF   (1ull << 8)
#define FLAG_IF   (1ull << 9)
#define FLAG_IOPL (3ull << 12)
#define FLAG_NT   (1ull << 14)
#define FLAG_RF   (1ull << 16)
#define FLAG_VM   (1ull << 17)
#define FLAG_AC   (1ull << 18)

#define PF_PRESENT  1u
#define PF_USER     4u
#define PF_RESERVED 8u

enum { VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_BP = 3, VECTOR_OF = 4, VECTOR_UD = 6, VECTOR_NM = 7,
       VECTOR_TS = 10, VECTOR_NP = 11, VECTOR_SS = 12, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_AC = 17 };

static bool has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= VECTOR_TS && vector <= VECTOR_PF) || vector == VECTOR_AC;
}

static bool address_ok(uint64_t va) { return guest_range_ok(va, 1); }

void pv_toggle_mode(struct vcpu *v)
{
    v->pv.kernel_mode = !v->pv.kernel_mode;
    hw_swapgs();
    hw_load_root(v);
}

/* ---- the short paths of hw/entry.S: system calls and page faults from user mode ---- */
void pv_entry_stack_changed(struct pv_vcpu *p)
{
    uint64_t top = p->kernel_sp & ~15ull;

    p->entry_top = p->entry_short && guest_range_ok(top - ENTRY_FRAME_BYTES, ENTRY_FRAME_BYTES) ? top : 0;
}

/* They show no IOPL in the frame. */
void pv_entry_changed(struct vcpu *v)
{
    struct pv_vcpu *p = &v->pv;
    const struct trap_info *fault = &p->traps[VECTOR_PF];
    bool iopl_shown = p->iopl && (v->domain->pv.vm_assist & VM_ASSIST_BIT(VMASST_TYPE_architectural_iopl));

    p->fault_entry = fault->address;
    p->fault_disables_events = TI_GET_IF(fault);
    p->entry_short = p->syscall_callback && fault->address && !iopl_shown;
    pv_entry_stack_changed(p);
}

void pv_entry_stack_bad(struct vcpu *v)
{
    domain_crash(v->domain, "kernel stack at %lx cannot be written (from user mode, rip %lx)",
                 v->pv.entry_top, v->regs.rip);
}

static uint64_t flags_shown(const struct vcpu *v)
{
    uint64_t f = v->regs.rflags & ~(FLAG_IF | FLAG_IOPL);

    if (!v->info->evtchn_upcall_mask)
        f |= FLAG_IF;
    if (v->domain->pv.vm_assist & (1ull << VMASST_TYPE_architectural_iopl))
        f |= (uint64_t)v->pv.iopl << 12;
    return f;
}

/* `extra` words (lowest address first) go below the interrupt frame. */
static void bounce(struct vcpu *v, uint64_t handler, const uint64_t *extra, unsigned words, bool mask_events)
{
    struct regs *g = &v->regs;
    bool from_kernel = v->pv.kernel_mode;
    uint64_t frame[12], cs = from_kernel ? g->cs & ~3ull : g->cs, sp;

    if (unlikely(!handler || !address_ok(handler))) {
        domain_crash(v->domain, "no handler for vector %lu (error %lx) at rip %lx", g->vector, g->error,
                     g->rip);
        return;
    }
    __builtin_memcpy(frame, extra, words * 8);
    frame[words] = g->rip;
    frame[words + 1] = cs | (uint64_t)v->info->evtchn_upcall_mask << 32;
    frame[words + 2] = flags_shown(v);
    frame[words + 3] = g->rsp;
    frame[words + 4] = g->ss;
    if (!from_kernel)
        pv_toggle_mode(v);
    sp = ((from_kernel ? g->rsp : v->pv.kernel_sp) & ~15ull) - (words + 5) * 8;
    if (unlikely(guest_write(GADDR(sp), frame, (words + 5) * 8))) {
        domain_crash(v->domain, "kernel stack at %lx cannot be written (vector %lu, rip %lx, cr2 %lx)", sp,
                     g->vector, g->rip, v->pv.cr2);
        return;
    }
    if (mask_events)
        v->info->evtchn_upcall_mask = 1;
    g->rip = handler;
    g->cs = FLAT_KERNEL_CS64;
    g->ss = FLAT_KERNEL_SS64;
    g->rsp = sp;
    g->rflags = (g->rflags & ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_IOPL)) | FLAG_IF;
}

void pv_inject(struct vcpu *v, unsigned vector, uint32_t error)
{
    const struct trap_info *t = &v->pv.traps[vector];
    uint64_t extra[3] = { v->regs.rcx, v->regs.r11, error };

    bounce(v, t->address, extra, has_error_code(vector) ? 3 : 2, TI_GET_IF(t));
}

void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error)
{
    if (v->pv.kernel_mode)
        error &= ~PF_USER;
    else if (!address_ok(cr2))
        error &= ~PF_PRESENT;           /* user programs do not learn what the hypervisor has mapped */
    v->pv.cr2 = cr2;
    v->info->arch.cr2 = cr2;
    pv_inject(v, VECTOR_PF, error);
}

void pv_trap_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error)
{
    if (unlikely(error & PF_RESERVED)) {
        domain_crash(v->domain, "reserved bit in a page-table entry for %lx, rip %lx", cr2, v->regs.rip);
        return;
    }
    if (pv_page_fault(v, cr2, error))
        return;
    pv_inject_page_fault(v, cr2, error);
}

/* SYSCALL from user mode. RCX and R11 already hold RIP and RFLAGS, as the instruction leaves them. */
void pv_syscall(struct vcpu *v)
{
    uint64_t extra[2] = { v->regs.rcx, v->regs.r11 };

    bounce(v, v->pv.syscall_callback, extra, 2, v->pv.syscall_disables_events);
}

/* A guest that has not said where to gets what a processor without that instruction gives it. */
void pv_syscall32(struct vcpu *v)
{
    uint64_t extra[2] = { v->regs.rcx, v->regs.r11 };

    if (!v->pv.kernel_mode && v->pv.syscall32_callback) {
        bounce(v, v->pv.syscall32_callback, extra, 2, v->pv.syscall32_disables_events);
        return;
    }
    v->regs.rip -= 2;
    pv_inject(v, VECTOR_UD, 0);
}

/* ---- software interrupts ---- */
/* INT n traps as #GP, whose error code says which gate; the bytes say it reliably. */
static bool software_interrupt(struct vcpu *v)
{
    uint8_t code[2];
    const struct trap_info *t;

    if ((v->regs.error & 3) != 2 || guest_read(code, GADDR(v->regs.rip), 2) || code[0] != 0xcd)
        return false;
    t = &v->pv.traps[code[1]];
    if (!t->address || TI_GET_DPL(t) < (v->pv.kernel_mode ? 1 : 3))
        return false;
    v->regs.rip += 2;
    pv_inject(v, code[1], 0);
    return true;
}

static void general_protection(struct vcpu *v)
{
    if (software_interrupt(v))
        return;
    if (v->regs.error == 0 && pv_emulate_privileged(v))
        return;
    pv_inject(v, VECTOR_GP, (uint32_t)v->regs.error);
}

static void debug_trap(struct vcpu *v)
{
    v->pv.debugreg[6] = hw_debug_status();
    pv_inject(v, VECTOR_DB, 0);
}

static void device_not_available(struct vcpu *v)
{
    v->pv.ctrlreg_cr0_ts = 0;       /* the processor's TS follows; the guest saves and loads its own state */
    hw_set_ts(false);
    pv_inject(v, VECTOR_NM, 0);
}

void pv_trap(struct vcpu *v)
{
    unsigned vector = (unsigned)v->regs.vector;

    switch (vector) {
    case VECTOR_DB:
        debug_trap(v);
        break;
    case VECTOR_UD:
        if (!pv_emulate_invalid(v))
            pv_inject(v, vector, 0);
        break;
    case VECTOR_NM:
        device_not_available(v);
        break;
    case VECTOR_GP:
        general_protection(v);
        break;
    default:
        pv_inject(v, vector, (uint32_t)v->regs.error);
    }
}

/* ---- events and NMIs, on the way back to the guest ---- */
void pv_deliver_events(struct vcpu *v)
{
    uint64_t extra[2] = { v->regs.rcx, v->regs.r11 };

    if (unlikely(v->pv.nmi_pending && !v->pv.nmi_masked)) {
        v->pv.nmi_pending = false;
        v->pv.nmi_masked = true;
        bounce(v, v->pv.nmi_callback ? v->pv.nmi_callback : v->pv.traps[VECTOR_NMI].address, extra, 2, true);
        return;
    }
    if (event_upcall_due(v))
        bounce(v, v->pv.event_callback, extra, 2, true);
}

/* ---- failsafe: what a guest asked to load could not be loaded ---- */
static void failsafe_bounce(struct vcpu *v)
{
    uint64_t extra[6] = { v->regs.rcx, v->regs.r11, v->pv.ds, v->pv.es, v->pv.fs, v->pv.gs };

    bounce(v, v->pv.failsafe_callback, extra, 6, v->pv.failsafe_disables_events);
}

void pv_failsafe(struct vcpu *v, uint32_t error)
{
    v->regs.error = error;
    failsafe_bounce(v);
}

void pv_failsafe_due(struct vcpu *v) { failsafe_bounce(v); }
