/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files event*.c only: how a port is found, locked, and made pending. */
#ifndef CORE_EVENT_PORT_H
#define CORE_EVENT_PORT_H

#include <hv/domain.h>
#include <hv/event.h>
#include <hw/hw.h>

#define PRIORITY_DEFAULT EVTCHN_FIFO_PRIORITY_DEFAULT

/*
 * The record of a port that exists, or NULL. Records never move and live as long as the domain. No lock
 * needed.
 */
static inline struct event *event_at(struct domain *d, uint32_t port)
{
    const struct event_table *t = &d->events;
    uint32_t bucket = port / EVENTS_PER_BUCKET;

    if (port >= __atomic_load_n(&t->ports, __ATOMIC_ACQUIRE))
        return NULL;
    return &t->group[bucket / BUCKETS_PER_GROUP][bucket % BUCKETS_PER_GROUP][port % EVENTS_PER_BUCKET];
}

static inline void port_lock(struct event *e) { byte_lock(&e->busy); }
static inline void port_unlock(struct event *e) { byte_unlock(&e->busy); }

static inline struct vcpu *event_target(struct domain *d, const struct event *e)
{
    return d->vcpu[__atomic_load_n(&e->vcpu, __ATOMIC_RELAXED)];
}

/*
 * ---- the two layouts: an event came; the port is open again; the guest's bit goes; is it set? ----
 * No lock is needed; the port exists.
 */
void event_2l_raise(struct domain *d, uint32_t port, const struct event *e);
void event_2l_unmask(struct domain *d, uint32_t port, const struct event *e);
void event_2l_clear(struct domain *d, uint32_t port);
bool event_2l_pending(struct domain *d, uint32_t port);
/* The same. Where the guest has given no page for the port yet, e->pending stands for its word. */
void event_fifo_raise(struct domain *d, struct event_fifo *f, uint32_t port, struct event *e);
void event_fifo_unmask(struct domain *d, struct event_fifo *f, uint32_t port, struct event *e);
void event_fifo_clear(struct event_fifo *f, uint32_t port, struct event *e);
bool event_fifo_pending(struct event_fifo *f, uint32_t port, const struct event *e);
/* The guest still has the port in one of its queues: not to be given out again yet. */
bool event_fifo_linked(struct event_fifo *f, uint32_t port);

/* Changing over. Called with the table locked. */
/* 0 or -errno */
int  event_fifo_control_set(struct domain *d, uint32_t vcpu, mfn_t frame, uint32_t offset);
int  event_fifo_array_add(struct domain *d, mfn_t frame);
struct event_fifo *event_fifo_detach(struct domain *d);     /* no port is open: two levels from now on */
void event_fifo_free(struct event_fifo *f);     /* no lock held: gives pages back, which may free them */

/*
 * NULL: two levels. The layout goes only when no port is open, so it stays for whoever holds the byte of one
 * that is open, or the table's lock.
 */
static inline struct event_fifo *event_fifo_of(const struct domain *d)
{
    return __atomic_load_n(&d->events.fifo, __ATOMIC_SEQ_CST);
}

static inline bool event_open_kind(const struct event *e)
{
    return e->kind != EVENT_FREE && e->kind != EVENT_RESERVED;
}

/* Makes the port pending in whichever layout d uses, and wakes who waits for it. */
void event_deliver(struct domain *d, uint32_t port, struct event *e);

#endif
