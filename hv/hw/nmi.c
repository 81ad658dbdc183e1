/* SPDX-License-Identifier: BSD-2-Clause */
/* The traps with stacks of their own, NMI, double fault and machine check; and how a trap of ours is told. */
#include <hv/crash.h>
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
    char text[96];

    format(text, sizeof(text), "%s, vector %lu error %lx, cr2 %lx cr3 %lx", what, r->vector, r->error, read_cr2(),
           read_cr3());
    crash(text, r);
}

void own_stack_trap(struct regs *r)
{
    if (r->vector == 2) {
        if (crash_stops_us())
            crash_stop(r);
        nmi_rip = r->rip;
        __atomic_fetch_add(&nmis, 1, __ATOMIC_RELAXED);
        pcpu_raise(this_cpu(), PENDING_TASK);
        return;
    }
    trap_die(r, r->vector == 8 ? "double fault" : "machine check");
}
