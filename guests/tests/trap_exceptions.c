/* SPDX-License-Identifier: BSD-2-Clause */
/* Each exception a kernel can raise in itself arrives with its vector, error code and address. */
#include "rt.h"

TEST("trap: exceptions with vector, error code and address");

static uint64_t divide(void *p)
{
    __asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "rax", "rdx", "rcx");
    return 0;
}
static uint64_t undefined(void *p) { __asm__ volatile("ud2"); return 0; }
static uint64_t breakpoint(void *p) { __asm__ volatile("int3"); return 0; }
static uint64_t interrupt(void *p) { __asm__ volatile("int $0x80"); return 0; }
static uint64_t no_gate(void *p) { __asm__ volatile("int $0x70"); return 0; }
static uint64_t bad_selector(void *p) { __asm__ volatile("movw %w0, %%ds" : : "r"(0x1234 & ~4)); return 0; }
static uint64_t x87(void *p)
{
    uint16_t unmasked = 0x0300;

    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(unmasked));
    return 0;
}
static void expect(uint64_t (*fn)(void *), void *arg, uint64_t vector, uint64_t error)
{
    was_caught = false;
    rt_try(fn, arg);
    CHECK(was_caught);
    CHECK_EQ(caught.vector, vector);
    CHECK_EQ(caught.error, error);
}

void test_main(void)
{
    expect(divide, NULL, 0, 0);
    expect(undefined, NULL, 6, 0);
    CHECK_EQ(*(const uint16_t *)caught.rip, 0x0b0f);        /* a fault: at the instruction */
    expect(breakpoint, NULL, 3, 0);
    CHECK_EQ(((const uint8_t *)caught.rip)[-1], 0xcc);      /* a trap: behind it */
    expect(interrupt, NULL, 128, 0);
    CHECK(faults(no_gate, NULL));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(caught.error & 7, 2);                          /* which gate is in the bits above */
    expect(bad_selector, NULL, 13, 0x1230);
    expect(x87, NULL, 16, 0);
    __asm__ volatile("fninit");
    expect(read_word, (void *)0x5008, 14, 0); /* ring 3, but kernel mode: no U */;
    CHECK_EQ(shared->vcpu_info[0].arch.cr2, 0x5008);
    expect(read_word, (void *)(1ul << 47), 13, 0);
}
