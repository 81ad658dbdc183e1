/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * The clock across vCPUs: whoever reads it after another has read it, as memory shows, must not get less. All
 * vCPUs read, and push one common maximum up; a clock that is behind it has gone backwards. QEMU's RDTSC is
 * the host's without a fence, so it may be some ns older than what memory showed before it: a reading is
 * blamed on the clock only if its time-stamp was the later one.
 */
#include "smp.h"

TEST("time: the clocks of several vCPUs never contradict one another");

#define READINGS rounds(100000)

static unsigned n;
static volatile uint64_t newest, newest_tsc, backwards, worst, disorder;

static void push(volatile uint64_t *maximum, uint64_t value)
{
    uint64_t seen = *maximum;

    while (value > seen &&
           !__atomic_compare_exchange_n(maximum, &seen, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}

static void read_clock(unsigned self)
{
    static struct barrier begin;

    (void)self;
    barrier_wait(&begin, n);
    for (unsigned i = 0; i < READINGS; i++) {
        /* written in the other order: the stamp is that of the clock reading, or a newer one */
        uint64_t before = __atomic_load_n(&newest, __ATOMIC_SEQ_CST), tsc, now;
        uint64_t before_tsc = __atomic_load_n(&newest_tsc, __ATOMIC_SEQ_CST);

        __asm__ volatile("lfence" ::: "memory");        /* RDTSC is not to be read ahead of memory */
        now = system_time_at(&tsc);
        if (tsc < before_tsc) {
            push(&disorder, before_tsc - tsc);
        } else if (now < before) {
            count(&backwards);
            push(&worst, before - now);
        }
        push(&newest_tsc, tsc);
        push(&newest, now);
        if (i % 1000 == 0)
            yield();                                    /* perhaps to another processor */
        if (i % 5000 == 0)
            sched_op(SCHEDOP_poll, &(struct sched_poll){ .timeout = now + 20000 });
    }
}

/* One word goes round: each reader's clock is later than the one he got the word from. */
static void pass_on(unsigned self)
{
    static volatile uint64_t turn, stamp;

    for (unsigned i = 0; i < rounds(50); i++) {
        uint64_t now;

        AWAIT(turn == (uint64_t)i * n + self);
        now = system_time();
        CHECK(now >= stamp);
        stamp = now;
        turn++;
    }
}

void test_main(void)
{
    n = smp_begin_all(2);
    smp_run(n, read_clock);
    if (disorder)
        say("time-stamps were up to %lu cycles older than what memory had shown\n", disorder);
    if (backwards)
        say("%lu readings were backwards, at worst %lu ns\n", backwards, worst);
    CHECK_EQ(backwards, 0);
    smp_run(n, pass_on);
}
