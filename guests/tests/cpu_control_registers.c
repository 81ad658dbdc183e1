/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers: images of the guest's own, and changes that cannot hurt. */
#include "rt.h"

TEST("cpu: control registers read and written");

#define READ(n) ({ uint64_t v_; __asm__ volatile("movq %%cr" #n ", %0" : "=r"(v_)); v_; })
static uint64_t write_cr0(void *v) { __asm__ volatile("movq %0, %%cr0" : : "r"(v)); return 0; }
static uint64_t write_cr3(void *v) { __asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory"); return 0; }
static uint64_t write_cr4(void *v) { __asm__ volatile("movq %0, %%cr4" : : "r"(v)); return 0; }
static uint64_t clts(void *v) { __asm__ volatile("clts"); return 0; }
static uint64_t fpu(void *v) { __asm__ volatile("fninit"); return 0; }

void test_main(void)
{
    uint64_t cr0 = READ(0), cr4 = READ(4);

    CHECK_EQ(cr0 & 0x80000001, 0x80000001);
    CHECK_EQ(READ(3) >> 12, root_mfn());
    CHECK(faults(read_word, (void *)0x7008));
    CHECK_EQ(READ(2), 0x7008);
    CHECK_EQ(cr4 & 0x20, 0x20);                                     /* PAE */

    CHECK(!faults(write_cr0, (void *)(cr0 | 8)));                   /* TS: the only bit that is the guest's */
    CHECK_EQ(READ(0) & 8, 8);
    CHECK(faults(fpu, NULL));
    CHECK_EQ(caught.vector, 7);
    CHECK(!faults(clts, NULL));
    CHECK_EQ(READ(0) & 8, 0);
    CHECK(!faults(fpu, NULL));
    CHECK_EQ(hypercall(__HYPERVISOR_fpu_taskswitch, 1, 0, 0, 0), 0);
    CHECK(faults(fpu, NULL));
    CHECK_EQ(hypercall(__HYPERVISOR_fpu_taskswitch, 0, 0, 0, 0), 0);
    CHECK(!faults(fpu, NULL));

    CHECK(!faults(write_cr3, (void *)(root_mfn() << 12)));
    CHECK(faults(write_cr3, (void *)((root_mfn() + 1) << 12)));     /* no root */
    CHECK_EQ(READ(3) >> 12, root_mfn());
    CHECK(!faults(write_cr4, (void *)cr4));
    rt_try(write_cr4, (void *)(cr4 & ~0x20ul));                     /* PAE off: in the image at most */
    CHECK_EQ(READ(3) >> 12, root_mfn());
    rt_try(write_cr0, (void *)(cr0 & ~0x80000000ul));
    CHECK_EQ(READ(0), cr0);
}
