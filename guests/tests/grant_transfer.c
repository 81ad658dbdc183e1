/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving a page away is refused, by Hauch always, by Xen here for lack of a receiver; the page stays ours. */
#include "rt.h"

TEST("grant: transfer refused");

void test_main(void)
{
    uint64_t *page = page_alloc();
    struct gnttab_transfer t = { .mfn = va_to_mfn(page), .domid = 1234, .ref = 20 };
    struct gnttab_dump_table d = { .dom = 1234 };
    long r;

    r = grant_op(GNTTABOP_transfer, &t, 1);
    CHECK(r < 0 || t.status != GNTST_okay);
    t = (struct gnttab_transfer){ .mfn = 0xffffffffff, .domid = DOMID_SELF, .ref = 0xffffffff };
    r = grant_op(GNTTABOP_transfer, &t, 1);
    CHECK(r < 0 || t.status != GNTST_okay);
    page[0] = 1;
    CHECK_EQ(page[0], 1);
    r = grant_op(GNTTABOP_dump_table, &d, 1);
    CHECK(r < 0 || d.status != GNTST_okay);
}
