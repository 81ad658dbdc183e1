/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up the processor: yield, block until an event, poll with ports and with a time. */
#include "rt.h"

TEST("sched: yield, block, poll");

void test_main(void)
{
    struct evtchn_bind_ipi b = { .vcpu = 0 };
    struct evtchn_bind_virq t = { .virq = VIRQ_TIMER };
    struct evtchn_send send;
    evtchn_port_t ports[2];
    struct sched_poll p = { .ports = { (uint64_t)ports } };
    uint64_t at;

    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    CHECK_EQ(event_op(EVTCHNOP_bind_virq, &t), 0);
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    port_clear(t.port);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(sched_op(SCHEDOP_yield, NULL), 0);

    at = system_time() + 1000000;
    p.timeout = at;
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);                /* no ports: sleep */
    CHECK(system_time() >= at);
    ports[0] = t.port;
    ports[1] = send.port = b.port;
    CHECK_EQ(event_op(EVTCHNOP_send, &send), 0);
    p = (struct sched_poll){ { (uint64_t)ports }, 2, 0 };
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);                /* pending already */
    port_clear(b.port);

    events_seen = 0;
    shared->vcpu_info[0].evtchn_pending_sel = 0;
    shared->vcpu_info[0].evtchn_upcall_pending = 0;
    CHECK_EQ(hypercall(__HYPERVISOR_set_timer_op, system_time() + 1000000, 0, 0, 0), 0);
    CHECK_EQ(sched_op(SCHEDOP_block, NULL), 0);             /* unmasks, waits, and the event is delivered */
    CHECK_EQ(events_seen, 1);
    CHECK_EQ(shared->vcpu_info[0].evtchn_upcall_mask, 0);
    CHECK(port_pending(t.port));

    p.nr_ports = 129;
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
    p.nr_ports = 1;
    ports[0] = 999999;
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
    p.ports.va = 0x1000;
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), -XEN_EFAULT);
    CHECK_EQ(sched_op(99, &p), -XEN_ENOSYS);
    CHECK_EQ(sched_op(SCHEDOP_shutdown, (void *)0x1000), -XEN_EFAULT);
    CHECK_EQ(hypercall(__HYPERVISOR_sched_op_compat, 0, 0, 0, 0), 0);       /* yield, older form */
    CHECK_EQ(hypercall(__HYPERVISOR_sched_op_compat, 77, 0, 0, 0), -XEN_ENOSYS);
}
