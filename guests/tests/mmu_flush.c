/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushes have nothing to show but that they are taken, and that what they name is checked. */
#include "rt.h"

TEST("mmu: TLB and cache flushes");

void test_main(void)
{
    uint64_t mask = 1, page = (uint64_t)page_alloc();

    CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_MULTI, 0, (uint64_t)&mask), 0);
    CHECK_EQ(mmuext_one(MMUEXT_INVLPG_LOCAL, page, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_INVLPG_ALL, page, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_INVLPG_MULTI, page, (uint64_t)&mask), 0);
    CHECK_EQ(mmuext_one(MMUEXT_FLUSH_CACHE, 0, 0), 0);
    CHECK_EQ(mmuext_one(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), 0);
    /* no such address: nothing to flush */
    CHECK_EQ(mmuext_one(MMUEXT_INVLPG_LOCAL, 0x8000000000000000, 0), 0);
    CHECK(mmuext_one(MMUEXT_TLB_FLUSH_MULTI, 0, 0x1000) < 0);               /* the mask cannot be read */
    CHECK(mmuext_one(14, 0, 0) < 0);
    CHECK(mmuext_one(9999, 0, 0) < 0);
}
