/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which vCPU the processor holds: its segments, descriptor tables, FPU, debug registers, root.
 *
 * Going idle saves nothing and loads nothing. The processor keeps the last vCPU's registers (hw_cpu.loaded)
 * and address space (hw_cpu.space) until another vCPU wants the processor, or another processor wants the
 * vCPU or a flush: then it leaves. So a short sleep costs no CR3 write.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/vcpu.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

extern uint8_t idle_l4[];
static uint64_t host_xcr0;
static uint32_t fpu_bytes = 512;
static bool has_xsave, has_xsaveopt, keeps_pointers;

/*
 * Older processors of AMD load the x87's last instruction and data pointers only if an exception is pending,
 * so those of the vCPU before would stay, for the next one to read. A newer one says (80000008h EBX bit 2)
 * that it does better.
 */
static bool pointers_stay(void)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    if (r[2] != 0x444d4163 && r[2] != 0x656e6975)      /* AuthenticAMD, HygonGenuine: the last four letters */
        return false;
    cpuid(0x80000000, 0, r);
    if (r[0] < 0x80000008)
        return true;
    cpuid(0x80000008, 0, r);
    return !(r[1] & 1u << 2);
}

/* A load from memory of ours leaves our pointers in place of the last vCPU's. */
static void pointers_forget(const void *area)
{
    static const uint32_t zero;
    uint16_t word[2];

    __builtin_memcpy(word, area, sizeof word);
    if (!(word[1] & ~word[0] & 0x3f))                   /* no exception pending: FSW, FCW */
        __asm__ volatile("fnclex; ffree %%st(7); fildl %0" : : "m"(zero));
}

void fpu_init_boot(void)
{
    uint32_t r[4];

    keeps_pointers = pointers_stay();
    cpuid(1, 0, r);
    has_xsave = r[2] & 1u << 26;
    if (!has_xsave)
        return;
    cpuid(0xd, 0, r);
    host_xcr0 = (((uint64_t)r[3] << 32) | r[0]) & 0xe7;     /* x87 SSE AVX AVX-512 */
    if ((host_xcr0 & 0xe4) != 0xe4)
        host_xcr0 &= 0x7;
    fpu_init_cpu();
    cpuid(0xd, 0, r);
    fpu_bytes = r[1];
    cpuid(0xd, 1, r);
    has_xsaveopt = r[0] & 1;
}

void fpu_init_cpu(void)
{
    if (has_xsave)
        BUG_ON(xsetbv_may_fault(host_xcr0));
}

size_t hw_fpu_size(void) { return ALIGN_UP(fpu_bytes, 64); }
uint64_t hw_xcr0(void) { return host_xcr0; }
void hw_write_xcr0(uint64_t value) { BUG_ON(xsetbv_may_fault(value)); }

void hw_fpu_init(void *area)
{
    uint16_t cw = 0x37f;
    uint32_t mxcsr = 0x1f80;

    __builtin_memset(area, 0, hw_fpu_size());
    __builtin_memcpy(area, &cw, 2);
    __builtin_memcpy((uint8_t *)area + 24, &mxcsr, 4);
}

static void fpu_save(struct vcpu *v)
{
    uint32_t lo = (uint32_t)host_xcr0, hi = (uint32_t)(host_xcr0 >> 32);

    if (has_xsave && v->pv.xcr0 != host_xcr0)
        hw_write_xcr0(host_xcr0);  /* a state the guest has switched off is saved and restored all the same */
    if (has_xsaveopt)
        __asm__ volatile("xsaveopt64 (%0)" : : "r"(v->pv.fpu), "a"(lo), "d"(hi) : "memory");
    else if (has_xsave)
        __asm__ volatile("xsave64 (%0)" : : "r"(v->pv.fpu), "a"(lo), "d"(hi) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(v->pv.fpu) : "memory");
}

static void fpu_load(struct vcpu *v)
{
    if (keeps_pointers)
        pointers_forget(v->pv.fpu);
    if (!has_xsave) {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(v->pv.fpu));
        return;
    }
    if (unlikely(xrstor_may_fault(v->pv.fpu, host_xcr0))) {
        hw_fpu_init(v->pv.fpu);     /* an image that control set and the processor refuses */
        BUG_ON(xrstor_may_fault(v->pv.fpu, host_xcr0));
    }
    if (unlikely(v->pv.xcr0 != host_xcr0))
        hw_write_xcr0(v->pv.xcr0);
}

static void write_ts(struct hw_cpu *h, bool ts)
{
    if (h->ts == ts)
        return;
    h->ts = ts;
    write_cr0(ts ? read_cr0() | CR0_TS : read_cr0() & ~CR0_TS);
}

void hw_set_ts(bool ts) { write_ts(hw_of(this_cpu()), ts); }

/* ---- segments ---- */
static void read_segment_bases(struct vcpu *v)
{
    v->pv.fs_base = rdmsr(MSR_FS_BASE);
    if (v->pv.kernel_mode) {
        v->pv.gs_base_kernel = rdmsr(MSR_GS_BASE);
        v->pv.gs_base_user = rdmsr(MSR_KERNEL_GS_BASE);
    } else {
        v->pv.gs_base_user = rdmsr(MSR_GS_BASE);
        v->pv.gs_base_kernel = rdmsr(MSR_KERNEL_GS_BASE);
    }
}

static void set_segment_bases(struct vcpu *v)
{
    wrmsr(MSR_FS_BASE, v->pv.fs_base);
    wrmsr(MSR_GS_BASE, v->pv.kernel_mode ? v->pv.gs_base_kernel : v->pv.gs_base_user);
    wrmsr(MSR_KERNEL_GS_BASE, v->pv.kernel_mode ? v->pv.gs_base_user : v->pv.gs_base_kernel);
}

void hw_swapgs(void) { swapgs(); }

int hw_load_user_gs(uint32_t selector)
{
    int bad;

    swapgs();
    bad = load_gs(selector);
    swapgs();
    return bad;
}

static void segments_save(struct vcpu *v)
{
    v->pv.ds = read_ds();
    v->pv.es = read_es();
    v->pv.fs = read_fs();
    v->pv.gs = read_gs();
    read_segment_bases(v);
}

static void segments_load(struct vcpu *v)
{
    int bad = load_ds(v->pv.ds) | load_es(v->pv.es) | load_fs(v->pv.fs);

    /* A non-null GS selector belongs to user mode: load it with the user's base active. */
    bad |= load_gs(v->pv.gs);
    set_segment_bases(v);
    if (unlikely(bad))
        pv_failsafe_due(v);
}

/* ---- descriptor tables ---- */
static uint64_t window(const struct vcpu *v) { return PERDOMAIN + ((uint64_t)v->id << 17); }

void hw_load_ldt(struct vcpu *v)
{
    struct hw_cpu *h = hw_of(this_cpu());
    uint64_t base = window(v) + (16 << PAGE_SHIFT);
    uint64_t limit = v->pv.ldt_entries * 8ull - 1;

    if (!v->pv.ldt_entries) {
        lldt(0);
        return;
    }
    h->gdt_page[10] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x82ull << 40 | (limit >> 16 & 0xf) << 48 |
                      (base >> 24 & 0xff) << 56;
    h->gdt_page[11] = base >> 32;
    lldt(SEL_LDT);
}

static void load_gdt(struct vcpu *v) { lgdt(window(v), GDT_LIMIT); }

/* ---- debug registers ---- */
static void debug_load(struct hw_cpu *h, struct vcpu *v)
{
    bool used = v->pv.debugreg[7] & 0xff;

    if (!used && !h->debug_loaded)
        return;
    if (used) {
        write_dr0(v->pv.debugreg[0]);
        write_dr1(v->pv.debugreg[1]);
        write_dr2(v->pv.debugreg[2]);
        write_dr3(v->pv.debugreg[3]);
        write_dr6(v->pv.debugreg[6]);
    }
    write_dr7(used ? v->pv.debugreg[7] : 0x400);
    h->debug_loaded = used;
}

void hw_set_debugreg(unsigned n, uint64_t value)
{
    struct pcpu *c = this_cpu();

    (void)n;
    (void)value;                        /* pv.debugreg[n] holds it already: bring the processor in line */
    debug_load(hw_of(c), c->current);
}

uint64_t hw_debug_status(void)
{
    uint64_t v = read_dr6();

    write_dr6(0xffff0ff0);
    return v;
}

void hw_write_fs_base(uint64_t base) { wrmsr(MSR_FS_BASE, base); }
void hw_write_gs_base(uint64_t base) { wrmsr(MSR_GS_BASE, base); }
void hw_write_inactive_gs_base(uint64_t base) { wrmsr(MSR_KERNEL_GS_BASE, base); }

/* ---- roots ---- */
static void root_write(struct hw_cpu *h, uint64_t root)
{
    uint64_t begun = tlb_flush_begins();

    h->entry->loaded_root = root;
    write_cr3(root);
    tlb_flush_ended(this_cpu()->id, begun);
}

void hw_load_root(struct vcpu *v)
{
    struct hw_cpu *h = hw_of(this_cpu());
    uint64_t root = pv_current_root(&v->pv).n << PAGE_SHIFT;

    if (h->loaded == v && h->entry->loaded_root != root)
        root_write(h, root);
}

static void space_tell(unsigned cpu, uint32_t space)
{
    __atomic_store_n(&tlb_flushed[cpu].space, space, __ATOMIC_SEQ_CST);
}

/*
 * Whether d maps frames of others is looked at and told in one step: the word has not changed since
 * space_tell(). Else tlb_domain_maps_foreign() has told it meanwhile, and that must stay.
 */
static void space_settle(unsigned cpu, const struct domain *d)
{
    uint32_t any = TLB_SPACE_ANY;

    if (__atomic_load_n(&d->maps_foreign, __ATOMIC_SEQ_CST) ||
        !__atomic_compare_exchange_n(&tlb_flushed[cpu].space, &any, d->id, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        space_tell(cpu, d->id | TLB_SPACE_FOREIGN);
}

/* A processor that enters d's space meanwhile sees the first flag, or is seen here. The second says that all
 * know. */
void tlb_domain_maps_foreign(struct domain *d)
{
    struct cpu_set on;

    __atomic_store_n(&d->maps_foreign, true, __ATOMIC_SEQ_CST);
    on = cpu_set_copy(&d->on_cpus);
    for_each_cpu_in(&on, cpu)
        __atomic_fetch_or(&tlb_flushed[cpu].space, TLB_SPACE_FOREIGN | TLB_SPACE_TOLD, __ATOMIC_SEQ_CST);
    __atomic_store_n(&d->foreign_told, true, __ATOMIC_SEQ_CST);
}

/* Others must know of us before we can remember anything, and may forget us only when we remember nothing. */
static void space_change(struct hw_cpu *h, struct domain *d, uint64_t root)
{
    struct domain *before = h->space;
    unsigned cpu = this_cpu()->id;

    space_tell(cpu, TLB_SPACE_ANY);
    cpu_set_join(&d->on_cpus, cpu);
    if (!before)
        __atomic_store_n(&tlb_flushed[cpu].at, tlb_flush_begins(), __ATOMIC_SEQ_CST);
    root_write(h, root);
    space_settle(cpu, d);
    h->space = d;
    if (before)
        cpu_set_part(&before->on_cpus, cpu);
}

static void space_enter(struct hw_cpu *h, struct vcpu *v)
{
    uint64_t root = pv_current_root(&v->pv).n << PAGE_SHIFT;
    /* what a vCPU has had flushed elsewhere, it must not find here */
    bool moved = __atomic_load_n(&v->ran_on, __ATOMIC_RELAXED) != this_cpu();

    if (moved)
        __atomic_store_n(&v->ran_on, this_cpu(), __ATOMIC_SEQ_CST);
    if (h->space != v->domain)
        space_change(h, v->domain, root);
    else if (moved || h->entry->loaded_root != root)
        root_write(h, root);
    pv_window_bind(v);
    load_gdt(v);
    hw_load_ldt(v);
}

static void registers_save(struct hw_cpu *h);

void space_leave(void)
{
    struct pcpu *c = this_cpu();
    struct hw_cpu *h = hw_of(c);

    if (h->loaded)
        registers_save(h);
    if (!h->space)
        return;
    lgdt((uint64_t)h->gdt_page - 0xe000, GDT_LIMIT);
    lldt(0);
    root_write(h, (uint64_t)idle_l4 - IMAGE_BASE);
    __atomic_store_n(&tlb_flushed[c->id].at, TLB_NONE_HELD, __ATOMIC_SEQ_CST);
    cpu_set_part(&h->space->on_cpus, c->id);
    h->space = NULL;
}

/* ---- flushes ---- */
void tlb_flush_local(void)
{
    uint64_t begun = tlb_flush_begins();

    write_cr3(read_cr3());
    tlb_flush_ended(this_cpu()->id, begun);
}

void tlb_flush_page_local(uint64_t va) { invlpg(va); }

static void flush(const struct cpu_set *who, uint64_t va)
{
    if (cpu_set_has(who, this_cpu()->id))
        va == TLB_WHOLE ? tlb_flush_local() : tlb_flush_page_local(va);
    request_all(who, va == TLB_WHOLE ? REQUEST_FLUSH : REQUEST_PAGE, va);
}

void tlb_flush_cpus(const struct cpu_set *who) { flush(who, TLB_WHOLE); }

/* The entry that is to be forgotten was written before; whoever enters the space later cannot have seen
 * it. */
void tlb_flush_domain(struct domain *d, uint64_t va)
{
    struct cpu_set who;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    who = cpu_set_copy(&d->on_cpus);
    flush(&who, va);
}

void tlb_flush_vcpus(struct domain *d, uint64_t vcpus, uint64_t va)
{
    struct cpu_set on, who = { 0 };

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    on = cpu_set_copy(&d->on_cpus);
    for_each_vcpu(d, v) {
        const struct pcpu *c = __atomic_load_n(&v->ran_on, __ATOMIC_ACQUIRE);

        if (c && vcpus >> v->id & 1 && cpu_set_has(&on, c->id))
            cpu_set_add(&who, c->id);
    }
    flush(&who, va);
}

void hw_fill_root(uint64_t *l4, mfn_t perdomain_l3)
{
    const uint64_t *idle = (const uint64_t *)idle_l4;

    for (unsigned i = L4_SLOT_FIRST; i <= L4_SLOT_LAST; i++)
        l4[i] = idle[i];
    l4[L4_SLOT_PERDOMAIN] = perdomain_l3.n << PAGE_SHIFT | 0x63;
}

/* ---- the switch ---- */
static void registers_save(struct hw_cpu *h)
{
    struct vcpu *v = h->loaded;

    segments_save(v);
    write_ts(h, false);
    fpu_save(v);
    h->loaded = NULL;
    __atomic_store_n(&v->loaded, NULL, __ATOMIC_RELEASE);
}

static void registers_load(struct hw_cpu *h, struct vcpu *v)
{
    h->loaded = v;
    __atomic_store_n(&v->loaded, this_cpu(), __ATOMIC_RELAXED);
    v->stack = h->stack_top;
    v->entry_block = h->entry;
    h->entry->regs_end = (uint64_t)&v->regs + sizeof v->regs;
    h->tss.rsp[0] = h->entry->regs_end;
    segments_load(v);
    fpu_load(v);
    write_ts(h, v->pv.ctrlreg_cr0_ts != 0);
    debug_load(h, v);
}

void hw_vcpu_save(struct vcpu *v)
{
    struct pcpu *c = __atomic_load_n(&v->loaded, __ATOMIC_ACQUIRE);
    struct cpu_set who = { 0 };

    if (!c)
        return;
    if (c == this_cpu()) {
        BUG_ON(c->current == v);
        space_leave();
        return;
    }
    cpu_set_add(&who, c->id);
    request_all(&who, REQUEST_LEAVE, 0);
}

/* The scheduler chose `next` for this processor. It may have run on another one, which still holds its
 * registers. */
void hw_switch(struct pcpu *c, struct vcpu *next)
{
    struct hw_cpu *h = hw_of(c);
    struct vcpu *prev = c->current;

    if (vcpu_is_idle(next)) {
        c->current = next;
        sched_switched(c, prev, next);
        return;
    }
    if (h->loaded != next) {
        hw_vcpu_save(next);
        if (h->loaded)
            registers_save(h);
    }
    c->current = next;
    if (h->loaded != next) {
        space_enter(h, next);
        registers_load(h, next);
    }
    sched_switched(c, prev, next);
    vcpu_time_update(next);
    vcpu_runstate_update(next);
}

/* No vCPU of d runs any more, but processors that idle may still hold some. This one runs who asks. */
void hw_leave_domain(struct domain *d)
{
    struct cpu_set who = cpu_set_copy(&d->on_cpus);

    BUG_ON(hw_of(this_cpu())->space == d);
    request_all(&who, REQUEST_LEAVE, 0);
}
