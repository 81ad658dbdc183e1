/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain writes to a page table that is mapped read-only: forms of MOV and XCHG that kernels use, done as
 * checked updates.
 */
#include "rt.h"

TEST("mmu: writes to a page table emulated (mov, xchg)");

#define FRAME_AND_FLAGS 0xffffffffff0fb     /* less what the hypervisor adds: U, software's bits */

static uint64_t value;
static uint64_t mov_q(void *p) { *(volatile uint64_t *)p = value; return 0; }
static uint64_t mov_imm(void *p) { __asm__ volatile("movq $0, %0" : "=m"(*(uint64_t *)p)); return 0; }
static uint64_t mov_r9(void *p)
{
    __asm__ volatile("movq %1, %%r9; movq %%r9, 16(%0,%2,8)" : : "r"((uint64_t *)p - 2), "r"(value), "r"(0ul)
                     : "r9", "memory");
    return 0;
}
static uint64_t swap(void *p)
{
    uint64_t v = value;

    __asm__ volatile("xchgq %0, %1" : "+r"(v), "+m"(*(uint64_t *)p));
    return v;
}

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc(), *l1;
    volatile uint64_t *seen = (volatile uint64_t *)slot_va(300);
    uint64_t good = pte(va_to_mfn(page), PTE_KERNEL);

    tree_make(&t);
    l1 = t.l1;
    page[0] = 11;
    CHECK_EQ(tree_attach(&t, 300), 0);

    value = good;
    CHECK(!faults(mov_q, &l1[0]));
    CHECK_EQ(seen[0], 11);
    CHECK_EQ(l1[0] & PTE_U, PTE_U);
    CHECK(!faults(mov_r9, &l1[1]));
    CHECK_EQ(seen[512], 11);
    CHECK_EQ(rt_try(swap, &l1[2]), 0);
    CHECK_EQ(seen[1024], 11);
    value = good & ~PTE_RW;
    CHECK_EQ(rt_try(swap, &l1[2]) & FRAME_AND_FLAGS, good & FRAME_AND_FLAGS);
    CHECK_EQ(l1[2] & PTE_RW, 0);
    CHECK(!faults(mov_imm, &l1[2]));
    CHECK_EQ(l1[2], 0);

    value = pte(va_to_mfn(t.l2), PTE_KERNEL);               /* the checks are those of an update */
    CHECK(faults(mov_q, &l1[3]));
    CHECK_EQ(caught.vector, 14);
    CHECK_EQ(caught.error & 3, 3);
    CHECK_EQ(shared->vcpu_info[0].arch.cr2, (uint64_t)&l1[3]);
    CHECK(faults(swap, &l1[3]));
    CHECK_EQ(l1[3], 0);
    CHECK(faults(mov_q, &t.l2[1]));                         /* only the lowest level is emulated */
    CHECK_EQ(t.l2[1], 0);
    CHECK(faults(mov_q, (uint8_t *)&l1[4] + 4));            /* across two entries */
    CHECK_EQ(l1[4] | l1[5], 0);
}
