/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer heap against a plain list: what fires, in which order, and that the hardware is never told too
 * late.
 */
#include "fake.h"

#include <hv/timer.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TIMERS 60u

static struct timer timer[TIMERS];
static uint64_t deadline[TIMERS];       /* 0: not set */
static unsigned fired[TIMERS], order_errors;
static uint64_t last_fired;

static void fire(void *arg, uint64_t now)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    order_errors += deadline[i] < last_fired || deadline[i] > now;
    last_fired = deadline[i];
    deadline[i] = 0;
    fired[i]++;
}

static void run(void)
{
    last_fired = 0;
    timer_run(pcpus[0]);
}

static uint64_t earliest(void)
{
    uint64_t t = ~0ull;

    for (unsigned i = 0; i < TIMERS; i++)
        if (deadline[i] && timer[i].cpu == 0)
            t = MIN(t, deadline[i]);
    return t;
}

static void check(void)
{
    for (unsigned i = 0; i < TIMERS; i++)
        assert_int_equal(timer_is_set(&timer[i]), deadline[i] != 0);
    assert_true(fake_programmed <= earliest() || pcpus[0]->pending & PENDING_TIMER);
}

static void step(void)
{
    unsigned i = fake_random(TIMERS);

    switch (fake_random(11)) {
    case 0 ... 5:
        deadline[i] = fake_now + fake_random(1000);
        timer_set(&timer[i], deadline[i]);
        break;
    case 8: {
        uint64_t by = fake_now + fake_random(1000);

        deadline[i] = deadline[i] && deadline[i] < by ? deadline[i] : by;
        timer_set_by(&timer[i], by);
        break;
    }
    case 6:
        deadline[i] = 0;
        timer_stop(&timer[i]);
        break;
    case 7:
        timer_migrate(&timer[i], fake_random(2));
        break;
    default:
        fake_now += fake_random(100);
        for (unsigned c = 0; c < 2; c++) {
            fake_be_cpu(c);
            last_fired = 0;
            timer_run(pcpus[c]);
        }
        fake_be_cpu(0);
        for (unsigned k = 0; k < TIMERS; k++)
            assert_true(!deadline[k] || deadline[k] > fake_now);
    }
}

static void sequences_agree_with_a_list(void **state)
{
    fake_machine(2);
    fake_seed(5);
    assert_int_equal(timer_reserve(TIMERS), 0);
    for (unsigned i = 0; i < TIMERS; i++)
        timer_init(&timer[i], fire, (void *)(uintptr_t)i, 0);
    memset(deadline, 0, sizeof(deadline));
    for (unsigned n = 0; n < 100000; n++) {
        step();
        check();
    }
    assert_int_equal(order_errors, 0);
    for (unsigned i = 0; i < TIMERS; i++)
        assert_true(fired[i] > 0);
}

/* ---- laziness and bounds ---- */

static unsigned again;
static void set_again_in_the_past(void *arg, uint64_t now)
{
    again++;
    timer_set(arg, now);
}

static void a_callback_cannot_hold_the_processor(void **state)
{
    struct timer t;

    fake_machine(1);
    assert_int_equal(timer_reserve(1), 0);
    timer_init(&t, set_again_in_the_past, &t, 0);
    timer_set(&t, fake_now);
    again = 0;
    run();
    assert_int_equal(again, 1);
    assert_int_equal(fake_programmed, fake_now);
    timer_stop(&t);
}

static void a_later_deadline_costs_no_programming(void **state)
{
    struct timer t;

    fake_machine(1);
    assert_int_equal(timer_reserve(1), 0);
    timer_init(&t, fire, (void *)0, 0);
    timer_set(&t, fake_now + 100);
    assert_int_equal(fake_programmed, fake_now + 100);
    fake_programmed = 1;                        /* to see whether it is written again */
    timer_set(&t, fake_now + 200);
    timer_stop(&t);
    timer_set(&t, fake_now + 150);
    assert_int_equal(fake_programmed, 1);
    fake_now += 100;
    run();                                      /* too early: finds nothing, programs what is first now */
    assert_int_equal(fake_programmed, fake_now + 50);
    timer_stop(&t);
}

static void another_processors_timer_kicks_it(void **state)
{
    struct timer t;

    fake_machine(2);
    assert_int_equal(timer_reserve(1), 0);
    timer_init(&t, fire, (void *)0, 1);
    fake_kicks = 0;
    timer_set(&t, fake_now + 100);
    assert_int_equal(fake_kicks, 1);
    assert_true(pcpus[1]->pending & PENDING_TIMER);
    timer_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_agree_with_a_list),
        cmocka_unit_test(a_callback_cannot_hold_the_processor),
        cmocka_unit_test(a_later_deadline_costs_no_programming),
        cmocka_unit_test(another_processors_timer_kicks_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
