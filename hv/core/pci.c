/* SPDX-License-Identifier: BSD-2-Clause */
/* See pci.h. Capabilities are read once, when the device is added: their place never changes. */
#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/pci.h>
#include <hw/hw.h>

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
enum { PCI_VENDOR = 0x00, PCI_STATUS = 0x06, PCI_CAPABILITIES = 0x34 };
enum { CAP_MSI = 0x05, CAP_MSIX = 0x11 };

#define STATUS_HAS_CAPABILITIES (1u << 4)
#define CAPABILITIES_MAX 48             /* as many as fit; a longer chain is a loop */

static spinlock_t config_lock = SPINLOCK(LOCK_DEVICE);
static spinlock_t list_lock = SPINLOCK(LOCK_DOMAIN);
static struct pci_device *devices;
static unsigned device_count;

static uint32_t select_begin(uint16_t bdf, unsigned reg)
{
    uint32_t latched;

    spin_lock(&config_lock);
    latched = hw_port_in(CONFIG_ADDRESS, 4);
    hw_port_out(CONFIG_ADDRESS, 4, 1u << 31 | (uint32_t)bdf << 8 | (reg & 0xfc));
    return latched;
}

static void select_end(uint32_t latched)
{
    hw_port_out(CONFIG_ADDRESS, 4, latched);
    spin_unlock(&config_lock);
}

uint32_t pci_config_read(uint16_t bdf, unsigned reg, unsigned bytes)
{
    uint32_t latched = select_begin(bdf, reg), value = hw_port_in((uint16_t)(CONFIG_DATA + (reg & 3)), bytes);

    select_end(latched);
    return value;
}

void pci_config_write(uint16_t bdf, unsigned reg, unsigned bytes, uint32_t value)
{
    uint32_t latched = select_begin(bdf, reg);

    hw_port_out((uint16_t)(CONFIG_DATA + (reg & 3)), bytes, value);
    select_end(latched);
}

/* ---- the list ---- */

static void capability_note(struct pci_device *p, uint8_t at, uint8_t id)
{
    uint32_t control = pci_config_read(p->bdf, at + 2u, 2);

    if (id == CAP_MSI && !p->msi) {
        p->msi = at;
        p->msi_count = (uint8_t)(1u << MIN(control >> 1 & 7, 5u));
        p->msi_wide = control & 1u << 7;
        p->msi_maskable = control & 1u << 8;
    } else if (id == CAP_MSIX && !p->msix) {
        p->msix = at;
        p->msix_count = (uint16_t)((control & 0x7ff) + 1);
    }
}

static void capabilities_read(struct pci_device *p)
{
    uint8_t at;

    if (!(pci_config_read(p->bdf, PCI_STATUS, 2) & STATUS_HAS_CAPABILITIES))
        return;
    at = (uint8_t)pci_config_read(p->bdf, PCI_CAPABILITIES, 1) & 0xfc;
    for (unsigned n = 0; n < CAPABILITIES_MAX && at >= 0x40; n++) {
        uint32_t head = pci_config_read(p->bdf, at, 2);

        capability_note(p, at, (uint8_t)head);
        at = (uint8_t)(head >> 8) & 0xfc;
    }
}

static struct pci_device **find(uint16_t segment, uint16_t bdf)
{
    struct pci_device **p = &devices;

    while (*p && ((*p)->segment != segment || (*p)->bdf != bdf))
        p = &(*p)->next;
    return p;
}

static int add_locked(uint16_t segment, uint16_t bdf)
{
    struct pci_device **at = find(segment, bdf), *p;

    if (*at)
        return 0;
    if (device_count >= MAX_PCI_DEVICES)
        return -XEN_ENOSPC;
    p = kalloc(sizeof(*p));
    if (!p)
        return -XEN_ENOMEM;
    p->segment = segment;
    p->bdf = bdf;
    capabilities_read(p);
    *at = p;
    device_count++;
    return 0;
}

int pci_device_add(uint16_t segment, uint16_t bdf)
{
    int rc;

    if (segment)
        return -XEN_EOPNOTSUPP;
    if ((pci_config_read(bdf, PCI_VENDOR, 2) & 0xffff) == 0xffff)
        return -XEN_ENODEV;
    spin_lock(&list_lock);
    rc = add_locked(segment, bdf);
    spin_unlock(&list_lock);
    return rc;
}

struct pci_device *pci_device_find(uint16_t segment, uint16_t bdf)
{
    struct pci_device *p;

    spin_lock(&list_lock);
    p = *find(segment, bdf);
    spin_unlock(&list_lock);
    return p;
}

int pci_device_remove(uint16_t segment, uint16_t bdf)
{
    struct pci_device **at, *p;

    spin_lock(&list_lock);
    at = find(segment, bdf);
    p = *at;
    if (p) {
        *at = p->next;
        device_count--;
    }
    spin_unlock(&list_lock);
    if (!p)
        return -XEN_ENODEV;
    irq_msi_drop(p);
    kfree(p);
    return 0;
}
