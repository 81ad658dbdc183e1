/* SPDX-License-Identifier: BSD-2-Clause */
/* See space_machine.h. Built without vector registers: context.c saves and loads the real ones. */
#define HW_INSN_H           /* the instructions of this file, not those of hw/insn.h */

/* The fake has these too. */
#define hw_relax            space_relax
#define hw_leave_domain     space_leave_domain
#define tlb_flush_domain    space_flush_domain
#define frame_get           space_get
#define frame_put           space_put
#define frame_put_writable  space_put_writable
#define frame_get_typed     space_get_typed
#define frame_put_typed     space_put_typed

#include "space_machine.h"

#include <hv/pagetable.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <stdlib.h>
#include <string.h>

#include "../host/many_cpus.h"

#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101
#define MSR_KERNEL_GS_BASE  0xc0000102
#define CR0_TS              (1ul << 3)

static uint64_t rdmsr(uint32_t n) { return *sim_msr(n); }
static void wrmsr(uint32_t n, uint64_t v) { *sim_msr(n) = v; }
static uint64_t read_cr3(void) { return sim_read_cr3(); }
/* From then on the processor looks into the new tables, whenever it likes. */
static void write_cr3(uint64_t v)
{
    many_point();
    sim_write_cr3(v);
    many_point();
}

static void invlpg(uint64_t va) { many_point(); sim_invlpg(va); }
static uint64_t read_cr0(void) { return 0; }
static void write_cr0(uint64_t v) { }
static void lgdt(uint64_t base, uint16_t limit) { }
static void lldt(uint16_t selector) { }
static void swapgs(void) { }
static void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]) { memset(out, 0, 16); }
static int xsetbv_may_fault(uint64_t value) { return 0; }
static int xrstor_may_fault(void *area, uint64_t mask) { return 0; }
#define REGISTER(type, name) \
    static type read_##name(void) { return 0; } \
    static void write_##name(uint64_t v) { }
REGISTER(uint64_t, dr6)
#define DEBUG_REGISTER(name) static void write_##name(uint64_t v) { }
DEBUG_REGISTER(dr0)
DEBUG_REGISTER(dr1)
DEBUG_REGISTER(dr2)
DEBUG_REGISTER(dr3)
DEBUG_REGISTER(dr7)
#define SELECTOR(name) \
    static uint16_t read_##name(void) { return 0; } \
    static int load_##name(uint32_t selector) { return 0; }
SELECTOR(ds)
SELECTOR(es)
SELECTOR(fs)
SELECTOR(gs)

uint8_t idle_l4[PAGE_SIZE] __attribute__((aligned(4096)));

/* One step of a waiting loop; then the others go on. */
void (*space_others_relax)(void);
#define __builtin_ia32_pause() space_others_relax()
#include "../../hv/hw/context.c"
#include "../../hv/hw/request.c"
#undef __builtin_ia32_pause
#define load frame_load
#include "../../hv/mm/frame.c"
#undef load

void pv_failsafe_due(struct vcpu *v) { }
void pv_window_bind(struct vcpu *v) { }
void hw_wbinvd(void) { sim_wbinvd(); }
void watchdog_waiting(void) { }
void lapic_send(uint32_t apic_id, uint8_t vector) { many_point(); sim_interrupt(apic_id); }

int pt_validate(mfn_t m, struct domain *d, enum frame_type t, unsigned *progress)
{
    if (t == TYPE_L1)
        sim_table_begins(m);
    return 0;
}

int pt_invalidate(mfn_t m, enum frame_type t, unsigned *progress)
{
    if (t == TYPE_L1)
        sim_table_ends(m);
    return 0;
}

bool descriptor_page_validate(mfn_t m) { return false; }

/* As in owner.c and buddy.c. */
void frame_release(struct frame *f)
{
    BUG_ON(f->type & TYPE_COUNT_MASK);
    __atomic_store_n(&f->type, tlb_stamp_of(frame_owner_id(f), f->refs & FRAME_LENT), __ATOMIC_SEQ_CST);
    __atomic_store_n(&f->refs, FRAME_FREE, __ATOMIC_SEQ_CST);
}

/* ---- for the test ---- */

void space_cpu(struct pcpu *c)
{
    struct hw_cpu *h = aligned_alloc(64, ALIGN_UP(sizeof *h, 64));

    memset(h, 0, sizeof *h);
    h->entry = aligned_alloc(64, ALIGN_UP(sizeof *h->entry, 64));
    memset(h->entry, 0, sizeof *h->entry);
    h->gdt_page = calloc(1, PAGE_SIZE);
    c->hw = h;
    c->apic_id = c->id;
    tlb_flushed[c->id] = (struct tlb_moment){ .at = TLB_NONE_HELD, .space = TLB_SPACE_ANY };
}

void space_cpu_free(struct pcpu *c)
{
    struct hw_cpu *h = c->hw;

    free(h->gdt_page);
    free(h->entry);
    free(h);
    c->hw = NULL;
}

void space_vcpu(struct vcpu *v)
{
    v->pv.fpu = aligned_alloc(64, 512);
    hw_fpu_init(v->pv.fpu);
}

void space_vcpu_free(struct vcpu *v)
{
    free(v->pv.fpu);
    v->pv.fpu = NULL;
}

void space_requests_counted(struct pcpu *c, uint16_t so_far)
{
    hw_of(c)->requests.word = (uint64_t)so_far << COUNT_SHIFT;
    hw_of(c)->requests.done = so_far;
}

uint64_t space_idle_root(void) { return (uint64_t)idle_l4 - IMAGE_BASE; }
void space_interrupt(struct pcpu *c) { request_answer(); }
