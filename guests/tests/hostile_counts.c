/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists said to be endless: they stop at the first element that cannot be read, or at a limit, and not after
 * hours.
 */
#include "rt.h"

TEST("hostile: huge counts");

void test_main(void)
{
    uint64_t *page = page_alloc();
    struct mmuext_op *ops = (void *)page;
    unsigned done = 0;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof *ops; i++)
        ops[i] = (struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_LOCAL };
    CHECK(mmuext(ops, 0x7fffffff, &done, DOMID_SELF) < 0);
    CHECK(mmu_update((void *)page, 0x7fffffff, &done, DOMID_SELF) < 0);
    CHECK(hypercall(__HYPERVISOR_multicall, 0x2000, 0xffffffff, 0, 0) < 0);
    CHECK(grant_op(GNTTABOP_map_grant_ref, page, 0xffffffff) != 0);
    CHECK(grant_op(GNTTABOP_copy, (void *)0x1000, 0x7fffffff) < 0);
    CHECK(hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, 0x7fffffff, 0x1000, 0) < 0);
    CHECK(hypercall(__HYPERVISOR_set_gdt, page, 0xffffffff, 0, 0) < 0);
}
