/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of a page table of our own: written one by one, in lists, with accessed and dirty kept or not. */
#include "rt.h"

TEST("mmu: normal updates, lists, accessed and dirty preserved");

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc();
    uint64_t *seen = (uint64_t *)slot_va(300);
    uint64_t at, entry;
    struct mmu_update list[3];
    unsigned done = 0;

    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 300), 0);
    CHECK_EQ(table_write(t.l1, 0, pte(va_to_mfn(page), PTE_P | PTE_RW | PTE_NX)), 0);
    seen[5] = 77;
    CHECK_EQ(page[5], 77);
    CHECK_EQ(t.l1[0] & (PTE_A | PTE_D), PTE_A | PTE_D);

    at = va_to_mfn(t.l1) << 12;
    entry = pte(va_to_mfn(page), PTE_P | PTE_RW | PTE_NX);
    CHECK_EQ(entry_write(at | MMU_PT_UPDATE_PRESERVE_AD, entry & ~PTE_RW), 0);
    CHECK_EQ(t.l1[0] & (PTE_A | PTE_D | PTE_RW), PTE_A | PTE_D);
    CHECK_EQ(entry_write(at, entry), 0);
    CHECK_EQ(t.l1[0] & (PTE_A | PTE_D | PTE_RW), PTE_RW);

    for (unsigned i = 0; i < 3; i++)
        list[i] = (struct mmu_update){ at + 8 * (i + 1), entry };
    list[2].val = pte(va_to_mfn(t.l2), PTE_KERNEL);         /* the first two stay done */
    CHECK(mmu_update(list, 3, &done, DOMID_SELF) < 0);
    CHECK_EQ(done, 2);
    CHECK_EQ(seen[512 + 5], 77);
    CHECK_EQ(seen[1024 + 5], 77);
    CHECK_EQ(mmu_update(list, 0, &done, DOMID_SELF), 0);
    CHECK_EQ(entry_write((va_to_mfn(page) << 12) + 24, 99), 0);     /* an ordinary page: an ordinary write */
    CHECK_EQ(page[3], 99);

    CHECK_EQ(table_write(t.l1, 0, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_INVLPG_LOCAL, (uint64_t)seen, 0), 0);
    CHECK(faults(read_word, seen));
    CHECK_EQ(caught.error & 1, 0);
    CHECK_EQ(table_write(t.l1, 0, 0x123456789000ul << 1), 0); /* not present: the bits are the guest's own */
    CHECK_EQ(t.l1[0], 0x123456789000ul << 1);
}
