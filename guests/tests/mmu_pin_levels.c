/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of our own, pinned and unpinned at each level; while pinned its tables stay typed without any user.
 */
#include "rt.h"

TEST("mmu: pin and unpin of each level");

void test_main(void)
{
    struct tree t;
    uint64_t *l4 = page_alloc(), *page = page_alloc();

    tree_make(&t);
    CHECK_EQ(page_unprotect(t.l1), 0);
    t.l1[3] = pte(va_to_mfn(page), PTE_KERNEL);
    CHECK_EQ(page_protect(t.l1), 0);
    l4[300] = pte(va_to_mfn(t.l3), PTE_TABLE);
    CHECK_EQ(page_protect(l4), 0);

    CHECK_EQ(table_pin(1, t.l1), 0);
    CHECK_EQ(table_pin(2, t.l2), 0);
    CHECK_EQ(table_pin(3, t.l3), 0);
    CHECK_EQ(table_pin(4, l4), 0);
    CHECK(page_unprotect(t.l1) < 0);
    CHECK(page_unprotect(t.l2) < 0);
    CHECK(page_unprotect(t.l3) < 0);
    CHECK(page_unprotect(l4) < 0);
    CHECK_EQ(t.l1[3] & PTE_U, PTE_U);           /* forced, for the kernel runs in ring 3 */

    CHECK_EQ(table_unpin(t.l1), 0);
    CHECK_EQ(table_unpin(t.l2), 0);
    CHECK_EQ(table_unpin(t.l3), 0);
    CHECK(page_unprotect(t.l1) < 0);            /* still reached from the root */
    CHECK_EQ(table_unpin(l4), 0);
    CHECK_EQ(page_unprotect(l4), 0);
    tree_free(&t);
    t.l1[3] = 0;
}
