/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls that do not exist. */
#include "rt.h"

TEST("hostile: hypercall numbers that are none");

void test_main(void)
{
    static const uint64_t none[] = { 11, 43, 44, 45,  46,   47,         50,        55,
                                     56, 63, 64, 255, 1000, 0x7fffffff, 0xffffffff };

    for (unsigned i = 0; i < ARRAY_LEN(none); i++)
        CHECK_EQ(hypercall5(none[i], ~0ul, ~0ul, ~0ul, ~0ul, ~0ul), -XEN_ENOSYS);
    CHECK_EQ(hypercall5(__HYPERVISOR_xsm_op, 0, 0, 0, 0, 0) < 0, 1);
    CHECK_EQ(hypercall5(__HYPERVISOR_tmem_op, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0) > 0);
}
