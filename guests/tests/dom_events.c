/* SPDX-License-Identifier: BSD-2-Clause */
/* An event channel between two domains, opened by either side, closed when one of them dies. */
#include "child.h"

TEST("dom: events between two domains");

static void wait_port(evtchn_port_t port)
{
    struct sched_poll p = { { (uint64_t)&port }, 1, system_time() + 2000000000 };

    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
    CHECK(port_pending(port));
    port_clear(port);
    shared->vcpu_info[0].evtchn_pending_sel = 0;
}

/* One that has no vCPU yet: there is nobody who could be told. The real Xen opens the port all the same. */
static void not_to_a_shell(struct child *c)
{
    struct evtchn_alloc_unbound a = { .remote_dom = 0 };

    if (!on_hauch() || !child_shell(c, 1))
        return;
    a.dom = c->id;
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), -XEN_EINVAL);
    child_destroy(c);
}

void test_main(void)
{
    struct child c = { 0 };
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF }, for_it = { .remote_dom = 0 };
    struct evtchn_bind_interdomain *b, own;
    struct evtchn_status s = { .dom = DOMID_SELF };
    evtchn_port_t its;

    if (!child_create(&c))
        return;
    a.remote_dom = c.id;
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    b = (void *)c.page->buffer;
    *b = (struct evtchn_bind_interdomain){ 0, a.port, 0 };
    CHECK_EQ(child_call(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, child_buffer(0), 0, 0),
             0);
    its = b->local_port;
    *(evtchn_port_t *)c.page->buffer = its;
    CHECK_EQ(child_call(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_send, child_buffer(0), 0, 0), 0);
    wait_port(a.port);
    s.port = a.port;
    CHECK_EQ(event_op(EVTCHNOP_status, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
    CHECK_EQ(s.u.interdomain.dom, c.id);
    CHECK_EQ(s.u.interdomain.port, its);

    for_it.dom = c.id;                                              /* the builder opens ports of its child */
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &for_it), 0);
    own = (struct evtchn_bind_interdomain){ c.id, for_it.port, 0 };
    CHECK_EQ(event_op(EVTCHNOP_bind_interdomain, &own), 0);

    /* the child may not do that to us, nor bind what was not opened for it */
    *(struct evtchn_alloc_unbound *)c.page->buffer =
        (struct evtchn_alloc_unbound){ .dom = 0, .remote_dom = c.id };
    CHECK_EQ(child_call(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, child_buffer(0), 0, 0),
             -XEN_EPERM);
    a.remote_dom = DOMID_SELF;
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    *b = (struct evtchn_bind_interdomain){ 0, a.port, 0 };
    CHECK(child_call(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, child_buffer(0), 0, 0) <
          0);
    *(struct evtchn_reset *)c.page->buffer = (struct evtchn_reset){ 0 };
    CHECK_EQ(child_call(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_reset, child_buffer(0), 0, 0),
             -XEN_EPERM);
    child_destroy(&c);
    CHECK_EQ(event_op(EVTCHNOP_status, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_unbound);
    not_to_a_shell(&c);
}
