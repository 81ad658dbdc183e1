/* SPDX-License-Identifier: BSD-2-Clause */
/* The FIFO layout: queues by priority, linked words, growing array; and back to two levels by reset. */
#include "rt.h"

TEST("event: FIFO control block, array, priorities");

static evtchn_port_t self_port(void)
{
    struct evtchn_bind_ipi b = { .vcpu = 0 };

    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    return b.port;
}
static long send(evtchn_port_t port)
{
    struct evtchn_send s = { port };

    return event_op(EVTCHNOP_send, &s);
}

void test_main(void)
{
    struct evtchn_fifo_control_block *control = page_alloc();
    volatile uint32_t *word = page_alloc();
    struct evtchn_init_control i = { .control_gfn = va_to_mfn(control), .vcpu = 0 };
    struct evtchn_expand_array e = { va_to_mfn((void *)word) };
    struct evtchn_set_priority p;
    struct evtchn_reset reset = { DOMID_SELF };
    evtchn_port_t a, b, c;
    const uint32_t pending = 1u << EVTCHN_FIFO_PENDING, linked = 1u << EVTCHN_FIFO_LINKED;

    CHECK(event_op(EVTCHNOP_expand_array, &e) < 0);             /* not FIFO yet */
    i.offset = 4;
    CHECK_EQ(event_op(EVTCHNOP_init_control, &i), -XEN_EINVAL);
    i.offset = PAGE_SIZE - 8;
    CHECK_EQ(event_op(EVTCHNOP_init_control, &i), -XEN_EINVAL);
    i.offset = 0;
    i.vcpu = 999;
    CHECK_EQ(event_op(EVTCHNOP_init_control, &i), -XEN_ENOENT);
    i.vcpu = 0;
    CHECK_EQ(event_op(EVTCHNOP_init_control, &i), 0);
    CHECK_EQ(i.link_bits, EVTCHN_FIFO_LINK_BITS);
    CHECK_EQ(event_op(EVTCHNOP_expand_array, &e), 0);

    a = self_port();
    b = self_port();
    c = self_port();
    p = (struct evtchn_set_priority){ c, EVTCHN_FIFO_PRIORITY_MAX };
    CHECK_EQ(event_op(EVTCHNOP_set_priority, &p), 0);
    p.priority = EVTCHN_FIFO_PRIORITY_MIN + 1;
    CHECK_EQ(event_op(EVTCHNOP_set_priority, &p), -XEN_EINVAL);
    p.port = 99999;
    CHECK(event_op(EVTCHNOP_set_priority, &p) < 0);

    CHECK_EQ(send(a), 0);
    CHECK_EQ(send(b), 0);
    CHECK_EQ(send(c), 0);
    CHECK_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT | 1);
    CHECK_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], a);
    CHECK_EQ(control->head[0], c);
    CHECK_EQ(word[a], pending | linked | b);
    CHECK_EQ(word[b], pending | linked);
    CHECK_EQ(shared->vcpu_info[0].evtchn_upcall_pending, 1);
    CHECK_EQ(send(a), 0);                                       /* pending already: the queue is as it was */
    CHECK_EQ(word[a], pending | linked | b);

    CHECK_EQ(event_op(EVTCHNOP_reset, &reset), 0);
    a = self_port();
    CHECK_EQ(send(a), 0);
    CHECK(port_pending(a));                                     /* two levels again */
}
