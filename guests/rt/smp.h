/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More vCPUs of a test kernel: each has a stack of its own and, from the first run on, the handlers of vCPU
 * 0. A test hands a function to all of them with smp_run(); between two runs they are down. Nothing here
 * waits for ever: what does not come ends the test.
 */
#ifndef SMP_H
#define SMP_H

#include "rt.h"

/* Prepares vCPUs 1 to n - 1. The test is skipped if the domain has fewer. Call it once, from vCPU 0. */
void smp_begin(unsigned n);
/* The same for as many as there are, at most RT_VCPUS, at least want; returns how many. */
unsigned smp_begin_all(unsigned want);
/* Calls fn(0) to fn(n - 1), each on the vCPU of that number; returns when all have returned. */
void smp_run(unsigned n, void (*fn)(unsigned self));
/* One vCPU: goes up and runs fn on it; and waits until it has come to its end. */
void smp_start(unsigned vcpu, void (*fn)(unsigned self));
void smp_wait(unsigned vcpu);

/*
 * How often a test does something: n, many times that if the kernel's command line says "long". A handover
 * between two vCPUs takes as long as the host needs to run the other's thread, which may be 50 ms.
 */
unsigned rounds(unsigned n);

static inline void relax(void) { __asm__ volatile("pause" ::: "memory"); }
static inline void yield(void) { sched_op(SCHEDOP_yield, NULL); }

/* Waits until x is true, yielding, for some seconds of system time; then the test ends: what names it. */
struct patience { uint64_t end; unsigned spins; };
void be_patient(struct patience *p, const char *what);
#define AWAIT(x) do { struct patience p_ = { 0 }; while (!(x)) be_patient(&p_, #x); } while (0)
/* False from this many ns of system time after the first call on. */
static inline bool lasts(uint64_t *end, uint64_t ns)
{
    uint64_t now = system_time();

    if (!*end)
        *end = now + ns;
    return now < *end;
}

/* All n must arrive before any goes on; for use again and again. */
struct barrier { unsigned arrived; volatile unsigned round; };
void barrier_wait(struct barrier *b, unsigned n);

/* In the order of arrival; who waits yields now and then. */
struct ticket_lock { unsigned next; volatile unsigned owner; };
void ticket_lock(struct ticket_lock *l);
void ticket_unlock(struct ticket_lock *l);

static inline void count(volatile uint64_t *n) { __atomic_fetch_add(n, 1, __ATOMIC_RELAXED); }
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* ---- ports with a handler, delivered to one vCPU; for the layout with two levels ---- */
/* A port that interrupts the vCPU: fn(port) is called there, the port cleared before. */
evtchn_port_t ipi_port(unsigned vcpu, void (*fn)(evtchn_port_t));
/* An existing port, handed to a vCPU. */
void port_handle(evtchn_port_t port, unsigned vcpu, void (*fn)(evtchn_port_t));
/* The vCPU's timer. */
evtchn_port_t timer_port(unsigned vcpu, void (*fn)(evtchn_port_t));
static inline long port_send(evtchn_port_t port)
{
    struct evtchn_send s = { port };

    return event_op(EVTCHNOP_send, &s);
}

#endif
