/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants between two domains: the child's page mapped and copied by us, ours copied by it, and death with a
 * mapping left.
 */
#include "child.h"

TEST("dom: grants between two domains");

void test_main(void)
{
    struct child c = { 0 };
    uint64_t *frames, *at = page_alloc();
    struct grant_entry_v1 *table = page_alloc();
    struct xen_mem_acquire_resource res = { .type = XENMEM_resource_grant_table, .nr_frames = 1 };
    uint64_t table_frame;
    struct xen_domctl op = { 0 };
    struct gnttab_map_grant_ref m;
    struct gnttab_unmap_grant_ref u;
    struct gnttab_setup_table *s;

    if (!child_create(&c))
        return;
    s = (void *)c.page->buffer;
    frames = (uint64_t *)(c.page->buffer + 64);
    *s = (struct gnttab_setup_table){ .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { child_buffer(64) } };
    CHECK_EQ(child_call(&c, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, child_buffer(0), 1, 0), 0);
    CHECK_EQ(s->status, GNTST_okay);
    res.domid = c.id;
    res.frame_list.va = (uint64_t)&table_frame;
    CHECK_EQ(memory_op(XENMEM_acquire_resource, &res), 0);          /* the tools' way to the table */
    CHECK_EQ(table_frame, frames[0]);
    CHECK_EQ(foreign_map(table, table_frame, c.id, PTE_KERNEL), 0);
    table[30] = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)c.mfn[2] };
    table[31] = (struct grant_entry_v1){ GTF_permit_access, 5, (uint32_t)c.mfn[2] };

    CHECK_EQ(update_va((uint64_t)at, 0, UVMF_INVLPG), 0);
    m = (struct gnttab_map_grant_ref){
        .host_addr = (uint64_t)at, .flags = GNTMAP_host_map, .ref = 30, .dom = c.id
    };
    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    CHECK_EQ(m.status, GNTST_okay);
    at[0] = 5;
    CHECK_EQ(table[30].flags, GTF_permit_access | GTF_reading | GTF_writing);
    u = (struct gnttab_unmap_grant_ref){ .host_addr = (uint64_t)at, .handle = m.handle };
    CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
    CHECK_EQ(u.status, GNTST_okay);
    CHECK_EQ(table[30].flags, GTF_permit_access);
    m.ref = 31;
    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    CHECK(m.status != GNTST_okay);                                  /* not for us */

    m.ref = 30;
    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK_EQ(update_va((uint64_t)table, pte(va_to_mfn(table), PTE_KERNEL), UVMF_INVLPG), 0);
    CHECK_EQ(domctl(XEN_DOMCTL_destroydomain, c.id, &op), 0);
    CHECK_EQ(at[0], 5);                                             /* ours until we unmap it */
    u.handle = m.handle;
    CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
    CHECK_EQ(u.status, GNTST_okay);
    child_destroy(&c);
}
