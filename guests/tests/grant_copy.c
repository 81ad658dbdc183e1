/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies between granted pages and own ones, in both directions, within their bounds. */
#include "rt.h"

TEST("grant: copies and their bounds");

static struct grant_entry_v1 *table;
static struct gnttab_copy c;
static int16_t copy(void)
{
    CHECK_EQ(grant_op(GNTTABOP_copy, &c, 1), 0);
    return c.status;
}

void test_main(void)
{
    uint64_t frame;
    uint8_t *granted = page_alloc(), *own = page_alloc();
    struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { (uint64_t)&frame } };
    struct gnttab_copy good;
    struct tree t;

    CHECK_EQ(grant_op(GNTTABOP_setup_table, &s, 1), 0);
    table = page_alloc();
    CHECK_EQ(update_va((uint64_t)table, pte(frame, PTE_KERNEL), UVMF_INVLPG), 0);
    table[20] = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)va_to_mfn(granted) };
    table[21] = (struct grant_entry_v1){ GTF_permit_access | GTF_readonly, 0, (uint32_t)va_to_mfn(granted) };
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        granted[i] = (uint8_t)(i * 7);

    c.source.u.ref = 20;
    c.source.domid = DOMID_SELF;
    c.source.offset = 100;
    c.dest.u.gmfn = va_to_mfn(own);
    c.dest.domid = DOMID_SELF;
    c.dest.offset = 200;
    c.len = 3000;
    c.flags = GNTCOPY_source_gref;
    good = c;
    CHECK_EQ(copy(), GNTST_okay);
    CHECK_EQ(memcmp(own + 200, granted + 100, 3000), 0);
    CHECK_EQ(own[199] | own[3200], 0);
    CHECK_EQ(table[20].flags, GTF_permit_access);
    c.source.offset = 2000;                         /* 2000 + 3000 is beyond the page */
    CHECK(copy() != GNTST_okay);
    c = good;
    c.len = 65535;
    CHECK(copy() != GNTST_okay);
    c = good;
    c.dest.offset = 65535;
    CHECK(copy() != GNTST_okay);
    c = good;
    c.source.u.ref = 0xffffffff;
    CHECK(copy() != GNTST_okay);
    c = good;
    c.source.domid = 1234;
    CHECK(copy() != GNTST_okay);
    c = good;
    c.dest.u.gmfn = 0xffffffffff;
    CHECK(copy() != GNTST_okay);
    c = good;
    c.len = 0;
    CHECK_EQ(copy(), GNTST_okay);

    own[0] = 99;
    c = (struct gnttab_copy){ .source = { { .gmfn = va_to_mfn(own) }, DOMID_SELF, 0 },
                              .dest = { { .ref = 20 }, DOMID_SELF, 5 },
                              .len = 1,
                              .flags = GNTCOPY_dest_gref };
    CHECK_EQ(copy(), GNTST_okay);
    CHECK_EQ(granted[5], 99);
    c.dest.u.ref = 21;
    CHECK(copy() != GNTST_okay);                    /* read-only */
    tree_make(&t);
    CHECK_EQ(table_pin(1, t.l1), 0);
    c = good;
    c.dest.u.gmfn = va_to_mfn(t.l1);
    CHECK(copy() != GNTST_okay);                    /* a page table */
    CHECK_EQ(t.l1[0], 0);
}
