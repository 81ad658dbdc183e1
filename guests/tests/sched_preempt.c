/* SPDX-License-Identifier: BSD-2-Clause */
/* One processor, two domains that both want it: who never gives it up is interrupted, and both get on. */
#include "child.h"

TEST("sched: a busy domain is preempted");

void test_main(void)
{
    struct child c = { 0 };
    uint64_t until;

    if (!child_create(&c))
        return;
    for (unsigned round = 0; round < 3; round++) {
        child_add(&c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
        c.page->state = 1;
        until = rdtsc() + 20000000000ull; /* no hypercall, no waiting: only the timer can take us off */
        while (c.page->state != 2 && rdtsc() < until)
            __asm__ volatile("pause");
        CHECK_EQ(c.page->state, 2);
        CHECK_EQ(c.page->call[0].result, 4 << 16 | 17);
    }
    child_destroy(&c);
}
