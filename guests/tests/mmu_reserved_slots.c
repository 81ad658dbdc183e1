/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root slots 256 to 271 are the hypervisor's: writes to them are refused, and what a new root holds there is
 * not used.
 */
#include "rt.h"

TEST("mmu: the hypervisor's root slots");

void test_main(void)
{
    struct tree t;
    const uint64_t *root = (const uint64_t *)start_info_pointer->pt_base;
    uint64_t *l4 = page_alloc();

    tree_make(&t);
    for (unsigned slot = 256; slot < 272; slot++) {
        uint64_t before = root[slot];

        CHECK(tree_attach(&t, slot) < 0);
        CHECK_EQ(root[slot], before);
    }
    CHECK_EQ(tree_attach(&t, 255), 0);
    CHECK_EQ(tree_detach(255), 0);
    CHECK_EQ(tree_attach(&t, 272), 0);
    CHECK_EQ(tree_detach(272), 0);

    for (unsigned slot = 256; slot < 272; slot++)
        l4[slot] = pte(va_to_mfn(t.l3), PTE_TABLE);
    CHECK_EQ(page_protect(l4), 0);
    CHECK_EQ(table_pin(4, l4), 0);
    for (unsigned slot = 256; slot < 272; slot++)
        CHECK(l4[slot] >> 12 != va_to_mfn(t.l3));
    CHECK_EQ(table_unpin(l4), 0);
    tree_free(&t);                                      /* nothing had referred to it */
}
