/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update with what it must refuse: the list, the target, the domain, the frame. */
#include "rt.h"

TEST("mmu: refused updates change nothing");

static struct mmu_update one;

static long update(uint64_t ptr, uint64_t val, unsigned dom)
{
    one.ptr = ptr;
    one.val = val;
    return mmu_update(&one, 1, NULL, dom);
}

void test_main(void)
{
    uint64_t *page = page_alloc();
    uint64_t good = pte(va_to_mfn(page), PTE_KERNEL), at;
    struct tree t;

    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 300), 0);
    at = va_to_mfn(t.l1) << 12;

    CHECK(update(0xffffffffff000, good, DOMID_SELF) < 0);                   /* no frame */
    CHECK_EQ(update(at, good, 1234), -XEN_ESRCH);
    CHECK_EQ(update(at, good, DOMID_SELF | 4321 << 16), -XEN_ESRCH);
    CHECK(update(at, pte(0xfffffffffful, PTE_KERNEL), DOMID_SELF) < 0);     /* beyond memory */
    CHECK(update(at, pte(start_info_pointer->shared_info >> 12, 0) | PTE_KERNEL, 1234) < 0);
    CHECK_EQ(t.l1[0], 0);
    CHECK_EQ(mmu_update((void *)0x1000, 1, NULL, DOMID_SELF), -XEN_EFAULT);
    CHECK_EQ(mmu_update((void *)HYPERVISOR_VIRT_START + 0x10000000000, 1, NULL, DOMID_SELF), -XEN_EFAULT);
    CHECK_EQ(update(at, good, DOMID_SELF), 0);
    CHECK_EQ(t.l1[0] & 0xffffffffff0ff & ~PTE_U, good & ~0xf00ul);      /* bits for software apart */
}
