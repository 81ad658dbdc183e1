/* SPDX-License-Identifier: BSD-2-Clause */
/* event_channel_op: one function a row of abi/ops/event.def. */
#include "event_port.h"
#include "event_table.h"

#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/ops.h>

/* ---- opening ---- */

int event_op_alloc_unbound(struct vcpu *v, struct domain *d, struct evtchn_alloc_unbound *arg)
{
    domid_t remote = arg->remote_dom == DOMID_SELF ? v->domain->id : arg->remote_dom;
    int port = event_open(d, remote);

    if (port < 0)
        return refuse(v, port, d->id, remote);
    arg->port = (uint32_t)port;
    return 0;
}

/* With both tables locked. */
static int connect(struct domain *d, struct domain *remote, uint32_t remote_port)
{
    struct event *far = event_at(remote, remote_port), *near;
    int port;

    if (!far || far->kind != EVENT_UNBOUND || far->remote_id != d->id || remote->events.closed)
        return -XEN_EINVAL;
    port = event_port_alloc(d, &near);
    if (port < 0)
        return port;
    event_port_set(near, EVENT_INTERDOMAIN, remote_port, remote->id, remote);
    event_port_set(far, EVENT_INTERDOMAIN, (uint32_t)port, d->id, d);
    /* The other side may have sent while nobody listened: look once. */
    event_deliver(d, (uint32_t)port, near);
    return port;
}

int event_op_bind_interdomain(struct vcpu *v, struct domain *d, struct evtchn_bind_interdomain *arg)
{
    struct domain *remote = arg->remote_dom == DOMID_SELF ? d : domain_get(arg->remote_dom);
    int port;

    if (!remote)
        return refuse(v, -XEN_ESRCH, arg->remote_dom, 0);
    spin_lock2(&d->events.lock, &remote->events.lock);
    port = connect(d, remote, arg->remote_port);
    spin_unlock2(&d->events.lock, &remote->events.lock);
    if (arg->remote_dom != DOMID_SELF)
        domain_put(remote);
    if (port < 0)
        return refuse(v, port, arg->remote_dom, arg->remote_port);
    arg->local_port = (uint32_t)port;
    return 0;
}

int event_op_bind_virq(struct vcpu *v, struct domain *d, struct evtchn_bind_virq *arg)
{
    struct vcpu *target = domain_vcpu(d, arg->vcpu);
    struct event *e;
    int port;

    if (arg->virq >= NR_VIRQS || (virq_is_global(arg->virq) && arg->vcpu != 0))
        return refuse(v, -XEN_EINVAL, arg->virq, arg->vcpu);
    if (!target)
        return refuse(v, -XEN_ENOENT, arg->virq, arg->vcpu);
    spin_lock(&d->events.lock);
    port = target->virq_port[arg->virq] ? -XEN_EEXIST : event_port_alloc(d, &e);
    if (port >= 0) {
        __atomic_store_n(&e->vcpu, (uint16_t)arg->vcpu, __ATOMIC_RELAXED);
        event_port_set(e, EVENT_VIRQ, arg->virq, 0, NULL);
        __atomic_store_n(&target->virq_port[arg->virq], (uint32_t)port, __ATOMIC_RELEASE);
    }
    spin_unlock(&d->events.lock);
    if (port < 0)
        return refuse(v, port, arg->virq, arg->vcpu);
    arg->port = (uint32_t)port;
    return 0;
}

int event_op_bind_ipi(struct vcpu *v, struct domain *d, struct evtchn_bind_ipi *arg)
{
    struct event *e;
    int port;

    if (!domain_vcpu(d, arg->vcpu))
        return refuse(v, -XEN_ENOENT, arg->vcpu, 0);
    spin_lock(&d->events.lock);
    port = event_port_alloc(d, &e);
    if (port >= 0) {
        __atomic_store_n(&e->vcpu, (uint16_t)arg->vcpu, __ATOMIC_RELAXED);
        event_port_set(e, EVENT_IPI, 0, 0, NULL);
    }
    spin_unlock(&d->events.lock);
    if (port < 0)
        return refuse(v, port, arg->vcpu, 0);
    arg->port = (uint32_t)port;
    return 0;
}

static int pirq_table(struct event_table *t)
{
    if (!t->pirq_port)
        __atomic_store_n(&t->pirq_port, kalloc(MAX_PIRQS * sizeof(*t->pirq_port)), __ATOMIC_RELEASE);
    return t->pirq_port ? 0 : -XEN_ENOMEM;
}

/* The port is complete before the line is connected: the first interrupt may come at once. */
static int connect_pirq(struct domain *d, uint32_t pirq, bool share)
{
    struct event_table *t = &d->events;
    struct event *e;
    int port, rc;

    if (pirq_table(t))
        return -XEN_ENOMEM;
    if (t->pirq_port[pirq])
        return -XEN_EEXIST;
    port = event_port_alloc(d, &e);
    if (port < 0)
        return port;
    event_port_set(e, EVENT_PIRQ, pirq, 0, NULL);
    __atomic_store_n(&t->pirq_port[pirq], (uint32_t)port, __ATOMIC_RELEASE);
    rc = irq_bind(d, pirq, (uint32_t)port, share);
    if (rc == 0)
        return port;
    __atomic_store_n(&t->pirq_port[pirq], 0, __ATOMIC_RELEASE);
    event_port_release(d, (uint32_t)port, e);
    return rc;
}

int event_op_bind_pirq(struct vcpu *v, struct domain *d, struct evtchn_bind_pirq *arg)
{
    int port;

    if (arg->pirq >= MAX_PIRQS)
        return refuse(v, -XEN_EINVAL, arg->pirq, MAX_PIRQS);
    spin_lock(&d->events.lock);
    port = connect_pirq(d, arg->pirq, arg->flags & BIND_PIRQ__WILL_SHARE);
    spin_unlock(&d->events.lock);
    if (port < 0)
        return refuse(v, port, arg->pirq, arg->flags);
    arg->port = (uint32_t)port;
    return 0;
}

/* ---- using ---- */

int event_op_send(struct vcpu *v, struct domain *d, struct evtchn_send *arg)
{
    struct event *e = event_at(d, arg->port);
    int rc = 0;

    if (unlikely(!e))
        return refuse(v, -XEN_EINVAL, arg->port, 0);
    port_lock(e);
    switch (e->kind) {
    case EVENT_INTERDOMAIN:
        event_deliver(e->remote, e->number, event_at(e->remote, e->number));
        break;
    case EVENT_IPI:
        event_deliver(d, arg->port, e);
        break;
    case EVENT_UNBOUND:
        break;                          /* nobody listens (any more): no error, the sender cannot know */
    default:
        rc = -XEN_EINVAL;
    }
    port_unlock(e);
    return rc ? refuse(v, rc, arg->port, 0) : 0;
}

int event_op_unmask(struct vcpu *v, struct domain *d, struct evtchn_unmask *arg)
{
    struct event *e = event_at(d, arg->port);
    struct event_fifo *f;

    if (!e)
        return refuse(v, -XEN_EINVAL, arg->port, 0);
    port_lock(e);
    if (event_open_kind(e)) {
        f = event_fifo_of(d);
        if (f)
            event_fifo_unmask(d, f, arg->port, e);
        else
            event_2l_unmask(d, arg->port, e);
    }
    port_unlock(e);
    return 0;
}

int event_op_close(struct vcpu *v, struct domain *d, struct evtchn_close *arg)
{
    int rc = event_shut(d, arg->port);

    return rc ? refuse(v, rc, arg->port, 0) : 0;
}

int event_op_status(struct vcpu *v, struct domain *d, struct evtchn_status *arg)
{
    static const uint8_t status[] = {
        [EVENT_FREE] = EVTCHNSTAT_closed,     [EVENT_RESERVED] = EVTCHNSTAT_closed,
        [EVENT_UNBOUND] = EVTCHNSTAT_unbound, [EVENT_INTERDOMAIN] = EVTCHNSTAT_interdomain,
        [EVENT_PIRQ] = EVTCHNSTAT_pirq,       [EVENT_VIRQ] = EVTCHNSTAT_virq,
        [EVENT_IPI] = EVTCHNSTAT_ipi,
    };
    struct event *e = event_at(d, arg->port);

    if (!e)
        return refuse(v, -XEN_EINVAL, arg->port, d->id);
    port_lock(e);
    arg->status = status[e->kind];
    arg->vcpu = __atomic_load_n(&e->vcpu, __ATOMIC_RELAXED);
    switch (e->kind) {
    case EVENT_UNBOUND:
        arg->u.unbound.dom = e->remote_id;
        break;
    case EVENT_INTERDOMAIN:
        arg->u.interdomain.dom = e->remote_id;
        arg->u.interdomain.port = e->number;
        break;
    case EVENT_PIRQ:
        arg->u.pirq = e->number;
        break;
    case EVENT_VIRQ:
        arg->u.virq = e->number;
        break;
    }
    port_unlock(e);
    return 0;
}

static bool may_move(const struct event *e)
{
    switch (e->kind) {
    case EVENT_VIRQ:
        return virq_is_global(e->number);
    case EVENT_UNBOUND:
    case EVENT_INTERDOMAIN:
    case EVENT_PIRQ:
        return true;
    }
    return false;
}

int event_op_bind_vcpu(struct vcpu *v, struct domain *d, struct evtchn_bind_vcpu *arg)
{
    struct event *e = event_at(d, arg->port);
    uint32_t pirq = MAX_PIRQS;
    bool moved;

    if (!domain_vcpu(d, arg->vcpu))
        return refuse(v, -XEN_ENOENT, arg->port, arg->vcpu);
    if (!e)
        return refuse(v, -XEN_EINVAL, arg->port, arg->vcpu);
    port_lock(e);
    moved = may_move(e);
    if (moved)
        __atomic_store_n(&e->vcpu, (uint16_t)arg->vcpu, __ATOMIC_RELAXED);
    if (moved && e->kind == EVENT_PIRQ)
        pirq = e->number;
    port_unlock(e);
    if (pirq < MAX_PIRQS)
        irq_follow(d, pirq);            /* a line's lock stands above the port's byte */
    return moved ? 0 : refuse(v, -XEN_EINVAL, arg->port, arg->vcpu);
}

/* ---- layouts ---- */

int event_op_init_control(struct vcpu *v, struct domain *d, struct evtchn_init_control *arg)
{
    int rc;

    if (!domain_vcpu(d, arg->vcpu))
        return refuse(v, -XEN_ENOENT, arg->vcpu, 0);
    spin_lock(&d->events.lock);
    rc = d->events.closed ? -XEN_EINVAL
                          : event_fifo_control_set(d, arg->vcpu, MFN(arg->control_gfn), arg->offset);
    spin_unlock(&d->events.lock);
    arg->link_bits = EVTCHN_FIFO_LINK_BITS;
    return rc ? refuse(v, rc, arg->control_gfn, arg->offset) : 0;
}

int event_op_expand_array(struct vcpu *v, struct domain *d, struct evtchn_expand_array *arg)
{
    int rc;

    spin_lock(&d->events.lock);
    rc = event_fifo_array_add(d, MFN(arg->array_gfn));
    spin_unlock(&d->events.lock);
    return rc ? refuse(v, rc, arg->array_gfn, 0) : 0;
}

int event_op_set_priority(struct vcpu *v, struct domain *d, struct evtchn_set_priority *arg)
{
    struct event *e = event_at(d, arg->port);
    int rc = 0;

    if (arg->priority > EVTCHN_FIFO_PRIORITY_MIN || !e)
        return refuse(v, -XEN_EINVAL, arg->port, arg->priority);
    if (!event_fifo_of(d))
        return -XEN_ENOSYS;
    /* A port that closes meanwhile goes back to the default, which must stand in the end. */
    port_lock(e);
    if (event_open_kind(e))
        __atomic_store_n(&e->priority, (uint8_t)arg->priority, __ATOMIC_RELAXED);
    else
        rc = -XEN_EACCES;
    port_unlock(e);
    return rc ? refuse(v, rc, arg->port, arg->priority) : 0;
}

/*
 * Back to the state of a new domain: no ports, two levels. What another vCPU opens behind our back is
 * closed in another round; a guest that keeps at it keeps only itself busy, since each round can be
 * preempted.
 */
int event_op_reset(struct vcpu *v, struct domain *d, struct evtchn_reset *arg)
{
    return event_close_all(d);
}
