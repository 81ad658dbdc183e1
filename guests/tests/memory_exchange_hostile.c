/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XSA-212: the list of new frames is written by the hypervisor; its address, and where to begin, are the
 * guest's.
 */
#include "rt.h"

TEST("memory: exchange with hostile handles (XSA-212)");

void test_main(void)
{
    uint64_t in[1] = { pfn_to_mfn(start_info_pointer->nr_pages - 1) },
             out[1] = { start_info_pointer->nr_pages - 1 };
    static const uint64_t bad[] = { 0x1000, 0xffff830000000000, 0xffff82d040200000, 0x8000000000000000, ~7ul,
                                    MACH2PHYS_VIRT_START };
    struct xen_memory_domain d = { DOMID_SELF };
    long before = memory_op(XENMEM_current_reservation, &d);

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct xen_memory_exchange x = {
            .in = { { (uint64_t)in }, 1, 0, 0, DOMID_SELF },
            .out = { { bad[i] }, 1, 0, 0, DOMID_SELF },
        };

        CHECK(memory_op(XENMEM_exchange, &x) < 0);
        /* a start that leads the address around the end of the address space */
        x.nr_exchanged = (0 - bad[i]) / 8;
        x.in.nr_extents = x.out.nr_extents = x.nr_exchanged + 1;
        CHECK(memory_op(XENMEM_exchange, &x) < 0);
        x.out.extent_start.va = (uint64_t)out;
        x.in.extent_start.va = bad[i];
        x.in.nr_extents = x.out.nr_extents = 1;
        x.nr_exchanged = 0;
        CHECK(memory_op(XENMEM_exchange, &x) < 0);
    }
    CHECK_EQ(memory_op(XENMEM_current_reservation, &d), before);
}
