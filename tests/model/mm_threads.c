/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free frames, small objects and claims on four processors at once, under ThreadSanitizer. Processors keep
 * frames for themselves, but nobody is refused what is free anywhere, a promise is kept whatever the others
 * take, nothing is had twice, and when all is given back all is there, as whole blocks. A domain that gets
 * frames while it ends keeps none.
 */
#include "../host/hv_host.h"

#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hv/range.h>
#include <hw/hw.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS   4u
#define FRAMES 512u
#define KEPT   256u             /* reserved, so that the rest is one block */
#define FREE   (FRAMES - KEPT)
#define ROUNDS 150u

static bool failed;
static unsigned working;

static void must(bool ok) { if (!ok) __atomic_store_n(&failed, true, __ATOMIC_RELAXED); }

static bool others_work(void)
{
    sched_yield();
    return __atomic_load_n(&working, __ATOMIC_ACQUIRE);
}

/* Runs one function on each processor; `makers` of them call work_done() when the others may stop. */
static void run(void *(*const work[CPUS])(void *), unsigned makers)
{
    pthread_t t[CPUS];

    failed = false;
    working = makers;
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work[i], (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(t[i], NULL);
    host_be_cpu(0);
    assert_false(failed);
}

static void begin(void *arg)
{
    host_be_cpu((unsigned)(uintptr_t)arg);
    host_random_seed((uintptr_t)arg + 1);
}

static void *work_done(void)
{
    __atomic_fetch_sub(&working, 1, __ATOMIC_RELEASE);
    return NULL;
}

static int setup(void **state)
{
    host_machine_init(FRAMES, KEPT, CPUS);
    return 0;
}

static int teardown(void **state)
{
    host_machine_free();
    return 0;
}

static void all_is_there(uint64_t all)
{
    uint64_t sum = 0;
    mfn_t m;

    assert_int_equal(frames_free_count(), all);
    assert_int_equal(frames_claimed(), 0);
    for (unsigned bits = 0; bits <= 64; bits++)
        sum += frames_free_of_width(bits);
    assert_int_equal(sum, all);
    if (all == FREE) {
        m = frames_alloc(8, 0);
        assert_true(mfn_valid_number(m));
        frames_free(m, 8);
    }
}

/* ---- nobody is refused what is free ---- */
struct held { mfn_t m; unsigned order; };

static void hold(struct held *h, unsigned order, uint64_t mark)
{
    h->order = order;
    h->m = frames_alloc(order, 0);
    must(mfn_valid_number(h->m));
    if (mfn_valid_number(h->m))
        for (uint64_t i = 0; i < 1u << order; i++)
            *(uint64_t *)page_of_mfn(MFN(h->m.n + i)) = mark;
}

static void let_go(struct held *h, uint64_t mark)
{
    if (!mfn_valid_number(h->m))
        return;
    for (uint64_t i = 0; i < 1u << h->order; i++)
        must(*(uint64_t *)page_of_mfn(MFN(h->m.n + i)) == mark);
    frames_free(h->m, h->order);
}

/* A quarter each: all of it now and then. */
static void *single_holder(void *arg)
{
    struct held held[FREE / CPUS];
    uint64_t mark = (uintptr_t)arg + 100;

    begin(arg);
    for (unsigned r = 0; r < ROUNDS; r++) {
        unsigned n = 0, want = host_random() % 2 ? FREE / CPUS : (unsigned)(host_random() % (FREE / CPUS));

        while (n < want)
            hold(&held[n++], 0, mark);
        while (n)
            let_go(&held[--n], mark);
    }
    return work_done();
}

static void free_frames_are_had_wherever_they_are(void **state)
{
    void *(*const work[CPUS])(void *) = { single_holder, single_holder, single_holder, single_holder };

    run(work, CPUS);
    all_is_there(FREE);
}

/* Blocks need neighbours that other processors may keep: they may be refused, two at once never take what is
 * left. */
static void *block_holder(void *arg)
{
    struct held h;

    begin(arg);
    for (unsigned r = 0; r < ROUNDS * 10; r++) {
        h.order = (unsigned)(host_random() % 6);
        h.m = frames_alloc(h.order, 0);
        if (mfn_valid_number(h.m))
            frames_free(h.m, h.order);
    }
    return work_done();
}

static void blocks_and_single_frames(void **state)
{
    void *(*const work[CPUS])(void *) = { single_holder, block_holder, single_holder, block_holder };
    run(work, CPUS);
    all_is_there(FREE);
}

/* ---- a promise is kept ---- */
static struct domain promised, greedy;
static unsigned claims_kept;

static void give_all_up(struct domain *d, mfn_t *m, unsigned n)
{
    while (n--)
        must(frame_give_up(m[n], d) == 0);
}

static void *claimant(void *arg)
{
    mfn_t m[FREE];

    begin(arg);
    for (unsigned had = 0, tried = 0; had < ROUNDS && tried < 100 * ROUNDS; tried++) {
        unsigned n = 0, want = 1 + (unsigned)(host_random() % (FREE / 2));
        unsigned get = host_random() % 2 ? want : (unsigned)(host_random() % want);

        sched_yield();
        if (frames_claim(&promised, want) != 0)
            continue;
        had++;
        (void)frames_free_of_width(0);  /* collects: what this processor kept would do instead */
        must(frames_claim(&promised, want) == -XEN_EINVAL);
        for (unsigned i = (unsigned)(host_random() % 8); i; i--)
            sched_yield();              /* the others take what is left */
        for (; n < get; n++) {
            m[n] = frames_alloc_domain(&promised, 0, 64);
            must(mfn_valid_number(m[n]));
        }
        must(__atomic_load_n(&promised.claimed, __ATOMIC_RELAXED) == want - n);
        must(frames_claim(&promised, 0) == 0);
        give_all_up(&promised, m, n);
        claims_kept = had;
    }
    return work_done();
}

/* Takes what it can get. */
static void *glutton(void *arg)
{
    mfn_t m[FREE];

    begin(arg);
    while (others_work()) {
        unsigned n = 0;

        while (n < FREE && mfn_valid_number(m[n] = frames_alloc_domain(&greedy, 0, 64)))
            n++;
        for (unsigned i = (unsigned)(host_random() % 16); i; i--)
            sched_yield();
        give_all_up(&greedy, m, n);
    }
    return NULL;
}

static void promises_are_kept(void **state)
{
    void *(*const work[CPUS])(void *) = { claimant, glutton, glutton, glutton };
    uint64_t all;
    mfn_t m;

    host_domain_init(&promised, 1, false, FREE, 1);
    host_domain_init(&greedy, 2, false, 3 * FREE, 1);
    m = frames_alloc_domain(&promised, 0, 64);          /* a page for the numbers of both */
    assert_int_equal(frame_give_up(m, &promised), 0);
    all = frames_free_count();
    run(work, 1);
    assert_true(claims_kept > 10);
    assert_int_equal(promised.frames + greedy.frames, 0);
    all_is_there(all);
    host_domain_free(&promised);
    host_domain_free(&greedy);
}

/* ---- small objects, which others free ---- */
static void *mailbox[64];

static void *object_passer(void *arg)
{
    begin(arg);
    for (unsigned i = 0; i < ROUNDS * 100; i++) {
        uint64_t size = 24 + host_random() % (host_random() % 16 ? 300 : 6000), *p = kalloc(size), *old;

        if (p) {
            for (unsigned w = 0; w < size / 8; w++)
                must(p[w] == 0);
            p[0] = size;
            p[1] = p[size / 8 - 1] = (uintptr_t)p;
        }
        old = __atomic_exchange_n(&mailbox[host_random() % ARRAY_LEN(mailbox)], p, __ATOMIC_ACQ_REL);
        if (!old)
            continue;
        must(old[1] == (uintptr_t)old);
        must(old[old[0] / 8 - 1] == (uintptr_t)old);
        kfree(old);
    }
    return work_done();
}

static void objects_are_freed_by_others(void **state)
{
    void *(*const work[CPUS])(void *) = { object_passer, object_passer, object_passer, object_passer };

    run(work, CPUS);
    for (unsigned i = 0; i < ARRAY_LEN(mailbox); i++)
        kfree(__atomic_exchange_n(&mailbox[i], NULL, __ATOMIC_ACQUIRE));
    all_is_there(FREE);
}

/* With no frame left an object is had from a page of another processor's. */
static void objects_of_others_when_memory_is_out(void **state)
{
    void *first, *second;
    unsigned taken = 0;
    static mfn_t m[FREE];

    first = kalloc(64);
    host_be_cpu(1);
    while (mfn_valid_number(m[taken] = frames_alloc(0, 0)))
        taken++;
    assert_int_equal(taken, FREE - 1);
    second = kalloc(64);
    assert_non_null(second);
    kfree(first);
    kfree(second);
    assert_int_equal(frames_free_count(), 1);
    while (taken)
        frames_free(m[--taken], 0);
    all_is_there(FREE);
}

/* ---- frames for a domain that ends ---- */
static struct domain mortal;
static pthread_barrier_t meeting;

static void *getter(void *arg)
{
    begin(arg);
    for (unsigned r = 0; r < ROUNDS; r++) {
        mfn_t mine = MFN_INVALID;

        pthread_barrier_wait(&meeting);
        while (!domain_dying(&mortal)) {
            (void)frames_claim(&mortal, 100);
            mine = frames_alloc_domain(&mortal, (unsigned)(host_random() % 3), 64);
            if (mfn_valid_number(mine) && frame_detach(mine, &mortal) == 0) {
                sched_yield();          /* its end passes the frame over */
                frame_attach(mine, &mortal);
            }
        }
        (void)frames_claim(&mortal, 100);
        pthread_barrier_wait(&meeting);
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

static void *ender(void *arg)
{
    uint64_t all = frames_free_count();

    begin(arg);
    for (unsigned r = 0; r < ROUNDS; r++) {
        pthread_barrier_wait(&meeting);
        for (unsigned i = (unsigned)(host_random() % 50); i; i--)
            sched_yield();
        __atomic_store_n(&mortal.dying, DOMAIN_DYING, __ATOMIC_SEQ_CST);
        while (frames_relinquish(&mortal) == -XEN_ERESTART)
            ;
        pthread_barrier_wait(&meeting);
        must(mortal.frames == 0 && mortal.claimed == 0 && mortal.refs == 1);
        must(frames_free_count() == all && frames_claimed() == 0);
        mortal.pv.relinquish_step = 0;
        mortal.dying = DOMAIN_ALIVE;
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

static void the_dying_get_nothing(void **state)
{
    void *(*const work[CPUS])(void *) = { ender, getter, getter, getter };
    mfn_t m;

    host_domain_init(&mortal, 1, false, 200, 1);
    m = frames_alloc_domain(&mortal, 0, 64);
    assert_int_equal(frame_give_up(m, &mortal), 0);
    pthread_barrier_init(&meeting, NULL, CPUS);
    run(work, 0);
    host_domain_free(&mortal);
}

/* ---- M2P entries of frames that change their owner ---- */
static uint64_t guessed = KEPT;

/* Somebody who writes entries of frames it had a moment ago. */
static void *writer_of_entries(void *arg)
{
    begin(arg);
    while (others_work()) {
        mfn_t m = frames_alloc_domain(&promised, 0, 64);

        if (!mfn_valid_number(m))
            continue;
        must(frame_pfn_set(m, &promised, 1));
        must(frame_give_up(m, &promised) == 0);
        for (unsigned i = 0; i < 8; i++)
            (void)frame_pfn_set(MFN(__atomic_load_n(&guessed, __ATOMIC_RELAXED)), &promised, 1);
    }
    return NULL;
}

static void *owner_of_entries(void *arg)
{
    begin(arg);
    for (unsigned r = 0; r < ROUNDS * 20; r++) {
        mfn_t m = frames_alloc_domain(&greedy, 0, 64);

        __atomic_store_n(&guessed, m.n, __ATOMIC_RELAXED);
        must(frame_pfn_set(m, &greedy, 2));
        for (unsigned i = 0; i < 4; i++) {
            sched_yield();
            must(__atomic_load_n(&m2p[m.n], __ATOMIC_RELAXED) == 2);
        }
        must(frame_give_up(m, &greedy) == 0);
    }
    return work_done();
}

static void entries_belong_to_the_owner(void **state)
{
    void *(*const work[CPUS])(void *) = { owner_of_entries, owner_of_entries, writer_of_entries,
                                          writer_of_entries };

    host_domain_init(&promised, 1, false, FREE, 1);
    host_domain_init(&greedy, 2, false, FREE, 1);
    run(work, 2);
    host_domain_free(&promised);
    host_domain_free(&greedy);
}

/* ---- rights that change while others ask ---- */
static struct ranges rights;

static void *asker(void *arg)
{
    begin(arg);
    while (others_work()) {
        must(ranges_have(&rights, 100, 199));
        must(!ranges_have(&rights, 50, 60));
        (void)ranges_have(&rights, 300, 300);
    }
    return NULL;
}

static void *changer(void *arg)
{
    begin(arg);
    for (unsigned r = 0; r < ROUNDS * 20; r++) {
        uint64_t at = 200 + host_random() % 40 * 10;

        must((host_random() % 2 ? ranges_add(&rights, at, at + 5) : ranges_remove(&rights, at, at + 5)) == 0);
    }
    return work_done();
}

static void rights_change_while_others_ask(void **state)
{
    void *(*const work[CPUS])(void *) = { changer, asker, asker, asker };

    assert_int_equal(ranges_add(&rights, 100, 199), 0);
    run(work, 1);
    ranges_free(&rights);
    all_is_there(FREE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(free_frames_are_had_wherever_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_and_single_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(promises_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(objects_are_freed_by_others, setup, teardown),
        cmocka_unit_test_setup_teardown(objects_of_others_when_memory_is_out, setup, teardown),
        cmocka_unit_test_setup_teardown(the_dying_get_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_belong_to_the_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(rights_change_while_others_ask, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
