/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op: giving up the processor, waiting for events, ending. One function a row of abi/ops/sched.def. */
#include <hv/guest.h>
#include <hv/ops.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

#include "domain_life.h"

#ifndef POLL_PORTS_MOST
#define POLL_PORTS_MOST 128
#endif

int sched_op_yield(struct vcpu *v, struct domain *d, no_argument_t *arg)
{
    vcpu_yield(v);
    return 0;
}

/* The flag first, then the look: whoever sends in between clears the flag again. */
int sched_op_block(struct vcpu *v, struct domain *d, no_argument_t *arg)
{
    struct vcpu_info *info = v->info;

    __atomic_store_n(&info->evtchn_upcall_mask, 0, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&v->pause_flags, PAUSE_BLOCKED, __ATOMIC_SEQ_CST);
    if (event_upcall_due(v) || __atomic_load_n(&v->pv.nmi_pending, __ATOMIC_SEQ_CST))
        __atomic_fetch_and(&v->pause_flags, ~(uint32_t)PAUSE_BLOCKED, __ATOMIC_SEQ_CST);
    else
        pcpu_raise(this_cpu(), PENDING_SCHED);
    return 0;
}

/* Reads the ports: 0 none is pending, 1 one is, or -errno. *only is the port if there is one. */
static int poll_look(struct vcpu *v, const struct sched_poll *arg, evtchn_port_t *only)
{
    int pending = 0;

    for (uint32_t i = 0; i < arg->nr_ports; i++) {
        evtchn_port_t port;

        if (guest_read(&port, gaddr_index(arg->ports, i, sizeof(port)), sizeof(port)))
            return -XEN_EFAULT;
        if (port >= __atomic_load_n(&v->domain->events.ports, __ATOMIC_ACQUIRE))
            return -XEN_EINVAL;
        pending |= event_port_pending(v->domain, port);
        *only = port;
    }
    return pending;
}

int sched_op_poll(struct vcpu *v, struct domain *d, struct sched_poll *arg)
{
    evtchn_port_t only = ~0u;
    int pending;

    if (arg->nr_ports > POLL_PORTS_MOST)
        return refuse(v, -XEN_EINVAL, arg->nr_ports, POLL_PORTS_MOST);
    __atomic_store_n(&v->poll_port, ~0u, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&v->pause_flags, PAUSE_POLL, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&d->events.pollers, 1ull << v->id, __ATOMIC_SEQ_CST);
    pending = poll_look(v, arg, &only);
    /* Upcalls end the wait as well: the guest would not be interrupted otherwise. */
    if (pending || event_upcall_due(v)) {
        event_poll_end(v);
        return pending < 0 ? refuse(v, pending, arg->nr_ports, only) : 0;
    }
    if (arg->nr_ports == 1)
        __atomic_store_n(&v->poll_port, only, __ATOMIC_SEQ_CST);
    if (arg->timeout)
        vcpu_timer_set(v, &v->poll, arg->timeout);
    else
        timer_stop(&v->poll);
    pcpu_raise(this_cpu(), PENDING_SCHED);
    return 0;
}

int sched_op_shutdown(struct vcpu *v, struct domain *d, struct sched_shutdown *arg)
{
    if (arg->reason > SHUTDOWN_MAX)
        return refuse(v, -XEN_EINVAL, arg->reason, SHUTDOWN_MAX);
    domain_shutdown(d, arg->reason);
    return 0;
}

/* Only notes the reason: a kernel that panics tells it before it tries to dump. */
int sched_op_shutdown_code(struct vcpu *v, struct domain *d, struct sched_shutdown *arg)
{
    uint32_t none = SHUTDOWN_NONE;

    if (arg->reason > SHUTDOWN_MAX || __atomic_load_n(&d->shutting_down, __ATOMIC_RELAXED) ||
        !__atomic_compare_exchange_n(&d->shutdown_reason, &none, arg->reason, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return refuse(v, -XEN_EINVAL, arg->reason, none);
    return 0;
}

int sched_op_remote_shutdown(struct vcpu *v, struct domain *d, struct sched_remote_shutdown *arg)
{
    if (d == v->domain)
        return refuse(v, -XEN_ESRCH, arg->domain_id, 0);
    if (arg->reason > SHUTDOWN_MAX)
        return refuse(v, -XEN_EINVAL, arg->reason, SHUTDOWN_MAX);
    domain_shutdown(d, arg->reason);
    return 0;
}

int sched_op_watchdog(struct vcpu *v, struct domain *d, struct sched_watchdog *arg)
{
    int rc = domain_watchdog_set(d, arg->id, arg->timeout);

    return rc < 0 ? refuse(v, rc, arg->id, arg->timeout) : rc;
}

/* dom0 wants to run firmware on one given processor: -1 ends it. The move happens on the way back. */
int sched_op_pin_override(struct vcpu *v, struct domain *d, struct sched_pin_override *arg)
{
    if (arg->pcpu < 0) {
        vcpu_pin_override(v, ~0u);
        return 0;
    }
    if ((uint32_t)arg->pcpu >= pcpu_count)
        return refuse(v, -XEN_EINVAL, (uint32_t)arg->pcpu, pcpu_count);
    if (__atomic_load_n(&v->sched.override, __ATOMIC_RELAXED) != ~0u)
        return refuse(v, -XEN_EBUSY, (uint32_t)arg->pcpu, v->cpu->id);
    vcpu_pin_override(v, (uint32_t)arg->pcpu);
    return 0;
}
