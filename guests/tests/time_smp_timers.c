/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/* Each vCPU sets its own timers, all at once: each comes once, none before its time; then periodic ones. */
#include "smp.h"

TEST("time: timers of several vCPUs, none lost, none early");

#define SHOTS rounds(60)
#define PERIOD 2000000ull
#define TICKS rounds(10)

static unsigned n;
static volatile uint64_t fired[RT_VCPUS], due[RT_VCPUS];
static uint64_t latest[RT_VCPUS];

static void on_timer(evtchn_port_t p)
{
    unsigned v = self();
    uint64_t now = system_time();

    (void)p;
    fired[v]++;
    if (due[v] && now < due[v]) {
        say("vCPU %u: timer %lu ns early\n", v, due[v] - now);
        CHECK(!"early");
    }
    if (due[v] && now - due[v] > latest[v])
        latest[v] = now - due[v];
}

static void sleep_until(unsigned v, uint64_t want)
{
    struct patience p = { 0 };

    events_mask();
    while (fired[v] < want) {
        p.spins = 63;
        if (system_time() > due[v] + 40000000000ull)
            be_patient(&p, "a timer");
        sched_op(SCHEDOP_block, NULL);
        events_mask();
    }
    events_unmask();
}

/* By both hypercalls in turn, some of them set again before they come: only the last setting counts. */
static void shots(unsigned v)
{
    uint64_t seed = 4711 + v * 99;

    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, (int)v, NULL), 0);
    events_unmask();                            /* a vCPU may have been born with a periodic timer */
    fired[v] = 0;
    for (unsigned i = 0; i < SHOTS; i++) {
        uint64_t delay = random_next(&seed) % 300000, before;
        struct vcpu_set_singleshot_timer once = { 0 };

        events_mask();
        before = fired[v];
        if (i % 3 == 0) {
            once.timeout_abs_ns = system_time() + 1000000000000ull;
            CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, (int)v, &once), 0);
        }
        once.timeout_abs_ns = due[v] = system_time() + delay + 1;
        if (i % 2)
            CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, (int)v, &once), 0);
        else
            CHECK_EQ(hypercall(__HYPERVISOR_set_timer_op, due[v], 0, 0, 0), 0);
        sleep_until(v, before + 1);
        CHECK_EQ(fired[v], before + 1);
    }
    CHECK_EQ(fired[v], SHOTS);
}

static void periodic(unsigned v)
{
    struct vcpu_set_periodic_timer every = { PERIOD * (v + 1) };
    uint64_t start = system_time();

    due[v] = fired[v] = 0;
    events_unmask();
    CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, (int)v, &every), 0);
    AWAIT(fired[v] >= TICKS);                   /* Xen's periodic timers do not wake a vCPU that blocks */
    /* ticks that came late are delivered as one, so there may be fewer than periods have passed, never
     * more */
    CHECK(system_time() - start >= (TICKS - 1) * every.period_ns);
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, (int)v, NULL), 0);
}

void test_main(void)
{
    n = smp_begin_all(2);
    for (unsigned v = 0; v < n; v++)
        timer_port(v, on_timer);
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    smp_run(n, shots);
    for (unsigned v = 0; v < n; v++)
        say("vCPU %u: latest timer %lu ns late\n", v, latest[v]);
    smp_run(n, periodic);
}
