/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit user programs under a 64-bit kernel: INT 0x80 and SYSCALL from compatibility mode, with their
 * segments.
 */
#include "rt.h"

TEST("trap: 32-bit user mode");

static struct trap_frame seen;
static volatile unsigned by_int80, by_syscall;
extern uint8_t syscall_entry[];

static void gate(struct trap_frame *f)
{
    seen = *f;
    if (f->vector == 128)
        by_int80++;
}
/* mov $0x12345678, %ebx; int $0x80; mov $2, %eax; syscall; ud2 */
static const uint8_t code[] = { 0xbb, 0x78, 0x56, 0x34, 0x12, 0xcd, 0x80, 0xb8,
                                2,    0,    0,    0,    0x0f, 0x05, 0x0f, 0x0b };

static uint64_t enter(void *at)
{
    /* to a 32-bit segment, by the frame that rt_user() would make for a 64-bit one */
    __asm__ volatile(
        "pushq %0; pushq %1; pushq $0x202; pushq %2; pushq %3; pushq $0; pushq $0; pushq $0; pushq $0;"
        "movl %4, %%eax; syscall"
        :
        : "r"((uint64_t)FLAT_USER_SS32), "r"((uint64_t)at + 0xff0), "r"((uint64_t)FLAT_USER_CS32), "r"(at),
          "i"(__HYPERVISOR_iret)
        : "rax", "rcx", "r11", "memory");
    return 0;
}

static void leave(struct trap_frame *f)
{
    if (f->rax == 2) {
        seen = *f;
        by_syscall++;
    }
    f->rip = 0x400000 + 14;             /* on to its UD2, as a 32-bit program still */
    f->cs = FLAT_USER_CS32;
    f->ss = FLAT_USER_SS32;
}

void test_main(void)
{
    uint8_t *at = code32_page(code, sizeof code);
    struct callback_register r = { .type = CALLBACKTYPE_syscall32, .address = (uint64_t)syscall_entry };

    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &r, 0, 0), 0);
    on_interrupt = gate;
    on_syscall = leave;
    CHECK(faults(enter, at));
    CHECK_EQ(by_int80, 1);
    CHECK_EQ(by_syscall, 1);
    CHECK_EQ((uint32_t)seen.rbx, 0x12345678);
    CHECK_EQ(seen.rip, (uint64_t)at + 14);
    CHECK_EQ(seen.cs & 0xffff, FLAT_USER_CS32);
    CHECK_EQ(caught.vector, 6);
    CHECK_EQ(caught.rip, (uint64_t)at + 14);
    CHECK_EQ(caught.cs & 0xffff, FLAT_USER_CS32);
}
