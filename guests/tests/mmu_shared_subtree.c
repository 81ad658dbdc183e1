/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table reached by two parents: it stays a table until the last one lets go, and the counts come back to
 * nothing.
 */
#include "rt.h"

TEST("mmu: a table with several parents");

void test_main(void)
{
    struct tree t;
    uint64_t entry;

    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 300), 0);
    CHECK_EQ(tree_attach(&t, 301), 0);
    entry = t.l2[0];
    for (unsigned i = 1; i < 512; i++)
        CHECK_EQ(table_write(t.l2, i, entry), 0);
    CHECK_EQ(table_write(t.l1, 0, pte(va_to_mfn(t.l1), PTE_P)), 0);
    CHECK_EQ(*(volatile uint64_t *)slot_va(301), t.l1[0]);
    CHECK_EQ(*(volatile uint64_t *)(slot_va(300) + (511ul << 21)), t.l1[0]);
    CHECK_EQ(tree_detach(300), 0);
    CHECK(page_unprotect(t.l3) < 0);
    CHECK(page_unprotect(t.l1) < 0);
    CHECK_EQ(table_write(t.l1, 0, 0), 0);
    CHECK_EQ(tree_detach(301), 0);
    tree_free(&t);

    CHECK_EQ(page_protect(t.l3), 0);
    CHECK_EQ(page_protect(t.l2), 0);
    CHECK(tree_attach(&t, 300) < 0);        /* its lowest table is mapped writable: refused whole */
    CHECK_EQ(page_unprotect(t.l2), 0);
    CHECK_EQ(page_protect(t.l2), 0);
    CHECK_EQ(page_protect(t.l1), 0);
    CHECK_EQ(tree_attach(&t, 300), 0);
    CHECK_EQ(tree_detach(300), 0);
}
