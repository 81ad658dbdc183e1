/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a local descriptor table come in when they are first used: by a user program, whose root
 * does not have them, and by the return to a segment in one. A user program that could bring a kernel
 * down by naming a selector would be an attack of its own.
 */
#include "rt.h"

TEST("attack: first use of a descriptor table from user mode, and by iret");

#define CODE64 0x00affb000000ffff
#define DATA   0x00cff3000000ffff
#define SELECTOR(n) ((n) << 3 | 7)      /* of the LDT, privilege 3 */

static void user_loads(void)
{
    __asm__ volatile("movl %0, %%ds; movl %1, %%ds" : : "r"(SELECTOR(2)), "r"(0));
    user_exit(7);
}
static void user_absent(void)
{
    __asm__ volatile("movl %0, %%ds" : : "r"(SELECTOR(4)));
    user_exit(8);
}
static uint64_t run(void *fn) { return run_user(fn); }
static void lands(void) { __asm__ volatile("ud2"); }

static uint64_t go(void *rsp)
{
    __asm__ volatile("pushq %0; pushq %1; pushq $0x202; pushq %2; pushq %3;"
                     "pushq $0; pushq $0; pushq $0; pushq $0;"
                     "movl %4, %%eax; syscall"
                     : : "r"((uint64_t)FLAT_KERNEL_SS64), "r"(rsp), "r"(SELECTOR(3) & ~3ul), "r"(lands),
                         "i"(__HYPERVISOR_iret) : "rax", "rcx", "r11", "memory");
    return 0;
}

static long ldt(uint64_t va, unsigned entries) { return mmuext_one(MMUEXT_SET_LDT, va, entries); }

void test_main(void)
{
    const uint64_t *root = (const uint64_t *)start_info_pointer->pt_base;
    uint64_t *l4 = page_alloc(), *table = page_alloc(), at = (uint64_t)slot_va(6);
    struct tree t;

    table[2] = DATA;
    table[3] = CODE64;
    tree_make(&t);
    CHECK_EQ(page_unprotect(t.l1), 0);
    t.l1[0] = pte(va_to_mfn(table), PTE_P | PTE_A);
    CHECK_EQ(page_protect(t.l1), 0);
    CHECK_EQ(page_protect(table), 0);
    CHECK_EQ(tree_attach(&t, 6), 0);
    l4[511] = root[511];                /* all but the table */
    CHECK_EQ(page_protect(l4), 0);
    CHECK(faults(run, user_absent));    /* run_user sets a root if there is none; no table yet */
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, va_to_mfn(l4), 0), 0);

    CHECK_EQ(ldt(at, 512), 0);
    CHECK_EQ(run_user(user_loads), 7);
    CHECK(faults(run, user_absent));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(ldt(0, 0), 0);
    CHECK_EQ(ldt(at, 512), 0);
    CHECK(faults(go, (uint8_t *)page_alloc() + PAGE_SIZE - 8));
    CHECK_EQ(caught.vector, 6);
    CHECK_EQ(caught.rip, (uint64_t)lands);
    CHECK_EQ(ldt(0, 0), 0);
}
