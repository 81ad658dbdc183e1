/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/* vCPUs go down and up again and again: by themselves, by another's hand, several at once, while IPIs fly. */
#include "smp.h"

TEST("smp: vCPU hotplug in a loop");

#define ROUNDS rounds(40)

static unsigned n;
static volatile uint64_t visits[RT_VCPUS], heard[RT_VCPUS];
static evtchn_port_t port[RT_VCPUS];
static volatile bool quit;

static void visit(unsigned self)
{
    CHECK_EQ(vcpu_op(VCPUOP_is_up, (int)self, NULL), 1);
    events_unmask();                        /* what came while it was down is delivered now */
    visits[self]++;
}

static void hear(evtchn_port_t p)
{
    (void)p;
    heard[self()]++;
}

static void stay(unsigned self)
{
    while (!quit)
        visits[self]++;
}

static bool offline(unsigned v)
{
    struct vcpu_runstate_info r;

    return vcpu_op(VCPUOP_get_runstate_info, (int)v, &r) == 0 && r.state == RUNSTATE_offline;
}

/* From outside a vCPU is stopped wherever it is, and goes on from there. */
static void from_outside(void)
{
    for (unsigned v = 1; v < n; v++)
        smp_start(v, stay);
    for (unsigned r = 0; r < ROUNDS / 4; r++)
        for (unsigned v = 1; v < n; v++) {
            uint64_t before;

            CHECK_EQ(vcpu_op(VCPUOP_down, (int)v, NULL), 0);
            CHECK_EQ(vcpu_op(VCPUOP_is_up, (int)v, NULL), 0);
            CHECK_EQ(vcpu_op(VCPUOP_down, (int)v, NULL), 0);            /* it is already */
            AWAIT(offline(v));              /* it may be on the way to its stop still */
            before = visits[v];
            port_send(port[v]);
            for (uint64_t end = 0; lasts(&end, 200000);)
                CHECK_EQ(visits[v], before);
            CHECK_EQ(vcpu_op(VCPUOP_up, (int)v, NULL), 0);
            CHECK_EQ(vcpu_op(VCPUOP_up, (int)v, NULL), 0);
            AWAIT(visits[v] != before);
        }
    quit = true;
    for (unsigned v = 1; v < n; v++)
        smp_wait(v);
}

/* While it is down its state can be asked, not set; no such vCPU is an error. */
static void refusals(void)
{
    static struct vcpu_guest_context c;

    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EEXIST);
    AWAIT(offline(1));                      /* it has said that it is done, and is on the way */
    CHECK_EQ(vcpu_op(VCPUOP_up, (int)n, NULL), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_down, 8192, NULL), -XEN_ENOENT);
    CHECK(vcpu_op(VCPUOP_is_up, -1, NULL) < 0);
}

void test_main(void)
{
    n = smp_begin_all(2);
    for (unsigned v = 0; v < n; v++)
        port[v] = ipi_port(v, hear);
    for (unsigned r = 0; r < ROUNDS; r++) {
        for (unsigned v = 1; v < n; v++)
            port_send(port[v]);             /* to a vCPU that is down: kept until it is up */
        smp_run(n, visit);
    }
    for (unsigned v = 1; v < n; v++) {
        CHECK_EQ(visits[v], ROUNDS);
        CHECK_EQ(heard[v], ROUNDS);
    }
    from_outside();
    refusals();
}
