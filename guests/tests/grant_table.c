/* SPDX-License-Identifier: BSD-2-Clause */
/* The table itself: its pages, its size, growing to the limit and not beyond, its version. */
#include "rt.h"

TEST("grant: setup, query, growth, version");

static long setup(unsigned frames, uint64_t *list, int16_t *status)
{
    struct gnttab_setup_table s = { .dom = DOMID_SELF,
                                    .nr_frames = frames,
                                    .frame_list = { (uint64_t)list } };
    long r = grant_op(GNTTABOP_setup_table, &s, 1);

    *status = s.status;
    return r;
}

void test_main(void)
{
    struct gnttab_query_size q = { .dom = DOMID_SELF };
    struct gnttab_get_version version = { .dom = DOMID_SELF };
    struct gnttab_set_version set = { .version = 1 };
    uint64_t *frames = page_alloc(), *entry = page_alloc();
    int16_t status;

    CHECK_EQ(grant_op(GNTTABOP_query_size, &q, 1), 0);
    CHECK_EQ(q.status, GNTST_okay);
    CHECK(q.max_nr_frames >= q.nr_frames && q.max_nr_frames >= 4 && q.max_nr_frames <= 512);
    CHECK_EQ(setup(1, frames, &status), 0);
    CHECK_EQ(status, GNTST_okay);
    CHECK_EQ(update_va((uint64_t)entry, pte(frames[0], PTE_KERNEL), UVMF_INVLPG), 0);
    entry[20] = 0;
    CHECK_EQ(setup(q.max_nr_frames, frames, &status), 0);
    CHECK_EQ(status, GNTST_okay);
    for (unsigned i = 1; i < q.max_nr_frames; i++)
        CHECK(frames[i] && frames[i] != frames[i - 1]);
    CHECK_EQ(update_va((uint64_t)entry, pte(frames[q.max_nr_frames - 1], PTE_KERNEL), UVMF_INVLPG), 0);
    CHECK_EQ(entry[511], 0);
    CHECK_EQ(grant_op(GNTTABOP_query_size, &q, 1), 0);
    CHECK_EQ(q.nr_frames, q.max_nr_frames);
    setup(q.max_nr_frames + 1, frames, &status);
    CHECK(status != GNTST_okay);
    setup(0xffffffff, frames, &status);
    CHECK(status != GNTST_okay);

    CHECK_EQ(grant_op(GNTTABOP_get_version, &version, 1), 0);
    CHECK_EQ(version.version, 1);
    CHECK_EQ(grant_op(GNTTABOP_set_version, &set, 1), 0);
    CHECK_EQ(set.version, 1);
    set.version = 3;
    CHECK_EQ(grant_op(GNTTABOP_set_version, &set, 1), -XEN_EINVAL);
    q.dom = 1234;
    CHECK_EQ(grant_op(GNTTABOP_query_size, &q, 1), 0);
    CHECK_EQ(q.status, GNTST_bad_domain);
    CHECK_EQ(grant_op(99, &q, 1), -XEN_ENOSYS);
    CHECK_EQ(grant_op(GNTTABOP_query_size, (void *)0x1000, 1), -XEN_EFAULT);
}
