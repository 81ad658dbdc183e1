/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports that are none, closed, or another kind's, for each operation. */
#include "rt.h"

TEST("event: bad ports and domains");

void test_main(void)
{
    static const evtchn_port_t bad[] = { 0, 1000, 4095, 4096, 0x1ffff, 0x20000, 0x7fffffff, 0xffffffff };
    static const int plain[] = { EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_unmask };
    struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_bind_pirq p = { .pirq = 0xffffffff };
    struct evtchn_status s;

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        for (unsigned j = 0; j < ARRAY_LEN(plain); j++) {
            struct evtchn_send arg = { bad[i] };
            long r = event_op(plain[j], &arg);

            CHECK(r < 0 || (plain[j] == EVTCHNOP_unmask && bad[i] < 4096));
        }
        b.remote_port = bad[i];
        CHECK(event_op(EVTCHNOP_bind_interdomain, &b) < 0);
        s = (struct evtchn_status){ .dom = DOMID_SELF, .port = bad[i] };
        CHECK(event_op(EVTCHNOP_status, &s) < 0 || s.status == EVTCHNSTAT_closed);
    }
    a.dom = 1234;
    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), -XEN_ESRCH);
    s = (struct evtchn_status){ .dom = 1234, .port = 1 };
    CHECK_EQ(event_op(EVTCHNOP_status, &s), -XEN_ESRCH);
    b.remote_dom = 1234;
    CHECK_EQ(event_op(EVTCHNOP_bind_interdomain, &b), -XEN_ESRCH);
    CHECK(event_op(EVTCHNOP_bind_pirq, &p) < 0);
    p.pirq = 5000;
    CHECK(event_op(EVTCHNOP_bind_pirq, &p) < 0);
    CHECK_EQ(event_op(EVTCHNOP_send, (void *)0x1000), -XEN_EFAULT);
    CHECK_EQ(event_op(99, &a), -XEN_ENOSYS);
}
