/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers: one-shot in both forms, past ones, periodic ones; each wakes a blocked vCPU. */
#include "rt.h"

TEST("sched: one-shot and periodic timers");

static evtchn_port_t timer;

static void wait_timer(void)
{
    struct sched_poll p = { { (uint64_t)&timer }, 1, system_time() + 3000000000ull };

    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
    CHECK(port_pending(timer));
    port_clear(timer);
    shared->vcpu_info[0].evtchn_pending_sel = 0;
}

void test_main(void)
{
    struct evtchn_bind_virq b = { .virq = VIRQ_TIMER };
    struct vcpu_set_singleshot_timer once = { 0 };
    struct vcpu_set_periodic_timer every = { 2000000 };
    uint64_t at;
    long r;

    CHECK_EQ(event_op(EVTCHNOP_bind_virq, &b), 0);
    timer = b.port;
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    port_clear(timer);

    at = system_time() + 2000000;
    CHECK_EQ(hypercall(__HYPERVISOR_set_timer_op, at, 0, 0, 0), 0);
    wait_timer();
    CHECK(system_time() >= at);
    once.timeout_abs_ns = at = system_time() + 2000000;
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &once), 0);
    wait_timer();
    CHECK(system_time() >= at);
    once.timeout_abs_ns = 1;                                /* past: at once ... */
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &once), 0);
    wait_timer();
    once.flags = VCPU_SSHOTTMR_future; /* ... or refused, if so wanted; Xen 4.17 does not care */
    r = vcpu_op(VCPUOP_set_singleshot_timer, 0, &once);
    CHECK(r == 0 || r == -XEN_ETIME);
    if (r == 0)
        wait_timer();
    CHECK_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);

    CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &every), 0);
    wait_timer();
    wait_timer();
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    every.period_ns = 1;
    CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &every), -XEN_EINVAL);
    CHECK_EQ(hypercall(__HYPERVISOR_set_timer_op, 0, 0, 0, 0), 0);          /* none */
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)0x1000), -XEN_EFAULT);
}
