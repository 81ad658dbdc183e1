/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device must write, and where, to interrupt: messages in its MSI capability or in the entries of its
 * MSI-X table. The table lies in the device's memory; its place comes from the device's own registers.
 * Facts: PCI Local Bus 3.0 section 6.8; Intel SDM vol. 3 section 10.11.
 *
 * Whether MSI is on at all is a bit that dom0 keeps. Here are the messages and their mask bits.
 */
#include <hv/frame.h>
#include <hv/pci.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

#include "irq_line.h"

#define MESSAGE_ADDRESS   0xfee00000u
#define COMMAND           0x04
#define COMMAND_MEMORY    (1u << 1)
#define BAR0              0x10
#define ENTRY_WORDS       4             /* of an MSI-X entry: address, its upper half, data, control */
#define ENTRY_MASKED      1u

static uint32_t message_address(const struct irq_line *l)
{
    return MESSAGE_ADDRESS | (pcpus[l->cpu]->apic_id & 0xff) << 12;
}

/* ---- plain MSI ---- */

static unsigned msi_data_at(const struct pci_device *p) { return p->msi + (p->msi_wide ? 12u : 8u); }
static unsigned msi_mask_at(const struct pci_device *p) { return p->msi + (p->msi_wide ? 16u : 12u); }

static unsigned log2_of(unsigned n) { return (unsigned)__builtin_ctz(n); }

/* The vector of the first message goes into the data word; the device adds the number of the message. */
static void msi_capability_write(const struct irq_line *l)
{
    const struct pci_device *p = l->device;
    uint32_t control = pci_config_read(p->bdf, p->msi + 2u, 2);

    if (p->msi_maskable)
        pci_config_write(p->bdf, msi_mask_at(p), 4, ~0u);
    control = (control & ~0x70u) | log2_of(l->group) << 4;
    pci_config_write(p->bdf, p->msi + 4u, 4, message_address(l));
    if (p->msi_wide)
        pci_config_write(p->bdf, p->msi + 8u, 4, 0);
    pci_config_write(p->bdf, msi_data_at(p), 2, l->vector);
    pci_config_write(p->bdf, p->msi + 2u, 2, control);
}

static void msi_capability_mask(const struct irq_line *l, bool mask)
{
    const struct pci_device *p = l->device;
    uint32_t bits, bit = 1u << l->entry;

    if (!p->msi_maskable)
        return;
    bits = pci_config_read(p->bdf, msi_mask_at(p), 4);
    pci_config_write(p->bdf, msi_mask_at(p), 4, mask ? bits | bit : bits & ~bit);
}

/* ---- MSI-X ---- */

static uint64_t bar_address(const struct pci_device *p, unsigned n)
{
    uint32_t low = pci_config_read(p->bdf, BAR0 + 4 * n, 4);
    uint64_t high = 0;

    if (low & 1)
        return 0;                       /* ports cannot hold a table */
    if ((low & 6) == 4 && n < 5)
        high = pci_config_read(p->bdf, BAR0 + 4 * n + 4, 4);
    return high << 32 | (low & ~0xfu);
}

/*
 * Maps the table, anew if dom0 has moved it. A virtual function's own registers do not say where its memory
 * is; then dom0's word is taken.
 */
static int table_map(struct pci_device *p, uint64_t table_base)
{
    uint32_t where = pci_config_read(p->bdf, p->msix + 4u, 4);
    uint64_t base = (where & 7) < 6 ? bar_address(p, where & 7) : 0, phys;

    if (!base)
        base = table_base & ~0xfull;
    if (!base)
        return -XEN_ENXIO;
    phys = base + (where & ~7u);
    if (phys == p->msix_phys)
        return 0;
    p->msix_table = hw_device_map(phys, (size_t)p->msix_count * ENTRY_WORDS * 4);
    p->msix_phys = p->msix_table ? phys : 0;
    return p->msix_table ? 0 : -XEN_ENXIO;
}

static volatile uint32_t *entry_of(const struct irq_line *l)
{
    return l->device->msix_table + (size_t)l->entry * ENTRY_WORDS;
}

static void entry_write(const struct irq_line *l)
{
    volatile uint32_t *e = entry_of(l);

    e[3] |= ENTRY_MASKED;
    e[0] = message_address(l);
    e[1] = 0;
    e[2] = l->vector;
}

/* ---- both ---- */

int msi_check(struct pci_device *p, bool msix, unsigned entry, unsigned count, uint64_t table_base)
{
    if (!(msix ? p->msix : p->msi))
        return -XEN_ENODEV;
    if (!msix)
        return count && !(count & (count - 1)) && count <= p->msi_count ? 0 : -XEN_EINVAL;
    if (entry >= p->msix_count)
        return -XEN_EINVAL;
    if (!(pci_config_read(p->bdf, COMMAND, 2) & COMMAND_MEMORY))
        return -XEN_ENXIO;
    return table_map(p, table_base);
}

void msi_write(const struct irq_line *l)
{
    if (l->msix)
        entry_write(l);
    else
        msi_capability_write(l);
}

void msi_mask(const struct irq_line *l, bool mask)
{
    volatile uint32_t *e;

    if (!l->msix) {
        msi_capability_mask(l, mask);
        return;
    }
    e = entry_of(l);
    e[3] = mask ? e[3] | ENTRY_MASKED : e[3] & ~ENTRY_MASKED;
}

/*
 * The target is in the address alone, which changes by one write. What an entry or a maskable message has to
 * say meanwhile waits in the device as pending. All messages of a group have one address.
 */
void msi_aim(const struct irq_line *l)
{
    msi_mask(l, true);
    if (l->msix)
        entry_of(l)[0] = message_address(l);
    else
        pci_config_write(l->device->bdf, l->device->msi + 4u, 4, message_address(l));
    msi_mask(l, !l->open);
}
