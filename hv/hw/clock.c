/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time from the TSC, whose rate is measured once against the ACPI PM timer (3.579545 MHz, ACPI 6.4 section
 * 4.8.2.1) or, where there is none, against the PIT's channel 2 (1.193182 MHz).
 */
#include <hv/machine.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

#define PM_HZ   3579545ull
#define PIT_HZ  1193182ull
#define MEASURE_PM_TICKS (PM_HZ / 50)       /* 20 ms */

static uint64_t tsc0, khz;
static struct tsc_scale scale;

uint64_t tsc_now(void) { return rdtsc(); }
uint64_t tsc_khz(void) { return khz; }
uint64_t now_ns(void) { return tsc_to_ns(scale, rdtsc() - tsc0); }

bool tsc_reliable(void)
{
    uint32_t r[4];

    cpuid(0x80000000, 0, r);
    if (r[0] < 0x80000007)
        return pcpu_count == 1;
    cpuid(0x80000007, 0, r);
    return pcpu_count == 1 || (r[3] & 1u << 8);
}

static uint64_t measure_pm(uint16_t port, uint32_t mask)
{
    uint32_t t0 = inl(port) & mask, t;
    uint64_t c0;

    while ((t = inl(port) & mask) == t0)
        ;
    t0 = t;
    c0 = rdtsc();
    do {
        t = (inl(port) - t0) & mask;
    } while (t < MEASURE_PM_TICKS);
    return (rdtsc() - c0) * PM_HZ / t / 1000;
}

static uint64_t measure_pit(void)
{
    uint32_t count = PIT_HZ / 50;
    uint64_t c0;

    outb(0x61, (uint8_t)((inb(0x61) & ~2u) | 1));
    outb(0x43, 0xb0);
    outb(0x42, (uint8_t)count);
    outb(0x42, (uint8_t)(count >> 8));
    c0 = rdtsc();
    while (!(inb(0x61) & 0x20))
        ;
    return (rdtsc() - c0) * 50 / 1000;
}

void clock_init_boot(void)
{
    const struct acpi_fadt *f = &machine.acpi.fadt;

    if (f->present && f->pm_timer.addr && f->pm_timer.space == ACPI_SPACE_IO)
        khz = measure_pm((uint16_t)f->pm_timer.addr, f->pm_timer_32bit ? 0xffffffff : 0xffffff);
    else
        khz = measure_pit();
    if (khz < 1000)
        panic("the TSC does not count: %lu kHz measured", khz);
    scale = tsc_scale_from_khz(khz);
    tsc0 = rdtsc();
}

static uint8_t rtc(uint8_t reg) { outb(0x70, reg); return inb(0x71); }
static unsigned from_bcd(unsigned v, bool bcd) { return bcd ? (v & 15) + (v >> 4) * 10 : v; }

/* Days since 1970-01-01 of a date of the Gregorian calendar, counting years from March. */
static uint64_t days(unsigned y, unsigned m, unsigned d)
{
    unsigned shifted = (m + 9) % 12, year = y - (m <= 2);

    return 365ull * year + year / 4 - year / 100 + year / 400 + (shifted * 306 + 5) / 10 + d - 1 - 719468;
}

uint64_t hw_rtc_seconds(void)
{
    unsigned v[6], again[6];
    static const uint8_t reg[6] = { 0, 2, 4, 7, 8, 9 };
    bool bcd = !(rtc(0x0b) & 4), same;

    do {
        for (unsigned n = 0; n < 100000 && rtc(0x0a) & 0x80; n++)
            ;
        same = true;
        for (unsigned i = 0; i < 6; i++)
            v[i] = rtc(reg[i]);
        for (unsigned i = 0; i < 6; i++) {
            again[i] = rtc(reg[i]);
            same &= again[i] == v[i];
        }
    } while (!same);
    for (unsigned i = 0; i < 6; i++)
        v[i] = from_bcd(v[i], bcd);
    return days(2000 + v[5], v[4], v[3]) * 86400 + v[2] * 3600ull + v[1] * 60 + v[0];
}
