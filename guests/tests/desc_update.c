/* SPDX-License-Identifier: BSD-2-Clause */
/* One descriptor changed in place: in a table in use, in plain memory of ours, and with what is refused. */
#include "rt.h"

TEST("desc: update_descriptor");

#define DATA3  0x00cff3000000ffffull

static uint64_t load_es(void *value) { __asm__ volatile("movw %w0, %%es" : : "r"(value)); return 0; }
static long update(uint64_t at, uint64_t d) { return hypercall(__HYPERVISOR_update_descriptor, at, d, 0, 0); }

void test_main(void)
{
    uint64_t *gdt = page_alloc(), *plain = page_alloc();
    uint64_t frame = va_to_mfn(gdt), at = frame << 12;
    struct tree t;

    CHECK_EQ(page_protect(gdt), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, &frame, 512, 0, 0), 0);
    CHECK(faults(load_es, (void *)0x2b));
    CHECK_EQ(update(at + 5 * 8, DATA3), 0);
    CHECK_EQ(gdt[5] | 1ul << 40, DATA3 | 1ul << 40);
    CHECK(!faults(load_es, (void *)0x2b));
    load_es(0);
    CHECK(update(at + 5 * 8, 0x0000820000000000ull) < 0);
    CHECK_EQ(gdt[5] | 1ul << 40, DATA3 | 1ul << 40);
    CHECK_EQ(update(at + 5 * 8, 0), 0);
    CHECK(faults(load_es, (void *)0x2b));

    CHECK_EQ(update((va_to_mfn(plain) << 12) + 16, DATA3), 0);
    CHECK_EQ(plain[2], DATA3);
    CHECK(update((va_to_mfn(plain) << 12) + 4, DATA3) < 0);         /* not aligned */
    CHECK(update(0xffffffffff000, DATA3) < 0);
    tree_make(&t);
    CHECK_EQ(table_pin(1, t.l1), 0);
    CHECK(update(va_to_mfn(t.l1) << 12, DATA3) < 0);                /* a page table is none */
    CHECK_EQ(t.l1[0], 0);
}
