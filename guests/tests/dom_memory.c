/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordinary domain's own memory: given back and taken again within its limit, mapped by itself, never
 * beyond.
 */
#include "child.h"

TEST("dom: memory of an unprivileged domain");

static struct child c;

static int64_t reserve(int cmd, uint64_t value, uint64_t *answer)
{
    struct xen_memory_reservation *r = (void *)c.page->buffer;
    volatile uint64_t *list = (uint64_t *)(c.page->buffer + 64);
    int64_t n;

    *r = (struct xen_memory_reservation){ { child_buffer(64) }, 1, 0, 0, DOMID_SELF };
    list[0] = value;
    n = child_call(&c, __HYPERVISOR_memory_op, cmd, child_buffer(0), 0, 0);
    *answer = list[0];
    return n;
}

void test_main(void)
{
    uint64_t frame, unused;

    if (!child_create(&c))
        return;
    CHECK_EQ(reserve(XENMEM_populate_physmap, 12, &unused), 0);             /* at its limit */
    CHECK_EQ(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xc000, 0, UVMF_INVLPG, 0), 0);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, c.mfn[12], &unused), 1);
    CHECK(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xc000, pte(c.mfn[12], PTE_KERNEL),
                     UVMF_INVLPG, 0) < 0); /* no longer its own */
    CHECK_EQ(reserve(XENMEM_populate_physmap, 12, &frame), 1);
    CHECK_EQ(((const uint64_t *)MACH2PHYS_VIRT_START)[frame], 12);
    CHECK_EQ(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xc000, pte(frame, PTE_KERNEL),
                        UVMF_INVLPG, 0),
             0);
    CHECK_EQ(reserve(XENMEM_populate_physmap, 13, &unused), 0);
    /* its page tables are as safe from it as ours from us */
    CHECK(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xd000, pte(c.mfn[3], PTE_KERNEL),
                     UVMF_INVLPG, 0) < 0);
    CHECK(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xd000, pte(c.mfn[6], PTE_KERNEL),
                     UVMF_INVLPG, 0) < 0);
    child_destroy(&c);
}
