/* SPDX-License-Identifier: BSD-2-Clause */
/* See pci.h. Capabilities are read once, when the device is added: their place never changes. */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/pci.h>
#include <hw/hw.h>

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
enum { PCI_VENDOR = 0x00, PCI_STATUS = 0x06, PCI_CAPABILITIES = 0x34 };
enum { CAP_MSI = 0x05, CAP_MSIX = 0x11 };

#define ENABLE                  (1u << 31)
#define ADDRESS_BITS            0x8ffffffcu     /* 27:24: a register's upper half, on some processors */
#define STATUS_HAS_CAPABILITIES (1u << 4)
#define CAPABILITIES_MAX 48             /* as many as fit; a longer chain is a loop */

static spinlock_t config_lock = SPINLOCK(LOCK_DEVICE);
static spinlock_t list_lock = SPINLOCK(LOCK_DOMAIN);
static struct pci_device *devices;
static unsigned device_count;

/* One access: address and data belong together. */
static uint32_t config_in(uint32_t address, unsigned at, unsigned bytes)
{
    uint32_t value;

    spin_lock(&config_lock);
    hw_port_out(CONFIG_ADDRESS, 4, address);
    value = hw_port_in((uint16_t)(CONFIG_DATA + at), bytes);
    spin_unlock(&config_lock);
    return value;
}

static void config_out(uint32_t address, unsigned at, unsigned bytes, uint32_t value)
{
    spin_lock(&config_lock);
    hw_port_out(CONFIG_ADDRESS, 4, address);
    hw_port_out((uint16_t)(CONFIG_DATA + at), bytes, value);
    spin_unlock(&config_lock);
}

static uint32_t address_of(uint16_t bdf, unsigned reg) { return ENABLE | (uint32_t)bdf << 8 | (reg & 0xfc); }

uint32_t pci_config_read(uint16_t bdf, unsigned reg, unsigned bytes)
{
    return config_in(address_of(bdf, reg), reg & 3, bytes);
}

void pci_config_write(uint16_t bdf, unsigned reg, unsigned bytes, uint32_t value)
{
    config_out(address_of(bdf, reg), reg & 3, bytes, value);
}

/*
 * Only whole words at 0xcf8 are the address: 0xcf9 is another register. With the enable bit clear the data
 * ports are ordinary ports.
 */
static bool is_address(uint16_t port, unsigned bytes) { return port == CONFIG_ADDRESS && bytes == 4; }

static bool is_data(uint16_t port, unsigned bytes, uint32_t address)
{
    return port >= CONFIG_DATA && port + bytes <= CONFIG_DATA + 4u && (address & ENABLE);
}

bool pci_port_read(struct domain *d, uint16_t port, unsigned bytes, uint32_t *value)
{
    uint32_t address = __atomic_load_n(&d->pv.pci_address, __ATOMIC_RELAXED);

    if (is_address(port, bytes))
        *value = address;
    else if (is_data(port, bytes, address))
        *value = config_in(address, port - CONFIG_DATA, bytes);
    else
        return false;
    return true;
}

bool pci_port_write(struct domain *d, uint16_t port, unsigned bytes, uint32_t value)
{
    uint32_t address = __atomic_load_n(&d->pv.pci_address, __ATOMIC_RELAXED);

    if (is_address(port, bytes))
        __atomic_store_n(&d->pv.pci_address, value & ADDRESS_BITS, __ATOMIC_RELAXED);
    else if (is_data(port, bytes, address))
        config_out(address, port - CONFIG_DATA, bytes, value);
    else
        return false;
    return true;
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

/* The record is filled in before anybody can find it. */
static int add_locked(uint16_t segment, uint16_t bdf)
{
    struct pci_device **at = find(segment, bdf), *p = *at;

    if (p && p->present)
        return 0;
    if (!p && device_count >= MAX_PCI_DEVICES)
        return -XEN_ENOSPC;
    if (!p && !(p = kalloc(sizeof(*p))))
        return -XEN_ENOMEM;
    if (!*at)
        device_count++;
    p->segment = segment;
    p->bdf = bdf;
    p->msi = p->msix = 0;               /* another device may stand where one was removed */
    capabilities_read(p);
    p->present = true;
    *at = p;
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
    if (p && !p->present)
        p = NULL;
    spin_unlock(&list_lock);
    return p;
}

/* Whoever found the device a moment ago may still be mapping its messages: what is mapped then ends with the
 * next removal, and harms nobody meanwhile. */
int pci_device_remove(uint16_t segment, uint16_t bdf)
{
    struct pci_device *p = pci_device_find(segment, bdf);

    if (!p)
        return -XEN_ENODEV;
    irq_msi_drop(p);
    spin_lock(&list_lock);
    p->present = false;
    spin_unlock(&list_lock);
    return 0;
}
