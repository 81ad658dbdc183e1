/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: a port is one end of a wire that carries one bit. The two layouts of the pending bits in guest
 * memory (two levels, FIFO) stand in core/event_2l.c and core/event_fifo.c.
 */
#ifndef HV_EVENT_H
#define HV_EVENT_H

#include <hv/lock.h>
#include <hv/types.h>

#include <abi/event.h>

enum event_kind { EVENT_FREE, EVENT_RESERVED, EVENT_UNBOUND, EVENT_INTERDOMAIN, EVENT_PIRQ, EVENT_VIRQ, EVENT_IPI };

struct event {
    uint8_t  kind;          /* enum event_kind */
    uint8_t  priority;      /* FIFO: 0 highest .. 15 */
    uint16_t vcpu;          /* notified vCPU */
    union {
        struct { uint16_t dom; uint32_t port; } remote;  /* UNBOUND: only dom; INTERDOMAIN: both */
        uint32_t irq;                                    /* PIRQ */
        uint32_t virq;                                   /* VIRQ */
    };
    uint16_t last_vcpu;     /* FIFO: queue it was last linked on */
    uint8_t  last_priority;
    uint8_t  pending;       /* FIFO before the guest has given a page for this port */
};

struct event_fifo;

struct event_table {
    spinlock_t          lock;
    struct event      **bucket;         /* of EVENTS_PER_BUCKET ports, allocated as ports are used */
    uint32_t            ports;          /* ports that exist (1..ports-1 usable) */
    uint32_t            max_ports;      /* limit: min(layout, createdomain's max_evtchn_port + 1) */
    uint32_t            first_free;     /* hint */
    struct event_fifo  *fifo;           /* NULL: two-level layout */
};

int  event_table_init(struct domain *d, uint32_t max_port);
/* Closes every port; called when the domain dies. Preemptible: -ERESTART until done. */
int  event_table_destroy(struct domain *d);
void event_table_free(struct domain *d);

/* Raise a global or per-vCPU virtual interrupt; nothing happens if it is not bound. */
void event_raise_virq(struct vcpu *v, uint32_t virq);
void event_raise_global_virq(uint32_t virq);
/* A physical interrupt that dom0 has bound: marks its port pending. */
void event_raise_pirq(struct domain *d, uint32_t pirq);
/* For the hypervisor's own users: allocate an unbound port of d for remote; bind an IPI. Port or -errno. */
int  event_alloc_unbound(struct domain *d, domid_t remote);
/* Whether the port is pending (SCHEDOP_poll). */
bool event_port_pending(struct domain *d, evtchn_port_t port);
/* Sets vcpu_info's pending words and wakes v; the layout files call it. */
void event_notify_vcpu(struct vcpu *v);
/* True if v has an unmasked upcall to take. */
bool event_upcall_due(const struct vcpu *v);

#endif
