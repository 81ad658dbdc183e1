/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 */
/* Two domains that only compute, on one processor, with weights 256 and 512: the second gets twice as
 * much. */
#include "child.h"
#include "smp.h"

TEST("smp: two domains share a processor by their weights");

static struct child light, heavy;

static void set(domid_t dom, uint16_t weight)
{
    struct xen_domctl op = { 0 };
    uint64_t second = 2;

    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard = (struct xenctl_bitmap){ { (uint64_t)&second }, 8 };
    CHECK_EQ(domctl(XEN_DOMCTL_setvcpuaffinity, dom, &op), 0);
    memset(&op, 0, sizeof op);
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit2.weight = weight;
    CHECK_EQ(domctl(XEN_DOMCTL_scheduler_op, dom, &op), 0);
}

static uint64_t cpu_time(domid_t dom)
{
    struct xen_domctl op = { 0 };

    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, dom, &op), 0);
    return op.u.getdomaininfo.cpu_time;
}

void test_main(void)
{
    uint64_t a, b, begin, took;

    smp_begin(2);
    if (!child_create(&light) || !child_create(&heavy))
        return;
    set(light.id, 256);
    set(heavy.id, 512);
    light.page->state = heavy.page->state = 3;
    nap(50000000);
    a = cpu_time(light.id);
    b = cpu_time(heavy.id);
    begin = system_time();
    nap(rounds(2) * 1000000000ull);
    took = system_time() - begin;
    a = cpu_time(light.id) - a;
    b = cpu_time(heavy.id) - b;
    say("in %lu ms: weight 256 got %lu ms, 512 got %lu ms\n", took / 1000000, a / 1000000, b / 1000000);
    CHECK(b * 10 > a * 17 && b * 10 < a * 23);
    light.page->state = heavy.page->state = 0;
    child_destroy(&light);
    child_destroy(&heavy);
}
