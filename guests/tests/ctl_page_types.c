/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tools ask about frames for saving a domain; and the frames of a domain that is gone cannot be
 * mapped.
 */
#include "child.h"

TEST("ctl: page types, foreign mappings");

static struct xen_domctl op;

void test_main(void)
{
    struct child c = { 0 };
    uint64_t types[5], *at = page_alloc(), own = va_to_mfn(at);

    if (!child_create(&c))
        return;
    for (unsigned i = 0; i < 4; i++)
        types[i] = c.mfn[i == 0 ? 2 : 2 + i];                       /* stack, L4, L3, L2 */
    types[4] = 0xffffffff;
    op.u.getpageframeinfo3.num = 5;
    op.u.getpageframeinfo3.array.va = (uint64_t)types;
    CHECK_EQ(domctl(XEN_DOMCTL_getpageframeinfo3, c.id, &op), 0);
    CHECK_EQ(types[0] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_NOTAB);
    CHECK_EQ(types[1] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB);
    CHECK_EQ(types[2] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_L3TAB);
    CHECK_EQ(types[3] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_L2TAB);
    CHECK_EQ(types[4] & XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_XTAB);
    op.u.getpageframeinfo3.num = ~0ul;
    CHECK(domctl(XEN_DOMCTL_getpageframeinfo3, c.id, &op) < 0);

    CHECK_EQ(foreign_map(at, c.mfn[2], c.id, PTE_KERNEL), 0);
    at[0] = 99;
    CHECK(foreign_map(at, c.mfn[6], c.id, PTE_KERNEL) < 0);         /* its page tables: writable to nobody */
    CHECK_EQ(foreign_map(at, c.mfn[6], c.id, PTE_P), 0);
    CHECK_EQ(at[1] >> 12 & 0xffffffffff, c.mfn[1]);
    CHECK(foreign_map(at, own, c.id, PTE_KERNEL) < 0);              /* a frame that is not the child's */
    CHECK_EQ(foreign_map(at, c.mfn[7], c.id, PTE_KERNEL), 0);
    at[0] = 4711;
    CHECK_EQ(domctl(XEN_DOMCTL_destroydomain, c.id, &op), 0);
    CHECK_EQ(at[0], 4711); /* the frame lives as long as our mapping */
    CHECK_EQ(update_va((uint64_t)at, pte(own, PTE_KERNEL), UVMF_INVLPG), 0);
    child_destroy(&c);
    CHECK_EQ(foreign_map(at, c.mfn[2], c.id, PTE_KERNEL), -XEN_ESRCH);
}
