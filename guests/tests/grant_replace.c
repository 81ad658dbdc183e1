/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmapping with another mapping put in its place: the address is never empty in between. */
#include "rt.h"

TEST("grant: unmap_and_replace");

void test_main(void)
{
    uint64_t frame, *page = page_alloc(), *at = page_alloc(), *other = page_alloc();
    struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { (uint64_t)&frame } };
    struct grant_entry_v1 *table = page_alloc();
    struct gnttab_map_grant_ref m = {
        .host_addr = (uint64_t)at, .flags = GNTMAP_host_map, .ref = 20, .dom = 0
    };
    struct gnttab_unmap_and_replace u = { .host_addr = (uint64_t)at, .new_addr = (uint64_t)other };

    CHECK_EQ(grant_op(GNTTABOP_setup_table, &s, 1), 0);
    CHECK_EQ(update_va((uint64_t)table, pte(frame, PTE_KERNEL), UVMF_INVLPG), 0);
    table[20] = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)va_to_mfn(page) };
    page[0] = 1;
    other[0] = 2;
    CHECK_EQ(update_va((uint64_t)at, 0, UVMF_INVLPG), 0);
    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK_EQ(*(volatile uint64_t *)at, 1);
    u.handle = 0x7ffffff0;
    CHECK_EQ(grant_op(GNTTABOP_unmap_and_replace, &u, 1), 0);
    CHECK_EQ(u.status, GNTST_bad_handle);
    u.handle = m.handle;
    CHECK_EQ(grant_op(GNTTABOP_unmap_and_replace, &u, 1), 0);
    CHECK_EQ(u.status, GNTST_okay);
    CHECK_EQ(*(volatile uint64_t *)at, 2);
    CHECK(faults(read_word, other));                    /* it moved */
    CHECK_EQ(table[20].flags, GTF_permit_access);
}
