/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas in the guest that the hypervisor keeps up to date: second clock, run states, vcpu_info. */
#include "rt.h"

TEST("time: registered clock and runstate areas");

void test_main(void)
{
    struct vcpu_time_info *clock = page_alloc();
    struct vcpu_runstate_info *state = page_alloc(), copy;
    struct vcpu_register_time_memory_area rt = { .addr.h.va = (uint64_t)clock };
    struct vcpu_register_runstate_memory_area rr = { .addr.h.va = (uint64_t)state };
    struct sched_poll p = { 0 };
    uint64_t sum, before;

    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &rt), 0);
    CHECK_EQ(clock->version & 1, 0);
    CHECK_EQ(clock->tsc_to_system_mul, shared->vcpu_info[0].time.tsc_to_system_mul);
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &rr), 0);
    CHECK_EQ(state->state, RUNSTATE_running);
    before = state->time[RUNSTATE_blocked];
    for (unsigned i = 0; i < 50 && state->time[RUNSTATE_blocked] == before; i++) {
        p.timeout = system_time() + 2000000;    /* past already, if the machine is slow: then once more */
        CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
    }
    CHECK(state->time[RUNSTATE_blocked] > before);
    CHECK_EQ(state->state, RUNSTATE_running);
    CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &copy), 0);
    CHECK_EQ(copy.state, RUNSTATE_running);
    CHECK(copy.state_entry_time <= system_time());
    sum = copy.time[0] + copy.time[1] + copy.time[2] + copy.time[3];
    CHECK(sum > before && sum <= system_time() + 1000000000);
    CHECK(copy.time[RUNSTATE_running] >= state->time[RUNSTATE_running]);

    rt.addr.h.va = HYPERVISOR_VIRT_START;
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &rt), -XEN_EFAULT);
    rr.addr.h.va = HYPERVISOR_VIRT_START + 4096;
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &rr), -XEN_EFAULT);
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, (void *)0x1000), -XEN_EFAULT);
    rr.addr.h.va = 0x1000; /* nothing mapped: updates fail silently, nobody dies */
    vcpu_op(VCPUOP_register_runstate_memory_area, 0, &rr);
    p.timeout = system_time() + 1000000;
    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
}
