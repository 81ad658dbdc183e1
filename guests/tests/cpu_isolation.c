/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of one domain are not those of another: vector, debug and segment state while a child runs in
 * between. */
#include "child.h"

TEST("cpu: state kept apart between domains");

void test_main(void)
{
    struct child c = { 0 };
    uint64_t pattern[2] = { 0x1111222233334444, 0x5555666677778888 }, now[2], base;

    if (!child_create(&c))
        return;
    __asm__ volatile("movups %0, %%xmm5" : : "m"(pattern) : "memory");
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 1, 0x123456, 0, 0), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x777000, 0, 0), 0);
    child_add(&c, __HYPERVISOR_get_debugreg, 1, 0, 0, 0);
    child_add(&c, __HYPERVISOR_set_debugreg, 1, 0x999, 0, 0);
    child_add(&c, __HYPERVISOR_set_segment_base, SEGBASE_FS, 0x666000, 0, 0);
    child_add(&c, __HYPERVISOR_fpu_taskswitch, 1, 0, 0, 0);
    CHECK(child_run(&c));
    CHECK_EQ(c.page->call[0].result, 0);            /* not what we set */
    CHECK_EQ(c.page->call[1].result, 0);
    __asm__ volatile("movups %%xmm5, %0" : "=m"(now));
    CHECK_EQ(memcmp(now, pattern, sizeof now), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_get_debugreg, 1, 0, 0, 0), 0x123456);
    __asm__ volatile("rdmsr; shlq $32, %%rdx; orq %%rdx, %%rax" : "=a"(base) : "c"(0xc0000100) : "rdx");
    CHECK_EQ(base, 0x777000);
    child_destroy(&c);
}
