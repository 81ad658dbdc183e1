/* SPDX-License-Identifier: BSD-2-Clause */
/* The C half of the trap path: who is to deal with what entry.S brings. */
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/pv.h>
#include <hv/task.h>
#include <hv/vcpu.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

#define FLAG_TF (1u << 8)

struct fixup { uint64_t at, to; };
extern const struct fixup exception_table_start[], exception_table_end[];
void hypervisor_trap(struct regs *r);
void hypervisor_debug(struct regs *r);

/* ---- interrupts: from guests, from idle, or in the window of a long operation ---- */
static void interrupt(unsigned vector)
{
    struct pcpu *c = this_cpu();

    switch (vector) {
    case VECTOR_TIMER:
        lapic_eoi();
        c->timers.interrupts++;
        pcpu_raise(c, PENDING_TIMER);
        break;
    case VECTOR_KICK:
        lapic_eoi();
        break;
    case VECTOR_REQUEST:
        lapic_eoi();
        request_answer();
        break;
    case VECTOR_SPURIOUS:
        break;
    case VECTOR_ERROR:
        lapic_eoi();
        break;
    default:
        irq_arrived(vector);
    }
}

/* iret changes more than SYSRET can bring. */
struct vcpu *guest_hypercall(struct vcpu *v)
{
    bool iret = (uint32_t)v->regs.rax == __HYPERVISOR_iret;

    hypercall(v);
    if (unlikely(this_cpu()->pending || event_upcall_due(v) || v->pv.nmi_pending || iret))
        return NULL;
    return v;
}

void guest_trap(struct vcpu *v)
{
    unsigned vector = (unsigned)v->regs.vector;

    if (vector >= VECTOR_FIRST_IRQ)
        interrupt(vector);
    else if (vector == 14)
        pv_trap_page_fault(v, read_cr2(), (uint32_t)v->regs.error);
    else
        pv_trap(v);
}

/* A page fault here is a page of the LDT that has not been used yet. */
void guest_iret_refused(struct vcpu *v)
{
    if (v->regs.vector == 14 && pv_page_fault(v, read_cr2(), (uint32_t)v->regs.error))
        return;
    pv_failsafe(v, (uint32_t)v->regs.error);
}

/* ---- the way back: everything that is pending, then the vCPU to run ---- */
static void do_pending(struct pcpu *c)
{
    uint32_t work = __atomic_exchange_n(&c->pending, 0, __ATOMIC_SEQ_CST);

    if (work & PENDING_TIMER)
        timer_run(c);
    if (work & PENDING_TASK) {
        task_run(c);
        nmi_tell();
    }
    if (work & PENDING_SCHED) {
        struct vcpu *next = sched_pick(c, now_ns());

        if (next != c->current)
            hw_switch(c, next);
    }
}

struct vcpu *guest_resume(void)
{
    struct pcpu *c = this_cpu();

    for (;;) {
        while (unlikely(c->pending))
            do_pending(c);
        if (unlikely(vcpu_is_idle(c->current))) {
            hw_idle();
            continue;
        }
        if (likely(!event_upcall_due(c->current) && !c->current->pv.nmi_pending))
            return c->current;
        pv_deliver_events(c->current);
        if (!c->pending)
            return c->current;
    }
}

bool hw_irq_window(void)
{
    uint32_t before = this_cpu()->pending;

    __asm__ volatile("sti; nop; cli" : : : "memory");
    return this_cpu()->pending != before;
}

/* ---- traps from ring 0 ---- */
static bool fix_up(struct regs *r)
{
    for (const struct fixup *f = exception_table_start; f < exception_table_end; f++) {
        if (f->at == r->rip) {
            r->rip = f->to;
            return true;
        }
    }
    return false;
}

void hypervisor_trap(struct regs *r)
{
    if (r->vector >= VECTOR_FIRST_IRQ) {
        interrupt((unsigned)r->vector);
        return;
    }
    if (fix_up(r))
        return;
    trap_die(r, "trap in ring 0");
}

/* See entry.S: a guest's breakpoint, or its single step, met us. DR6 must not tell the guest of it later. */
void hypervisor_debug(struct regs *r)
{
    r->rflags &= ~(uint64_t)FLAG_TF;
    write_dr6(0xffff0ff0);
}
