/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset closes every port of ours, and there may be a thousand. */
#include "rt.h"

TEST("event: many ports, reset");

void test_main(void)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_bind_virq v = { .virq = VIRQ_TIMER };
    struct evtchn_reset r = { DOMID_SELF };
    evtchn_port_t first = 0;
    struct evtchn_status s = { .dom = DOMID_SELF };

    for (unsigned i = 0; i < 1000; i++) {
        CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
        if (i == 0)
            first = a.port;
    }
    CHECK_EQ(event_op(EVTCHNOP_bind_virq, &v), 0);
    CHECK_EQ(event_op(EVTCHNOP_reset, &r), 0);
    s.port = a.port;
    CHECK_EQ(event_op(EVTCHNOP_status, &s), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_closed);
    CHECK_EQ(event_op(EVTCHNOP_bind_virq, &v), 0);
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    CHECK(a.port <= first + 8);                                 /* numbers are used again */
    r.dom = 1234;
    CHECK_EQ(event_op(EVTCHNOP_reset, &r), -XEN_ESRCH);
}
