/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug registers by hypercall and by instruction: a watch on data fires; the hypervisor's addresses cannot
 * be watched.
 */
#include "rt.h"

TEST("cpu: debug registers");

static volatile uint64_t watched;
static volatile unsigned hits;
static void note(struct trap_frame *f) { hits += f->vector == 1; }
static long set(unsigned reg, uint64_t value)
{
    return hypercall(__HYPERVISOR_set_debugreg, reg, value, 0, 0);
}
static long get(unsigned reg) { return hypercall(__HYPERVISOR_get_debugreg, reg, 0, 0, 0); }

void test_main(void)
{
    uint64_t v;

    on_interrupt = note;
    CHECK_EQ(set(0, (uint64_t)&watched), 0);
    CHECK_EQ(set(7, 1 | 1 << 16 | 3 << 18), 0);             /* local 0: writes of 8 bytes */
    watched = 1;
    CHECK_EQ(hits, 1);
    CHECK_EQ(get(6) & 1, 1);
    (void)watched;
    CHECK_EQ(hits, 1);
    __asm__ volatile("movq %%dr0, %0" : "=r"(v));
    CHECK_EQ(v, (uint64_t)&watched);
    CHECK_EQ(get(0), (long)v);
    CHECK_EQ(set(7, 0), 0);
    watched = 2;
    CHECK_EQ(hits, 1);

    __asm__ volatile("movq %0, %%dr1" : : "r"(0x123456ul));
    CHECK_EQ(get(1), 0x123456);
    CHECK(set(2, HYPERVISOR_VIRT_START + (1ul << 40)) < 0);
    CHECK(set(2, 0xffff82d040200000) < 0);
    CHECK_EQ(get(2), 0);
    CHECK(set(8, 0) < 0);
    CHECK(get(99) < 0);
    CHECK(set(7, 2 << 16 | 1) < 0);                         /* a breakpoint on I/O */
    set(7, 1 << 13);                                        /* general detect: refused, or not kept */
    CHECK_EQ(get(7) & 1 << 13, 0);
}
