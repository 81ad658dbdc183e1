/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * The clocks of two domains: what the child's clock page says of a time-stamp is what ours says of the same
 * one, within a microsecond, at any moment: after pauses, and wherever the child runs.
 */
#include "child.h"
#include "smp.h"

TEST("time: the clocks of two domains agree within a microsecond");

static struct child c;
static struct shared_info *its;
static uint64_t apart;

/* Both are computed from one reading of the counter, so nothing that takes time lies between them. */
static void compare(void)
{
    uint64_t tsc = rdtsc();
    uint64_t a = clock_at(&shared->vcpu_info[0].time, tsc), b = clock_at(&its->vcpu_info[0].time, tsc);

    if ((a > b ? a - b : b - a) > apart)
        apart = a > b ? a - b : b - a;
}

static void place(uint64_t map)
{
    struct xen_domctl op = { 0 };

    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard = (struct xenctl_bitmap){ { (uint64_t)&map }, 64 };
    CHECK_EQ(domctl(XEN_DOMCTL_setvcpuaffinity, c.id, &op), 0);
}

static void pause(void)
{
    struct xen_domctl op = { 0 };

    CHECK_EQ(domctl(XEN_DOMCTL_pausedomain, c.id, &op), 0);
    nap(3000000);
    compare();
    CHECK_EQ(domctl(XEN_DOMCTL_unpausedomain, c.id, &op), 0);
    compare();
}

void test_main(void)
{
    unsigned n = smp_begin_all(2);
    struct xen_domctl op = { 0 };

    if (!child_create(&c))
        return;
    its = page_alloc();
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c.id, &op), 0);
    CHECK_EQ(foreign_map(its, op.u.getdomaininfo.shared_info_frame, c.id, PTE_P), 0);
    CHECK_EQ(child_call(&c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
    CHECK(its->vcpu_info[0].time.tsc_to_system_mul != 0);
    c.page->state = 3;
    for (unsigned i = 0; i < rounds(40); i++) {
        uint64_t spins = c.page->spins;

        place(1ull << i % n);
        AWAIT(c.page->spins > spins + 100);         /* it has run there */
        compare();
        if (i % 4 == 0)
            pause();
    }
    say("at most %lu ns apart\n", apart);
    CHECK(apart < 1000);
    CHECK_EQ(update_va((uint64_t)its, pte(va_to_mfn(its), PTE_KERNEL), UVMF_INVLPG), 0);
    c.page->state = 0;
    child_destroy(&c);
}
