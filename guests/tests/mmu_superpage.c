/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSE gives a large mapping, which would make page tables writable: refused at each level, also by a mere
 * flag change.
 */
#include "rt.h"

TEST("mmu: large mappings refused (XSA-148, XSA-182)");

static long preserve(const void *table, uint64_t entry)
{
    return entry_write(va_to_mfn(table) << 12 | MMU_PT_UPDATE_PRESERVE_AD, entry);
}

void test_main(void)
{
    struct tree t;
    uint64_t l1, l2, l3;

    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 300), 0);
    l1 = t.l2[0];
    l2 = t.l3[0];
    l3 = pte(va_to_mfn(t.l3), PTE_TABLE);
    CHECK(table_write(t.l2, 0, l1 | PTE_PS) < 0);
    CHECK(preserve(t.l2, l1 | PTE_PS) < 0);
    CHECK(table_write(t.l2, 1, pte(0, PTE_TABLE | PTE_PS)) < 0);
    CHECK(table_write(t.l3, 0, l2 | PTE_PS) < 0);
    CHECK(preserve(t.l3, l2 | PTE_PS) < 0);
    CHECK(table_write(t.l3, 1, pte(0, PTE_TABLE | PTE_PS)) < 0);
    CHECK(entry_write((root_mfn() << 12) + 300 * 8, l3 | PTE_PS) < 0);
    CHECK_EQ(t.l2[0], l1);
    CHECK_EQ(t.l3[0], l2);
    CHECK_EQ(preserve(t.l2, l1 & ~PTE_A), 0);           /* other flags may change */
    CHECK_EQ(tree_detach(300), 0);

    CHECK_EQ(page_unprotect(t.l2), 0);                  /* the same in a table that is to be validated */
    t.l2[1] = pte(va_to_mfn(t.l1), PTE_TABLE | PTE_PS);
    CHECK_EQ(page_protect(t.l2), 0);
    CHECK(table_pin(2, t.l2) < 0);
    CHECK(tree_attach(&t, 300) < 0);
    tree_free(&t);
}
