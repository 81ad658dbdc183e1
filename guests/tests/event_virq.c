/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual interrupts: one port each, per vCPU or global; the timer's rings. */
#include "rt.h"

TEST("event: VIRQs, the timer's and their refusals");

static long bind(uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_virq b = { .virq = virq, .vcpu = vcpu };
    long r = event_op(EVTCHNOP_bind_virq, &b);

    *port = b.port;
    return r;
}

void test_main(void)
{
    evtchn_port_t timer, other;
    struct evtchn_status s = { .dom = DOMID_SELF };
    struct evtchn_close c;
    struct sched_poll poll = { 0 };

    CHECK_EQ(bind(VIRQ_TIMER, 0, &timer), 0);
    CHECK_EQ(bind(VIRQ_TIMER, 0, &other), -XEN_EEXIST);
    CHECK_EQ(bind(NR_VIRQS, 0, &other), -XEN_EINVAL);
    CHECK_EQ(bind(0xffffffff, 0, &other), -XEN_EINVAL);
    CHECK_EQ(bind(VIRQ_DEBUG, 999, &other), -XEN_ENOENT);
    s.port = timer;
    CHECK_EQ(event_op(EVTCHNOP_status, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_virq);
    CHECK_EQ(s.u.virq, VIRQ_TIMER);
    CHECK_EQ(s.vcpu, 0);
    CHECK_EQ(bind(VIRQ_CONSOLE, 0, &other), 0);
    CHECK_EQ(bind(VIRQ_DOM_EXC, 0, &other), 0);

    port_clear(timer);
    poll.ports.va = (uint64_t)&timer;
    poll.nr_ports = 1;
    CHECK_EQ(hypercall(__HYPERVISOR_set_timer_op, system_time() + 1000000, 0, 0, 0), 0);
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0);
    CHECK(port_pending(timer));
    c.port = timer;
    CHECK_EQ(event_op(EVTCHNOP_close, &c), 0);
    CHECK_EQ(bind(VIRQ_TIMER, 0, &timer), 0);
}
