/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions that dom0 has told of, and their configuration space. Only segment 0 can be reached: the two
 * ports (PCI Local Bus 3.0, section 3.2.2.3.2). A domain that has these ports has an address latch of its
 * own, so no processor comes between its two accesses.
 */
#ifndef HV_PCI_H
#define HV_PCI_H

#include <hv/types.h>

#ifndef MAX_PCI_DEVICES
#define MAX_PCI_DEVICES 4096
#endif

struct pci_device {
    struct pci_device *next;            /* records are never freed, so a pointer to one is always good */
    bool     present;                   /* added, and not removed since */
    uint16_t segment, bdf;              /* bus << 8 | devfn */
    uint8_t  msi, msix;                 /* offsets of the capabilities, 0: none */
    bool     msi_wide, msi_maskable;    /* 64-bit address; a mask bit a message */
    uint8_t  msi_count;                 /* messages at most, a power of two */
    uint16_t msix_count;                /* entries of the table */
    uint64_t msix_phys;                 /* where the table was mapped; 0: not yet */
    volatile uint32_t *msix_table;
};

/* bytes: 1, 2, 4; reg aligned to it, below 256. From any context. */
uint32_t pci_config_read(uint16_t bdf, unsigned reg, unsigned bytes);
void     pci_config_write(uint16_t bdf, unsigned reg, unsigned bytes, uint32_t value);

/*
 * An access of d to the ports 0xcf8 to 0xcff, which it may use; bytes: 1, 2, 4. False: it has nothing to do
 * with configuration space and goes to the port itself.
 */
bool pci_port_read(struct domain *d, uint16_t port, unsigned bytes, uint32_t *value);
bool pci_port_write(struct domain *d, uint16_t port, unsigned bytes, uint32_t value);

/* dom0 found it: 0 (again: also 0), -ENODEV (nothing answers there), -EOPNOTSUPP (segment), -ENOSPC,
 * -ENOMEM. */
int  pci_device_add(uint16_t segment, uint16_t bdf);
/* It goes; its MSIs end. 0 or -ENODEV. */
int  pci_device_remove(uint16_t segment, uint16_t bdf);
/* NULL: not added, or removed. */
struct pci_device *pci_device_find(uint16_t segment, uint16_t bdf);

#endif
