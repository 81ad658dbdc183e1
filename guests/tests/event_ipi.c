/* SPDX-License-Identifier: BSD-2-Clause */
/* An interrupt to oneself, and moving ports between vCPUs. */
#include "rt.h"

TEST("event: IPIs, bind_vcpu");

void test_main(void)
{
    struct evtchn_bind_ipi b = { .vcpu = 0 }, bad = { .vcpu = 4711 };
    struct evtchn_send send;
    struct evtchn_bind_vcpu move;
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_status s = { .dom = DOMID_SELF };

    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &bad), -XEN_ENOENT);
    s.port = send.port = b.port;
    CHECK_EQ(event_op(EVTCHNOP_status, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_ipi);
    CHECK_EQ(s.vcpu, 0);
    events_unmask();
    events_seen = 0;
    CHECK_EQ(event_op(EVTCHNOP_send, &send), 0);
    CHECK_EQ(events_seen, 1);
    CHECK(port_pending(b.port));
    CHECK_EQ(event_op(EVTCHNOP_send, &send), 0);        /* still pending: no second upcall */
    CHECK_EQ(events_seen, 1);

    move = (struct evtchn_bind_vcpu){ b.port, 0 };
    CHECK_EQ(event_op(EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);     /* an IPI stays where it is */
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    move.port = a.port;
    CHECK_EQ(event_op(EVTCHNOP_bind_vcpu, &move), 0);
    move.vcpu = 4711;
    CHECK_EQ(event_op(EVTCHNOP_bind_vcpu, &move), -XEN_ENOENT);
    move = (struct evtchn_bind_vcpu){ 9999, 0 };
    CHECK_EQ(event_op(EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);
}
