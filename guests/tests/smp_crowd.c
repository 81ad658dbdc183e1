/* SPDX-License-Identifier: BSD-2-Clause */
/* hv-args: dom0_max_vcpus=64 */
/* smp: 2 */
/*
 * 64 vCPUs fight for one lock on two processors. Who waits sleeps in poll, as Linux does, or yields; whoever
 * has the lock may lose its processor at any moment, so all depends on its getting one again.
 */
#include "smp.h"

TEST("smp: 64 vCPUs in a spinlock fight on two processors");

#define ROUNDS rounds(1)
#define VCPUS 64

static struct ticket_lock lock;
static volatile uint64_t inside, entries, per_vcpu[VCPUS];
static evtchn_port_t kick[VCPUS];

static void work(unsigned self)
{
    CHECK_EQ(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST), 1);
    for (unsigned i = 0; i < 200; i++)
        relax();
    entries++;
    per_vcpu[self]++;
    CHECK_EQ(__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST), 0);
}

static void yielding(unsigned self)
{
    for (unsigned r = 0; r < ROUNDS; r++) {
        ticket_lock(&lock);
        work(self);
        ticket_unlock(&lock);
    }
}

static volatile uint64_t taken;     /* by one, or 0 */
static volatile uint64_t waiting;   /* a bit for each vCPU that may be asleep */

static void polling_lock(unsigned self)
{
    struct sched_poll p = { { (uint64_t)&kick[self] }, 1, 0 };
    uint64_t end = 0;

    while (__atomic_exchange_n(&taken, 1, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_or(&waiting, 1ull << self, __ATOMIC_SEQ_CST);
        if (taken)
            CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);        /* no time limit: the unlocker kicks */
        port_clear(kick[self]);
        if (!lasts(&end, 40000000000ull))
            give_up("a kick was lost");
    }
    __atomic_fetch_and(&waiting, ~(1ull << self), __ATOMIC_SEQ_CST);
}

static void kick_one(void)
{
    uint64_t w = waiting;

    if (w)
        CHECK_EQ(port_send(kick[__builtin_ctzll(w)]), 0);
}

static void polling(unsigned self)
{
    for (unsigned r = 0; r < ROUNDS; r++) {
        polling_lock(self);
        work(self);
        __atomic_store_n(&taken, 0, __ATOMIC_SEQ_CST);
        kick_one();
    }
    /* a kick that came for us after our last turn is handed on */
    __atomic_fetch_and(&waiting, ~(1ull << self), __ATOMIC_SEQ_CST);
    kick_one();
}

void test_main(void)
{
    smp_begin(VCPUS);
    smp_run(VCPUS, yielding);
    CHECK_EQ(entries, VCPUS * ROUNDS);
    entries = 0;
    for (unsigned v = 0; v < VCPUS; v++) {
        struct evtchn_bind_ipi b = { .vcpu = v };

        CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
        kick[v] = b.port;
    }
    smp_run(VCPUS, polling);
    CHECK_EQ(entries, VCPUS * ROUNDS);
    for (unsigned v = 0; v < VCPUS; v++)
        CHECK_EQ(per_vcpu[v], 2 * ROUNDS);
}
