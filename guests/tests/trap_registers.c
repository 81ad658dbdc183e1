/* SPDX-License-Identifier: BSD-2-Clause */
/* Every register survives an exception, an event and a system call; RCX and R11 too, where iret returns. */
#include "rt.h"

TEST("trap: registers survive exceptions and events");

static struct trap_frame seen;

/* Loads registers with a pattern, raises INT3, and looks whether all are there afterwards. */
static uint64_t pattern(void *p)
{
    uint64_t wrong;

    __asm__ volatile(
        "movq $1, %%rax; movq $2, %%rbx; movq $3, %%rcx; movq $4, %%rdx; movq $5, %%rsi; movq $6, %%rdi;"
        "movq $8, %%r8; movq $9, %%r9; movq $10, %%r10; movq $11, %%r11; movq $12, %%r12; movq $13, %%r13;"
        "movq $14, %%r14; movq $15, %%r15; int $0x80;"
        "subq $1, %%rax; subq $2, %%rbx; subq $3, %%rcx; subq $4, %%rdx; subq $5, %%rsi; subq $6, %%rdi;"
        "subq $8, %%r8; subq $9, %%r9; subq $10, %%r10; subq $11, %%r11; subq $12, %%r12; subq $13, %%r13;"
        "subq $14, %%r14; subq $15, %%r15;"
        "orq %%rbx, %%rax; orq %%rcx, %%rax; orq %%rdx, %%rax; orq %%rsi, %%rax; orq %%rdi, %%rax; orq %%r8, "
        "%%rax;"
        "orq %%r9, %%rax; orq %%r10, %%rax; orq %%r11, %%rax; orq %%r12, %%rax; orq %%r13, %%rax; orq %%r14, "
        "%%rax;"
        "orq %%r15, %%rax"
        : "=a"(wrong)
        :
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
          "cc");
    return wrong;
}

static void user_pattern(void) { user_exit(pattern(NULL)); }

static void gate(struct trap_frame *f) { seen = *f; }

void test_main(void)
{
    on_interrupt = gate;
    CHECK_EQ(pattern(NULL), 0);
    CHECK_EQ(seen.vector, 128);
    CHECK_EQ(seen.rax, 1);
    CHECK_EQ(seen.rcx, 3);
    CHECK_EQ(seen.r11, 11);
    CHECK_EQ(seen.r15, 15);
    memset(&seen, 0, sizeof seen);
    CHECK_EQ(run_user(user_pattern), 0);
    CHECK_EQ(seen.rcx, 3);
    CHECK_EQ(seen.r11, 11);
}
