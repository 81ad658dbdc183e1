/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local interrupt controller and its timer. Facts: Intel SDM vol. 3 chapter 10.
 *
 * It comes in two forms with the same registers: memory-mapped (xAPIC, APIC numbers of 8 bits) and as MSRs
 * (x2APIC, 32 bits). All processors use the same one. x2APIC is chosen where it has to be, because an APIC
 * number demands it or firmware left it on, and under another hypervisor, where an MSR is cheaper than a page
 * that traps. On a bare machine it is not switched on without need: devices cannot name such processors
 * without interrupt remapping.
 *
 * The timer counts down from a number, or, where the processor can, waits for a value of the TSC.
 */
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

enum lapic_register { LAPIC_ID = 0x20, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_LDR = 0xd0, LAPIC_DFR = 0xe0,
                      LAPIC_SPURIOUS = 0xf0, LAPIC_ESR = 0x280, LAPIC_ICR_LO = 0x300, LAPIC_ICR_HI = 0x310,
                      LAPIC_LVT_TIMER = 0x320, LAPIC_LVT_COUNTER = 0x340, LAPIC_LVT_LINT0 = 0x350,
                      LAPIC_LVT_LINT1 = 0x360, LAPIC_LVT_ERROR = 0x370, LAPIC_INITIAL = 0x380,
                      LAPIC_CURRENT = 0x390, LAPIC_DIVIDE = 0x3e0 };
enum icr { ICR_NMI = 4u << 8, ICR_INIT = 5u << 8, ICR_STARTUP = 6u << 8, ICR_BUSY = 1u << 12,
           ICR_ASSERT = 1u << 14 };

#define LVT_MASKED       (1u << 16)
#define LVT_NMI          (4u << 8)
#define LVT_ACTIVE_LOW   (1u << 13)
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_1      0xbu
#define BASE_X2APIC      (1u << 10)
#define BASE_ENABLE      (1u << 11)
#define CPUID_X2APIC     (1u << 21)         /* leaf 1, ECX */
#define CPUID_DEADLINE   (1u << 24)
#define CPUID_HYPERVISOR (1u << 31)
#define XAPIC_IDS        255u               /* 255 is everybody */
#define TOO_FAR_NS       (1ull << 40)

static volatile uint8_t *lapic;             /* NULL: x2APIC */
static uint64_t timer_hz;
static uint64_t ticks_per_ns;               /* of the timer, or of the TSC it waits for; times 2^32 */
static bool deadline_mode;

static uint32_t lapic_read(enum lapic_register r)
{
    return lapic ? mmio_read32(lapic + r) : (uint32_t)rdmsr(MSR_X2APIC + r / 16);
}

static void lapic_write(enum lapic_register r, uint32_t v)
{
    if (lapic)
        mmio_write32(lapic + r, v);
    else
        wrmsr(MSR_X2APIC + r / 16, v);
}

void lapic_eoi(void) { lapic_write(LAPIC_EOI, 0); }
uint32_t lapic_id(void) { return lapic ? lapic_read(LAPIC_ID) >> 24 : lapic_read(LAPIC_ID); }

/* ---- interrupts to other processors ---- */

/*
 * The memory-mapped command register has room for one command: the last one has to be on its way. An x2APIC
 * never is busy, but does not wait for earlier stores, which the receiver is to see.
 */
static void command(uint32_t apic_id, uint32_t what)
{
    if (!lapic) {
        fence_all();
        wrmsr(MSR_X2APIC + LAPIC_ICR_LO / 16, (uint64_t)apic_id << 32 | what | ICR_ASSERT);
        return;
    }
    while (lapic_read(LAPIC_ICR_LO) & ICR_BUSY)
        __builtin_ia32_pause();
    lapic_write(LAPIC_ICR_HI, apic_id << 24);
    lapic_write(LAPIC_ICR_LO, what | ICR_ASSERT);
}

void lapic_send(uint32_t apic_id, uint8_t vector) { command(apic_id, vector); }
void lapic_counter_nmi(void) { lapic_write(LAPIC_LVT_COUNTER, LVT_NMI); }
void lapic_send_nmi(uint32_t apic_id) { command(apic_id, ICR_NMI); }
void lapic_send_init(uint32_t apic_id) { command(apic_id, ICR_INIT); }
void lapic_send_startup(uint32_t apic_id, uint8_t page) { command(apic_id, ICR_STARTUP | page); }

/* ---- setting up ---- */

/* The two 8259s deliver nothing: all lines masked, their vectors out of the way of exceptions. */
static void pic_off(void)
{
    outb(0x20, 0x11); outb(0xa0, 0x11);
    outb(0x21, 0x20); outb(0xa1, 0x28);
    outb(0x21, 4);    outb(0xa1, 2);
    outb(0x21, 1);    outb(0xa1, 1);
    outb(0x21, 0xff); outb(0xa1, 0xff);
}

static bool x2apic_wanted(void)
{
    const struct acpi_info *acpi = &machine.acpi;
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!(r[2] & CPUID_X2APIC))
        return false;
    if (rdmsr(MSR_APIC_BASE) & BASE_X2APIC)
        return true;
    if (!machine.options.x2apic)
        return false;
    for (unsigned i = 0; i < acpi->cpus; i++)
        if (acpi->cpu[i].enabled && acpi->cpu[i].apic_id >= XAPIC_IDS)
            return true;
    return r[2] & CPUID_HYPERVISOR;
}

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

/* The timer waits: for a count, or for a deadline. */
static void timer_ready(void)
{
    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (deadline_mode ? LVT_TSC_DEADLINE : 0));
    /* The write to memory comes before the MSR, which would be ignored otherwise (SDM vol. 3, 10.5.4.1). */
    fence_all();
    if (deadline_mode)
        wrmsr(MSR_TSC_DEADLINE, 0);
}

/* The destination formats are fixed in an x2APIC, and nobody here sends to groups. */
static void set_up(void)
{
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE | (lapic ? 0 : BASE_X2APIC));
    if (lapic) {
        lapic_write(LAPIC_DFR, ~0u);
        lapic_write(LAPIC_LDR, 1u << 24);
    }
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    inputs(lapic_id());
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
}

static uint64_t timer_count(void) { return ~0u - lapic_read(LAPIC_CURRENT); }

/* Against the TSC, whose rate the clock has measured before. */
static void measure_timer(void)
{
    uint64_t ticks, tsc;

    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_INITIAL, ~0u);
    tsc = clock_measure(timer_count, ~0u, &ticks);
    timer_hz = ticks * tsc_khz() / tsc * 1000;
    if (!timer_hz)
        panic("the local APIC timer does not count");
    ticks_per_ns = (ticks * tsc_khz() / tsc << 32) / 1000000;
}

void lapic_init_boot(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    deadline_mode = r[2] & CPUID_DEADLINE;
    if (!x2apic_wanted())
        lapic = map_device(machine.acpi.lapic_addr ? machine.acpi.lapic_addr : 0xfee00000, PAGE_SIZE);
    pic_off();
    set_up();
    if (deadline_mode)
        ticks_per_ns = (tsc_khz() << 32) / 1000000;
    else
        measure_timer();
    lapic_init_cpu();
    printk(LOG_INFO, "local APIC: %s, timer %s %lu kHz\n", lapic ? "xAPIC" : "x2APIC",
           deadline_mode ? "waits for the TSC," : "counts,", deadline_mode ? tsc_khz() : timer_hz / 1000);
}

void lapic_init_cpu(void)
{
    set_up();
    timer_ready();
    this_cpu()->apic_id = lapic_id();
}

/* ---- the timer ---- */

/* Rounded up. What is too far away comes early: whoever runs the timers looks at the clock himself. */
static uint64_t ticks_until(uint64_t deadline)
{
    uint64_t now = now_ns(), ns = deadline > now ? MIN(deadline - now, TOO_FAR_NS) : 0;

    return (uint64_t)((unsigned __int128)ns * ticks_per_ns >> 32) + 1;
}

void hw_timer_program(uint64_t deadline)
{
    uint64_t ticks = deadline == ~0ull ? 0 : ticks_until(deadline), from = rdtsc();

    if (!deadline_mode)
        lapic_write(LAPIC_INITIAL, ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks);
    else
        wrmsr(MSR_TSC_DEADLINE, ticks ? from + ticks : 0);
}
