/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers as a guest kernel sees them: some of its own, some read as they are, the rest
 * refused.
 */
#include "rt.h"

TEST("cpu: MSR reads, writes and refusals");

static uint64_t read_msr(void *index)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"((uint32_t)(uint64_t)index));
    return (uint64_t)hi << 32 | lo;
}
static uint64_t zero_msr(void *index)
{
    __asm__ volatile("wrmsr" : : "c"((uint32_t)(uint64_t)index), "a"(0), "d"(0));
    return 0;
}
static void user_rdmsr(void) { read_msr((void *)0xc0000080); }
static uint64_t run(void *fn) { return run_user(fn); }

void test_main(void)
{
    uint64_t efer, lstar;

    efer = rt_try(read_msr, (void *)0xc0000080);
    CHECK_EQ(efer & 0x501, 0x501);                          /* SCE, LME, LMA */
    lstar = rt_try(read_msr, (void *)0x1b);                 /* APIC base */
    CHECK_EQ(lstar & ~0xffful, 0xfee00000);
    CHECK(faults(read_msr, (void *)0x12345678));            /* no such register */
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(caught.error, 0);
    CHECK_EQ(*(const uint16_t *)caught.rip, 0x320f);
    CHECK(faults(zero_msr, (void *)0x12345678));
    CHECK_EQ(caught.vector, 13);
    was_caught = false;
    rt_try(zero_msr, (void *)0xc0000082); /* the entry of SYSCALL: whatever is answered, ... */
    /* ... it is still the hypervisor's */
    CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0) > 0);
    rt_try(zero_msr, (void *)0xc0000080);
    CHECK_EQ(rt_try(read_msr, (void *)0xc0000080), efer);
    CHECK(faults(run, user_rdmsr));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(caught.cs & 3, 3);
}
