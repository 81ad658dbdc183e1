/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port bound to another one of the same domain: events cross, masks hold them back, closing shows at the
 * other end.
 */
#include "rt.h"

TEST("event: unbound, interdomain, send, mask, unmask, close");

static volatile uint64_t *mask_word =
    (volatile uint64_t *)(shared_info_page + offsetof(struct shared_info, evtchn_mask));

static uint32_t status(evtchn_port_t port)
{
    struct evtchn_status s = { .dom = DOMID_SELF, .port = port };

    CHECK_EQ(event_op(EVTCHNOP_status, &s), 0);
    return s.status;
}
static long on_port(int cmd, evtchn_port_t port)
{
    struct evtchn_send s = { port };        /* send, unmask and close have the same argument */

    return event_op(cmd, &s);
}
static void clear_event(struct vcpu_info *v)
{
    v->evtchn_upcall_pending = 0;
    v->evtchn_pending_sel = 0;
}

void test_main(void)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };
    struct vcpu_info *v = &shared->vcpu_info[0];

    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    CHECK(a.port > 0);
    CHECK_EQ(status(a.port), EVTCHNSTAT_unbound);
    b.remote_port = a.port;
    CHECK_EQ(event_op(EVTCHNOP_bind_interdomain, &b), 0);
    CHECK(b.local_port != a.port);
    CHECK_EQ(status(a.port), EVTCHNSTAT_interdomain);
    CHECK_EQ(status(b.local_port), EVTCHNSTAT_interdomain);
    CHECK(event_op(EVTCHNOP_bind_interdomain, &b) < 0);             /* taken */
    port_clear(a.port);
    port_clear(b.local_port);
    clear_event(v);

    CHECK_EQ(on_port(EVTCHNOP_send, b.local_port), 0);
    CHECK(port_pending(a.port));
    CHECK(!port_pending(b.local_port));
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    CHECK_EQ(v->evtchn_pending_sel >> a.port / 64 & 1, 1);
    port_clear(a.port);
    clear_event(v);

    mask_word[a.port / 64] |= 1ull << a.port % 64;
    CHECK_EQ(on_port(EVTCHNOP_send, b.local_port), 0);
    CHECK(port_pending(a.port));
    CHECK_EQ(v->evtchn_upcall_pending, 0);
    CHECK_EQ(on_port(EVTCHNOP_unmask, a.port), 0);
    CHECK_EQ(mask_word[a.port / 64] >> a.port % 64 & 1, 0);
    CHECK_EQ(v->evtchn_upcall_pending, 1);
    port_clear(a.port);

    events_unmask();
    CHECK_EQ(events_seen, 1);                                       /* the one that was held */
    CHECK_EQ(on_port(EVTCHNOP_send, a.port), 0);
    CHECK_EQ(events_seen, 2);
    CHECK_EQ(on_port(EVTCHNOP_close, a.port), 0);
    CHECK_EQ(status(a.port), EVTCHNSTAT_closed);
    CHECK_EQ(status(b.local_port), EVTCHNSTAT_unbound);
    on_port(EVTCHNOP_send, b.local_port);                           /* to nobody: silent */
    CHECK_EQ(on_port(EVTCHNOP_close, b.local_port), 0);
    CHECK_EQ(on_port(EVTCHNOP_close, b.local_port), -XEN_EINVAL);
}
