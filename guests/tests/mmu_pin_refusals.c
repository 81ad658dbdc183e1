/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot be pinned or unpinned. */
#include "rt.h"

TEST("mmu: refused pins and unpins");

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc();

    tree_make(&t);
    CHECK(table_pin(1, page) < 0);                          /* mapped writable */
    CHECK_EQ(page_unprotect(t.l1), 0);
    CHECK(table_pin(2, t.l2) < 0);                          /* an entry leads to a page mapped writable */
    CHECK_EQ(page_unprotect(t.l2), 0);                      /* nothing of it was kept */
    CHECK_EQ(page_protect(t.l2), 0);
    CHECK_EQ(page_protect(t.l1), 0);

    CHECK_EQ(table_unpin(t.l1), -XEN_EINVAL);               /* not pinned */
    CHECK_EQ(table_pin(1, t.l1), 0);
    CHECK_EQ(table_pin(1, t.l1), -XEN_EINVAL);              /* twice */
    CHECK(table_pin(2, t.l1) < 0);                          /* of another type */
    CHECK(table_pin(4, t.l1) < 0);
    CHECK_EQ(table_unpin(t.l1), 0);
    CHECK_EQ(table_unpin(t.l1), -XEN_EINVAL);
    CHECK(mmuext_one(MMUEXT_PIN_L1_TABLE, 0xffffffffff, 0) < 0);
    CHECK(mmuext_one(MMUEXT_UNPIN_TABLE, 0xffffffffff, 0) < 0);
    CHECK(mmuext_one(MMUEXT_PIN_L4_TABLE, 0xb8, 0) < 0);    /* video memory */
    CHECK(mmuext_one(MMUEXT_PIN_L1_TABLE, start_info_pointer->shared_info >> 12, 0) < 0);
    tree_free(&t);
}
