/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/* Where vCPUs run: moved from processor to processor while they work; processors that are not there. */
#include "child.h"
#include "smp.h"

TEST("smp: hard and soft affinity, and where a vCPU is");

static unsigned n;
static struct child c;

static long affinity(domid_t dom, uint32_t vcpu, uint32_t flags, uint64_t hard, uint64_t soft, uint32_t bits)
{
    struct xen_domctl op = { 0 };

    op.u.vcpuaffinity.vcpu = vcpu;
    op.u.vcpuaffinity.flags = flags;
    op.u.vcpuaffinity.cpumap_hard = (struct xenctl_bitmap){ { (uint64_t)&hard }, bits };
    op.u.vcpuaffinity.cpumap_soft = (struct xenctl_bitmap){ { (uint64_t)&soft }, bits };
    return domctl(XEN_DOMCTL_setvcpuaffinity, dom, &op);
}

static unsigned where(domid_t dom, uint32_t vcpu)
{
    struct xen_domctl op = { 0 };

    op.u.getvcpuinfo.vcpu = vcpu;
    CHECK_EQ(domctl(XEN_DOMCTL_getvcpuinfo, dom, &op), 0);
    CHECK_EQ(op.u.getvcpuinfo.online, 1);
    return op.u.getvcpuinfo.cpu;
}

/* A child that only computes goes where it is told, and works there. */
static void move_child(void)
{
    c.page->state = 3;
    for (unsigned i = 0; i < rounds(8); i++) {
        unsigned cpu = i % n;
        uint64_t spins;

        CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_HARD, 1ull << cpu, 0, 64), 0);
        AWAIT(where(c.id, 0) == cpu);
        spins = c.page->spins;
        AWAIT(c.page->spins > spins + 1000);
        CHECK_EQ(where(c.id, 0), cpu);
    }
    CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_HARD, (1ull << n) - 1, 0, 64), 0);
    c.page->state = 0;
}

static volatile uint64_t steps[RT_VCPUS];
static volatile bool quit;

static void work(unsigned self)
{
    while (!quit)
        steps[self]++;
}

/* All of ours on one processor: they share it; then each on its own. */
static void move_own(void)
{
    for (unsigned v = 1; v < n; v++)
        smp_start(v, work);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned v = 0; v < n; v++)
            CHECK_EQ(affinity(0, v, XEN_VCPUAFFINITY_HARD, 1ull << i, 0, 64), 0);
        for (unsigned v = 0; v < n; v++) {
            uint64_t before = steps[v];

            AWAIT(where(0, v) == i);
            AWAIT(v == 0 || steps[v] > before);
        }
    }
    for (unsigned v = 0; v < n; v++)
        CHECK_EQ(affinity(0, v, XEN_VCPUAFFINITY_HARD, 1ull << v, 0, 64), 0);
    for (unsigned v = 1; v < n; v++) {
        uint64_t before = steps[v];

        AWAIT(where(0, v) == v);
        AWAIT(steps[v] > before);
    }
    quit = true;
    for (unsigned v = 1; v < n; v++)
        smp_wait(v);
}

static long affinity_read(domid_t dom, uint32_t vcpu)
{
    struct xen_domctl op = { 0 };
    uint64_t map = 0;

    op.u.vcpuaffinity.vcpu = vcpu;
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard = (struct xenctl_bitmap){ { (uint64_t)&map }, 64 };
    return domctl(XEN_DOMCTL_getvcpuaffinity, dom, &op);
}

/* A domain that may have a vCPU, but has none yet. */
static void without_vcpus(void)
{
    static struct child shell;

    if (!child_shell(&shell, 0))
        return;
    CHECK_EQ(affinity(shell.id, 0, XEN_VCPUAFFINITY_HARD, 1, 0, 64), -XEN_ESRCH);
    CHECK_EQ(affinity_read(shell.id, 0), -XEN_ESRCH);
    CHECK_EQ(affinity(shell.id, 1, XEN_VCPUAFFINITY_HARD, 1, 0, 64), -XEN_EINVAL);
    child_destroy(&shell);
}

static void refusals(void)
{
    CHECK_EQ(affinity_read(c.id, 0), 0);
    CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_HARD, 1ull << n, 0, 64), -XEN_EINVAL);      /* not there */
    CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_HARD, 1ull << 63, 0, 64), -XEN_EINVAL);
    CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_HARD, 0, 0, 64), -XEN_EINVAL);
    CHECK_EQ(affinity(c.id, 0, 0, 1, 1, 64), -XEN_EINVAL);
    CHECK_EQ(affinity(c.id, 1, XEN_VCPUAFFINITY_HARD, 1, 0, 64), -XEN_EINVAL);              /* never has it */
    CHECK_EQ(affinity(c.id, 4711, XEN_VCPUAFFINITY_HARD, 1, 0, 64), -XEN_EINVAL);
    CHECK_EQ(affinity_read(c.id, 1), -XEN_EINVAL);
    CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_HARD, ~0ull, 0, 64), 0);    /* some that are there: those */
    CHECK_EQ(affinity(c.id, 0, XEN_VCPUAFFINITY_SOFT, 0, 1ull << (n - 1), 64), 0);
}

void test_main(void)
{
    n = smp_begin_all(2);
    if (!child_create(&c))
        return;
    refusals();
    without_vcpus();
    move_child();
    move_own();
    child_destroy(&c);
}
