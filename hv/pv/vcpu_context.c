/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole state of a vCPU in the form of the ABI: given before its first instruction (by the tools, or by
 * the guest itself for its further vCPUs) and read back by debuggers and for saving.
 *
 * Everything in a context is what somebody wrote. First all of it is checked without changing anything; then
 * the parts that take references (descriptor frames, roots) are set; then come plain stores, which cannot
 * fail. A call that was preempted while a root was validated starts again from the top: setting the same
 * descriptors twice is the same as once.
 */
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#define FLAG_FIXED  (1ull << 1)
#define FLAG_IF     (1ull << 9)
#define FLAG_IOPL   (3ull << 12)
#define IOPL_SHIFT  12
#define FLAG_VM     (1ull << 17)
#define FLAG_VALID  0x277fd7ull         /* architecturally defined bits but VIF and VIP */
#define CR0_SHOWN   0x80050033ull
#define CR0_TS      (1ull << 3)
#define CR4_GUEST   0x4076cull          /* OSXSAVE OSXMMEXCPT OSFXSR PCE MCE PAE DE TSD */
#define ASSIST(n)   (1ull << VMASST_TYPE_##n)
#define ASSISTS     (ASSIST(4gb_segments) | ASSIST(4gb_segments_notify) | ASSIST(writable_pagetables) | \
                     ASSIST(pae_extended_cr3) | ASSIST(architectural_iopl) | ASSIST(runstate_update_flag) | \
                     ASSIST(m2p_strict))
#define MXCSR_AT    24
#define MXCSR_VALID 0xffffu
#define XSTATE_BV_AT 512
#define XSTATE_LEGACY 3ull              /* x87 and SSE: what a 512-byte image holds */

static bool base_ok(uint64_t va) { return va + (1ull << 47) < (1ull << 48); }
static bool entry_ok(uint64_t va) { return va == 0 || guest_range_ok(va, 1); }

/* ---- checks: nothing is changed ---- */
static bool entries_ok(const struct vcpu_guest_context *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(c->trap_ctxt); i++)
        if (!entry_ok(c->trap_ctxt[i].address))
            return false;
    return entry_ok(c->event_callback_eip) && entry_ok(c->failsafe_callback_eip) &&
           entry_ok(c->syscall_callback_eip);
}

static bool addresses_ok(const struct vcpu_guest_context *c)
{
    if (c->kernel_sp && !guest_range_ok(c->kernel_sp - 8, 8))
        return false;
    return base_ok(c->user_regs.rip) && base_ok(c->fs_base) && base_ok(c->gs_base_kernel) &&
           base_ok(c->gs_base_user);
}

static bool tables_ok(const struct vcpu_guest_context *c)
{
    return c->gdt_ents <= PV_GDT_FRAMES * (PAGE_SIZE / 8) && c->ldt_ents <= PV_LDT_ENTRIES;
}

static int check(const struct vcpu_guest_context *c)
{
    if (!entries_ok(c) || !addresses_ok(c) || !tables_ok(c))
        return -XEN_EINVAL;
    if (!(c->flags & VGCF_in_kernel) && !c->ctrlreg[1])
        return -XEN_EINVAL;             /* user mode without a root for it */
    return 0;
}

/* ---- parts with references ---- */
static int descriptors_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int r = 0;

    if (c->gdt_ents)
        r = pv_gdt_set(v, c->gdt_frames, (unsigned)c->gdt_ents);
    else
        pv_gdt_release(v);
    if (r == 0)
        r = pv_ldt_set(v, c->ldt_ents ? c->ldt_base : 0, (unsigned)c->ldt_ents);
    return r;
}

static int roots_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
    mfn_t user = c->ctrlreg[1] ? MFN(xen_cr3_to_pfn(c->ctrlreg[1])) : MFN_INVALID;

    return pv_roots_set(v, MFN(xen_cr3_to_pfn(c->ctrlreg[3])), user);
}

/* A refused value leaves those before it set: each of them is harmless on its own. */
static int debug_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
    static const uint8_t writable[] = { 0, 1, 2, 3, 6, 7 };

    for (unsigned i = 0; i < ARRAY_LEN(writable); i++)
        if (pv_set_debugreg(v, writable[i], c->debugreg[writable[i]]))
            return -XEN_EINVAL;
    return 0;
}

/* ---- plain state ---- */
/* Privilege level 0 in a selector would be the hypervisor's: each becomes the guest's 3, null stays null. */
static uint16_t selector(uint16_t s) { return s & ~3u ? s | 3 : 0; }

static void registers_set(struct vcpu *v, const struct cpu_user_regs *u)
{
    v->regs = (struct regs){
        .r15 = u->r15, .r14 = u->r14, .r13 = u->r13, .r12 = u->r12, .rbp = u->rbp, .rbx = u->rbx,
        .r11 = u->r11, .r10 = u->r10, .r9 = u->r9, .r8 = u->r8, .rax = u->rax, .rcx = u->rcx,
        .rdx = u->rdx, .rsi = u->rsi, .rdi = u->rdi, .rip = u->rip, .rsp = u->rsp,
        .cs = u->cs | 3u, .ss = u->ss | 3u,
        .rflags = (u->rflags & FLAG_VALID & ~(FLAG_IOPL | FLAG_VM)) | FLAG_IF | FLAG_FIXED,
    };
    v->pv.ds = selector(u->ds);
    v->pv.es = selector(u->es);
    v->pv.fs = selector(u->fs);
    v->pv.gs = selector(u->gs);
}

static void entries_set(struct pv_vcpu *p, const struct vcpu_guest_context *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(p->traps); i++) {
        p->traps[i] = c->trap_ctxt[i];
        p->traps[i].vector = (uint8_t)i;
        p->traps[i].cs |= 3;
    }
    p->event_callback = c->event_callback_eip;
    p->failsafe_callback = c->failsafe_callback_eip;
    p->syscall_callback = c->syscall_callback_eip;
    p->failsafe_disables_events = c->flags & VGCF_failsafe_disables_events;
    p->syscall_disables_events = c->flags & VGCF_syscall_disables_events;
}

/* An image with reserved bits set in MXCSR would fault when it is loaded: they are cleared. */
static void fpu_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
    uint8_t *area = v->pv.fpu;
    uint64_t present = XSTATE_LEGACY;
    uint32_t mxcsr;

    hw_fpu_init(area);
    if (!(c->flags & VGCF_i387_valid))
        return;
    __builtin_memcpy(area, c->fpu_ctxt.x, sizeof c->fpu_ctxt.x);
    __builtin_memcpy(&mxcsr, area + MXCSR_AT, sizeof mxcsr);
    mxcsr &= MXCSR_VALID;
    __builtin_memcpy(area + MXCSR_AT, &mxcsr, sizeof mxcsr);
    if (hw_xcr0())
        __builtin_memcpy(area + XSTATE_BV_AT, &present, sizeof present);
}

static void control_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
    struct pv_vcpu *p = &v->pv;

    p->kernel_mode = c->flags & VGCF_in_kernel;
    /* Guests run without I/O privilege, port accesses trap: the level asked for is a number of ours. */
    p->iopl = (uint8_t)((c->user_regs.rflags & FLAG_IOPL) >> IOPL_SHIFT);
    p->kernel_ss = (uint16_t)c->kernel_ss | 3u;
    p->kernel_sp = c->kernel_sp;
    p->fs_base = c->fs_base;
    p->gs_base_kernel = c->gs_base_kernel;
    p->gs_base_user = c->gs_base_user;
    p->ctrlreg_cr0_ts = (c->ctrlreg[0] & CR0_TS) != 0;
    if (c->ctrlreg[4])
        p->cr4 = c->ctrlreg[4] & CR4_GUEST;
    p->nmi_pending = p->nmi_masked = false;
    p->xcr0 = hw_xcr0();
    if (v->id == 0)
        v->domain->pv.vm_assist = c->vm_assist & ASSISTS;
    pv_entry_changed(v);
}

int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int r = check(c);

    hw_vcpu_save(v);                /* a processor that still holds it, and its roots, must load it anew */
    if (r == 0)
        r = debug_set(v, c);
    if (r == 0)
        r = descriptors_set(v, c);
    if (r == 0)
        r = roots_set(v, c);
    if (r)
        return r;
    registers_set(v, &c->user_regs);
    entries_set(&v->pv, c);
    fpu_set(v, c);
    control_set(v, c);
    return 0;
}

/* ---- the way back ---- */
static void registers_get(const struct vcpu *v, struct cpu_user_regs *u)
{
    const struct regs *g = &v->regs;

    *u = (struct cpu_user_regs){
        .r15 = g->r15, .r14 = g->r14, .r13 = g->r13, .r12 = g->r12, .rbp = g->rbp, .rbx = g->rbx,
        .r11 = g->r11, .r10 = g->r10, .r9 = g->r9, .r8 = g->r8, .rax = g->rax, .rcx = g->rcx,
        .rdx = g->rdx, .rsi = g->rsi, .rdi = g->rdi, .rip = g->rip, .rsp = g->rsp,
        .cs = (uint16_t)g->cs, .ss = (uint16_t)g->ss,
        .rflags = g->rflags | (uint64_t)v->pv.iopl << IOPL_SHIFT,
        .error_code = (uint32_t)g->error, .entry_vector = (uint32_t)g->vector,
        .ds = v->pv.ds, .es = v->pv.es, .fs = v->pv.fs, .gs = v->pv.gs,
        .saved_upcall_mask = v->info->evtchn_upcall_mask,
    };
}

static uint64_t flags_get(const struct vcpu *v)
{
    const struct pv_vcpu *p = &v->pv;

    return VGCF_i387_valid | (p->kernel_mode ? VGCF_in_kernel : 0) |
           (p->failsafe_disables_events ? VGCF_failsafe_disables_events : 0) |
           (p->syscall_disables_events ? VGCF_syscall_disables_events : 0) |
           (v->pause_flags & PAUSE_DOWN ? 0 : VGCF_online);
}

static uint64_t root_get(mfn_t m) { return mfn_valid_number(m) ? xen_pfn_to_cr3(m.n) : 0; }

static void tables_get(const struct pv_vcpu *p, struct vcpu_guest_context *c)
{
    for (unsigned i = 0; i < DIV_ROUND_UP(p->gdt_entries, PAGE_SIZE / 8); i++)
        c->gdt_frames[i] = p->gdt_frame[i].n;
    c->gdt_ents = p->gdt_entries;
    c->ldt_base = p->ldt_base;
    c->ldt_ents = p->ldt_entries;
    c->ctrlreg[0] = CR0_SHOWN | (p->ctrlreg_cr0_ts ? CR0_TS : 0);
    c->ctrlreg[1] = root_get(p->root_user);
    c->ctrlreg[3] = root_get(p->root_kernel);
    c->ctrlreg[4] = p->cr4;
}

void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
    const struct pv_vcpu *p = &v->pv;

    hw_vcpu_save(v);
    __builtin_memset(c, 0, sizeof *c);
    registers_get(v, &c->user_regs);
    c->flags = flags_get(v);
    tables_get(p, c);
    c->ctrlreg[2] = v->info->arch.cr2;
    __builtin_memcpy(c->fpu_ctxt.x, p->fpu, sizeof c->fpu_ctxt.x);
    __builtin_memcpy(c->trap_ctxt, p->traps, sizeof c->trap_ctxt);
    __builtin_memcpy(c->debugreg, p->debugreg, sizeof c->debugreg);
    c->kernel_ss = p->kernel_ss;
    c->kernel_sp = p->kernel_sp;
    c->event_callback_eip = p->event_callback;
    c->failsafe_callback_eip = p->failsafe_callback;
    c->syscall_callback_eip = p->syscall_callback;
    c->vm_assist = v->domain->pv.vm_assist;
    c->fs_base = p->fs_base;
    c->gs_base_kernel = p->gs_base_kernel;
    c->gs_base_user = p->gs_base_user;
}
