/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic of clocks, without any hardware: rates from disturbed measurements, counters that wrap, rates
 * that drift. See docs/design/time.md.
 */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include <hv/time.h>
#include <hv/types.h>

/* One look at some counter, and the TSC before and after it. */
struct clock_point { uint64_t before, after, count; };

/*
 * The two of n points (in order of time) that tell the rate best: long apart, and each read without
 * interruption. quantum: ticks of the TSC that the counter may be behind when it is read. Returns how wrong
 * the rate may be, in parts per thousand million; ~0 if no two points serve (the counter does not move).
 */
uint64_t clock_best_pair(const struct clock_point *p, unsigned n, uint64_t quantum, unsigned *first,
                         unsigned *last);
/* TSC ticks between two points; ticks of the counter, of which only the bits of mask count. */
uint64_t clock_tsc_between(const struct clock_point *a, const struct clock_point *b);
uint64_t clock_count_between(const struct clock_point *a, const struct clock_point *b, uint64_t mask);
/* n * mul / div without overflow in between; the result must fit. */
uint64_t clock_mul_div(uint64_t n, uint64_t mul, uint64_t div);

/*
 * A counter of few bits made wide. It has to be read before it has run three quarters of its way round; any
 * number of processors may read at once, and a reading that begins after another has ended is never smaller.
 */
struct wide_counter { uint64_t last; uint64_t mask; };
uint64_t wide_counter_read(struct wide_counter *w, uint64_t (*read)(void));

/*
 * The rate of a TSC against system time, of one processor, while the TSC is not what system time comes from.
 * The longer it is watched, the better it is known; if it changes, the watch begins anew.
 */
struct clock_rate { uint64_t tsc, ns; uint64_t hz; };
void clock_rate_begin(struct clock_rate *r, uint64_t tsc, uint64_t ns, uint64_t hz);
/* (tsc, ns) are one more look; returns the rate to use from here on, in Hz. */
uint64_t clock_rate_look(struct clock_rate *r, uint64_t tsc, uint64_t ns);

#endif
