/* SPDX-License-Identifier: BSD-2-Clause */
/* callback_op: which types there are, which cannot be taken back, and addresses that are none. */
#include "rt.h"

TEST("trap: registration of callbacks");

static long reg(uint16_t type, uint64_t address)
{
    struct callback_register r = { .type = type, .address = address };

    return hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &r, 0, 0);
}
static long unreg(uint16_t type)
{
    struct callback_unregister u = { .type = type };

    return hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister, &u, 0, 0);
}

void test_main(void)
{
    uint64_t nothing = (uint64_t)test_main;

    CHECK_EQ(reg(CALLBACKTYPE_sysenter, nothing), 0);
    CHECK_EQ(reg(CALLBACKTYPE_syscall32, nothing), 0);
    CHECK_EQ(reg(CALLBACKTYPE_nmi, nothing), 0);
    CHECK_EQ(unreg(CALLBACKTYPE_nmi), 0);
    CHECK_EQ(reg(77, nothing), -XEN_ENOSYS);
    CHECK_EQ(unreg(77), -XEN_ENOSYS);
    CHECK_EQ(unreg(CALLBACKTYPE_event), -XEN_EINVAL);
    CHECK_EQ(unreg(CALLBACKTYPE_failsafe), -XEN_EINVAL);
    CHECK_EQ(unreg(CALLBACKTYPE_syscall), -XEN_EINVAL);
    CHECK_EQ(reg(CALLBACKTYPE_nmi, 0x8000000000000000), -XEN_EINVAL);
    CHECK_EQ(reg(CALLBACKTYPE_event, 0x8000000000000000), -XEN_EINVAL);
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, 2, 0, 0, 0), -XEN_ENOSYS);
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, 0x1000, 0, 0), -XEN_EFAULT);
    CHECK(!faults(read_word, &nothing));            /* those in use are as they were */
}
