/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Returns that no processor would make: to addresses that are none, with flags that hurt, to segments that
 * are not there.
 */
#include "rt.h"

TEST("trap: iret to bad addresses, selectors and flags (XSA-7, XSA-44)");

struct frame { uint64_t rip, cs, rflags, rsp, ss; };
static uint64_t pretend_syscall;

static uint64_t go(void *p)
{
    const struct frame *f = p;

    __asm__ volatile(
        "pushq %0; pushq %1; pushq %2; pushq %3; pushq %4; pushq %6; pushq $0; pushq $0; pushq $0;"
        "movl %5, %%eax; syscall"
        :
        : "r"(f->ss), "r"(f->rsp), "r"(f->rflags), "r"(f->cs), "r"(f->rip), "i"(__HYPERVISOR_iret),
          "r"((uint64_t)pretend_syscall)
        : "rax", "rcx", "r11", "memory");
    return 0;
}

static void expect(struct frame f, uint64_t vector)
{
    CHECK(faults(go, &f));
    if (vector)
        CHECK_EQ(caught.vector, vector);
}

static void both(struct frame f, uint64_t vector)
{
    pretend_syscall = 0;
    expect(f, vector);
    pretend_syscall = VGCF_in_syscall;
    expect(f, vector);
    pretend_syscall = 0;
}

static void lands(void) { __asm__ volatile("ud2"); }

void test_main(void)
{
    uint64_t stack = (uint64_t)page_alloc() + PAGE_SIZE - 8, here = (uint64_t)lands;
    const struct frame good = { here, FLAT_KERNEL_CS64 & ~3, 0x202, stack, FLAT_KERNEL_SS64 };
    struct frame f;

    both(good, 6);
    CHECK_EQ(caught.rip, here);
    CHECK_EQ(caught.rsp, stack);
    f = good;
    f.rflags |= 1 << 14 | 3 << 12 | 1 << 17;                /* NT, IOPL 3, VM: not for a guest to set */
    both(f, 6);
    CHECK_EQ(caught.rflags & (3 << 12 | 1 << 17), 0);
    f = good;
    f.rflags |= 1 << 18;                                    /* alignment checks */
    both(f, 6);
    f = good;
    f.rip = 0x8000000000000000;
    both(f, 0);
    f.rip = 0x0000800000000000;
    both(f, 0);
    f = good;
    f.rip = 0xffff830000000000;                             /* the hypervisor's */
    both(f, 14);
    f = good;
    f.ss = 0x1234;
    expect(f, 0);
    f = good;
    f.cs = 0x1230;
    expect(f, 0);
}
