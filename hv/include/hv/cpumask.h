/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of processors. Single bits change atomically, with full ordering; a set as a whole does not. */
#ifndef HV_CPUMASK_H
#define HV_CPUMASK_H

#include <hv/limits.h>
#include <hv/types.h>

#define CPUMASK_WORDS DIV_ROUND_UP(MAX_CPUS, 64)

struct cpumask { uint64_t word[CPUMASK_WORDS]; };

static inline bool cpumask_has(const struct cpumask *m, unsigned cpu)
{
    return __atomic_load_n(&m->word[cpu / 64], __ATOMIC_SEQ_CST) >> cpu % 64 & 1;
}
static inline void cpumask_add(struct cpumask *m, unsigned cpu)
{
    __atomic_fetch_or(&m->word[cpu / 64], 1ull << cpu % 64, __ATOMIC_SEQ_CST);
}
static inline void cpumask_remove(struct cpumask *m, unsigned cpu)
{
    __atomic_fetch_and(&m->word[cpu / 64], ~(1ull << cpu % 64), __ATOMIC_SEQ_CST);
}
static inline bool cpumask_empty(const struct cpumask *m)
{
    for (unsigned i = 0; i < CPUMASK_WORDS; i++)
        if (__atomic_load_n(&m->word[i], __ATOMIC_SEQ_CST))
            return false;
    return true;
}
/* The first member from `cpu` on, or MAX_CPUS. */
static inline unsigned cpumask_next(const struct cpumask *m, unsigned cpu)
{
    for (unsigned i = cpu / 64; i < CPUMASK_WORDS; i++) {
        uint64_t word = __atomic_load_n(&m->word[i], __ATOMIC_SEQ_CST);

        if (i == cpu / 64)
            word &= ~0ull << cpu % 64;
        if (word)
            return i * 64 + (unsigned)__builtin_ctzll(word);
    }
    return MAX_CPUS;
}
#define for_each_cpu(m, cpu) for (unsigned cpu = cpumask_next((m), 0); cpu < MAX_CPUS; cpu = cpumask_next((m), cpu + 1))

#endif
