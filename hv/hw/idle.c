/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a processor sleeps, and how others wake it. HLT ends with an interrupt. MWAIT (Intel SDM vol. 3,
 * 9.10.2) ends with a write to the pending word too, so waking costs no interrupt. It is used where it can
 * sleep with interrupts enabled and on bare hardware only: under another hypervisor it may return at once, or
 * not be there for us at all.
 */
#include <hv/machine.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

static bool by_mwait;

static bool mwait_usable(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!(r[2] & 1u << 3) || r[2] & 1u << 31)
        return false;
    cpuid(0, 0, r);
    if (r[0] < 5)
        return false;
    cpuid(5, 0, r);
    return r[2] & 1;                    /* hints mean something */
}

void idle_init_boot(void)
{
    by_mwait = machine.options.mwait && mwait_usable();
    printk(LOG_DEBUG, "idle by %s\n", by_mwait ? "MWAIT" : "HLT");
}

/* The flag before the last look at the word, and hw_kick() the other way round: one of them sees the
 * other. */
static void sleep_monitoring(struct pcpu *c)
{
    struct hw_cpu *h = hw_of(c);

    __atomic_store_n(&h->monitoring, true, __ATOMIC_SEQ_CST);
    __asm__ volatile("monitor" : : "a"(&c->pending), "c"(0), "d"(0) : "memory");
    if (!c->pending)                    /* the NOP: QEMU 7.2 keeps the shadow of STI over MWAIT */
        __asm__ volatile("sti; mwait; nop; cli" : : "a"(0), "c"(0) : "memory");
    __atomic_store_n(&h->monitoring, false, __ATOMIC_RELAXED);
}

void hw_idle(void)
{
    struct pcpu *c = this_cpu();

    if (c->pending)
        return;
    if (by_mwait)
        sleep_monitoring(c);
    else
        __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void hw_kick(struct pcpu *c)
{
    if (c != this_cpu() && !__atomic_load_n(&hw_of(c)->monitoring, __ATOMIC_SEQ_CST))
        lapic_send(c->apic_id, VECTOR_KICK);
}
