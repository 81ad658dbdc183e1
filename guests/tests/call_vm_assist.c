/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the memory interface, known and unknown. */
#include "rt.h"

TEST("call: vm_assist");

static long assist(unsigned cmd, unsigned type) { return hypercall(__HYPERVISOR_vm_assist, cmd, type, 0, 0); }

void test_main(void)
{
    static const unsigned known[] = { VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3,
                                      VMASST_TYPE_architectural_iopl, VMASST_TYPE_runstate_update_flag,
                                      VMASST_TYPE_m2p_strict };

    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        /* those that a 64-bit guest has no use for may be unknown */
        long r = assist(VMASST_CMD_enable, known[i]);

        CHECK(r == 0 || (i == 1 && r == -XEN_EINVAL));
        CHECK_EQ(assist(VMASST_CMD_disable, known[i]), r);
    }
    CHECK_EQ(assist(VMASST_CMD_enable, 63), -XEN_EINVAL);
    CHECK_EQ(assist(VMASST_CMD_enable, 64), -XEN_EINVAL);
    CHECK_EQ(assist(VMASST_CMD_enable, 0xffffffff), -XEN_EINVAL);
    CHECK_EQ(assist(99, VMASST_TYPE_architectural_iopl), -XEN_ENOSYS);
}
