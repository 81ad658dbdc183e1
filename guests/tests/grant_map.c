/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page granted to oneself and mapped by it: writable, read-only, by address and by page-table entry; and
 * taken back.
 */
#include "rt.h"

TEST("grant: map and unmap, flags, double unmap");

static struct grant_entry_v1 *table;

static struct gnttab_map_grant_ref map(void *va, grant_ref_t ref, uint32_t flags)
{
    struct gnttab_map_grant_ref m = { .host_addr = (uint64_t)va, .flags = flags, .ref = ref, .dom = 0 };

    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    return m;
}
static int16_t unmap(void *va, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref u = { .host_addr = (uint64_t)va, .handle = handle };

    CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
    return u.status;
}
static void grant(grant_ref_t ref, void *page, uint16_t flags)
{
    table[ref].frame = (uint32_t)va_to_mfn(page);
    table[ref].domid = 0;
    __asm__ volatile("" ::: "memory");
    table[ref].flags = GTF_permit_access | flags;
}

void test_main(void)
{
    uint64_t frame, *page = page_alloc(), *at = page_alloc();
    struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { (uint64_t)&frame } };
    struct gnttab_map_grant_ref m, again;

    CHECK_EQ(grant_op(GNTTABOP_setup_table, &s, 1), 0);
    table = page_alloc();
    CHECK_EQ(update_va((uint64_t)table, pte(frame, PTE_KERNEL), UVMF_INVLPG), 0);
    CHECK_EQ(update_va((uint64_t)at, 0, UVMF_INVLPG), 0);
    page[1] = 4711;
    grant(20, page, 0);

    m = map(at, 20, GNTMAP_host_map);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK_EQ(((volatile uint64_t *)at)[1], 4711);
    at[2] = 1;
    CHECK_EQ(page[2], 1);
    CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
    CHECK_EQ(unmap((char *)at + PAGE_SIZE, m.handle), GNTST_general_error);     /* not where it is */
    CHECK_EQ(unmap(at, m.handle), GNTST_okay);
    CHECK(faults(read_word, at));
    CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), 0);
    CHECK(unmap(at, m.handle) != GNTST_okay);
    CHECK_EQ(unmap(at, 0x7ffffff0), GNTST_bad_handle);

    m = map(at, 20, GNTMAP_host_map | GNTMAP_readonly);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK(!faults(read_word, at));
    CHECK(faults(write_word, at));
    CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), GTF_reading);
    again = map(page_alloc(), 20, GNTMAP_host_map | GNTMAP_readonly);
    CHECK_EQ(again.status, GNTST_okay);
    CHECK_EQ(unmap(at, m.handle), GNTST_okay);
    CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), GTF_reading);
    CHECK_EQ(unmap((void *)again.host_addr, again.handle), GNTST_okay);
    CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), 0);

    grant(21, page, GTF_readonly);
    CHECK(map(at, 21, GNTMAP_host_map).status != GNTST_okay);
    m = map((void *)pte_address(at, 1), 21, GNTMAP_host_map | GNTMAP_readonly | GNTMAP_contains_pte);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK_EQ(((volatile uint64_t *)at)[1], 4711);
    CHECK_EQ(unmap((void *)m.host_addr, m.handle), GNTST_okay);
    CHECK(faults(read_word, at));
}
