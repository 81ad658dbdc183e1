/* SPDX-License-Identifier: BSD-2-Clause */
/* update_va_mapping: the entry of an address that the current tables serve, with each kind of flush. */
#include "rt.h"

TEST("mmu: update_va_mapping and its flags");

void test_main(void)
{
    uint64_t *a = page_alloc(), *b = page_alloc();
    uint64_t to_b = pte(va_to_mfn(b), PTE_KERNEL), to_a = pte(va_to_mfn(a), PTE_KERNEL);
    uint64_t mask = 1;

    a[0] = 1;
    b[0] = 2;
    CHECK_EQ(update_va((uint64_t)a, to_b, UVMF_INVLPG), 0);
    CHECK_EQ(*(volatile uint64_t *)a, 2);
    CHECK_EQ(update_va((uint64_t)a, to_a, UVMF_TLB_FLUSH | UVMF_ALL), 0);
    CHECK_EQ(*(volatile uint64_t *)a, 1);
    CHECK_EQ(update_va((uint64_t)a, to_b, UVMF_TLB_FLUSH | (uint64_t)&mask), 0);
    CHECK_EQ(*(volatile uint64_t *)a, 2);
    CHECK_EQ(update_va((uint64_t)a, to_a, UVMF_INVLPG | UVMF_ALL), 0);
    CHECK_EQ(*(volatile uint64_t *)a, 1);
    CHECK_EQ(update_va((uint64_t)a, to_b, UVMF_INVLPG | (uint64_t)&mask), 0);
    CHECK_EQ(*(volatile uint64_t *)a, 2);
    CHECK_EQ(update_va((uint64_t)a + 0x123, to_a, UVMF_INVLPG), 0);       /* an address, not a page */
    CHECK_EQ(*(volatile uint64_t *)a, 1);
    CHECK_EQ(update_va((uint64_t)a, 0, UVMF_INVLPG), 0);
    CHECK(faults(read_word, a));
    CHECK_EQ(update_va((uint64_t)a, to_a & ~PTE_RW, UVMF_INVLPG), 0);
    CHECK(faults(write_word, a));
    CHECK_EQ(caught.error & 3, 3);
    CHECK_EQ(update_va((uint64_t)a, to_a, UVMF_INVLPG), 0);
    CHECK(!faults(write_word, a));

    CHECK(update_va(0x1000, to_a, UVMF_INVLPG) < 0);                        /* no table there */
    CHECK(update_va(HYPERVISOR_VIRT_START, to_a, UVMF_INVLPG) < 0);
    CHECK(update_va(0x8000000000000000, to_a, UVMF_INVLPG) < 0);
    CHECK(update_va((uint64_t)b, pte(0xfffffffffful, PTE_KERNEL), UVMF_INVLPG) < 0);
    CHECK_EQ(hypercall5(__HYPERVISOR_update_va_mapping_otherdomain, (uint64_t)b, to_b, UVMF_INVLPG, 1234, 0),
             -XEN_ESRCH);
    CHECK_EQ(*(volatile uint64_t *)b, 2);
}
