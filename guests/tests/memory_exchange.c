/* SPDX-License-Identifier: BSD-2-Clause */
/* Scattered frames for contiguous ones below an address, as drivers without an IOMMU need them. */
#include "rt.h"

TEST("memory: exchange for contiguous frames");

static uint64_t in[16], out[16];
static struct xen_memory_exchange x;

static void prepare(unsigned n_in, unsigned order_in, unsigned n_out, unsigned order_out, unsigned bits)
{
    x = (struct xen_memory_exchange){
        .in = { { (uint64_t)in }, n_in, order_in, 0, DOMID_SELF },
        .out = { { (uint64_t)out }, n_out, order_out, XENMEMF_address_bits(bits), DOMID_SELF },
    };
}

void test_main(void)
{
    const uint64_t *m2p = (const uint64_t *)MACH2PHYS_VIRT_START;
    uint64_t pfn = start_info_pointer->nr_pages - 16, *page = page_alloc();
    struct xen_memory_domain d = { DOMID_SELF };
    long before = memory_op(XENMEM_current_reservation, &d);

    for (unsigned i = 0; i < 4; i++)
        in[i] = pfn_to_mfn(pfn + 2 * i);
    out[0] = pfn;
    prepare(4, 0, 1, 2, 32);
    CHECK_EQ(memory_op(XENMEM_exchange, &x), 0);
    CHECK_EQ(x.nr_exchanged, 4);
    CHECK_EQ(out[0] & 3, 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(m2p[out[0] + i], pfn + i);
    CHECK_EQ(memory_op(XENMEM_current_reservation, &d), before);
    CHECK_EQ(update_va((uint64_t)page, pte(out[0] + 3, PTE_KERNEL), UVMF_INVLPG), 0);
    CHECK_EQ(update_va((uint64_t)page, pte(in[0], PTE_KERNEL), UVMF_INVLPG) < 0, 1);    /* no longer ours */
    CHECK_EQ(update_va((uint64_t)page, 0, UVMF_INVLPG), 0);

    in[0] = out[0];                                                                     /* and apart again */
    for (unsigned i = 0; i < 4; i++)
        out[i] = pfn + i;
    prepare(1, 2, 4, 0, 0);
    CHECK_EQ(memory_op(XENMEM_exchange, &x), 0);
    CHECK_EQ(memory_op(XENMEM_current_reservation, &d), before);

    prepare(4, 0, 2, 2, 0);                                                             /* sizes differ */
    CHECK_EQ(memory_op(XENMEM_exchange, &x), -XEN_EINVAL);
    prepare(4, 0, 1, 2, 0);
    x.nr_exchanged = 5;
    CHECK(memory_op(XENMEM_exchange, &x) < 0);
    prepare(1, 0, 1, 0, 0);
    in[0] = 0xffffffffff;
    CHECK(memory_op(XENMEM_exchange, &x) < 0);
    CHECK_EQ(x.nr_exchanged, 0);
    prepare(1, 0, 1, 0, 0);
    in[0] = root_mfn();                                                                 /* a page table */
    CHECK(memory_op(XENMEM_exchange, &x) < 0);
    prepare(1ul << 20, 0, 1, 20, 0);
    CHECK(memory_op(XENMEM_exchange, &x) < 0);
    CHECK_EQ(memory_op(XENMEM_current_reservation, &d), before);
}
