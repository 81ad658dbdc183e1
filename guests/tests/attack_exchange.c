/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of an exchange that would leave a domain with more memory than it had (XSA-159): one frame
 * named many times, results written over the list that is being read, a list that ends where nothing
 * can be read, results that cannot be written.
 */
#include "rt.h"

TEST("attack: no frame is gained by a broken exchange");

#define N 4                             /* order 2 */

static uint64_t *lists;                 /* the last words of a page whose successor is not mapped */

static long pages(void)
{
    struct xen_memory_domain d = { DOMID_SELF };

    return memory_op(XENMEM_current_reservation, &d);
}

static long exchange(uint64_t *in, unsigned in_order, uint64_t *out, unsigned out_order)
{
    struct xen_memory_exchange x = {
        .in = { { (uint64_t)in }, N >> in_order, in_order, 0, DOMID_SELF },
        .out = { { (uint64_t)out }, N >> out_order, out_order, 0, DOMID_SELF },
    };

    return memory_op(XENMEM_exchange, &x);
}

void test_main(void)
{
    uint64_t last = start_info_pointer->nr_pages - 1, in[N], out[N], *nowhere = (uint64_t *)0x1000;
    long before = pages();

    lists = (uint64_t *)((uint64_t)page_alloc() + PAGE_SIZE);
    CHECK_EQ(update_va((uint64_t)lists, 0, UVMF_INVLPG), 0);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < N; i++) {
            in[i] = pfn_to_mfn(last);
            out[i] = last - i;
        }
        CHECK(exchange(in, 0, out, 2) < 0);             /* one frame four times */
        CHECK_EQ(pages(), before);
        for (unsigned i = 0; i < N; i++)
            in[i] = pfn_to_mfn(last - 10 - i);
        lists[-1] = lists[-2] = 0;
        CHECK(exchange(in, 0, lists - 2, 0) < 0);       /* no room for the last two results */
        CHECK(pages() <= before);
        memcpy(lists - 2, in, 16);
        CHECK(exchange(lists - 2, 0, out, 2) < 0);      /* the last two cannot be read */
        CHECK(pages() <= before);
        exchange(in, 0, in + 1, 2);                     /* results over the list, behind */
        exchange(in, 2, in, 0);
        exchange(nowhere, 0, out, 2);
        CHECK(pages() <= before);
    }
    /* and all the same it works */
    for (unsigned i = 0; i < N; i++)
        in[i] = pfn_to_mfn(last - 20 - i);
    out[0] = last - 20;
    before = pages();
    CHECK_EQ(exchange(in, 0, out, 2), 0);
    CHECK_EQ(out[0] & (N - 1), 0);
    CHECK_EQ(pages(), before);
}
