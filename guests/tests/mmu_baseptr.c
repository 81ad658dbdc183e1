/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second root: run on it, see its own slot, come back; the root in use cannot become writable even without
 * its pin.
 */
#include "rt.h"

TEST("mmu: NEW_BASEPTR to a root of our own and back");

void test_main(void)
{
    const uint64_t *root = (const uint64_t *)start_info_pointer->pt_base;
    uint64_t *l4 = page_alloc(), *page = page_alloc();
    struct tree t;

    tree_make(&t);
    page[0] = 42;
    CHECK_EQ(page_unprotect(t.l1), 0);
    t.l1[0] = pte(va_to_mfn(page), PTE_KERNEL);
    CHECK_EQ(page_protect(t.l1), 0);
    l4[511] = root[511];
    l4[5] = pte(va_to_mfn(t.l3), PTE_TABLE);
    CHECK_EQ(page_protect(l4), 0);
    CHECK(faults(read_word, slot_va(5)));
    CHECK_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, va_to_mfn(l4), 0), 0);
    CHECK_EQ(*(volatile uint64_t *)slot_va(5), 42);
    CHECK(page_unprotect(l4) < 0);
    CHECK(mmuext_one(MMUEXT_NEW_BASEPTR, va_to_mfn(page), 0) < 0);
    CHECK(mmuext_one(MMUEXT_NEW_BASEPTR, va_to_mfn(t.l3), 0) < 0);
    CHECK(mmuext_one(MMUEXT_NEW_BASEPTR, 0xffffffffff, 0) < 0);
    CHECK_EQ(*(volatile uint64_t *)slot_va(5), 42);
    CHECK_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, root_mfn(), 0), 0);
    CHECK(faults(read_word, slot_va(5)));
    CHECK_EQ(page_unprotect(l4), 0);
    tree_free(&t);
}
