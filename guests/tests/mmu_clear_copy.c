/* SPDX-License-Identifier: BSD-2-Clause */
/* Clearing and copying frames by the hypervisor: own ones, and never one that is a page table. */
#include "rt.h"

TEST("mmu: CLEAR_PAGE and COPY_PAGE");

void test_main(void)
{
    uint64_t *a = page_alloc(), *b = page_alloc();
    struct tree t;

    tree_make(&t);
    CHECK_EQ(table_pin(1, t.l1), 0);
    a[0] = 1;
    a[511] = 2;
    CHECK_EQ(mmuext_one(MMUEXT_COPY_PAGE, va_to_mfn(b), va_to_mfn(a)), 0);
    CHECK_EQ(b[0], 1);
    CHECK_EQ(b[511], 2);
    CHECK_EQ(mmuext_one(MMUEXT_CLEAR_PAGE, va_to_mfn(b), 0), 0);
    CHECK_EQ(b[0] | b[511], 0);
    CHECK(mmuext_one(MMUEXT_CLEAR_PAGE, va_to_mfn(t.l1), 0) < 0);
    CHECK(mmuext_one(MMUEXT_COPY_PAGE, va_to_mfn(t.l1), va_to_mfn(a)) < 0);
    CHECK(mmuext_one(MMUEXT_CLEAR_PAGE, 0xffffffffff, 0) < 0);
    CHECK(mmuext_one(MMUEXT_COPY_PAGE, va_to_mfn(b), 0xffffffffff) < 0);
    CHECK(mmuext_one(MMUEXT_CLEAR_PAGE, root_mfn(), 0) < 0);
    CHECK_EQ(mmuext_one(MMUEXT_COPY_PAGE, va_to_mfn(b), va_to_mfn(t.l1)), 0);   /* reading one is no harm */
    CHECK_EQ(b[0], 0);
}
