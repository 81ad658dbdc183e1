/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor table of the guest's own: its frames become typed, its entries are checked, old ones are let
 * go.
 */
#include "rt.h"

TEST("desc: set_gdt with good and bad tables");

#define DATA3  0x00cff3000000ffffull
#define CODE3  0x00affb000000ffffull
#define CODE0  0x00af9b000000ffffull
#define LDT_GATE 0x0000820000000000ull

static uint64_t load_es(void *value) { __asm__ volatile("movw %w0, %%es" : : "r"(value)); return 0; }
static uint64_t frames[16];
static long set(unsigned entries) { return hypercall(__HYPERVISOR_set_gdt, frames, entries, 0, 0); }

static long try_entry(uint64_t *gdt, uint64_t low)
{
    long r;

    gdt[3] = low;
    CHECK_EQ(page_protect(gdt), 0);
    r = set(512);
    if (r == 0) {
        frames[0] = 0;
        CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, frames, 0, 0, 0), 0);
        frames[0] = va_to_mfn(gdt);
    }
    CHECK_EQ(page_unprotect(gdt), 0);
    return r;
}

void test_main(void)
{
    uint64_t *gdt = page_alloc();

    frames[0] = va_to_mfn(gdt);
    CHECK(set(512) < 0);                                    /* mapped writable */
    CHECK_EQ(try_entry(gdt, DATA3), 0);
    CHECK_EQ(try_entry(gdt, CODE3), 0);
    CHECK_EQ(try_entry(gdt, 0), 0);
    CHECK_EQ(gdt[3], 0);
    try_entry(gdt, CODE0);                                  /* the hypervisor makes ring 3 of it or refuses */
    CHECK(gdt[3] == CODE0 || gdt[3] >> 45 & 3);
    CHECK(try_entry(gdt, LDT_GATE) < 0);                    /* system descriptors */
    CHECK(try_entry(gdt, 0x0000890000000067ull) < 0);       /* TSS */

    gdt[3] = DATA3;
    CHECK_EQ(page_protect(gdt), 0);
    CHECK_EQ(set(512), 0);
    CHECK(page_unprotect(gdt) < 0);                         /* in use as a descriptor table */
    CHECK(!faults(load_es, (void *)0x1b));
    CHECK(faults(load_es, (void *)0x23));
    load_es(0);
    CHECK_EQ(set(FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
    CHECK_EQ(set(0), 0);
    CHECK_EQ(page_unprotect(gdt), 0);
    CHECK(faults(load_es, (void *)0x1b));
    frames[0] = 0xffffffffff;
    CHECK(set(512) < 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, 0x1000, 512, 0, 0), -XEN_EFAULT);
}
