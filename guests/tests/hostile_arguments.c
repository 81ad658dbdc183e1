/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall of the table, every argument in turn at values that hurt: nothing may kill the machine or
 * us. Left out is what ends the machine or our own thread of control by its very purpose.
 */
#include "rt.h"

TEST("hostile: every hypercall with hostile arguments");

enum { LEAF, STREAM, FAMILY, NONE };
struct row { unsigned nr; const char *name; };
#define HYPERCALL(n, name, who, class, text) { n, #name },
static const struct row rows[] = {
#include <abi/hypercalls.def>
};

static bool left_out(unsigned nr)
{
    /* these take effect on whatever they are given: entry points, stacks, the end of the domain, our return
     */
    return nr == __HYPERVISOR_set_callbacks || nr == __HYPERVISOR_iret ||
           nr == __HYPERVISOR_sched_op_compat || nr == __HYPERVISOR_sched_op ||
           nr == __HYPERVISOR_set_timer_op || nr == __HYPERVISOR_console_io ||
           nr == __HYPERVISOR_stack_switch || nr == __HYPERVISOR_set_trap_table || nr == __HYPERVISOR_mca ||
           nr == __HYPERVISOR_fpu_taskswitch ||
           (nr == __HYPERVISOR_kexec_op && !on_hauch()); /* Xen trusts dom0 here, and dies of it */
}

void test_main(void)
{
    uint64_t page = (uint64_t)page_alloc();
    const uint64_t values[] = { 0,
                                1,
                                7,
                                0xffffffff,
                                1ul << 31,
                                1ul << 47,
                                0x8000000000000000,
                                ~0ul,
                                page + 4093,
                                0xffff830000000000,
                                MACH2PHYS_VIRT_START,
                                page };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (left_out(rows[i].nr))
            continue;
        for (unsigned v = 0; v < ARRAY_LEN(values); v++) {
            uint64_t x = values[v];

            /* the page may have been unmapped, as asked */
            CHECK_EQ(update_va(page, pte(va_to_mfn((void *)page), PTE_KERNEL), UVMF_INVLPG), 0);
            memset((void *)page, 0xff, PAGE_SIZE);
            hypercall5(rows[i].nr, x, x, x, x, x);
            hypercall5(rows[i].nr, 0, x, x, x, x);
            hypercall5(rows[i].nr, x, page, 1, DOMID_SELF, 0);
            hypercall5(rows[i].nr, 1, x, 1, DOMID_SELF, 0);
            hypercall5(rows[i].nr, page, 1, x, x, x);
        }
    }
    CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0) > 0);
}
