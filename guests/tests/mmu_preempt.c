/* SPDX-License-Identifier: BSD-2-Clause */
/* Long lists and wide tables: work that is done in parts ends as if done at once, with the count of all. */
#include "rt.h"

TEST("mmu: long operations end complete");

static struct mmu_update list[512];

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc();
    uint64_t entry = pte(va_to_mfn(page), PTE_KERNEL), l1;
    unsigned done = 0;

    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 300), 0);
    l1 = pte(va_to_mfn(t.l1), PTE_TABLE);
    for (unsigned i = 0; i < 512; i++)
        list[i] = (struct mmu_update){ (va_to_mfn(t.l1) << 12) + i * 8, entry };
    CHECK_EQ(mmu_update(list, 512, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 512);
    for (unsigned i = 0; i < 512; i++)
        list[i] = (struct mmu_update){ (va_to_mfn(t.l2) << 12) + i * 8, l1 };
    CHECK_EQ(mmu_update(list, 512, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 512);
    l1 = t.l3[0];
    for (unsigned i = 0; i < 512; i++)
        list[i] = (struct mmu_update){ (va_to_mfn(t.l3) << 12) + i * 8, l1 };
    CHECK_EQ(mmu_update(list, 512, &done, DOMID_SELF), 0);
    CHECK_EQ(done, 512);
    page[0] = 5;
    for (uint64_t at = 0; at < 1ul << 39; at += (1ul << 33) + (1ul << 23) + 4096)
        CHECK_EQ(*(volatile uint64_t *)(slot_va(300) + at), 5);
    /* all of it is undone and done again as a whole: 512 references each to L2, L1 and the page */
    for (unsigned round = 0; round < 8; round++) {
        CHECK_EQ(tree_detach(300), 0);
        CHECK_EQ(tree_attach(&t, 300), 0);
    }
    CHECK_EQ(tree_detach(300), 0);
    tree_free(&t);
    CHECK(!faults(write_word, page));
}
