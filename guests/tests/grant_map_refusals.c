/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot be mapped: references, domains, addresses, frames and flags that are wrong. */
#include "rt.h"

TEST("grant: refused mappings");

static struct grant_entry_v1 *table;
static int16_t map(void *va, grant_ref_t ref, uint32_t flags, domid_t dom)
{
    struct gnttab_map_grant_ref m = { .host_addr = (uint64_t)va, .flags = flags, .ref = ref, .dom = dom };

    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    return m.status;
}
static void grant(grant_ref_t ref, uint64_t frame, domid_t dom, uint16_t flags)
{
    table[ref].frame = (uint32_t)frame;
    table[ref].domid = dom;
    table[ref].flags = flags;
}

void test_main(void)
{
    uint64_t frame, *page = page_alloc(), *at = page_alloc();
    struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { (uint64_t)&frame } };
    struct tree t;

    CHECK_EQ(grant_op(GNTTABOP_setup_table, &s, 1), 0);
    table = page_alloc();
    CHECK_EQ(update_va((uint64_t)table, pte(frame, PTE_KERNEL), UVMF_INVLPG), 0);
    grant(20, va_to_mfn(page), 0, GTF_permit_access);
    CHECK_EQ(map(at, 20, GNTMAP_host_map, 1234), GNTST_bad_domain);
    CHECK_EQ(map(at, 0xfffffff0, GNTMAP_host_map, 0), GNTST_bad_gntref);
    CHECK_EQ(map(at, 511, GNTMAP_host_map, 0), GNTST_general_error);        /* empty */
    CHECK_EQ(map(at, 20, 0, 0), GNTST_bad_gntref);                          /* neither host nor device */
    CHECK(map((void *)0x1000, 20, GNTMAP_host_map, 0) != GNTST_okay);       /* no table there */
    CHECK(map((void *)HYPERVISOR_VIRT_START, 20, GNTMAP_host_map, 0) != GNTST_okay);
    CHECK(map((void *)0xffff82d040200000, 20, GNTMAP_host_map, 0) != GNTST_okay);
    /* an entry in a page that is no page table, and a misaligned one (XSA-227) */
    CHECK(map((void *)(va_to_mfn(page) << 12), 20, GNTMAP_host_map | GNTMAP_contains_pte, 0) != GNTST_okay);
    CHECK(map((void *)(pte_address(at, 1) + 4), 20, GNTMAP_host_map | GNTMAP_contains_pte, 0) != GNTST_okay);
    CHECK(map((void *)pte_address(at, 2), 20, GNTMAP_host_map | GNTMAP_contains_pte, 0) != GNTST_okay);

    grant(21, va_to_mfn(page), 77, GTF_permit_access);                      /* for someone else */
    CHECK(map(at, 21, GNTMAP_host_map, 0) != GNTST_okay);
    grant(22, 0xffffffff, 0, GTF_permit_access);
    CHECK(map(at, 22, GNTMAP_host_map, 0) != GNTST_okay);
    tree_make(&t);
    CHECK_EQ(table_pin(1, t.l1), 0);
    grant(23, va_to_mfn(t.l1), 0, GTF_permit_access); /* a page table: not writable, by no way */
    CHECK(map(at, 23, GNTMAP_host_map, 0) != GNTST_okay);
    CHECK_EQ(table[23].flags & (GTF_reading | GTF_writing), 0);
    CHECK(!faults(write_word, at));                                         /* the mapping is what it was */
}
