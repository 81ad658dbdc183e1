/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates from disturbed measurements, counters that wrap, rates that change. */
#include <hv/clock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define GHZ 1000000000ull

static uint64_t seed = 1;

static uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) * (seed >> 40 | 1) % n;
}

static void products_are_exact(void **state)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t n = random_below(1ull << 50), mul = random_below(1ull << 36) + 1,
                 div = random_below(1ull << 40) + 1;
        unsigned __int128 right = (unsigned __int128)n * mul / div;

        if (right >> 64)
            continue;
        assert_int_equal(clock_mul_div(n, mul, div), (uint64_t)right);
    }
    assert_int_equal(clock_mul_div(~0ull, ~0ull, ~0ull), ~0ull);
}

/* ---- measuring: a TSC and a counter, looked at by somebody who is interrupted now and then ---- */

struct world { double ns; double tsc_hz, counter_hz; };

static struct clock_point look(struct world *w, bool disturbed)
{
    struct clock_point p;

    p.before = (uint64_t)(w->ns * w->tsc_hz / 1e9);
    w->ns += 300 + (disturbed ? (double)random_below(3000000) : 0);
    p.count = (uint64_t)(w->ns * w->counter_hz / 1e9);
    w->ns += 300 + (disturbed ? (double)random_below(3000000) : 0);
    p.after = (uint64_t)(w->ns * w->tsc_hz / 1e9);
    return p;
}

static void a_disturbed_measurement_is_dropped(void **state)
{
    for (unsigned round = 0; round < 2000; round++) {
        struct world w = { 1e9, 1e9 + (double)random_below(5 * GHZ), 3579545 };
        struct clock_point p[6];
        unsigned first = 9, last = 9, quiet = 0;
        uint64_t error, ticks, hz, quantum = (uint64_t)(w.tsc_hz / w.counter_hz) + 1;
        double wrong;

        for (unsigned i = 0; i < 6; i++) {
            bool disturbed = random_below(2);

            quiet += !disturbed;
            w.ns += 5e6 + (double)random_below(2000000);
            p[i] = look(&w, disturbed);
        }
        error = clock_best_pair(p, 6, quantum, &first, &last);
        assert_true(first < last && last < 6);
        ticks = clock_count_between(&p[first], &p[last], 0xffffff);
        hz = clock_mul_div(clock_tsc_between(&p[first], &p[last]), 3579545, ticks);
        wrong = ((double)hz - w.tsc_hz) / (double)hz * 1e9;
        assert_true(wrong <= (double)error + 1 && wrong >= -(double)error - 1);
        if (quiet >= 2)
            assert_true(error < 250000);        /* parts per thousand million, over 5 ms at least */
    }
}

static void a_counter_that_stands_still_is_noticed(void **state)
{
    struct clock_point p[3] = { { 0, 10, 7 }, { 1000, 1010, 7 }, { 2000, 2010, 7 } };
    unsigned first, last;

    assert_int_equal(clock_best_pair(p, 3, 1, &first, &last), ~0ull);
}

/* ---- counters that wrap ---- */

static uint64_t counter;
static uint64_t read_counter(void) { return counter & 0xffffff; }

static void a_narrow_counter_never_goes_back_nor_loses_a_round(void **state)
{
    struct wide_counter w = { .last = 0xabcdef, .mask = 0xffffff };
    uint64_t before;

    counter = before = 0xabcdef;
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t now;

        counter += random_below(4) ? random_below(1000) : random_below(0xbfffff);   /* up to 3/4 of a round */
        now = wide_counter_read(&w, read_counter);
        assert_true(now >= before);
        assert_int_equal(now, counter);
        before = now;
    }
    assert_true(counter >> 24 > 1000);
}

/* Somebody else reads, and moves the counter on, between another reader's two steps. */
static struct wide_counter *shared;
static unsigned depth;
static uint64_t read_and_be_overtaken(void)
{
    uint64_t now;

    if (depth++ == 0) {
        counter += 0x500000;
        wide_counter_read(shared, read_and_be_overtaken);
        counter += 0x500000;
    }
    now = counter & 0xffffff;
    depth--;
    return now;
}

static void readers_may_overtake_each_other(void **state)
{
    struct wide_counter w = { .mask = 0xffffff };
    uint64_t now;

    shared = &w;
    counter = 0;
    for (unsigned i = 0; i < 1000; i++) {
        depth = 0;
        now = wide_counter_read(&w, read_and_be_overtaken);
        assert_int_equal(now, counter);
    }
}

/* ---- scales over years ---- */

static void years_of_ticks_become_nanoseconds(void **state)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t hz = 1000000 + random_below(6 * GHZ), last = 0;
        struct tsc_scale s = tsc_scale_from_hz(hz);

        for (uint64_t seconds = 1; seconds < 10ull * 365 * 86400; seconds = seconds * 5 + random_below(7)) {
            uint64_t ticks = seconds * hz + random_below(hz), ns = tsc_to_ns(s, ticks);
            uint64_t right = clock_mul_div(ticks, GHZ, hz);

            assert_true(llabs((int64_t)(right - ns)) <= (int64_t)(right / GHZ) + 4);
            assert_true(ns > last);
            assert_true(tsc_to_ns(s, ticks + 1) >= ns);
            last = ns;
        }
    }
}

/* ---- a rate that is watched ---- */

static void a_steady_rate_is_known_better_and_better(void **state)
{
    const uint64_t hz = 2599999871ull;
    struct clock_rate r;
    uint64_t got = 0, ns = 0;

    clock_rate_begin(&r, 0, 0, 2600100000ull);      /* 39 ppm wrong, as boot may be */
    for (unsigned i = 0; i < 400; i++) {
        ns += 500000000;
        /* Each look is up to 300 ns off. */
        got = clock_rate_look(&r, clock_mul_div(ns, hz, GHZ), ns + random_below(300));
        if (i == 1)
            assert_true(llabs((int64_t)(got - hz)) < 2600);             /* 1 ppm after a second */
    }
    assert_true(llabs((int64_t)(got - hz)) < 26);                       /* 10 parts per thousand million */
}

static void a_rate_that_changes_is_followed(void **state)
{
    struct clock_rate r;
    uint64_t tsc = 0, ns = 0, got = 0;

    clock_rate_begin(&r, 0, 0, 2 * GHZ);
    for (unsigned i = 0; i < 40; i++) {
        ns += 500000000;
        tsc += i < 20 ? GHZ : GHZ / 2;
        got = clock_rate_look(&r, tsc, ns);
    }
    assert_int_equal(got, GHZ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_exact),
        cmocka_unit_test(a_disturbed_measurement_is_dropped),
        cmocka_unit_test(a_counter_that_stands_still_is_noticed),
        cmocka_unit_test(a_narrow_counter_never_goes_back_nor_loses_a_round),
        cmocka_unit_test(readers_may_overtake_each_other),
        cmocka_unit_test(years_of_ticks_become_nanoseconds),
        cmocka_unit_test(a_steady_rate_is_known_better_and_better),
        cmocka_unit_test(a_rate_that_changes_is_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
