/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: a heap per processor, ordered by deadline in nanoseconds of system time (now_ns()). A callback
 * runs on the processor the timer was set on, with interrupts off and no lock held; it may set the timer
 * again.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/lock.h>
#include <hv/types.h>

struct timer {
    uint64_t deadline;                      /* ns of system time */
    void   (*fn)(void *arg, uint64_t now);
    void    *arg;
    unsigned cpu;                           /* whose heap it is in */
    uint32_t slot;                          /* place in the heap + 1; 0: not set */
};

struct timer_heap {
    spinlock_t     lock;
    struct timer **slot;
    uint32_t       used, room;
    uint64_t       programmed;              /* deadline the hardware was given; ~0 none */
    struct timer  *running;             /* whose callback is under way; it may be freed: never looked into */
    uint64_t       interrupts, programs;    /* counted for debug key t; interrupts by hw/ */
};

/* fn(arg, now) when the deadline has passed, on the processor whose heap it is in: cpu. */
void timer_init(struct timer *t, void (*fn)(void *, uint64_t), void *arg, unsigned cpu);
/* Sets or moves the deadline. Never fails: room was reserved by timer_reserve(). */
void timer_set(struct timer *t, uint64_t deadline);
/* The same, unless it is set to an earlier moment. */
void timer_set_by(struct timer *t, uint64_t deadline);
/* After return the timer is not set; a callback under way on another processor may still be finishing. */
void timer_stop(struct timer *t);
/*
 * After return the timer is not set and no callback is under way, unless it is the caller's own: t may be
 * freed. The caller holds no lock that the callback takes.
 */
void timer_stop_sync(struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
    return __atomic_load_n(&t->slot, __ATOMIC_RELAXED) != 0;
}
/* Moves a timer, set or not, to another processor's heap; not one whose callback is under way. */
void timer_migrate(struct timer *t, unsigned cpu);
/*
 * Makes room for n more timers on every processor (vCPU creation): 0 or -ENOMEM. With n 0: after a processor
 * came.
 */
int __must_check timer_reserve(unsigned n);
void timer_unreserve(unsigned n);
/* Runs what has expired on c and programs the hardware for the next one. Called with PENDING_TIMER. */
void timer_run(struct pcpu *c);
void timer_heap_init(struct timer_heap *h);
/* A line a processor, for debug key t; returns the length. */
size_t timer_format(char *buf, size_t len);

#endif
