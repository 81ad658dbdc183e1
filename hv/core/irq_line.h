/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the interrupt code: a line, and what its sources (IO-APIC pin, MSI) can do. */
#ifndef CORE_IRQ_LINE_H
#define CORE_IRQ_LINE_H

#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/timer.h>

#define IRQ_VECTOR_FIRST 0x30u      /* below: spurious interrupts of the legacy controllers */
#define IRQ_VECTOR_LAST  0xefu
#define IRQ_NO_CONTROLLER 0xffu     /* a GSI between those of two IO-APICs */

/* d NULL: free; no reference is held */
struct irq_user { struct domain *d; uint16_t pirq; bool bound, share; };

struct irq_line {
    spinlock_t lock;            /* LOCK_IRQ */
    uint8_t    vector;          /* 0: none; set with the map locked */
    bool       level, low;      /* shape of a pin; MSIs are edges */
    bool       own;             /* the console's */
    bool       open;            /* not masked at its source */
    uint32_t   waiting;         /* level: bit n: user n has not said EOI */
    struct timer late;      /* level, shared: ends the wait for those who do not say EOI; room is reserved */
    bool       may_be_late;     /* `late` can be used: the line had two users once */
    uint16_t   cpu;             /* the processor that it interrupts: number in pcpus[] */
    uint64_t   count;
    uint8_t    controller, pin; /* of a GSI: index of the IO-APIC, input */
    struct pci_device *device;  /* of an MSI; NULL: a GSI, or a free line */
    bool       msix;
    uint16_t   entry;           /* MSI-X: entry of the table; MSI: which of the messages */
    uint8_t    group;           /* MSI: how many messages; counted at entry 0 */
    struct irq_user user[IRQ_SHARERS];
};

extern struct irq_line irq_lines[MAX_IRQS];

/* The map: which PIRQ is which line, who has which vector, which devices there are. */
void irq_map_lock(void);
void irq_map_unlock(void);

struct irq_line *irq_gsi_line(unsigned gsi);                        /* NULL: no such GSI */
struct irq_line *irq_line_of(struct domain *d, uint32_t pirq);      /* NULL: not mapped */
/* consecutive, aligned: 0 or -ENOSPC; map locked */
int  irq_vectors_take(struct irq_line *first, unsigned count);
void irq_vectors_drop(struct irq_line *first, unsigned count);
/* User of the line, or -1. Line locked. */
int  irq_user_find(const struct irq_line *l, const struct domain *d, uint32_t pirq);
int  irq_user_add(struct irq_line *l, struct domain *d, uint32_t pirq);     /* 0 or -EBUSY */
void irq_late(void *line, uint64_t now);        /* what irq_line.late calls */
void irq_user_remove(struct irq_line *l, struct domain *d, uint32_t pirq);

/* ---- IO-APICs (core/ioapic.c) ---- */
unsigned ioapic_init(void);                                     /* masks all pins; number of GSIs */
bool     ioapic_find(unsigned gsi, uint8_t *controller, uint8_t *pin);
void     ioapic_pin_set(const struct irq_line *l);              /* vector, shape, target, masked */
void     ioapic_pin_aim(const struct irq_line *l);          /* target alone; open or not, nothing is lost */
void     ioapic_pin_mask(const struct irq_line *l, bool mask);
int      ioapic_at(uint64_t phys);                              /* index, or -1 */
int      ioapic_gsi(unsigned n, unsigned pin);                  /* or -1: no such pin */
uint32_t ioapic_register(unsigned n, uint8_t reg);

/* ---- MSI (core/msi.c) ---- */
/* Can p send that? 0; -ENODEV: no such capability; -EINVAL: entry or count beyond it; -ENXIO: registers out
 * of reach. */
int  msi_check(struct pci_device *p, bool msix, unsigned entry, unsigned count, uint64_t table_base);
void msi_write(const struct irq_line *l);                       /* address, data; masked */
void msi_aim(const struct irq_line *l);                     /* target alone; open or not, nothing is lost */
void msi_mask(const struct irq_line *l, bool mask);

#endif
