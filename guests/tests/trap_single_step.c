/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trap flag: each instruction, also across a hypercall and a return from the hypervisor, never one of
 * its own.
 */
#include "rt.h"

TEST("trap: single steps");

static volatile unsigned steps;
static uint64_t bad_step;
static void step(struct trap_frame *f)
{
    if (f->vector != 1)
        return;
    steps++;
    if (f->rip >= HYPERVISOR_VIRT_START && f->rip < HYPERVISOR_VIRT_END)
        bad_step = f->rip;
}

void test_main(void)
{
    on_interrupt = step;
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; pushfq; andl $~0x100, (%%rsp); popfq"
                     : : : "memory", "cc");
    CHECK(steps >= 5 && steps <= 7);
    steps = 0;
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; movl %0, %%eax; xorl %%edi, %%edi; syscall; nop;"
                     "pushfq; andl $~0x100, (%%rsp); popfq"
                     : : "i"(__HYPERVISOR_xen_version) : "rax", "rdi", "rcx", "r11", "memory", "cc");
    CHECK(steps >= 3);
    CHECK_EQ(bad_step, 0);
}
