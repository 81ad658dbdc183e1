/* SPDX-License-Identifier: BSD-2-Clause */
/* The local interrupt controller in xAPIC mode. Facts: Intel SDM vol. 3 chapter 10. */
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

enum lapic_register { LAPIC_ID = 0x20, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_LDR = 0xd0, LAPIC_DFR = 0xe0,
                      LAPIC_SPURIOUS = 0xf0, LAPIC_ESR = 0x280, LAPIC_ICR_LO = 0x300, LAPIC_ICR_HI = 0x310,
                      LAPIC_LVT_TIMER = 0x320, LAPIC_LVT_LINT0 = 0x350, LAPIC_LVT_LINT1 = 0x360,
                      LAPIC_LVT_ERROR = 0x370, LAPIC_INITIAL = 0x380, LAPIC_CURRENT = 0x390, LAPIC_DIVIDE = 0x3e0 };

#define LVT_MASKED (1u << 16)
#define LVT_NMI    (4u << 8)
#define LVT_ACTIVE_LOW (1u << 13)
#define DIVIDE_BY_1 0xbu
#define APIC_BASE_ENABLE (1u << 11)

enum icr { ICR_NMI = 4u << 8, ICR_INIT = 5u << 8, ICR_STARTUP = 6u << 8, ICR_BUSY = 1u << 12, ICR_ASSERT = 1u << 14 };

static volatile uint8_t *lapic;
static uint64_t ticks_per_ns;            /* times 2^32 */

static uint32_t lapic_read(enum lapic_register r) { return *(volatile uint32_t *)(lapic + r); }
static void lapic_write(enum lapic_register r, uint32_t v) { *(volatile uint32_t *)(lapic + r) = v; }

void lapic_eoi(void) { lapic_write(LAPIC_EOI, 0); }
uint32_t lapic_id(void) { return lapic_read(LAPIC_ID) >> 24; }

/* ---- interrupts to other processors ---- */

/* The command register is one per processor and has room for one command: the last one has to be on its way. */
static void command(uint32_t apic_id, uint32_t what)
{
    while (lapic_read(LAPIC_ICR_LO) & ICR_BUSY)
        __builtin_ia32_pause();
    lapic_write(LAPIC_ICR_HI, apic_id << 24);
    lapic_write(LAPIC_ICR_LO, what | ICR_ASSERT);
}

void lapic_send(uint32_t apic_id, uint8_t vector) { command(apic_id, vector); }
void lapic_send_nmi(uint32_t apic_id) { command(apic_id, ICR_NMI); }
void lapic_send_init(uint32_t apic_id) { command(apic_id, ICR_INIT); }
void lapic_send_startup(uint32_t apic_id, uint8_t page) { command(apic_id, ICR_STARTUP | page); }

void hw_kick(struct pcpu *c)
{
    if (c != this_cpu())
        lapic_send(c->apic_id, VECTOR_KICK);
}

/* The two 8259s deliver nothing: all lines masked, their vectors out of the way of exceptions. */
static void pic_off(void)
{
    outb(0x20, 0x11); outb(0xa0, 0x11);
    outb(0x21, 0x20); outb(0xa1, 0x28);
    outb(0x21, 4);    outb(0xa1, 2);
    outb(0x21, 1);    outb(0xa1, 1);
    outb(0x21, 0xff); outb(0xa1, 0xff);
}

static void calibrate(void)
{
    uint64_t t0 = now_ns(), t1;
    uint32_t left;

    lapic_write(LAPIC_INITIAL, ~0u);
    do {
        t1 = now_ns();
    } while (t1 - t0 < 10000000);
    left = lapic_read(LAPIC_CURRENT);
    lapic_write(LAPIC_INITIAL, 0);
    ticks_per_ns = ((uint64_t)(~0u - left) << 32) / (t1 - t0);
    if (!ticks_per_ns)
        panic("the local APIC timer does not count");
}

/* ---- setting up ---- */

/* Which of its two inputs is the NMI, as the MADT says; without a word there it is LINT1, as on every PC. */
static void inputs(uint32_t apic_id)
{
    static const enum lapic_register lvt[2] = { LAPIC_LVT_LINT0, LAPIC_LVT_LINT1 };
    const struct acpi_info *acpi = &machine.acpi;
    uint32_t value[2] = { LVT_MASKED, LVT_NMI }, uid = 0;

    for (unsigned i = 0; i < acpi->cpus; i++)
        if (acpi->cpu[i].apic_id == apic_id)
            uid = acpi->cpu[i].uid;
    for (unsigned i = 0; i < acpi->nmis; i++) {
        const struct acpi_nmi *n = &acpi->nmi[i];

        if (n->is_lint && n->lint < 2 && (n->uid == uid || n->uid == ACPI_NMI_ALL_CPUS))
            value[n->lint] = LVT_NMI | (n->polarity == ACPI_ACTIVE_LOW ? LVT_ACTIVE_LOW : 0);
    }
    for (unsigned i = 0; i < 2; i++)
        lapic_write(lvt[i], value[i]);
}

static void set_up(void)
{
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
    lapic_write(LAPIC_DFR, ~0u);
    lapic_write(LAPIC_LDR, 1u << 24);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    inputs(lapic_id());
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, ticks_per_ns ? VECTOR_TIMER : LVT_MASKED);
}

void lapic_init_boot(void)
{
    lapic = map_device(machine.acpi.lapic_addr ? machine.acpi.lapic_addr : 0xfee00000, PAGE_SIZE);
    pic_off();
    set_up();
    calibrate();
    lapic_init_cpu();
}

void lapic_init_cpu(void)
{
    set_up();
    this_cpu()->apic_id = lapic_id();
}

void hw_timer_program(uint64_t deadline)
{
    uint64_t now = now_ns(), ticks;

    if (deadline == ~0ull) {
        lapic_write(LAPIC_INITIAL, 0);
        return;
    }
    ticks = deadline <= now ? 1 : (uint64_t)((unsigned __int128)(deadline - now) * ticks_per_ns >> 32) + 1;
    lapic_write(LAPIC_INITIAL, ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks);
}
