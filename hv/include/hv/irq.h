/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts as domains see them.
 *
 * A *line* is a source: a pin of an IO-APIC (its number is the GSI) or one MSI of a device (numbers above the
 * GSIs). A domain calls a line by a PIRQ of its own; for dom0 the PIRQ of a GSI is the GSI. A PIRQ is first
 * mapped to a line (physdev_op) and then bound to an event channel. See the top of core/irq.c.
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/limits.h>
#include <hv/types.h>

#ifndef MAX_IRQS
/* Lines of the machine; vectors, the same on all processors, limit those in use to 192. */
#define MAX_IRQS 512
#endif
#define IRQ_SHARERS 8           /* domains that may share one line */

struct pci_device;

/* What a domain has of it; all zero at first. */
struct domain_irqs {
    uint16_t *line;         /* [MAX_PIRQS] number of the line + 1; 0 free; NULL before the first; atomic */
    mfn_t     eoi_page;         /* its page of bits "needs EOI"; valid if has_eoi_page */
    bool      has_eoi_page;
    bool      eoi_unmasks;      /* version 1 of that page: EOI also unmasks the port */
};

/*
 * Connects pirq of d with its port: from now on each occurrence is event_raise_pirq(d, pirq). share: the line
 * may have other owners. 0; -EINVAL: d has no such pirq; -EBUSY: taken and not shared, or the hypervisor's
 * own. Called with d's event table locked (LOCK_EVENT): takes LOCK_IRQ at most.
 */
int  irq_bind(struct domain *d, uint32_t pirq, uint32_t port, bool share);
/* The port goes away. No event_raise_pirq() for it starts after the return. Locks as above. */
void irq_unbind(struct domain *d, uint32_t pirq);

/* The port of pirq is bound to another vCPU now: the line goes where that one runs. No locks held. */
void irq_follow(struct domain *d, uint32_t pirq);

/* Boot: IO-APICs from the ACPI tables, all lines masked. */
void irq_init_boot(void);
/* An interrupt came in at this vector; called by the trap path, acknowledges it and marks its ports. */
void irq_arrived(unsigned vector);
/* How many GSIs the IO-APICs have; lines from there on are MSIs. */
unsigned irq_gsi_count(void);
/* The GSI on which an interrupt of the ISA bus (0..15) arrives. */
unsigned irq_isa_gsi(unsigned isa);
/* The line of this GSI is the console's: console_input() at each occurrence. 0, -EINVAL, -EBUSY, -ENOSPC. */
int  irq_own(unsigned gsi);

/*
 * Mapping. pirq < 0: choose one. The result is the (first) PIRQ, or -EINVAL (no such line or PIRQ), -EEXIST
 * (the PIRQ is another line's), -EBUSY (too many share it), -ENOSPC (no PIRQ, line or vector left), -ENOMEM.
 * Mapping a GSI again is no error. May not be called with locks.
 */
int  irq_map_gsi(struct domain *d, unsigned gsi, int32_t pirq);
/* count > 1: that many messages of plain MSI, a power of two, on consecutive PIRQs. Caller:
 * core/physdev.c. */
int irq_map_msi(struct domain *d, struct pci_device *p, bool msix, unsigned entry, unsigned count,
                int32_t pirq);
/* 0, or -EINVAL (not mapped; or not the first of several messages). A bound port stays, and hears nothing
 * more. */
int  irq_unmap(struct domain *d, uint32_t pirq);
/* Sets a PIRQ aside for a later irq_map_*() that names it: the PIRQ, -ENOSPC, -ENOMEM. */
int  irq_reserve(struct domain *d);
/* Ends all that d has: mappings, the page of bits. d dies; its ports may still be there. */
void irq_domain_release(struct domain *d);
/* Memory. Only when no reference to d is left. */
void irq_domain_free(struct domain *d);

/* The guest has dealt with it: a level-triggered line is heard again once all who share it have said so. 0,
 * -EINVAL. */
int  irq_eoi(struct domain *d, uint32_t pirq);
/* XENIRQSTAT_* of a PIRQ of d, mapped or not. */
uint32_t irq_status(struct domain *d, uint32_t pirq);
/* Shape of a pin, as dom0 read it from the firmware: 0, -EINVAL (no such GSI), -EEXIST (in use with another
 * shape). */
int  irq_shape(unsigned gsi, bool level, bool low);
/* d gives the page m for the bits: 0, -EBUSY (has one), -EINVAL (not its own writable page). */
int  irq_eoi_page_set(struct domain *d, mfn_t m, bool unmasks);
/* Every MSI of p: writes the message again (after a reset), or ends it (the device goes). */
void irq_msi_restore(struct pci_device *p);
void irq_msi_drop(struct pci_device *p);

/* For a debug key: the lines in use, as text. Returns the length written, at most len. */
size_t irq_format(char *buf, size_t len);

#endif
