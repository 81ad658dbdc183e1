/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall of the table from an unprivileged domain, its arguments at values that hurt: each is
 * answered, dom0 and the machine go on, and all the domain's memory comes back.
 */
#include "child.h"

TEST("dom: every hypercall of the table, hostile, from an unprivileged domain");

#define HYPERCALL(n, name, who, class, text) n,
static const unsigned rows[] = {
#include <abi/hypercalls.def>
};
static struct child c;

static bool left_out(unsigned nr)
{
    /* these wait, end or redirect the domain as they should; their refusals have tests of their own */
    return nr == __HYPERVISOR_iret || nr == __HYPERVISOR_sched_op || nr == __HYPERVISOR_sched_op_compat ||
           nr == __HYPERVISOR_console_io || nr == __HYPERVISOR_update_va_mapping;
}

void test_main(void)
{
    uint64_t values[] = { 0, 1, ~0ul, 0x1000, child_buffer(3), 0xffff830000000000, 0 };
    unsigned runs = 0;
    uint64_t before;

    if (!child_create(&c))
        return;
    values[6] = c.mfn[3] << 12;
    before = free_pages();
    memset(c.page->buffer, 0xff, sizeof c.page->buffer);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (left_out(rows[i]))
            continue;
        for (unsigned v = 0; v < ARRAY_LEN(values); v++) {
            child_add(&c, rows[i], values[v], values[v], values[v], values[v]);
            child_add(&c, rows[i], 0, values[v], 1, DOMID_SELF);
            child_add(&c, rows[i], values[v], 1, 0, DOMID_SELF);
            if (c.page->count + 3 > CHILD_CALLS) {
                runs++;
                if (!child_run(&c))
                    break;
            }
        }
    }
    CHECK(runs > 10);
    CHECK(free_pages() + 8 >= before);
    CHECK_EQ(child_call(&c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
    child_destroy(&c);
    nap(20000000);
    CHECK(free_pages() > before);
}
