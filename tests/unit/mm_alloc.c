/* SPDX-License-Identifier: BSD-2-Clause */
/* Free frames, the frames of domains, claims, shared frames and small objects. */
#include "../host/hv_host.h"

#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAMES 512
#define KEPT   8

static struct domain dom;

static int setup(void **state)
{
    host_machine_init(FRAMES, KEPT, 1);
    return 0;
}

static int teardown(void **state)
{
    host_machine_free();
    return 0;
}

/* Whatever order blocks come and go in, all of memory merges back into the largest blocks. */
static void test_buddy(void **state)
{
    uint64_t all = frames_free_count();
    struct { mfn_t m; unsigned order; } held[64];
    unsigned used = 0;

    assert_int_equal(all, FRAMES - KEPT);
    host_random_seed(1);
    for (unsigned i = 0; i < 20000; i++) {
        if (used < ARRAY_LEN(held) && host_random() % 2) {
            unsigned order = (unsigned)(host_random() % 6);
            mfn_t m = frames_alloc(order, 0);

            if (!mfn_valid_number(m))
                continue;
            assert_true(m.n >= KEPT && m.n + (1ull << order) <= FRAMES && m.n % (1ull << order) == 0);
            for (unsigned k = 0; k < used; k++)
                assert_true(m.n + (1ull << order) <= held[k].m.n ||
                            held[k].m.n + (1ull << held[k].order) <= m.n);
            held[used].m = m;
            held[used++].order = order;
        } else if (used) {
            unsigned k = (unsigned)(host_random() % used);

            frames_free(held[k].m, held[k].order);
            held[k] = held[--used];
        }
    }
    while (used--)
        frames_free(held[used].m, held[used].order);
    assert_int_equal(frames_free_count(), all);
    assert_true(mfn_valid_number(frames_alloc(8, 0)));          /* 256..511 is one block again */
}

static void test_limits(void **state)
{
    mfn_t m;

    host_domain_init(&dom, 1, false, 20, 1);
    assert_false(mfn_valid_number(frames_alloc_domain(&dom, FRAME_ORDERS, 64)));
    assert_false(mfn_valid_number(frames_alloc_domain(&dom, 5, 64)));       /* beyond its limit */
    m = frames_alloc_domain(&dom, 4, 64);
    assert_true(mfn_valid_number(m));
    assert_int_equal(dom.frames, 16);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(((uint8_t *)page_of_mfn(m))[i], 0);
    assert_false(
        mfn_valid_number(frames_alloc_domain(&dom, 0, PAGE_SHIFT + 3))); /* below frame 8 there is none */
    m = frames_alloc_domain(&dom, 0, PAGE_SHIFT + 4);
    assert_true(m.n < 16);
    dom.dying = DOMAIN_DYING;
    assert_false(mfn_valid_number(frames_alloc_domain(&dom, 0, 64)));
    assert_int_equal(pv_domain_relinquish(&dom), 0);
    assert_int_equal(dom.frames, 0);
    host_domain_free(&dom);
}

/*
 * The processors, as bits, that were asked to flush when m became a page of descriptors; then it is memory
 * again.
 */
static unsigned asked(void) { return (unsigned)host_flush_asked.word[0]; }

static unsigned asked_for_type(mfn_t m)
{
    unsigned who;

    host_flush_asked = (struct cpu_set){ 0 };
    assert_int_equal(frame_get_typed(m, &dom, TYPE_SEGDESC), 0);
    who = asked();
    assert_int_equal(frame_put_typed(m), 0);
    assert_true(frame_get_writable(m, &dom));
    frame_put_writable(m);
    return who;
}

static unsigned asked_for_owner(mfn_t m)
{
    host_flush_asked = (struct cpu_set){ 0 };
    assert_int_equal(frame_give_up(m, &dom), 0);
    assert_true(mfn_eq(frames_alloc_domain(&dom, 0, 0), m));
    assert_true(frame_get_writable(m, &dom));
    frame_put_writable(m);
    return asked();
}

static void lend(mfn_t m, bool writable)
{
    assert_true(frame_get_writable(m, &dom));
    frame_lend(m, writable);
    frame_put_writable(m);
}

/* Processor 0 is dom's, 1 is of one that maps others' frames, 2 has to do with nobody's but its own. */
static void test_who_is_asked_to_flush(void **state)
{
    mfn_t m;

    host_machine_init(FRAMES, KEPT, 3);
    host_domain_init(&dom, 1, false, 10, 1);
    m = frames_alloc_domain(&dom, 0, 0);
    tlb_flushed[0].space = 1;
    tlb_flushed[1].space = 0 | TLB_SPACE_FOREIGN;
    tlb_flushed[2].space = 2;
    lend(m, false);
    assert_int_equal(asked_for_type(m), 1);         /* who only reads does no harm to a table */
    lend(m, true);
    assert_int_equal(asked_for_type(m), 3);
    assert_int_equal(asked_for_type(m), 1);         /* it has forgotten */
    assert_int_equal(asked_for_owner(m), 3);        /* but may read it still */
    assert_int_equal(asked_for_owner(m), 1);
    assert_int_equal(asked_for_type(m), 1);
    lend(m, true);
    assert_int_equal(frame_detach(m, &dom), 0);
    frame_attach(m, &dom);
    assert_int_equal(asked_for_owner(m), 3);
    tlb_flushed[2].space = TLB_SPACE_ANY;
    assert_int_equal(asked_for_type(m), 5);
    assert_int_equal(pv_domain_relinquish(&dom), 0);
    host_domain_free(&dom);
}

static bool is_single(uint64_t n) { return frame_table[n].refs == FRAME_FREE; }

/*
 * A guest that has scattered free frames all over asks for low ones, which there are not: that is known
 * without a walk through the others. Here a walk would never end.
 */
static void test_no_walk_for_low_frames(void **state)
{
    uint32_t next[FRAMES];
    unsigned scattered = 0;
    mfn_t m[FRAMES];
    unsigned got = 0;

    host_domain_init(&dom, 1, false, FRAMES, 1);
    while (mfn_valid_number(m[got] = frames_alloc_domain(&dom, 0, 0)))
        got++;
    for (unsigned i = 0; i < got; i++)
        if (m[i].n >= FRAMES / 2 && m[i].n % 2) {
            assert_int_equal(frame_detach(m[i], &dom), 0);
            frame_detached_free(m[i]);
        }
    assert_int_equal(frames_free_of_width(9), FRAMES / 4);
    for (uint64_t n = 0; n < FRAMES; n++) {
        next[n] = frame_table[n].next;
        scattered += is_single(n);
        if (is_single(n))
            frame_table[n].next = (uint32_t)n;
    }
    assert_int_equal(scattered, FRAMES / 4);
    alarm(10);
    assert_false(mfn_valid_number(frames_alloc_domain(&dom, 0, 20)));
    alarm(0);
    for (uint64_t n = 0; n < FRAMES; n++)
        frame_table[n].next = next[n];
    assert_true(mfn_valid_number(frames_alloc_domain(&dom, 0, 21)));
    assert_int_equal(pv_domain_relinquish(&dom), 0);
    assert_int_equal(dom.frames, 0);
    host_domain_free(&dom);
}

/* What is promised to one domain is not to be had by another; the one it is promised to uses it up. */
static void test_claims(void **state)
{
    struct domain other;
    uint64_t most;

    host_domain_init(&dom, 1, false, FRAMES, 1);
    host_domain_init(&other, 2, false, FRAMES, 1);
    most = frames_free_count();
    assert_int_equal(frames_claim(&dom, FRAMES + 1), -XEN_EINVAL);
    assert_int_equal(frames_claim(&dom, most + 1), -XEN_ENOMEM);
    assert_int_equal(frames_claim(&dom, most - 3), 0);
    assert_int_equal(frames_claimed(), most - 3);
    assert_false(mfn_valid_number(frames_alloc_domain(&other, 2, 64)));
    assert_true(mfn_valid_number(frames_alloc_domain(&dom, 2, 64)));
    assert_int_equal(frames_claimed(), most - 7);
    assert_int_equal(frames_claim(&dom, 0), 0);
    assert_int_equal(frames_claimed(), 0);
    assert_true(mfn_valid_number(frames_alloc_domain(&other, 2, 64)));
    dom.dying = other.dying = DOMAIN_DYING;
    assert_int_equal(pv_domain_relinquish(&dom) | pv_domain_relinquish(&other), 0);
    host_domain_free(&dom);
    host_domain_free(&other);
}

/* Frames given up while something still uses them stay until that is over, and then are free. */
static void test_give_up(void **state)
{
    uint64_t before;
    mfn_t m;

    host_domain_init(&dom, 1, false, 20, 1);
    m = frames_alloc_domain(&dom, 0, 64);
    before = frames_free_count();
    assert_true(frame_get_writable(m, &dom));
    assert_int_equal(frame_detach(m, &dom), -XEN_EBUSY);
    assert_int_equal(frame_give_up(m, &dom), 0);
    assert_int_equal(frame_give_up(m, &dom), -XEN_EINVAL);
    assert_int_equal(frames_free_count(), before);
    frame_put_writable(m);
    assert_int_equal(frames_free_count(), before + 1);
    assert_int_equal(dom.frames, 0);
    assert_false(frame_get(m, &dom));
    host_domain_free(&dom);
}

static void test_share(void **state)
{
    uint64_t before;
    mfn_t m;

    host_domain_init(&dom, 1, false, 20, 1);
    for (unsigned writable = 0; writable < 2; writable++) {
        before = frames_free_count();
        m = frames_alloc(0, ALLOC_ZERO);
        assert_false(frame_get(m, &dom));
        frame_share(m, &dom, writable);
        assert_int_equal(frame_get_typed(m, &dom, TYPE_L1), -XEN_EINVAL);   /* never a table */
        assert_int_equal(frame_get_writable(m, &dom), writable);
        assert_int_equal(frame_give_up(m, &dom), -XEN_EINVAL);
        if (!writable)
            assert_true(frame_get(m, &dom));
        frame_share_end(m, &dom);
        assert_false(frame_get(m, &dom));
        assert_int_equal(frames_free_count(), before - 1);
        if (writable)
            frame_put_writable(m);
        else
            frame_put(m);
        assert_int_equal(frames_free_count(), before);
    }
    host_domain_free(&dom);
}

/* Objects do not overlap, come zeroed, and all memory comes back. */
static void test_heap(void **state)
{
    uint64_t before = frames_free_count();
    struct { uint8_t *p; size_t size; uint8_t mark; } held[100] = { { NULL, 0, 0 } };

    assert_null(kalloc(65537));
    host_random_seed(2);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned k = (unsigned)(host_random() % ARRAY_LEN(held));
        size_t size = 1 + host_random() % (host_random() % 8 ? 600 : 9000);

        if (held[k].p) {
            for (size_t b = 0; b < held[k].size; b++)
                assert_int_equal(held[k].p[b], held[k].mark);
            kfree(held[k].p);
            held[k].p = NULL;
            continue;
        }
        held[k].p = kalloc(size);
        if (!held[k].p)
            continue;
        assert_int_equal((uintptr_t)held[k].p % 16, 0);
        for (size_t b = 0; b < size; b++)
            assert_int_equal(held[k].p[b], 0);
        held[k].size = size;
        held[k].mark = (uint8_t)(k + 1);
        memset(held[k].p, held[k].mark, size);
    }
    for (unsigned k = 0; k < ARRAY_LEN(held); k++)
        kfree(held[k].p);
    assert_int_equal(frames_free_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_buddy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_walk_for_low_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_is_asked_to_flush, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(test_give_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heap, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
