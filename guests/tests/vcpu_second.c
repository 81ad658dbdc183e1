/* SPDX-License-Identifier: BSD-2-Clause */
/* hv-args: dom0_max_vcpus=2 */
/* A second vCPU: initialised, started, interrupted, stopped and started again. */
#include "rt.h"

TEST("vcpu: a second one, IPIs between the two");

static volatile uint64_t counter, stop;
static struct vcpu_guest_context context;
static evtchn_port_t to_first;

/* Runs on the second vCPU, which has no handlers: its events stay masked. */
static void second_main(void)
{
    struct evtchn_send s = { to_first };

    event_op(EVTCHNOP_send, &s);
    for (;;) {
        counter++;
        if (stop)
            vcpu_op(VCPUOP_down, 1, NULL);
        sched_op(SCHEDOP_yield, NULL);
    }
}

static void fill(void)
{
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = (uint64_t)second_main;
    context.user_regs.cs = FLAT_KERNEL_CS64;
    context.user_regs.ss = FLAT_KERNEL_SS64;
    context.user_regs.rflags = 0x2;
    context.user_regs.rsp = (uint64_t)page_alloc() + PAGE_SIZE - 8;
    context.kernel_ss = FLAT_KERNEL_SS64;
    context.kernel_sp = context.user_regs.rsp;
    context.ctrlreg[3] = xen_pfn_to_cr3(root_mfn());
}
static bool reaches(uint64_t want)
{
    for (unsigned i = 0; i < 5000000 && counter < want; i++)
        sched_op(SCHEDOP_yield, NULL);
    return counter >= want;
}

void test_main(void)
{
    struct evtchn_bind_ipi b = { .vcpu = 0 };
    uint64_t at;

    if (vcpu_op(VCPUOP_is_up, 1, NULL) < 0)
        skip("one vCPU only: the hypervisor's option dom0_max_vcpus=2 is missing");
    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    to_first = b.port;
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    CHECK(vcpu_op(VCPUOP_up, 1, NULL) < 0);                     /* it has no state yet */
    fill();
    context.ctrlreg[3] = xen_pfn_to_cr3(va_to_mfn(page_alloc()));
    CHECK(vcpu_op(VCPUOP_initialise, 1, &context) < 0);         /* no root */
    fill();
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &context), 0);
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &context), -XEN_EEXIST);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    CHECK_EQ(counter, 0);
    CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
    CHECK(reaches(10));
    CHECK(port_pending(to_first));
    stop = 1;
    for (unsigned i = 0; i < 5000000 && vcpu_op(VCPUOP_is_up, 1, NULL); i++)
        sched_op(SCHEDOP_yield, NULL);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    at = counter;
    for (unsigned i = 0; i < 10; i++)
        sched_op(SCHEDOP_yield, NULL);
    CHECK_EQ(counter, at);
    stop = 0;
    CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);                   /* goes on where it was */
    CHECK(reaches(at + 5));
    CHECK_EQ(vcpu_op(VCPUOP_down, 1, NULL), 0);                 /* from outside */
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}
