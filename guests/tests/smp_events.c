/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * Events between a child and several vCPUs of ours, both ways at once, in the layout with two levels: each
 * port goes to one vCPU, which clears and counts; what was sent last is seen.
 */
#include "child.h"
#include "smp.h"

TEST("smp: events in both directions, several vCPUs, two levels");

#define ROUNDS rounds(200)

static unsigned n;
static struct child c;
static evtchn_port_t ours[RT_VCPUS];
static volatile uint64_t seen[RT_VCPUS];
static volatile bool quit;

static void on_child(evtchn_port_t p)
{
    (void)p;
    seen[self()]++;
}

static void send_and_listen(unsigned self)
{
    events_unmask();
    while (!quit) {
        for (unsigned i = 0; i < 32; i++)
            CHECK_EQ(port_send(ours[self]), 0);
        if (self == 0 && c.page->state == 2)
            quit = true;
    }
}

/* Ports change hands, are masked and unmasked, while they are sent to. */
static void move(unsigned self)
{
    uint64_t seed = 3 + self;

    events_unmask();
    for (unsigned i = 0; i < ROUNDS; i++) {
        evtchn_port_t p = ours[random_next(&seed) % n];
        struct evtchn_bind_vcpu b = { p, (uint32_t)(seed >> 30) % n };
        struct evtchn_unmask u = { p };

        __atomic_fetch_or(&shared->evtchn_mask[p / 64], 1ull << p % 64, __ATOMIC_SEQ_CST);
        CHECK_EQ(event_op(EVTCHNOP_bind_vcpu, &b), 0);
        CHECK_EQ(event_op(EVTCHNOP_unmask, &u), 0);
    }
}

static void connect(unsigned v)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = c.id };
    struct evtchn_bind_interdomain *b = (void *)(c.page->buffer + 16 * v);
    struct evtchn_bind_vcpu to = { .vcpu = v };

    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    to.port = ours[v] = a.port;
    CHECK_EQ(event_op(EVTCHNOP_bind_vcpu, &to), 0);
    port_handle(a.port, v, on_child);
    *b = (struct evtchn_bind_interdomain){ 0, a.port, 0 };
    CHECK_EQ(child_call(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, child_buffer(16 * v),
                        0, 0),
             0);
    *(evtchn_port_t *)(c.page->buffer + 16 * v) = b->local_port;
}

/* The child's list: one send a port. */
static void storm_begin(uint64_t times)
{
    for (unsigned v = 0; v < n; v++)
        child_add(&c, __HYPERVISOR_event_channel_op, EVTCHNOP_send, child_buffer(16 * v), 0, 0);
    child_begin(&c, times);
}

void test_main(void)
{
    n = smp_begin_all(2);
    if (!child_create(&c))
        return;
    for (unsigned v = 0; v < n; v++)
        connect(v);
    storm_begin(ROUNDS * 10);
    smp_run(n, send_and_listen);
    for (unsigned v = 0; v < n; v++) {
        CHECK(seen[v] > 0);
        CHECK(seen[v] <= ROUNDS * 10);
        CHECK(!port_pending(ours[v]) || v);         /* the last one has been taken by who stayed to the end */
    }
    storm_begin(1u << 30);
    smp_run(n, move);
    c.page->again = 0;
    AWAIT(c.page->state == 2);
    events_mask();
    child_destroy(&c);
}
