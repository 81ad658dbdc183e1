/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts: IA-PC HPET Specification 1.0a section 2.3; ACPI 6.4 section 4.8.2.1 (3.579545 MHz, 24 or 32 bits);
 * 8254 data sheet (1.193182 MHz, channel 2 gated by port 61h).
 */
#include <hv/machine.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"
#include "platform_timer.h"

#define PM_HZ  3579545ull
#define PIT_HZ 1193182ull
#define FS_PER_SECOND 1000000000000000ull

enum hpet_register { HPET_CAPABILITIES = 0x00, HPET_CONFIG = 0x10, HPET_COUNTER = 0xf0, HPET_LEN = 0x400 };
#define HPET_64BIT     (1u << 13)
#define HPET_ENABLE    1u
#define HPET_PERIOD_MOST 100000000u     /* fs: 10 MHz at least */

/* ---- HPET ---- */

static volatile uint8_t *hpet;
static struct platform_timer hpet_timer;

/* The upper half is not read where it is missing, nor in two halves where it is there. */
static uint64_t hpet_read32(void) { return mmio_read32(hpet + HPET_COUNTER); }
static uint64_t hpet_read64(void) { return mmio_read64(hpet + HPET_COUNTER); }

/* One that firmware has not started counts from here on; its comparators stay as they are. */
static const struct platform_timer *hpet_ready(void)
{
    const struct acpi_hpet *a = &machine.acpi.hpet;
    uint32_t low, period;

    if (!a->present || !a->addr)
        return NULL;
    hpet = map_device(a->addr, HPET_LEN);
    low = mmio_read32(hpet + HPET_CAPABILITIES);
    period = mmio_read32(hpet + HPET_CAPABILITIES + 4);
    if (!period || period > HPET_PERIOD_MOST)
        return NULL;
    mmio_write32(hpet + HPET_CONFIG, mmio_read32(hpet + HPET_CONFIG) | HPET_ENABLE);
    hpet_timer = (struct platform_timer){ "HPET", FS_PER_SECOND / period,
                                          low & HPET_64BIT ? ~0ull : 0xffffffff,
                                          low & HPET_64BIT ? hpet_read64 : hpet_read32 };
    return &hpet_timer;
}

/* ---- ACPI PM timer ---- */

static uint16_t pm_port;
static struct platform_timer pm_timer = { "PM timer", PM_HZ, 0, NULL };

static uint64_t pm_read(void) { return inl(pm_port); }

static const struct platform_timer *pm_ready(void)
{
    const struct acpi_fadt *f = &machine.acpi.fadt;

    if (!f->present || !f->pm_timer.addr || f->pm_timer.space != ACPI_SPACE_IO)
        return NULL;
    pm_port = (uint16_t)f->pm_timer.addr;
    pm_timer.mask = f->pm_timer_32bit ? 0xffffffff : 0xffffff;
    pm_timer.read = pm_read;
    return &pm_timer;
}

/* ---- PIT, channel 2: counts down from 65536, again and again ---- */

static uint64_t pit_read(void)
{
    uint32_t low, high;

    outb(0x43, 0x80);               /* latch */
    low = inb(0x42);
    high = inb(0x42);
    return 0xffff - (high << 8 | low);
}

static const struct platform_timer *pit_ready(void)
{
    static const struct platform_timer pit_timer = { "PIT", PIT_HZ, 0xffff, pit_read };

    outb(0x61, (uint8_t)((inb(0x61) & ~2u) | 1));
    outb(0x43, 0xb4);               /* rate generator, both bytes */
    outb(0x42, 0);
    outb(0x42, 0);
    return &pit_timer;
}

/* ---- which ---- */

const struct platform_timer *platform_timer_ready(bool no_hpet)
{
    const struct platform_timer *t = NULL;

    if (!no_hpet)
        t = hpet_ready();
    if (!t)
        t = pm_ready();
    return t ? t : pit_ready();
}

bool platform_timer_tells_time(const struct platform_timer *t) { return t->mask > 0xffff; }
