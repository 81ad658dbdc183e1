/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * Interrupts between vCPUs. An event is one bit, so a sender waits until its last one has been seen: then
 * each send must be answered by one call of the handler, and one that is lost ends the test at its limit.
 */
#include "smp.h"

TEST("smp: IPIs there and back, and all to all, none lost");

#define TRIPS rounds(50)
#define STORM (rounds(1000) / (n * (n - 1)))        /* the fewer from each the more there are */

static unsigned n;
static evtchn_port_t port[RT_VCPUS][RT_VCPUS];      /* [from][to] */
static volatile unsigned seen[RT_VCPUS][RT_VCPUS];
static uint8_t from_of[4096], to_of[4096];
static volatile unsigned pings, pongs;
static evtchn_port_t ping, pong;

static void on_ping(evtchn_port_t p)
{
    (void)p;
    pings++;
    port_send(pong);
}
static void on_pong(evtchn_port_t p)
{
    (void)p;
    pongs++;
}

/* vCPU 0 sleeps until the answer comes; vCPU 1 sleeps between two questions. */
static void trips(unsigned vcpu)
{
    uint64_t start;

    events_unmask();
    if (vcpu > 1)
        return;
    if (vcpu == 1) {
        while (pings < TRIPS)
            sched_op(SCHEDOP_block, NULL);
        return;
    }
    start = system_time();
    for (unsigned i = 0; i < TRIPS; i++) {
        events_mask();
        port_send(ping);
        while (pongs == i) {
            sched_op(SCHEDOP_block, NULL);          /* takes events again, so the pong may come before it */
            events_mask();
        }
    }
    say("IPI there and back, both asleep: %lu ns\n", (system_time() - start) / TRIPS);
    events_unmask();
}

static void on_storm(evtchn_port_t p) { seen[from_of[p]][to_of[p]]++; }

static void storm(unsigned vcpu)
{
    static struct barrier begin, end;

    events_unmask();
    barrier_wait(&begin, n);
    for (unsigned i = 0; i < STORM; i++)
        for (unsigned to = 0; to < n; to++) {
            if (to == vcpu)
                continue;
            AWAIT(seen[vcpu][to] == i);
            CHECK_EQ(port_send(port[vcpu][to]), 0);
        }
    barrier_wait(&end, n);                          /* it answers the others until all are done */
    for (unsigned to = 0; to < n; to++)
        if (to != vcpu)
            AWAIT(seen[vcpu][to] == STORM);
    barrier_wait(&begin, n);
}

void test_main(void)
{
    n = smp_begin_all(2);
    ping = ipi_port(1, on_ping);
    pong = ipi_port(0, on_pong);
    smp_run(n, trips);
    CHECK_EQ(pings, TRIPS);
    CHECK_EQ(pongs, TRIPS);
    for (unsigned from = 0; from < n; from++)
        for (unsigned to = 0; to < n; to++)
            if (from != to) {
                evtchn_port_t p = port[from][to] = ipi_port(to, on_storm);

                from_of[p] = (uint8_t)from;
                to_of[p] = (uint8_t)to;
            }
    smp_run(n, storm);
    for (unsigned from = 0; from < n; from++)
        for (unsigned to = 0; to < n; to++)
            CHECK_EQ(seen[from][to], from == to ? 0 : STORM);
}
