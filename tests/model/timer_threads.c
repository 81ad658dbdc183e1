/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers with four processors at once, under ThreadSanitizer: set, stopped, moved and going off, their owners
 * freed while a callback may be under way. A callback of a timer that was stopped for good would touch freed
 * memory.
 */
#include "fake.h"

#include <hv/print.h>
#include <hv/timer.h>

#include <pthread.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CPUS   4u
#define OWNERS 16u
#ifndef ROUNDS
#define ROUNDS 20000u
#endif

struct owner {
    struct timer t;
    uint64_t set_to;            /* atomic; what it must not go off before */
    uint64_t alive;
    uint32_t fired;             /* only by callbacks, of which one runs at a time */
};

static struct owner *owners[OWNERS];
static pthread_mutex_t owner_lock[OWNERS];
static uint32_t early, dead, total;

static void fire(void *arg, uint64_t now)
{
    struct owner *o = arg;

    if (__atomic_load_n(&o->alive, __ATOMIC_RELAXED) != 0xa11fe)
        __atomic_fetch_add(&dead, 1, __ATOMIC_RELAXED);
    if (now < __atomic_load_n(&o->set_to, __ATOMIC_RELAXED))
        __atomic_fetch_add(&early, 1, __ATOMIC_RELAXED);
    o->fired++;
    if (o->fired % 3 == 0)
        timer_set(&o->t, __atomic_load_n(&o->set_to, __ATOMIC_RELAXED));       /* at once, again */
    __atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
}

static struct owner *owner_new(unsigned cpu)
{
    struct owner *o = calloc(1, sizeof(*o));

    o->alive = 0xa11fe;
    timer_init(&o->t, fire, o, cpu);
    return o;
}

/* The only thing that may happen to an owner while somebody else has it is that its timer goes off. */
static void step(unsigned cpu)
{
    unsigned i = fake_random(OWNERS);
    struct owner *o;

    pthread_mutex_lock(&owner_lock[i]);
    o = owners[i];
    switch (fake_random(8)) {
    case 0 ... 3:
        /* Only ever to later moments: one that has gone off already was set to an earlier one. */
        timer_stop_sync(&o->t);
        __atomic_store_n(&o->set_to, now_ns() + fake_random(200), __ATOMIC_RELAXED);
        timer_set(&o->t, o->set_to);
        break;
    case 4:
        timer_stop(&o->t);
        break;
    case 5:
    case 6:
        timer_migrate(&o->t, fake_random(CPUS));
        break;
    default:
        timer_stop_sync(&o->t);
        BUG_ON(timer_is_set(&o->t));
        __atomic_store_n(&o->alive, 0, __ATOMIC_RELAXED);
        free(o);
        owners[i] = owner_new(cpu);
    }
    pthread_mutex_unlock(&owner_lock[i]);
}

static void *processor(void *arg)
{
    unsigned cpu = (unsigned)(uintptr_t)arg;

    fake_be_cpu(cpu);
    fake_seed(cpu * 31 + 7);
    for (unsigned n = 0; n < ROUNDS; n++) {
        step(cpu);
        __atomic_fetch_add(&fake_now, fake_random(20), __ATOMIC_RELAXED);
        __atomic_fetch_and(&pcpus[cpu]->pending, ~(uint32_t)PENDING_TIMER, __ATOMIC_SEQ_CST);
        timer_run(pcpus[cpu]);
    }
    return NULL;
}

static void stopped_timers_stay_stopped(void **state)
{
    pthread_t thread[CPUS];

    fake_machine(CPUS);
    assert_int_equal(timer_reserve(OWNERS), 0);
    for (unsigned i = 0; i < OWNERS; i++) {
        pthread_mutex_init(&owner_lock[i], NULL);
        owners[i] = owner_new(i % CPUS);
    }
    for (unsigned i = 0; i < CPUS; i++)
        pthread_create(&thread[i], NULL, processor, (void *)(uintptr_t)i);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(early, 0);
    assert_int_equal(dead, 0);
    assert_true(total > ROUNDS / 2);
    fake_be_cpu(0);
    for (unsigned i = 0; i < OWNERS; i++) {
        timer_stop_sync(&owners[i]->t);
        free(owners[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(stopped_timers_stay_stopped) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
