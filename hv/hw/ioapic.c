/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of IO-APICs (Intel 82093AA: select at 0, data at 0x10) and of PCI devices. */
#include <hv/machine.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"

#define REACH (5ull << 40)      /* what the direct map's slots hold */

static volatile uint32_t *window[ACPI_MAX_IOAPICS];

static volatile uint32_t *select(unsigned n, uint8_t reg)
{
    if (!window[n])
        window[n] = map_device(machine.acpi.ioapic[n].addr, 0x20);
    window[n][0] = reg;
    return window[n] + 4;
}

uint32_t hw_ioapic_read(unsigned n, uint8_t reg) { return *select(n, reg); }
void hw_ioapic_write(unsigned n, uint8_t reg, uint32_t value) { *select(n, reg) = value; }
void hw_irq_ack(void) { lapic_eoi(); }

volatile uint32_t *hw_device_map(uint64_t phys, size_t len)
{
    if (!len || phys + len < phys || phys + len > REACH)
        return NULL;
    if (memmap_has(&machine.boot.memmap, phys, phys + len, MEMMAP_RAM))
        return NULL;
    return map_device(phys, len);
}
