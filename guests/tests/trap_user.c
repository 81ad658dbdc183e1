/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User mode: what it may call, what it may not, and the state that exceptions and system calls bring from
 * there.
 */
#include "rt.h"

TEST("trap: user mode, system calls, gates by privilege");

static uint64_t run(void *fn) { return run_user(fn); }
static void by_syscall(void) { user_exit(0x1234567890); }
static void by_int80(void) { __asm__ volatile("int $0x80"); }
static void by_int3(void) { __asm__ volatile("int3"); }
static void by_kernel_gate(void) { __asm__ volatile("int $13"); }
static void by_hlt(void) { __asm__ volatile("hlt"); }
static void by_cli(void) { __asm__ volatile("cli"); }
static void by_ud2(void) { __asm__ volatile("ud2"); }
static void by_null(void) { *(volatile int *)0x10 = 0; }

static void by_bad_stack(void)
{
    __asm__ volatile("movabsq $0x8000000000000000, %%rsp; popq %%rax" : : : "rax");
}

static volatile bool syscall_was_hypercall;
static void hypercall_attempt(struct trap_frame *f)
{
    /* user mode has no hypercalls: the instruction comes here, as a system call of ours */
    if (f->rax == __HYPERVISOR_xen_version)
        syscall_was_hypercall = true;
    rt_leave_user();
}
static void tries_hypercall(void)
{
    __asm__ volatile("syscall" : : "a"(__HYPERVISOR_xen_version), "D"(0));
    __builtin_unreachable();
}

static void expect(void (*fn)(void), uint64_t vector, uint64_t error)
{
    CHECK(faults(run, fn));
    CHECK_EQ(caught.vector, vector);
    CHECK_EQ(caught.error, error);
    CHECK_EQ(caught.cs & 3, 3);
    CHECK_EQ(caught.ss & 3, 3);
    CHECK_EQ(caught.rflags & 0x200, 0x200);
}

void test_main(void)
{
    CHECK_EQ(run_user(by_syscall), 0x1234567890);
    expect(by_int80, 128, 0);
    expect(by_int3, 3, 0);
    CHECK(faults(run, by_kernel_gate));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(caught.error & 7, 2);
    CHECK(faults(run, by_bad_stack));
    CHECK(caught.vector == 12 || caught.vector == 13);      /* QEMU 7.2 says 13 */
    expect(by_hlt, 13, 0);
    expect(by_cli, 13, 0);
    expect(by_ud2, 6, 0);
    expect(by_null, 14, 6);
    on_syscall = hypercall_attempt;
    run_user(tries_hypercall);
    CHECK(syscall_was_hypercall);
}
