/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains created and destroyed: what is refused at creation, limits held, and every page back at the end. */
#include "child.h"

TEST("ctl: create, limits, destroy, nothing lost");

static struct xen_domctl op;

static long create(void)
{
    long r = domctl(XEN_DOMCTL_createdomain, 0, &op);

    if (r == 0) {
        struct child c = { .id = op.domain };

        child_destroy(&c);
    }
    return r;
}
static void good(void)
{
    memset(&op, 0, sizeof op);
    op.u.createdomain.max_vcpus = 1;
    op.u.createdomain.max_evtchn_port = 127;
    op.u.createdomain.max_grant_frames = 4;
    op.u.createdomain.max_maptrack_frames = 4;
    op.u.createdomain.grant_opts = 1;
}

void test_main(void)
{
    struct child c = { 0 };
    uint64_t list[16], before = 0;
    struct xen_memory_reservation r;

    CHECK_EQ(frames_give_back(64), 64);
    good();
    CHECK_EQ(create(), 0);
    good();
    op.u.createdomain.max_vcpus = 0;
    CHECK(create() < 0);
    good();
    op.u.createdomain.max_vcpus = 100000;
    CHECK(create() < 0);
    good();
    op.u.createdomain.flags = 1u << 31;
    CHECK(create() < 0);
    good();
    op.u.createdomain.grant_opts = 9;
    CHECK(create() < 0);
    good();
    op.u.createdomain.cpupool_id = 77;
    CHECK(create() < 0);
    good();
    CHECK_EQ(domctl(XEN_DOMCTL_createdomain, DOMID_FIRST_RESERVED + 3, &op) < 0 ||
                 op.domain < DOMID_FIRST_RESERVED,
             1);
    if (op.domain && op.domain < DOMID_FIRST_RESERVED) {
        c.id = op.domain;
        child_destroy(&c);
    }

    for (unsigned round = 0; round < 4; round++) {
        CHECK(child_shell(&c, 8));
        for (unsigned i = 0; i < 16; i++)
            list[i] = i;
        r = (struct xen_memory_reservation){ { (uint64_t)list }, 16, 0, 0, c.id };
        CHECK_EQ(memory_op(XENMEM_populate_physmap, &r), 8);            /* its maximum */
        memset(&op, 0, sizeof op);
        CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c.id, &op), 0);
        CHECK_EQ(op.u.getdomaininfo.tot_pages, 8);
        CHECK_EQ(op.u.getdomaininfo.max_pages, 8);
        CHECK_EQ(op.u.getdomaininfo.flags & XEN_DOMINF_paused, XEN_DOMINF_paused);
        CHECK_EQ(op.u.getdomaininfo.handle[0], 0xc4);
        /* 0 or garbage: not what was said at creation */
        CHECK_EQ(domctl(XEN_DOMCTL_max_vcpus, c.id, &op) < 0, 1);
        child_destroy(&c);
        nap(20000000);                                                  /* freed by parts */
        if (round == 0)
            before = free_pages();
        CHECK_EQ(free_pages(), before);
    }
}
