/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many processors in one thread, the same way every time: each is a coroutine, and a seeded die decides at
 * every atomic operation, lock and hardware call which of them goes on. Time is simulated. It moves a little
 * with each switch, and jumps when all processors are in their guests, so an hour of guests that compute
 * costs what their switches cost.
 *
 * The switch points come from the compiler: code under test is built with -fsanitize=thread, and many_cpus.c
 * defines the functions it then calls. Built with MANY_THREADS and the real sanitizer instead, each processor
 * is a thread. The rest of the machine is tests/model/core/fake.c and tests/host/stand_in.c.
 */
#ifndef TESTS_MANY_CPUS_H
#define TESTS_MANY_CPUS_H

#include "../model/core/fake.h"

#ifdef MANY_THREADS
enum { MANY_DETERMINISTIC = 0 };
#else
enum { MANY_DETERMINISTIC = 1 };
#endif

struct many {
    unsigned cpus;
    uint64_t seed;
    unsigned switch_one_in;     /* at a switch point another processor goes on one in that many times */
    unsigned hold_up_one_in;    /* and this one waits long, for up to 200 steps of the others; 0: never */
    /* Which guest starts on c: when it will do something by itself, if it is left alone: ns, ~0 never. */
    uint64_t (*guest_enter)(struct pcpu *c, struct vcpu *v);
    /* It stops running there, for good or to enter again; did: its moment has come. */
    void     (*guest_leave)(struct pcpu *c, struct vcpu *v, uint64_t since, bool did);
    /* Each time nothing is left to do but to let time pass; with threads, now and then. NULL: none. */
    void     (*all_quiet)(void);
    /* May be NULL. Comes first when c is in the hypervisor again: its interrupts. */
    void     (*interrupts)(struct pcpu *c);
    /* Instead of the plain change from one vCPU to the next: hw_switch(). */
    void     (*change_over)(struct pcpu *c, struct vcpu *next);
    /* At every switch point, whoever is there: what hardware does by itself. Not with threads. */
    void     (*at_point)(void);
};

/* Makes the machine; then guests may be made, on processor 0. */
void many_start(const struct many *m);
/* Lets it run for that long. */
void many_run(uint64_t ns);
void many_end(void);
/* A switch point of a test's own. */
void many_point(void);
/* How often processors went on, timers fired, kicks were sent. */
struct many_counts { uint64_t switches, timers, kicks, moves, picks; };
extern struct many_counts many_counts;

#endif
