/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0 drives the machine: it maps device memory, which nobody owns, but not the hypervisor's own devices. */
#include "rt.h"

TEST("mmu: device memory mapped by dom0");

void test_main(void)
{
    volatile uint16_t *screen = page_alloc();
    uint64_t was = pte(va_to_mfn((void *)screen), PTE_KERNEL);

    CHECK_EQ(update_va((uint64_t)screen, pte(0xb8, PTE_KERNEL), UVMF_INVLPG), 0);
    screen[0] = 0x0748;
    CHECK_EQ(update_va((uint64_t)screen, was, UVMF_INVLPG), 0);
    CHECK_EQ(screen[0], 0);
    CHECK_EQ(hypercall5(__HYPERVISOR_update_va_mapping_otherdomain, (uint64_t)screen, pte(0xb8, PTE_KERNEL),
                        UVMF_INVLPG, DOMID_IO, 0), 0);
    CHECK_EQ(update_va((uint64_t)screen, was, UVMF_INVLPG), 0);

    /* no such address width */
    CHECK(update_va((uint64_t)screen, pte(1ul << 39, PTE_KERNEL), UVMF_INVLPG) < 0);
    CHECK(update_va((uint64_t)screen, pte(0xfee00, PTE_KERNEL), UVMF_INVLPG) < 0);      /* local APIC */
    CHECK_EQ(screen[0], 0);
}
