/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: the table of ports, and what happens on a wire.
 *
 * Opening, closing and rewiring take the table's lock, of both domains for a wire between two. Sending
 * takes neither. It takes one byte, the sending port's own lock, which nobody else wants unless that very
 * port is being used or changed. That is enough: whoever takes a wire apart must hold the byte of each end
 * while it changes that end. So while a sender holds its own end, the wire is whole, the other domain's
 * table exists, and the other port is the one at the end of the wire. No reference to the other domain is
 * counted. The layout of the pending bits, which a domain may change while it runs, is held the same way: it
 * is given up only when every port is closed (EVTCHNOP_reset, death), and closing a port needs its byte.
 *
 *   table lock(s) (LOCK_EVENT, by address)  >  a port's byte  >  a FIFO queue's byte
 *
 * Records of ports never move and are freed only with the domain, so finding one needs no lock either.
 */
#include "event_port.h"

#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/pcpu.h>
#include <hv/print.h>

#include "event_table.h"

/* ---- raising ---- */

static void wake_pollers(struct domain *d, uint32_t port, uint64_t pollers)
{
    for (unsigned i = 0; i < MAX_VCPUS; i++)
        if (pollers >> i & 1) {
            struct vcpu *v = d->vcpu[i];
            uint32_t wanted = __atomic_load_n(&v->poll_port, __ATOMIC_SEQ_CST);

            if (wanted == port || wanted == ~0u)
                event_poll_end(v);
        }
}
_Static_assert(MAX_VCPUS <= 64, "pollers has a bit for each");

void event_poll_end(struct vcpu *v)
{
    __atomic_fetch_and(&v->domain->events.pollers, ~(1ull << v->id), __ATOMIC_SEQ_CST);
    vcpu_unpause(v, PAUSE_POLL);
}

/* The layout may be changed over meanwhile: either that finds our bit, or we find the new layout. */
static void raise_2l(struct domain *d, uint32_t port, struct event *e)
{
    struct event_fifo *f;

    event_2l_raise(d, port, e);
    f = event_fifo_of(d);
    if (unlikely(f))
        event_fifo_raise(d, f, port, e);
}

void event_deliver(struct domain *d, uint32_t port, struct event *e)
{
    struct event_fifo *f = event_fifo_of(d);
    uint64_t pollers;

    if (f)
        event_fifo_raise(d, f, port, e);
    else
        raise_2l(d, port, e);
    pollers = __atomic_load_n(&d->events.pollers, __ATOMIC_SEQ_CST);
    if (unlikely(pollers))
        wake_pollers(d, port, pollers);
}

void event_notify_vcpu(struct vcpu *v)
{
    struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_SEQ_CST);

    if (__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
        return;
    vcpu_unpause(v, PAUSE_BLOCKED);
    vcpu_kick(v);
}

/* Raises port of d if it is what the caller thinks; it may have been closed in the meantime. */
static void raise_if(struct domain *d, uint32_t port, enum event_kind kind, uint32_t number)
{
    struct event *e = port ? event_at(d, port) : NULL;

    if (!e)
        return;
    port_lock(e);
    if (e->kind == kind && e->number == number)
        event_deliver(d, port, e);
    port_unlock(e);
}

void event_raise_virq(struct vcpu *v, uint32_t virq)
{
    raise_if(v->domain, __atomic_load_n(&v->virq_port[virq], __ATOMIC_ACQUIRE), EVENT_VIRQ, virq);
}

/* 0: not bound */
static uint32_t port_of_pirq(const struct domain *d, uint32_t pirq)
{
    const uint32_t *port = __atomic_load_n(&d->events.pirq_port, __ATOMIC_ACQUIRE);

    return port && pirq < MAX_PIRQS ? __atomic_load_n(&port[pirq], __ATOMIC_ACQUIRE) : 0;
}

void event_raise_pirq(struct domain *d, uint32_t pirq)
{
    raise_if(d, port_of_pirq(d, pirq), EVENT_PIRQ, pirq);
}

struct vcpu *event_pirq_vcpu(struct domain *d, uint32_t pirq)
{
    uint32_t port = port_of_pirq(d, pirq);
    const struct event *e = port ? event_at(d, port) : NULL;

    return e ? event_target(d, e) : NULL;
}

bool event_port_pending(struct domain *d, evtchn_port_t port)
{
    struct event *e = event_at(d, port);
    struct event_fifo *f;
    bool pending = false;

    if (!e)
        return false;
    port_lock(e);
    if (event_open_kind(e)) {
        f = event_fifo_of(d);
        pending = f ? event_fifo_pending(f, port, e) : event_2l_pending(d, port);
    }
    port_unlock(e);
    return pending;
}

/* ---- global VIRQs: each goes to one domain ---- */

static struct domain *virq_handler[NR_VIRQS];   /* NULL: dom0; each holds a reference */
static uint8_t virq_handler_lock;

bool virq_is_global(uint32_t virq)
{
    return virq < NR_VIRQS && virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
           virq != VIRQ_XENPMU;
}

static void raise_first(struct domain *d, uint32_t virq)
{
    struct vcpu *v = domain_vcpu(d, 0);

    if (v)
        event_raise_virq(v, virq);
}

void event_raise_global_virq(uint32_t virq)
{
    struct domain *d;

    byte_lock(&virq_handler_lock);
    d = virq_handler[virq];
    if (d && !domain_get_again(d))
        d = NULL;
    byte_unlock(&virq_handler_lock);
    if (d) {
        raise_first(d, virq);
        domain_put(d);
    } else if (dom0) {
        raise_first(dom0, virq);
    }
}

int event_virq_handler_set(struct domain *d, uint32_t virq)
{
    struct domain *old;
    int rc = 0;

    if (!virq_is_global(virq) || domain_dying(d))
        return -XEN_EINVAL;
    byte_lock(&virq_handler_lock);
    old = virq_handler[virq];
    if (old && old != d && d != dom0) {
        rc = -XEN_EBUSY;
        old = NULL;
    } else if (old == d) {
        old = NULL;
    } else if (d == dom0) {
        virq_handler[virq] = NULL;
    } else if (domain_get_again(d)) {
        virq_handler[virq] = d;
    } else {
        rc = -XEN_EINVAL;
    }
    byte_unlock(&virq_handler_lock);
    if (old)
        domain_put(old);
    return rc;
}

void event_virq_handler_drop(struct domain *d)
{
    unsigned dropped = 0;

    byte_lock(&virq_handler_lock);
    for (unsigned i = 0; i < NR_VIRQS; i++)
        if (virq_handler[i] == d) {
            virq_handler[i] = NULL;
            dropped++;
        }
    byte_unlock(&virq_handler_lock);
    for (; dropped; dropped--)
        domain_put(d);
}

/* ---- the table: under its lock ---- */

static uint32_t layout_limit(const struct domain *d)
{
    return MIN(d->events.max_ports, d->events.fifo ? (uint32_t)MAX_PORTS : (uint32_t)EVTCHN_2L_NR_CHANNELS);
}

static int bucket_add(struct event_table *t)
{
    uint32_t bucket = t->ports / EVENTS_PER_BUCKET;
    struct event ***group = &t->group[bucket / BUCKETS_PER_GROUP], *fresh;

    if (!*group)
        *group = kalloc(BUCKETS_PER_GROUP * sizeof(**group));
    if (!*group)
        return -XEN_ENOMEM;
    fresh = kalloc(EVENTS_PER_BUCKET * sizeof(*fresh));
    if (!fresh)
        return -XEN_ENOMEM;
    for (unsigned i = 0; i < EVENTS_PER_BUCKET; i++)
        fresh[i].priority = PRIORITY_DEFAULT;
    (*group)[bucket % BUCKETS_PER_GROUP] = fresh;
    __atomic_store_n(&t->ports, t->ports + EVENTS_PER_BUCKET, __ATOMIC_RELEASE);
    return 0;
}

static bool usable(struct domain *d, uint32_t port)
{
    struct event_fifo *f = d->events.fifo;

    return event_at(d, port)->kind == EVENT_FREE && !(f && event_fifo_linked(f, port));
}

int event_port_alloc(struct domain *d, struct event **e)
{
    struct event_table *t = &d->events;
    uint32_t limit = layout_limit(d), port = t->first_free;
    bool skipped = false;

    if (t->closed)
        return -XEN_EINVAL;
    for (;; port++) {
        if (port >= limit)
            return -XEN_ENOSPC;
        if (port >= t->ports && bucket_add(t))
            return -XEN_ENOMEM;
        *e = event_at(d, port);
        if (usable(d, port))
            break;
        /* A free port that a FIFO guest has not taken off its queue is passed over, but comes back. */
        if ((*e)->kind == EVENT_FREE && !skipped) {
            skipped = true;
            t->first_free = port;
        }
    }
    if (!skipped)
        t->first_free = port + 1;
    t->used++;
    return (int)port;
}

/* With the table locked: the port becomes what the arguments say. */
void event_port_set(struct event *e, enum event_kind kind, uint32_t number, domid_t remote_id,
                    struct domain *remote)
{
    port_lock(e);
    e->kind = (uint8_t)kind;
    e->number = number;
    e->remote_id = remote_id;
    e->remote = remote;
    port_unlock(e);
}

void event_port_release(struct domain *d, uint32_t port, struct event *e)
{
    struct event_table *t = &d->events;

    event_port_set(e, EVENT_FREE, 0, 0, NULL);      /* from here on nobody changes the rest */
    __atomic_store_n(&e->vcpu, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&e->priority, PRIORITY_DEFAULT, __ATOMIC_RELAXED);
    if (t->fifo)
        event_fifo_clear(t->fifo, port, e);
    else
        event_2l_clear(d, port);
    t->first_free = MIN(t->first_free, port);
    t->used--;
}

/* ---- closing ---- */

/*
 * Locks d's table and, if port is one end of a wire to another domain, that domain's too; returns it,
 * referenced.
 */
static struct domain *lock_with_peer(struct domain *d, uint32_t port)
{
    struct event *e = event_at(d, port);
    struct domain *peer;

    for (;;) {
        spin_lock(&d->events.lock);
        peer = e && e->kind == EVENT_INTERDOMAIN && e->remote != d ? e->remote : NULL;
        if (!peer)
            return NULL;
        /* it cannot go before it has closed its end, which needs our lock */
        BUG_ON(!domain_get_again(peer));
        spin_unlock(&d->events.lock);
        spin_lock2(&d->events.lock, &peer->events.lock);
        if (e->kind == EVENT_INTERDOMAIN && e->remote == peer)
            return peer;
        spin_unlock2(&d->events.lock, &peer->events.lock);
        domain_put(peer);
    }
}

static void unlock_with_peer(struct domain *d, struct domain *peer)
{
    if (!peer) {
        spin_unlock(&d->events.lock);
        return;
    }
    spin_unlock2(&d->events.lock, &peer->events.lock);
    domain_put(peer);
}

static void disconnect(struct domain *d, uint32_t port, struct event *e)
{
    struct event *other;
    struct vcpu *holder;

    switch (e->kind) {
    case EVENT_INTERDOMAIN:
        other = event_at(e->remote, e->number);
        if (other != e)
            event_port_set(other, EVENT_UNBOUND, 0, d->id, NULL);
        break;
    case EVENT_VIRQ:
        holder = virq_is_global(e->number) ? d->vcpu[0] : event_target(d, e);
        __atomic_store_n(&holder->virq_port[e->number], 0, __ATOMIC_RELEASE);
        break;
    case EVENT_PIRQ:
        irq_unbind(d, e->number);
        __atomic_store_n(&d->events.pirq_port[e->number], 0, __ATOMIC_RELEASE);
        break;
    }
}

int event_shut(struct domain *d, evtchn_port_t port)
{
    struct domain *peer = lock_with_peer(d, port);
    struct event *e = event_at(d, port);
    int rc = -XEN_EINVAL;

    if (e && event_open_kind(e)) {
        disconnect(d, port, e);
        event_port_release(d, port, e);
        rc = 0;
    }
    unlock_with_peer(d, peer);
    return rc;
}

/* Closes the ports from close_next on. Those opened meanwhile below it are the caller's business. */
static int close_on(struct domain *d)
{
    struct event_table *t = &d->events;
    struct vcpu *v = this_cpu()->current;

    for (uint32_t n = 1; t->close_next < t->ports; n++) {
        (void)event_shut(d, t->close_next);     /* those that are free already answer -EINVAL */
        t->close_next++;
        if (n % PREEMPT_BATCH == 0 && preempt_due(v))
            return -XEN_ERESTART;
    }
    t->close_next = 0;
    return 0;
}

/*
 * Another vCPU may open ports that close_on() is past, or end its round for it; and a round may have been
 * begun long ago by a guest that did not go on with it. So the count says whether that was all, and not that
 * a round ended.
 */
int event_close_all(struct domain *d)
{
    struct event_table *t = &d->events;
    struct event_fifo *f = NULL;
    int rc = close_on(d);

    if (rc)
        return rc;
    spin_lock(&t->lock);
    if (t->used > 1)
        rc = -XEN_ERESTART;
    else
        f = event_fifo_detach(d);
    spin_unlock(&t->lock);
    event_fifo_free(f);
    return rc;
}

/* ---- life ---- */

int event_table_init(struct domain *d, uint32_t max_port)
{
    struct event_table *t = &d->events;

    spin_init(&t->lock, LOCK_EVENT);
    t->max_ports = max_port >= MAX_PORTS ? (uint32_t)MAX_PORTS : max_port + 1;
    if (bucket_add(t))
        return -XEN_ENOMEM;
    event_at(d, 0)->kind = EVENT_RESERVED;
    t->used = t->first_free = 1;
    return 0;
}

int event_table_destroy(struct domain *d)
{
    spin_lock(&d->events.lock);
    d->events.closed = true;
    spin_unlock(&d->events.lock);
    return event_close_all(d);
}

void event_table_free(struct domain *d)
{
    struct event_table *t = &d->events;

    for (unsigned g = 0; g < EVENT_GROUPS && t->group[g]; g++) {
        for (unsigned b = 0; b < BUCKETS_PER_GROUP; b++)
            kfree(t->group[g][b]);
        kfree(t->group[g]);
        t->group[g] = NULL;
    }
    kfree(t->pirq_port);
    t->pirq_port = NULL;
    __atomic_store_n(&t->ports, 0, __ATOMIC_RELAXED);
}

int event_open(struct domain *d, domid_t remote)
{
    struct event *e;
    int port;

    if (!domain_vcpu(d, 0))             /* whom every port tells at first */
        return -XEN_EINVAL;
    spin_lock(&d->events.lock);
    port = event_port_alloc(d, &e);
    if (port >= 0)
        event_port_set(e, EVENT_UNBOUND, 0, remote, NULL);
    spin_unlock(&d->events.lock);
    return port;
}
