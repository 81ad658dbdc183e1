/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic of clocks.
 *
 * A rate is measured between two looks at both counters. What spoils it is an interruption (by firmware, or
 * by the host of a virtual machine) in the midst of a look: the two readings then do not belong to one
 * moment. But the TSC before and after tells how long the look took, so the error is known, and of several
 * looks the best two are taken. An interruption between looks does no harm at all.
 */
#include <hv/clock.h>

#define SECOND         1000000000ull
#define RATE_WINDOW_NS (1ull << 38)             /* 275 s: a watch longer than that begins anew */
#define RATE_LEAST_NS  200000000ull             /* less says too little */
#define RATE_SAME      200000ull                /* one part in that many is the same rate */

uint64_t clock_mul_div(uint64_t n, uint64_t mul, uint64_t div)
{
    unsigned __int128 product = (unsigned __int128)n * mul;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product, quotient = 0;

    /* By hand, bit by bit: it is done at boot and once a second, and 128-bit division would want a
     * library. */
    for (unsigned i = 0; i < 64; i++) {
        bool carry = high >> 63;

        high = high << 1 | low >> 63;
        low <<= 1;
        quotient <<= 1;
        if (carry || high >= div) {
            high -= div;
            quotient |= 1;
        }
    }
    return quotient;
}

uint64_t clock_tsc_between(const struct clock_point *a, const struct clock_point *b)
{
    return (b->before - a->before) / 2 + (b->after - a->after) / 2;
}

uint64_t clock_count_between(const struct clock_point *a, const struct clock_point *b, uint64_t mask)
{
    return (b->count - a->count) & mask;
}

static uint64_t width(const struct clock_point *p) { return p->after - p->before; }

uint64_t clock_best_pair(const struct clock_point *p, unsigned n, uint64_t quantum, unsigned *first,
                         unsigned *last)
{
    uint64_t best = ~0ull;

    for (unsigned a = 0; a < n; a++)
        for (unsigned b = a + 1; b < n; b++) {
            uint64_t ticks = clock_tsc_between(&p[a], &p[b]),
                     wrong = (width(&p[a]) + width(&p[b])) / 2 + quantum;
            uint64_t error = ticks && p[a].count != p[b].count ? clock_mul_div(wrong, 1000000000, ticks) :
                                                                 ~0ull;

            if (error >= best)
                continue;
            best = error;
            *first = a;
            *last = b;
        }
    return best;
}

/*
 * What was read last is looked at before the counter is, so it is never ahead. It is brought up to date
 * seldom: in between, all readers share it without a write.
 */
uint64_t wide_counter_read(struct wide_counter *w, uint64_t (*read)(void))
{
    uint64_t last = __atomic_load_n(&w->last, __ATOMIC_ACQUIRE);
    uint64_t gone = (read() - last) & w->mask, now = last + gone;

    if (gone > w->mask / 4)
        __atomic_compare_exchange_n(&w->last, &last, now, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return now;
}

void clock_rate_begin(struct clock_rate *r, uint64_t tsc, uint64_t ns, uint64_t hz)
{
    *r = (struct clock_rate){ tsc, ns, hz };
}

uint64_t clock_rate_look(struct clock_rate *r, uint64_t tsc, uint64_t ns)
{
    uint64_t gone = ns - r->ns, hz, apart;

    if (gone < RATE_LEAST_NS)
        return r->hz;
    hz = clock_mul_div(tsc - r->tsc, 1000000000, gone);
    apart = hz > r->hz ? hz - r->hz : r->hz - hz;
    if (gone > RATE_WINDOW_NS || apart > r->hz / RATE_SAME)
        clock_rate_begin(r, tsc, ns, hz);
    r->hz = hz;
    return hz;
}

/* ---- scales ---- */

struct tsc_scale tsc_scale_from_khz(uint64_t khz) { return tsc_scale_from_hz(khz * 1000); }

struct tsc_scale tsc_scale_from_hz(uint64_t hz)
{
    struct tsc_scale s = { 0, 0 };

    hz = MAX(hz, 1000);
    /* Brings hz into (1e9, 2e9], so that the factor 1e9/hz has its top bit right behind the point. */
    for (; hz > 2 * SECOND; hz >>= 1)
        s.shift--;
    for (; hz <= SECOND; hz <<= 1)
        s.shift++;
    s.mul = (uint32_t)(((unsigned __int128)SECOND << 32) / hz);
    return s;
}
