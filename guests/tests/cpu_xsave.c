/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended state: XSETBV takes what there is and keeps x87, and registers live through events and other
 * domains.
 */
#include "rt.h"

TEST("cpu: XSETBV, vector state across events");

static uint64_t xsetbv(void *v)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)(uint64_t)v), "d"((uint64_t)v >> 32));
    return 0;
}
static uint64_t xgetbv(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}
static bool has_osxsave(void)
{
    uint32_t a = 1, b, c = 0, d;

    __asm__ volatile(XEN_CPUID : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 26 & 1;
}
static uint64_t enable(void *v)
{
    uint64_t cr4;

    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | 1 << 18));
    return 0;
}

void test_main(void)
{
    uint64_t pattern[4] = { 1, 2, 3, 4 }, now[4];
    struct sched_poll nothing = { .timeout = 1 };
    bool wide;

    if (!has_osxsave())
        skip("the processor has no XSAVE");
    rt_try(enable, NULL);
    CHECK_EQ(xgetbv() & 1, 1);
    CHECK(!faults(xsetbv, (void *)3));
    CHECK_EQ(xgetbv(), 3);
    wide = !faults(xsetbv, (void *)7);
    CHECK(faults(xsetbv, (void *)6));                       /* without x87 */
    CHECK_EQ(caught.vector, 13);
    CHECK(faults(xsetbv, (void *)5));                       /* AVX without SSE */
    CHECK(faults(xsetbv, (void *)(1ul << 63 | 3)));
    CHECK_EQ(xgetbv(), wide ? 7 : 3);
    if (wide)
        __asm__ volatile("vmovdqu %0, %%ymm7" : : "m"(pattern) : "memory");
    else
        __asm__ volatile("movups %0, %%xmm7" : : "m"(pattern) : "memory");
    CHECK(faults(read_word, (void *)0x1000));
    for (unsigned i = 0; i < 3; i++) {
        nothing.timeout = system_time() + 1000000;          /* idle runs meanwhile */
        sched_op(SCHEDOP_poll, &nothing);
    }
    if (wide)
        __asm__ volatile("vmovdqu %%ymm7, %0" : "=m"(now));
    else
        __asm__ volatile("movups %%xmm7, %0" : "=m"(now));
    CHECK_EQ(memcmp(pattern, now, wide ? 32 : 16), 0);
}
