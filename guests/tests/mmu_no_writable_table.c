/* SPDX-License-Identifier: BSD-2-Clause */
/* The rule that all isolation rests on: no way to a writable mapping of a page in use as a page table. */
#include "rt.h"

TEST("mmu: a page table cannot be mapped writable by any path");

static uint64_t *l1;

static uint64_t emulated(void *entry)
{
    *(volatile uint64_t *)entry = pte(va_to_mfn(l1), PTE_KERNEL);
    return 0;
}

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc();
    struct multicall_entry call = { 0 };
    uint64_t bad;

    tree_make(&t);
    l1 = t.l1;
    CHECK_EQ(tree_attach(&t, 300), 0);
    bad = pte(va_to_mfn(t.l1), PTE_KERNEL);

    CHECK(update_va((uint64_t)t.l1, bad, UVMF_INVLPG) < 0);
    CHECK(update_va((uint64_t)page, bad, UVMF_INVLPG) < 0);
    CHECK(update_va((uint64_t)page, pte(va_to_mfn(t.l2), PTE_KERNEL), UVMF_INVLPG) < 0);
    CHECK(update_va((uint64_t)page, pte(va_to_mfn(t.l3), PTE_KERNEL), UVMF_INVLPG) < 0);
    CHECK(update_va((uint64_t)page, pte(root_mfn(), PTE_KERNEL), UVMF_INVLPG) < 0);
    CHECK(table_write(t.l1, 7, bad) < 0);                   /* itself */
    CHECK(table_write(t.l1, 7, bad | PTE_U) < 0);
    CHECK(faults(emulated, &t.l1[8]));
    call.op = __HYPERVISOR_update_va_mapping;
    call.args[0] = (uint64_t)page;
    call.args[1] = bad;
    CHECK_EQ(hypercall(__HYPERVISOR_multicall, &call, 1, 0, 0), 0);
    CHECK((long)call.result < 0);

    CHECK_EQ(table_write(t.l1, 7, bad & ~PTE_RW), 0);       /* reading is no harm */
    CHECK(entry_write((va_to_mfn(t.l1) << 12) + 56, bad) < 0);      /* nor can it be upgraded */
    CHECK(entry_write(((va_to_mfn(t.l1) << 12) + 56) | MMU_PT_UPDATE_PRESERVE_AD, bad) < 0);
    CHECK(faults(write_word, &t.l2[0]));
    CHECK_EQ(((volatile uint64_t *)slot_va(300))[7 * 512 + 7], t.l1[7]);
}
