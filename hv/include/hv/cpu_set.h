/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of processors, one bit each. A set that processors share is reached only by the last three
 * functions. */
#ifndef HV_CPU_SET_H
#define HV_CPU_SET_H

#include <hv/limits.h>
#include <hv/types.h>

#define CPU_SET_WORDS ((MAX_CPUS + 63) / 64)

struct cpu_set { uint64_t word[CPU_SET_WORDS]; };

static inline bool cpu_set_has(const struct cpu_set *s, unsigned n) { return s->word[n / 64] >> n % 64 & 1; }
static inline void cpu_set_add(struct cpu_set *s, unsigned n) { s->word[n / 64] |= 1ull << n % 64; }

static inline struct cpu_set cpu_set_of(unsigned n)
{
    struct cpu_set s = { 0 };

    cpu_set_add(&s, n);
    return s;
}

/* The first n processors. */
static inline struct cpu_set cpu_set_first(unsigned n)
{
    struct cpu_set s = { 0 };

    for (unsigned i = 0; i < CPU_SET_WORDS && i * 64 < n; i++)
        s.word[i] = n - i * 64 >= 64 ? ~0ull : (1ull << (n - i * 64)) - 1;
    return s;
}

static inline struct cpu_set cpu_set_and(const struct cpu_set *a, const struct cpu_set *b)
{
    struct cpu_set s;

    for (unsigned i = 0; i < CPU_SET_WORDS; i++)
        s.word[i] = a->word[i] & b->word[i];
    return s;
}

static inline unsigned cpu_set_count(const struct cpu_set *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < CPU_SET_WORDS; i++)
        for (uint64_t w = s->word[i]; w; w &= w - 1)
            n++;
    return n;
}

static inline bool cpu_set_empty(const struct cpu_set *s)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < CPU_SET_WORDS; i++)
        all |= s->word[i];
    return !all;
}

static inline bool cpu_set_within(const struct cpu_set *a, const struct cpu_set *b)
{
    uint64_t outside = 0;

    for (unsigned i = 0; i < CPU_SET_WORDS; i++)
        outside |= a->word[i] & ~b->word[i];
    return !outside;
}

/* Smallest member that is not below n; MAX_CPUS: none. */
static inline unsigned cpu_set_next(const struct cpu_set *s, unsigned n)
{
    for (unsigned i = n / 64; i < CPU_SET_WORDS; i++) {
        uint64_t w = s->word[i];

        if (i == n / 64)
            w &= ~0ull << n % 64;
        if (w)
            return i * 64 + (unsigned)__builtin_ctzll(w);
    }
    return MAX_CPUS;
}

#define for_each_cpu_in(s, n) \
    for (unsigned n = cpu_set_next(s, 0); n < MAX_CPUS; n = cpu_set_next(s, n + 1))

/* ---- shared: one member changes atomically, in one order for all; a copy is of no single moment ---- */
static inline void cpu_set_join(struct cpu_set *shared, unsigned n)
{
    __atomic_fetch_or(&shared->word[n / 64], 1ull << n % 64, __ATOMIC_SEQ_CST);
}
static inline void cpu_set_part(struct cpu_set *shared, unsigned n)
{
    __atomic_fetch_and(&shared->word[n / 64], ~(1ull << n % 64), __ATOMIC_SEQ_CST);
}
static inline struct cpu_set cpu_set_copy(const struct cpu_set *shared)
{
    struct cpu_set s;

    for (unsigned i = 0; i < CPU_SET_WORDS; i++)
        s.word[i] = __atomic_load_n(&shared->word[i], __ATOMIC_SEQ_CST);
    return s;
}

#endif
