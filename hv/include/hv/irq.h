/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical interrupts as domains see them: PIRQs, bound to event channels. */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/types.h>

/*
 * Connects pirq of d with its port: from now on each occurrence is event_raise_pirq(d, pirq). share: the line may have
 * other owners. 0; -EINVAL: no such pirq; -EPERM: not d's; -EBUSY: taken and not shared. Called with d's event
 * table locked (LOCK_EVENT): takes LOCK_IRQ at most.
 */
int  irq_bind(struct domain *d, uint32_t pirq, uint32_t port, bool share);
/* The port goes away. No event_raise_pirq() for it starts after the return. Locks as above. */
void irq_unbind(struct domain *d, uint32_t pirq);

/* Boot: IO-APICs from the ACPI tables, all lines masked. */
void irq_init_boot(void);
/* An interrupt came in at this vector; called by the trap path, acknowledges it and marks its ports. */
void irq_arrived(unsigned vector);

#endif
