/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IO-APICs: which pin a GSI is, and what stands in a pin's redirection entry. A pin's
 * target stands in a word of its own, so it changes by one write and the pin need not be masked for it.
 * Facts: Intel 82093AA data sheet, sections 3.0 to 3.2.
 */
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "irq_line.h"

enum { REG_VERSION = 1, REG_REDIRECTION = 0x10 };

#define ENTRY_LOW_ACTIVE (1u << 13)
#define ENTRY_LEVEL      (1u << 15)
#define ENTRY_MASKED     (1u << 16)

static uint16_t pins[ACPI_MAX_IOAPICS];
static spinlock_t lock = SPINLOCK(LOCK_DEVICE);     /* select and data are two accesses */

uint32_t ioapic_register(unsigned n, uint8_t reg)
{
    uint32_t value;

    spin_lock(&lock);
    value = hw_ioapic_read(n, reg);
    spin_unlock(&lock);
    return value;
}

static void reg_write(unsigned n, uint8_t reg, uint32_t value)
{
    spin_lock(&lock);
    hw_ioapic_write(n, reg, value);
    spin_unlock(&lock);
}

static void entry_write(unsigned n, unsigned pin, uint32_t low, uint32_t high)
{
    reg_write(n, (uint8_t)(REG_REDIRECTION + 2 * pin + 1), high);
    reg_write(n, (uint8_t)(REG_REDIRECTION + 2 * pin), low);
}

unsigned ioapic_init(void)
{
    const struct acpi_info *a = &machine.acpi;
    unsigned gsis = 0;

    for (unsigned i = 0; i < a->ioapics; i++) {
        pins[i] = (uint16_t)((ioapic_register(i, REG_VERSION) >> 16 & 0xff) + 1);
        for (unsigned p = 0; p < pins[i]; p++)
            entry_write(i, p, ENTRY_MASKED, 0);
        gsis = MAX(gsis, a->ioapic[i].gsi_base + pins[i]);
    }
    return gsis;
}

bool ioapic_find(unsigned gsi, uint8_t *controller, uint8_t *pin)
{
    for (unsigned i = 0; i < machine.acpi.ioapics; i++) {
        uint32_t base = machine.acpi.ioapic[i].gsi_base;

        if (gsi >= base && gsi - base < pins[i]) {
            *controller = (uint8_t)i;
            *pin = (uint8_t)(gsi - base);
            return true;
        }
    }
    return false;
}

int ioapic_at(uint64_t phys)
{
    for (unsigned i = 0; i < machine.acpi.ioapics; i++)
        if (machine.acpi.ioapic[i].addr == phys)
            return (int)i;
    return -1;
}

int ioapic_gsi(unsigned n, unsigned pin)
{
    return pin < pins[n] ? (int)(machine.acpi.ioapic[n].gsi_base + pin) : -1;
}

static uint32_t entry_low(const struct irq_line *l, bool mask)
{
    return l->vector | (l->low ? ENTRY_LOW_ACTIVE : 0) | (l->level ? ENTRY_LEVEL : 0) |
           (mask ? ENTRY_MASKED : 0);
}

static uint32_t target(const struct irq_line *l) { return pcpus[l->cpu]->apic_id << 24; }

void ioapic_pin_set(const struct irq_line *l)
{
    entry_write(l->controller, l->pin, entry_low(l, !l->open), target(l));
}

void ioapic_pin_aim(const struct irq_line *l)
{
    reg_write(l->controller, (uint8_t)(REG_REDIRECTION + 2 * l->pin + 1), target(l));
}

void ioapic_pin_mask(const struct irq_line *l, bool mask)
{
    reg_write(l->controller, (uint8_t)(REG_REDIRECTION + 2 * l->pin), entry_low(l, mask));
}
