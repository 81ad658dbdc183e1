/* SPDX-License-Identifier: BSD-2-Clause */
/* A local table: pages are checked when first used, are typed while in use, and go away at the next one. */
#include "rt.h"

TEST("desc: local descriptor tables");

#define DATA3 0x00cff3000000ffffull

static uint64_t load_es(void *value) { __asm__ volatile("movw %w0, %%es" : : "r"(value)); return 0; }

void test_main(void)
{
    uint64_t *ldt = page_alloc();

    ldt[2] = DATA3;
    CHECK_EQ(page_protect(ldt), 0);
    CHECK(faults(load_es, (void *)0x17));
    CHECK_EQ(mmuext_one(MMUEXT_SET_LDT, (uint64_t)ldt, 512), 0);
    CHECK(!faults(load_es, (void *)0x17));
    CHECK(faults(load_es, (void *)0x1f));
    load_es(0);
    CHECK(page_unprotect(ldt) < 0);
    CHECK_EQ(hypercall(__HYPERVISOR_update_descriptor, (va_to_mfn(ldt) << 12) + 3 * 8, DATA3, 0, 0), 0);
    CHECK(!faults(load_es, (void *)0x1f));
    load_es(0);
    CHECK(mmuext_one(MMUEXT_SET_LDT, (uint64_t)ldt + 8, 512) < 0);      /* not a page */
    CHECK(mmuext_one(MMUEXT_SET_LDT, (uint64_t)ldt, 8193) < 0);
    CHECK(mmuext_one(MMUEXT_SET_LDT, HYPERVISOR_VIRT_START, 512) < 0);
    CHECK_EQ(mmuext_one(MMUEXT_SET_LDT, 0, 0), 0);
    CHECK(faults(load_es, (void *)0x17));
    CHECK_EQ(page_unprotect(ldt), 0);

    CHECK_EQ(mmuext_one(MMUEXT_SET_LDT, (uint64_t)ldt, 512), 0); /* writable: refused at the first use */
    CHECK(faults(load_es, (void *)0x17));
    CHECK_EQ(mmuext_one(MMUEXT_SET_LDT, 0, 0), 0);
}
