/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine-to-physical table: read-only to us, changed by the hypercall for our own frames alone. */
#include "rt.h"

TEST("mmu: machine-to-physical updates");

#define M2P ((const uint64_t *)MACH2PHYS_VIRT_START)

void test_main(void)
{
    uint64_t *page = page_alloc();
    uint64_t mfn = va_to_mfn(page), pfn = va_to_pfn(page);

    CHECK_EQ(M2P[mfn], pfn);
    CHECK_EQ(entry_write(mfn << 12 | MMU_MACHPHYS_UPDATE, 0x4711), 0);
    CHECK_EQ(M2P[mfn], 0x4711);
    CHECK_EQ(entry_write((mfn << 12) + 0x800 + MMU_MACHPHYS_UPDATE, pfn), 0);
    CHECK_EQ(M2P[mfn], pfn);
    CHECK(entry_write(0xfffffffffful << 12 | MMU_MACHPHYS_UPDATE, 1) < 0);
    CHECK(entry_write(0xb8000 | MMU_MACHPHYS_UPDATE, 1) < 0);         /* no frame of ours */
    CHECK(faults(write_word, (void *)&M2P[mfn]));
    CHECK_EQ(caught.vector, 14);
    CHECK_EQ(M2P[mfn], pfn);
}
