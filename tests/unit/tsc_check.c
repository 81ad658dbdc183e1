/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processors compare their TSCs: coroutines that change at every reading of the TSC and every turn of a
 * waiting loop, whichever the seed says. True time goes on with each step; each processor sees it through a
 * TSC of its own.
 */
#include <hv/clock.h>
#include <hv/tsc_check.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#include <cmocka.h>

#define KHZ   2000000ull
#define LIMIT (KHZ * 1000)

struct tsc { int64_t ahead; int64_t drift_ppm; };

static ucontext_t main_context, cpu_context[2];
static char stacks[2][65536];
static struct tsc tscs[2];
static uint64_t true_time, seed, longest_step;
static int running;
static bool done[2], register_there, register_lies;
static struct tsc_meeting meeting;
static enum tsc_verdict verdict;
static int64_t ahead;

static uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) % n;
}

/* One step: at least as long as news takes from one cache to the other. */
static void step(void)
{
    int from = running, to = (int)random_below(2);

    true_time += 20 + random_below(longest_step);
    if (to == from || done[to])
        return;
    running = to;
    swapcontext(&cpu_context[from], &cpu_context[to]);
}

uint64_t tsc_khz(void) { return KHZ; }
void hw_relax(void) { step(); }

static uint64_t tsc_of(int cpu)
{
    return true_time + (uint64_t)tscs[cpu].ahead +
           (uint64_t)((int64_t)true_time * tscs[cpu].drift_ppm / 1000000);
}

uint64_t tsc_now(void)
{
    uint64_t t;

    step();
    t = tsc_of(running);
    step();
    return t;
}

static bool adjust(int64_t by)
{
    if (register_there && !register_lies)
        tscs[running].ahead += by;
    return register_there;
}

static void finish(int cpu)
{
    done[cpu] = true;
    running = !cpu;
    if (done[!cpu])
        setcontext(&main_context);
    setcontext(&cpu_context[!cpu]);
}

static void source(void)
{
    verdict = tsc_check_source(&meeting, LIMIT, &ahead);
    finish(0);
}

static void target(void)
{
    tsc_check_target(&meeting, LIMIT, adjust);
    finish(1);
}

static void prepare(int cpu, void (*entry)(void))
{
    done[cpu] = false;
    getcontext(&cpu_context[cpu]);
    cpu_context[cpu].uc_stack.ss_sp = stacks[cpu];
    cpu_context[cpu].uc_stack.ss_size = sizeof(stacks[cpu]);
    cpu_context[cpu].uc_link = NULL;
    makecontext(&cpu_context[cpu], entry, 0);
}

static void meet(uint64_t n, int64_t difference, int64_t drift_ppm)
{
    seed = n * 977 + 1;
    meeting = (struct tsc_meeting){ 0 };
    tscs[0] = (struct tsc){ 0, 0 };
    tscs[1] = (struct tsc){ difference, drift_ppm };
    true_time = 1000000000000ull;
    tscs[1].ahead -= (int64_t)true_time * drift_ppm / 1000000;      /* together now, apart soon */
    longest_step = n % 3 == 0 ? 40 : n % 3 == 1 ? 400 : 40000;
    running = (int)(n % 2);
    prepare(0, source);
    prepare(1, target);
    swapcontext(&main_context, &cpu_context[running]);
}

static void equal_tscs_are_found_equal(void **state)
{
    register_there = true;
    for (unsigned n = 0; n < 100; n++) {
        meet(n, 0, 0);
        assert_int_equal(verdict, TSC_SAME);
        assert_int_equal(ahead, 0);
        assert_true(meeting.probe.rounds >= 8);
    }
}

/* What may be left cannot be noticed: it is less than the quickest way to the other one and back. */
static int64_t unnoticeable(void) { return meeting.probe.most - meeting.probe.least; }

static void a_constant_difference_is_taken_out(void **state)
{
    unsigned corrected = 0;

    register_there = true;
    register_lies = false;
    for (unsigned n = 0; n < 100; n++) {
        int64_t difference = (int64_t)random_below(1ull << 31) << random_below(20);

        meet(n, n % 2 ? difference : -difference, 0);
        corrected += verdict == TSC_CORRECTED;
        assert_true(verdict == TSC_CORRECTED || verdict == TSC_SAME);
        assert_true(llabs(tscs[1].ahead) <= unnoticeable());
        assert_int_equal(ahead, 0);
    }
    assert_true(corrected > 95);
}

static void without_the_register_the_difference_is_told(void **state)
{
    for (unsigned n = 0; n < 100; n++) {
        int64_t difference = 1000000 + (int64_t)random_below(1ull << 40);

        register_there = n % 2;
        register_lies = true;
        meet(n, n % 4 < 2 ? difference : -difference, 0);
        assert_int_equal(verdict, TSC_SHIFTED);
        assert_true(llabs(ahead - tscs[1].ahead) <= unnoticeable());
    }
    register_lies = false;
}

/* After correction no stamp that was caused by another one is smaller, whichever way the news went. */
static void causes_come_before_effects(void **state)
{
    register_there = true;
    for (unsigned n = 0; n < 100; n++) {
        uint64_t last = 0;

        meet(n, (int64_t)random_below(1000000) - 500000, 0);
        for (unsigned i = 0; i < 200; i++) {
            uint64_t stamp = tsc_of((int)(i % 2));

            assert_true(stamp >= last);
            last = stamp;
            true_time += 40 + (uint64_t)(unnoticeable() / 2);
        }
    }
}

static void different_rates_are_found(void **state)
{
    unsigned wild = 0;

    register_there = true;
    for (unsigned n = 0; n < 60; n++) {
        meet(n * 3, 0, 20000);              /* two quartzes are never that far apart; two multipliers are */
        wild += verdict == TSC_WILD;
    }
    assert_int_equal(wild, 60);
}

static void one_who_does_not_come_is_not_waited_for_ever(void **state)
{
    register_there = true;
    seed = 5;
    running = 0;
    meeting = (struct tsc_meeting){ 0 };
    done[1] = true;                         /* steps stay with the source */
    longest_step = 400000;
    assert_int_equal(tsc_check_source(&meeting, LIMIT, &ahead), TSC_NO_ANSWER);
    running = 1;
    done[0] = true;
    meeting = (struct tsc_meeting){ 0 };
    tsc_check_target(&meeting, LIMIT, adjust);
    assert_int_equal(meeting.turn, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_tscs_are_found_equal),
        cmocka_unit_test(a_constant_difference_is_taken_out),
        cmocka_unit_test(without_the_register_the_difference_is_told),
        cmocka_unit_test(causes_come_before_effects),
        cmocka_unit_test(different_rates_are_found),
        cmocka_unit_test(one_who_does_not_come_is_not_waited_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
