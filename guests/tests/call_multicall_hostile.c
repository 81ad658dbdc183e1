/* SPDX-License-Identifier: BSD-2-Clause */
/* XSA-213: calls within a multicall that would change the mode or the place the rest of it runs in. */
#include "rt.h"

TEST("call: multicall with iret, stack_switch, new roots, its own list");

static struct multicall_entry list[4];

static long run(unsigned n) { return hypercall(__HYPERVISOR_multicall, list, n, 0, 0); }

void test_main(void)
{
    uint64_t *page = page_alloc();
    struct mmuext_op flush = { .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = root_mfn() };

    memset(list, 0, sizeof list);
    list[0].op = __HYPERVISOR_mmuext_op;
    list[0].args[0] = (uint64_t)&flush;
    list[0].args[1] = 1;
    list[0].args[3] = DOMID_SELF;
    list[1].op = __HYPERVISOR_xen_version;
    CHECK_EQ(run(2), 0);
    CHECK_EQ(list[0].result, 0);
    CHECK_EQ(list[1].result, 4 << 16 | 17);

    /* the second entry loses the page under the list's own result */
    {
        struct multicall_entry *there = (void *)page;

        memcpy(there, list, 2 * sizeof *list);
        there[0] = (struct multicall_entry){ .op = __HYPERVISOR_update_va_mapping,
                                             .args = { (uint64_t)page, 0, UVMF_INVLPG } };
        CHECK_EQ(hypercall(__HYPERVISOR_multicall, there, 2, 0, 0), -XEN_EFAULT);
        CHECK(faults(read_word, page));
        CHECK_EQ(update_va((uint64_t)page, pte(va_to_mfn(page), PTE_KERNEL), UVMF_INVLPG), 0);
    }
    list[0] = (struct multicall_entry){ .op = ~0ul };
    list[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
    CHECK_EQ(run(2), 0);
    CHECK_EQ((long)list[0].result, -XEN_ENOSYS);
    CHECK_EQ(list[1].result, 4 << 16 | 17);
}
