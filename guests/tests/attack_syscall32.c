/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYSCALL from a 32-bit segment. Where the processor has it, it enters ring 0 at an address of its own
 * and changes no stack: with a stack pointer to nowhere, to the program's own memory, and from the
 * guest kernel itself.
 */
#include "rt.h"

TEST("attack: SYSCALL of 32-bit programs does not run on their stack");

/* mov $2, %eax; syscall; ud2 */
static const uint8_t code[] = { 0xb8, 2, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b };
struct entry { uint64_t rip, rsp, cs; };

static uint64_t enter(void *p)
{
    const struct entry *e = p;

    __asm__ volatile("pushq %0; pushq %1; pushq $0x202; pushq %2; pushq %3;"
                     "pushq $0; pushq $0; pushq $0; pushq $0;"
                     "movl %4, %%eax; syscall"
                     : : "r"((uint64_t)FLAT_USER_SS32), "r"(e->rsp), "r"(e->cs), "r"(e->rip),
                         "i"(__HYPERVISOR_iret)
                     : "rax", "rcx", "r11", "memory");
    return 0;
}

/* Nobody registered an entry for it: an invalid instruction, and the program's state is its own. */
static void refused(uint64_t rip, uint64_t rsp, uint64_t cs)
{
    struct entry e = { rip, rsp, cs };

    CHECK(faults(enter, &e));
    CHECK_EQ(caught.vector, 6);
    CHECK_EQ(caught.rip, rip + 5);
    CHECK_EQ(caught.rsp, rsp);
    CHECK_EQ(caught.rax, 2);
}

void test_main(void)
{
    uint8_t *at = code32_page(code, sizeof code);

    refused((uint64_t)at, 0xfffffff0, FLAT_USER_CS32);
    refused((uint64_t)at, (uint64_t)at + 0x800, FLAT_USER_CS32);
    refused((uint64_t)at, 0, FLAT_USER_CS32);
    refused((uint64_t)at, (uint64_t)at + 0x800, FLAT_USER_CS32 & ~3ul);     /* the guest kernel */
}
