/* SPDX-License-Identifier: BSD-2-Clause */
/* FS and GS bases: by hypercall, by MSR, by the instructions; canonical addresses only. */
#include "rt.h"

TEST("cpu: segment bases and selectors (XSA-193)");

static uint64_t fs_word(void) { uint64_t v; __asm__ volatile("movq %%fs:0, %0" : "=r"(v)); return v; }
static uint64_t gs_word(void) { uint64_t v; __asm__ volatile("movq %%gs:0, %0" : "=r"(v)); return v; }
static volatile uint64_t user_saw;
static void user_reads_gs(void)
{
    user_saw = gs_word();
    user_exit(0);
}
static long set_base(unsigned which, uint64_t base)
{
    return hypercall(__HYPERVISOR_set_segment_base, which, base, 0, 0);
}
static uint64_t write_fs_msr(void *base)
{
    __asm__ volatile("wrmsr" : : "c"(0xc0000100), "a"((uint32_t)(uint64_t)base), "d"((uint64_t)base >> 32));
    return 0;
}

void test_main(void)
{
    uint64_t *a = page_alloc(), *b = page_alloc(), lo, hi;

    a[0] = 1;
    b[0] = 2;
    CHECK_EQ(set_base(SEGBASE_FS, (uint64_t)a), 0);
    CHECK_EQ(set_base(SEGBASE_GS_KERNEL, (uint64_t)a), 0);
    CHECK_EQ(set_base(SEGBASE_GS_USER, (uint64_t)b), 0);
    CHECK_EQ(fs_word(), 1);
    CHECK_EQ(gs_word(), 1);
    run_user(user_reads_gs);
    CHECK_EQ(user_saw, 2);
    CHECK_EQ(gs_word(), 1);

    CHECK(!faults(write_fs_msr, b));
    CHECK_EQ(fs_word(), 2);
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000100));
    CHECK_EQ(hi << 32 | (uint32_t)lo, (uint64_t)b);
    CHECK(set_base(SEGBASE_FS, 0x8000000000000000) < 0);
    CHECK(set_base(SEGBASE_GS_KERNEL, 1ul << 47) < 0);
    CHECK(set_base(SEGBASE_GS_USER, 1ul << 63) < 0);
    CHECK(set_base(17, 0) < 0);
    CHECK(faults(write_fs_msr, (void *)0x8000000000000000));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(fs_word(), 2);
    CHECK_EQ(set_base(SEGBASE_GS_USER_SEL, 0), 0);
    CHECK_EQ(set_base(SEGBASE_GS_USER_SEL, 0x1234), 0);     /* one that is not there becomes none */
    CHECK_EQ(gs_word(), 1);
}
