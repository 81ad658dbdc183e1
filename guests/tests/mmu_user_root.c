/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User mode runs on a root of its own: what only the kernel's root maps is not there, and the other way
 * round.
 */
#include "rt.h"

TEST("mmu: NEW_USER_BASEPTR, two address spaces");

static volatile uint64_t seen;

static void user_reads(void)
{
    seen = *(volatile uint64_t *)slot_va(6);
    user_exit(7);
}

static uint64_t run(void *fn) { return run_user(fn); }

void test_main(void)
{
    const uint64_t *root = (const uint64_t *)start_info_pointer->pt_base;
    uint64_t *l4 = page_alloc(), *page = page_alloc();
    struct tree t;

    page[0] = 43;
    tree_make(&t);
    CHECK_EQ(page_unprotect(t.l1), 0);
    t.l1[0] = pte(va_to_mfn(page), PTE_KERNEL | PTE_U);
    CHECK_EQ(page_protect(t.l1), 0);
    l4[511] = root[511];
    l4[6] = pte(va_to_mfn(t.l3), PTE_TABLE);
    CHECK_EQ(page_protect(l4), 0);

    CHECK(faults(run, user_reads));                         /* run_user sets the kernel's own root */
    CHECK_EQ(caught.vector, 14);
    CHECK_EQ(shared->vcpu_info[0].arch.cr2, (uint64_t)slot_va(6));
    CHECK_EQ(caught.error & 5, 4);
    CHECK_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, va_to_mfn(l4), 0), 0);
    CHECK_EQ(run_user(user_reads), 7);
    CHECK_EQ(seen, 43);
    CHECK(faults(read_word, slot_va(6)));
    CHECK(page_unprotect(l4) < 0);
    CHECK(mmuext_one(MMUEXT_NEW_USER_BASEPTR, va_to_mfn(page), 0) < 0);
    CHECK_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, root_mfn(), 0), 0);
    CHECK_EQ(page_unprotect(l4), 0);
    CHECK_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
}
