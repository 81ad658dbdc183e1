/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain that ends by itself, with each reason; dom0 is told by VIRQ and reads why. */
#include "child.h"

TEST("dom: shutdown seen by dom0");

void test_main(void)
{
    struct child c = { 0 };
    struct evtchn_bind_virq b = { .virq = VIRQ_DOM_EXC };
    struct sched_poll p = { .nr_ports = 1 };
    struct xen_domctl op = { 0 };

    CHECK_EQ(event_op(EVTCHNOP_bind_virq, &b), 0);
    if (!child_create(&c))
        return;
    port_clear(b.port);
    *(struct sched_shutdown *)c.page->buffer = (struct sched_shutdown){ SHUTDOWN_crash };
    child_add(&c, __HYPERVISOR_sched_op, SCHEDOP_shutdown, child_buffer(0), 0, 0);
    c.page->state = 1;
    p.ports.va = (uint64_t)&b.port;
    p.timeout = system_time() + 2000000000;
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
    CHECK(port_pending(b.port));
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c.id, &op), 0);
    CHECK_EQ(op.u.getdomaininfo.flags & XEN_DOMINF_shutdown, XEN_DOMINF_shutdown);
    CHECK_EQ(op.u.getdomaininfo.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_crash);
    CHECK_EQ(c.page->state, 1);
    child_destroy(&c);
}
