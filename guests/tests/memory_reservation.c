/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames given back and taken again: the counts agree, and what was refused changed nothing. */
#include "rt.h"

TEST("memory: decrease, increase, populate and the counts");

static uint64_t list[8];
static struct xen_memory_reservation r;
static long reserve(int op, unsigned n, unsigned order)
{
    r = (struct xen_memory_reservation){
        .extent_start = { (uint64_t)list }, .nr_extents = n, .extent_order = order, .domid = DOMID_SELF
    };
    return memory_op(op, &r);
}
static long current(void)
{
    struct xen_memory_domain d = { DOMID_SELF };

    return memory_op(XENMEM_current_reservation, &d);
}

void test_main(void)
{
    const uint64_t *m2p = (const uint64_t *)MACH2PHYS_VIRT_START;
    struct xen_memory_domain d = { DOMID_SELF };
    long before = current();
    uint64_t pfn = start_info_pointer->nr_pages - 1, *page = page_alloc();

    CHECK(before >= (long)start_info_pointer->nr_pages);
    CHECK(memory_op(XENMEM_maximum_reservation, &d) >= before);
    shared->arch.max_pfn = pfn + 1;                                 /* what the guest says of itself */
    CHECK_EQ(memory_op(XENMEM_maximum_gpfn, &d), pfn);
    for (unsigned i = 0; i < 8; i++)
        list[i] = pfn_to_mfn(pfn - i);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 8, 0), 8);
    CHECK_EQ(current(), before - 8);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 8, 0), 0);        /* they are gone */
    CHECK_EQ(current(), before - 8);

    for (unsigned i = 0; i < 4; i++)
        list[i] = pfn - i;
    CHECK_EQ(reserve(XENMEM_populate_physmap, 4, 0), 4);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(m2p[list[i]], pfn - i);
    CHECK_EQ(current(), before - 4);
    CHECK_EQ(update_va((uint64_t)page, pte(list[0], PTE_KERNEL), UVMF_INVLPG), 0);
    CHECK_EQ(page[0] | page[511], 0);                               /* nobody's old data */
    CHECK_EQ(reserve(XENMEM_increase_reservation, 4, 0), 4);
    CHECK_EQ(current(), before);
    CHECK_EQ(reserve(XENMEM_increase_reservation, 4, 0), 0);        /* the maximum is the maximum */
    CHECK_EQ(current(), before);
}
