/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: a port is one end of a wire that carries one bit. The two layouts of the pending bits in
 * guest memory (two levels, FIFO) stand in core/event_2l.c and core/event_fifo.c.
 */
#ifndef HV_EVENT_H
#define HV_EVENT_H

#include <hv/limits.h>
#include <hv/lock.h>
#include <hv/types.h>

#include <abi/event.h>

enum event_kind {
    EVENT_FREE,
    EVENT_RESERVED,
    EVENT_UNBOUND,
    EVENT_INTERDOMAIN,
    EVENT_PIRQ,
    EVENT_VIRQ,
    EVENT_IPI
};

struct event {
    uint8_t  kind;          /* enum event_kind */
    uint8_t  priority;      /* FIFO: 0 highest .. 15; atomic */
    uint8_t  busy;          /* the port's own lock: see the top of core/event.c */
    uint8_t  pending;       /* FIFO: raised before the guest gave a page for this port; atomic */
    uint16_t vcpu;          /* notified vCPU; atomic */
    uint16_t last_queue;    /* FIFO: vCPU * 16 + priority of the queue it was last linked on; atomic */
    domid_t  remote_id;     /* UNBOUND: who may bind it; INTERDOMAIN: who is at the other end */
    uint32_t number;        /* INTERDOMAIN: port at the other end; PIRQ, VIRQ: its number */
    struct domain *remote;  /* INTERDOMAIN; no reference, the wire itself keeps it valid */
};
_Static_assert(sizeof(struct event) == 24, "many of them");

#define EVENTS_PER_BUCKET 32u
#define BUCKETS_PER_GROUP 64u
#define EVENT_GROUPS      DIV_ROUND_UP(MAX_PORTS, EVENTS_PER_BUCKET * BUCKETS_PER_GROUP)
#define MAX_PIRQS         1024u

struct event_fifo;

struct event_table {
    spinlock_t          lock;           /* opening, closing and rewiring; sending does not take it */
    bool                closed;         /* the domain dies: nothing can be opened */
    /* of buckets, allocated as ports are used, freed with the domain */
    struct event      **group[EVENT_GROUPS];
    uint32_t            ports;          /* ports that exist (1..ports-1 usable); atomic */
    uint32_t            used;           /* of these not free, port 0 included */
    uint32_t            max_ports;      /* limit: min(MAX_PORTS, createdomain's max_evtchn_port + 1) */
    uint32_t            first_free;     /* no port below is free */
    uint32_t            close_next;     /* progress of event_table_destroy() and of reset */
    uint64_t            pollers;        /* vCPUs in SCHEDOP_poll; atomic */
    /* [MAX_PIRQS] of the ports of bound PIRQs, NULL before the first; atomic */
    uint32_t           *pirq_port;
    struct event_fifo  *fifo;           /* NULL: two-level layout; atomic */
};

/* max_port: the highest port the domain may have. 0 or -ENOMEM. */
int  event_table_init(struct domain *d, uint32_t max_port);
/* Closes every port; called when the domain dies. Preemptible: -ERESTART until done. */
int  event_table_destroy(struct domain *d);
/* Memory. Only when no reference to d is left. */
void event_table_free(struct domain *d);

/*
 * Raise a per-vCPU or global virtual interrupt; nothing happens if it is not bound. From any context, any
 * locks.
 */
void event_raise_virq(struct vcpu *v, uint32_t virq);
void event_raise_global_virq(uint32_t virq);
/*
 * Global virq goes to d from now on: 0, -EINVAL (not a global one, or d dies), -EBUSY (another domain than
 * dom0 has it).
 */
int  event_virq_handler_set(struct domain *d, uint32_t virq);
/* d dies: its global VIRQs go back to dom0. */
void event_virq_handler_drop(struct domain *d);
/* A physical interrupt that d has bound: marks its port pending. */
void event_raise_pirq(struct domain *d, uint32_t pirq);
/* The vCPU that is told of it, NULL if it is not bound. The caller keeps d. */
struct vcpu *event_pirq_vcpu(struct domain *d, uint32_t pirq);
/*
 * For the hypervisor's own users: opens a port of d that `remote` may bind. Port or -errno; -EINVAL: d dies,
 * or has no vCPU yet.
 */
int  event_open(struct domain *d, domid_t remote);
/* Closes it again: 0 or -EINVAL (no such port, or free). */
int  event_shut(struct domain *d, evtchn_port_t port);
/* Whether the port exists and is pending (SCHEDOP_poll). */
bool event_port_pending(struct domain *d, evtchn_port_t port);
/* Ends v's SCHEDOP_poll, if it is in one. */
void event_poll_end(struct vcpu *v);
/* Sets vcpu_info's pending byte and wakes v; the layout files call it. */
void event_notify_vcpu(struct vcpu *v);
/* event_upcall_due() is in vcpu.h */

#endif
