/* SPDX-License-Identifier: BSD-2-Clause */
/* The traps with stacks of their own, NMI, double fault and machine check; and how a trap of ours is told. */
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/vcpu.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

void own_stack_trap(struct regs *r);

/* An NMI may come in the midst of anything, printing included: it is noted, and told here. */
static uint64_t nmi_rip;
static uint32_t nmis;

void nmi_tell(void)
{
    uint32_t n = __atomic_exchange_n(&nmis, 0, __ATOMIC_RELAXED);

    if (n)
        printk(LOG_WARNING, "%u NMI, the last at %lx\n", n, nmi_rip);
}

void trap_die(const struct regs *r, const char *what)
{
    const uint64_t *sp = (const uint64_t *)r->rsp;

    printk(LOG_ERROR, "\n%s: vector %lu error %lx at %lx, cr2 %lx cr3 %lx\n", what, r->vector, r->error, r->rip,
           read_cr2(), read_cr3());
    printk(LOG_ERROR, "rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx rsp %lx\n", r->rax, r->rbx, r->rcx,
           r->rdx, r->rsi, r->rdi, r->rbp, r->rsp);
    printk(LOG_ERROR, "r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", r->r8, r->r9, r->r10, r->r11,
           r->r12, r->r13, r->r14, r->r15);
    for (unsigned i = 0; i < 24 && ((uint64_t)(sp + i) & (STACK_SIZE - 1)); i++)
        printk(LOG_ERROR, "%lx%s", sp[i], i % 6 == 5 ? "\n" : " ");
    panic("the hypervisor has trapped itself");
}

void own_stack_trap(struct regs *r)
{
    if (r->vector == 2) {
        nmi_rip = r->rip;
        __atomic_fetch_add(&nmis, 1, __ATOMIC_RELAXED);
        pcpu_raise(this_cpu(), PENDING_TASK);
        return;
    }
    trap_die(r, r->vector == 8 ? "double fault" : "machine check");
}
