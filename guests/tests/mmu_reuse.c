/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page changes its kind again and again: data, L1, L2, L3, root, data; each only when nothing of the last
 * remains.
 */
#include "rt.h"

TEST("mmu: one page in every role in turn");

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc();

    tree_make(&t);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned level = 1; level <= 4; level++) {
            CHECK_EQ(page_protect(page), 0);
            CHECK_EQ(table_pin(level, page), 0);
            CHECK(page_unprotect(page) < 0);
            if (level == 2) {
                CHECK_EQ(table_write(page, 5, pte(va_to_mfn(t.l1), PTE_TABLE)), 0);
                CHECK(page_unprotect(t.l1) < 0);
            }
            CHECK_EQ(table_unpin(page), 0);
            CHECK_EQ(page_unprotect(page), 0);
            memset(page, 0, PAGE_SIZE);
        }
    }
    tree_free(&t);
}
