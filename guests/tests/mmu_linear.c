/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A root that maps itself read-only, as NetBSD has it; writable is refused, so is a slot of another root's
 * level.
 */
#include "rt.h"

TEST("mmu: linear page tables, read-only");

void test_main(void)
{
    const uint64_t *root = (const uint64_t *)start_info_pointer->pt_base;
    uint64_t self = (root_mfn() << 12) + 310 * 8;
    /* through the slot, three levels more of it: the root itself */
    volatile uint64_t *seen = (volatile uint64_t *)(slot_va(310) + (310ul << 30 | 310ul << 21 | 310ul << 12));
    uint64_t *l4 = page_alloc();

    CHECK(entry_write(self, pte(root_mfn(), PTE_TABLE)) < 0);
    CHECK_EQ(entry_write(self, pte(root_mfn(), PTE_TABLE & ~PTE_RW)), 0);
    CHECK_EQ(seen[310] >> 12 & 0xffffffffff, root_mfn());
    CHECK_EQ(seen[511], root[511]);
    CHECK(faults(write_word, (void *)&seen[311]));
    CHECK_EQ(entry_write(self, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
    CHECK(faults(read_word, (void *)&seen[310]));

    l4[310] = pte(va_to_mfn(l4), PTE_TABLE & ~PTE_RW); /* the same in a table that is validated as a whole */
    l4[511] = root[511];
    CHECK_EQ(page_protect(l4), 0);
    CHECK_EQ(table_pin(4, l4), 0);
    CHECK_EQ(table_unpin(l4), 0);
    CHECK_EQ(page_unprotect(l4), 0);
    l4[310] = pte(va_to_mfn(l4), PTE_TABLE);
    CHECK_EQ(page_protect(l4), 0);
    CHECK(table_pin(4, l4) < 0);
    CHECK_EQ(page_unprotect(l4), 0);
}
