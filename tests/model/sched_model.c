/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler in simulated time: one processor, a few vCPUs with random weights that compute or sleep.
 * Shares must follow the weights, nobody may starve, and who wakes must come soon.
 */
#include "fake.h"

#include <hv/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ull
#define GUESTS 6u

static struct domain *d[GUESTS];

static void look(void)
{
    if (fake_programmed <= fake_now)
        fake_programmed = ~0ull;                /* it has fired */
    pcpu_raise(host_cpu, PENDING_TIMER);        /* the timer interrupt, whether due or not */
    fake_pending();
}

/* Lets the machine run for ns; whoever is current uses the time. */
static void run(uint64_t ns)
{
    uint64_t end = fake_now + ns;

    while (fake_now < end) {
        uint64_t next = MIN(end, MAX(fake_programmed, fake_now + 1));

        fake_now = MIN(next, fake_now + 50 * MS);
        look();
    }
}

static void setup(unsigned guests)
{
    fake_machine(1);
    for (unsigned i = 0; i < guests; i++)
        d[i] = fake_domain((domid_t)(i + 1), 1, false, 31);
    fake_pending();
}

static void teardown(unsigned guests)
{
    for (unsigned i = 0; i < guests; i++)
        fake_domain_end(d[i]);
    assert_int_equal(fake_leaks(), 0);
}

static uint64_t ran(unsigned i) { return vcpu_run_time(d[i]->vcpu[0]); }

static void shares_follow_weights(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        uint64_t before[GUESTS], total = 0, weights = 0;

        fake_seed(seed);
        setup(GUESTS);
        for (unsigned i = 0; i < GUESTS; i++) {
            d[i]->sched.weight = (uint16_t)(16 + fake_random(1000));
            weights += d[i]->sched.weight;
            before[i] = ran(i);
        }
        run(60000 * MS);
        for (unsigned i = 0; i < GUESTS; i++)
            total += ran(i) - before[i];
        assert_true(total >= 59900 * MS);       /* work conserving */
        for (unsigned i = 0; i < GUESTS; i++) {
            uint64_t fair = total * d[i]->sched.weight / weights, got = ran(i) - before[i];
            uint64_t off = got > fair ? got - fair : fair - got;

            assert_true(off <= fair / 33 + 20 * MS);
        }
        teardown(GUESTS);
    }
}

static void nobody_waits_long(void **state)
{
    uint64_t last[GUESTS], seen[GUESTS];

    setup(GUESTS);
    for (unsigned i = 0; i < GUESTS; i++) {
        last[i] = fake_now;
        seen[i] = ran(i);
    }
    for (unsigned n = 0; n < 5000; n++) {
        run(MS);
        for (unsigned i = 0; i < GUESTS; i++) {
            if (ran(i) != seen[i])
                last[i] = fake_now;
            seen[i] = ran(i);
            assert_true(fake_now - last[i] <= GUESTS * 11 * MS);    /* equal weights: one round of slices */
        }
    }
    teardown(GUESTS);
}

/*
 * A sleeper among five that compute: it is on the processor as soon as it wakes, and it cannot gain by
 * sleeping.
 */
static void who_wakes_is_served_at_once(void **state)
{
    struct vcpu *v;
    uint64_t others = 0, mine;

    setup(GUESTS);
    v = d[0]->vcpu[0];
    vcpu_pause(v, PAUSE_BLOCKED, false);
    run(500 * MS);
    mine = ran(0);
    for (unsigned i = 1; i < GUESTS; i++)
        others += ran(i);
    for (unsigned n = 0; n < 200; n++) {
        vcpu_unpause(v, PAUSE_BLOCKED);
        fake_pending();
        assert_ptr_equal(host_cpu->current, v);
        fake_now += MS / 2;
        vcpu_pause(v, PAUSE_BLOCKED, false);
        fake_pending();
        assert_ptr_not_equal(host_cpu->current, v);
        run(7 * MS);
    }
    assert_int_equal(ran(0) - mine, 100 * MS);
    teardown(GUESTS);
}

/* After a long sleep a vCPU may not hold the processor for what it missed. */
static void sleeping_saves_nothing_up(void **state)
{
    setup(2);
    vcpu_pause(d[0]->vcpu[0], PAUSE_BLOCKED, false);
    run(10000 * MS);
    vcpu_unpause(d[0]->vcpu[0], PAUSE_BLOCKED);
    fake_pending();
    uint64_t one = ran(0), two = ran(1);

    run(200 * MS);
    assert_true(ran(0) - one <= 125 * MS);
    assert_true(ran(1) - two >= 75 * MS);
    teardown(2);
}

/* Nor is it a gain to sleep for a moment after each spell of work. */
static void a_nap_gains_nothing(void **state)
{
    struct vcpu *v;
    uint64_t one, two;

    setup(2);
    v = d[0]->vcpu[0];
    one = ran(0);
    two = ran(1);
    for (unsigned n = 0; n < 4000; n++) {
        run(MS);
        if (host_cpu->current != v)
            continue;
        vcpu_pause(v, PAUSE_BLOCKED, false);
        fake_pending();
        fake_now += MS / 100;
        vcpu_unpause(v, PAUSE_BLOCKED);
        fake_pending();
    }
    one = ran(0) - one;
    two = ran(1) - two;
    assert_true(one <= (one + two) * 52 / 100);
    teardown(2);
}

static void one_that_yields_lets_another_run(void **state)
{
    struct vcpu *first, *second;

    setup(2);
    run(3 * MS);
    first = host_cpu->current;
    vcpu_yield(first);
    fake_pending();
    second = host_cpu->current;
    assert_ptr_not_equal(second, first);
    vcpu_yield(second);
    fake_pending();
    assert_ptr_equal(host_cpu->current, first);
    teardown(2);
}

static void a_lone_vcpu_needs_no_timer(void **state)
{
    setup(1);
    look();
    assert_ptr_equal(host_cpu->current, d[0]->vcpu[0]);
    assert_true(fake_programmed == ~0ull);
    teardown(1);
}

/* Nobody missed what it used: those that come later do not make it stand back. */
static void who_was_alone_owes_nothing(void **state)
{
    uint64_t before;

    setup(3);
    for (unsigned i = 1; i < 3; i++)
        vcpu_pause(d[i]->vcpu[0], PAUSE_BLOCKED, false);
    fake_pending();
    run(500 * MS);
    for (unsigned i = 1; i < 3; i++)
        vcpu_unpause(d[i]->vcpu[0], PAUSE_BLOCKED);
    fake_pending();
    before = ran(0);
    run(45 * MS);
    assert_true(ran(0) - before >= 10 * MS);    /* a third, less a turn */
    teardown(3);
}

static void runstates_add_up(void **state)
{
    struct vcpu_runstate_info r;
    uint64_t sum = 0;

    setup(3);
    vcpu_runstate_get(d[0]->vcpu[0], &r);
    uint64_t since = fake_now - r.time[0] - r.time[1] - r.time[2] - r.time[3];

    for (unsigned n = 0; n < 2000; n++) {
        struct vcpu *v = d[fake_random(3)]->vcpu[0];
        uint32_t flag = fake_random(2) ? PAUSE_BLOCKED : PAUSE_DOWN;

        if (fake_random(2))
            vcpu_pause(v, flag, false);
        else
            vcpu_unpause(v, flag);
        fake_pending();
        run(fake_random(5) * MS + 1);
        vcpu_runstate_get(v, &r);
        assert_int_equal(r.state == RUNSTATE_running, host_cpu->current == v);
        assert_int_equal(r.state == RUNSTATE_offline, !!(v->pause_flags & PAUSE_DOWN));
        assert_int_equal(r.state == RUNSTATE_blocked, v->pause_flags == PAUSE_BLOCKED);
    }
    vcpu_runstate_get(d[0]->vcpu[0], &r);
    for (unsigned i = 0; i < 4; i++)
        sum += r.time[i];
    assert_int_equal(sum, fake_now - since);
    teardown(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_weights), cmocka_unit_test(nobody_waits_long),
        cmocka_unit_test(who_wakes_is_served_at_once), cmocka_unit_test(sleeping_saves_nothing_up),
        cmocka_unit_test(a_nap_gains_nothing),
        cmocka_unit_test(one_that_yields_lets_another_run), cmocka_unit_test(a_lone_vcpu_needs_no_timer),
        cmocka_unit_test(who_was_alone_owes_nothing), cmocka_unit_test(runstates_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
