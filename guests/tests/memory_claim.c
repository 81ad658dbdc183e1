/* SPDX-License-Identifier: BSD-2-Clause */
/* A claim sets frames aside: they are not free for others, and can be given up. */
#include "child.h"

TEST("memory: claims");

static long claim(domid_t dom, uint64_t pages)
{
    struct xen_memory_reservation r = { .nr_extents = pages, .domid = dom };

    return memory_op(XENMEM_claim_pages, &r);
}

void test_main(void)
{
    struct child c = { 0 };
    struct xen_domctl info = { 0 };
    struct xen_sysctl phys = { 0 };

    CHECK_EQ(frames_give_back(64), 64);
    CHECK(child_shell(&c, 64));
    CHECK_EQ(claim(c.id, 32), 0);
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c.id, &info), 0);
    CHECK_EQ(info.u.getdomaininfo.outstanding_pages, 32);
    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &phys), 0);
    CHECK_EQ(phys.u.physinfo.outstanding_pages, 32);
    CHECK(claim(c.id, 16) < 0);                     /* one at a time */
    CHECK_EQ(claim(c.id, 0), 0);
    CHECK(claim(c.id, 1ul << 40) < 0);
    CHECK(claim(1234, 1) < 0);
    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &phys), 0);
    CHECK_EQ(phys.u.physinfo.outstanding_pages, 0);
    child_destroy(&c);
}
