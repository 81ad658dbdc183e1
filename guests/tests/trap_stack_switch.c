/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel stack: the one that entries from user mode get; its selector is made harmless. */
#include "rt.h"

TEST("trap: stack_switch and the stack of entries from user mode");

static uint64_t frame_at;
static void note(struct trap_frame *f)
{
    frame_at = (uint64_t)f;
    rt_leave_user();
}
static void user(void) { user_exit(0); }

void test_main(void)
{
    uint64_t a = (uint64_t)page_alloc(), b = (uint64_t)page_alloc();

    on_syscall = note;
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS64, a + PAGE_SIZE, 0, 0), 0);
    run_user(user);
    CHECK_EQ(frame_at & ~0xffful, a);
    /* rounded down by 16 */
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS64, b + 0x808, 0, 0), 0);
    run_user(user);
    CHECK_EQ(frame_at & ~0xffful, b);
    CHECK_EQ((frame_at + sizeof(struct trap_frame)) & 15, 0);
    /* selector made one of ring 3 */
    CHECK_EQ(hypercall(__HYPERVISOR_stack_switch, 0, a + PAGE_SIZE, 0, 0), 0);
    run_user(user);
    CHECK_EQ(frame_at & ~0xffful, a);
}
