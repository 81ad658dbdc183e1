/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A multicall must not change the guest's mode halfway (XSA-213). The number of a hypercall has 32
 * bits, but its place in an entry 64.
 */
#include "rt.h"

TEST("attack: iret inside a multicall, under all of its numbers");

static void user_dummy(void) { user_exit(0); }

void test_main(void)
{
    static const uint64_t number[] = { __HYPERVISOR_iret, 1ul << 32 | __HYPERVISOR_iret,
                                       1ul << 63 | __HYPERVISOR_iret,
                                       0xffffffff00000000 | __HYPERVISOR_iret };

    run_user(user_dummy);                               /* sets the user root */
    for (unsigned i = 0; i < ARRAY_LEN(number); i++) {
        /* had the mode changed, this would take away the root that is in use */
        struct mmuext_op none = { .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = ~0ul };
        struct multicall_entry e[2] = {
            { .op = number[i] },
            { .op = __HYPERVISOR_mmuext_op, .args = { (uint64_t)&none, 1, 0, DOMID_SELF } },
        };
        struct iret_context frame = { .rip = 0x8000000000000000, .cs = FLAT_USER_CS64, .rflags = 0x202,
                                      .ss = FLAT_USER_SS64 };
        long r;

        /* the frame stands where an iret would look for it */
        __asm__ volatile("movq %%rsp, %%rbx; movq %1, %%rsp; syscall; movq %%rbx, %%rsp"
                         : "=a"(r) : "r"(&frame), "a"(__HYPERVISOR_multicall), "D"(e), "S"(2)
                         : "rbx", "rcx", "r11", "memory");
        CHECK_EQ(r, 0);
        CHECK_EQ(e[0].result, -XEN_EINVAL);
    }
}
