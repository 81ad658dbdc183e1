/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs that are not there, for each operation; and the one that is. */
#include "rt.h"

TEST("vcpu: operations on absent vCPUs");

void test_main(void)
{
    static const unsigned none[] = { 64, 128, 8191, 8192, 0x7fffffff, 0xffffffff };
    uint64_t *page = page_alloc();
    struct vcpu_get_physid id = { 77 };

    for (unsigned op = 0; op <= VCPUOP_register_vcpu_time_memory_area; op++)
        for (unsigned i = 0; i < ARRAY_LEN(none); i++)
            CHECK_EQ(vcpu_op(op, none[i], page), -XEN_ENOENT);
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    CHECK_EQ(vcpu_op(VCPUOP_up, 0, NULL), 0);                       /* it is */
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 0, (void *)0x1000), -XEN_EFAULT);
    CHECK(vcpu_op(VCPUOP_initialise, 0, page) < 0);                 /* initialised long ago */
    CHECK_EQ(vcpu_op(99, 0, page), -XEN_ENOSYS);
    vcpu_op(VCPUOP_get_physid, 0, &id);
}
