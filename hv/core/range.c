/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of numbers as sorted intervals that neither overlap nor touch. A lookup is a binary search, with the
 * set's own byte locked: other processors ask while one changes. A change writes a new array, without the
 * lock, and puts it in the old one's place.
 */
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/range.h>

#include <string.h>

/* Index of the first interval that ends at or after x. */
static uint32_t lower(const struct ranges *s, uint64_t x)
{
    uint32_t lo = 0, hi = s->used;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (s->r[mid].last < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The byte is no part of the set's value. */
bool ranges_have(const struct ranges *s, uint64_t first, uint64_t last)
{
    uint8_t *lock = (uint8_t *)&s->lock;
    uint32_t i;
    bool have;

    byte_lock(lock);
    i = lower(s, first);
    have = first <= last && i < s->used && s->r[i].first <= first && last <= s->r[i].last;
    byte_unlock(lock);
    return have;
}

/* Replaces the intervals [from, to) by the n given ones. */
static int splice(struct ranges *s, uint32_t from, uint32_t to, const struct range *with, uint32_t n)
{
    uint32_t used = s->used - (to - from) + n;
    struct range *fresh = kalloc(MAX(used, 1u) * sizeof(*fresh)), *old = s->r;

    if (!fresh)
        return -XEN_ENOMEM;
    if (s->used) {
        memcpy(fresh, old, from * sizeof(*fresh));
        memcpy(fresh + from + n, old + to, (s->used - to) * sizeof(*fresh));
    }
    for (uint32_t i = 0; i < n; i++)
        fresh[from + i] = with[i];
    byte_lock(&s->lock);
    s->r = fresh;
    s->used = used;
    byte_unlock(&s->lock);
    kfree(old);
    return 0;
}

int ranges_add(struct ranges *s, uint64_t first, uint64_t last)
{
    struct range merged = { first, last };
    uint32_t from, to;

    if (first > last)
        return -XEN_EINVAL;
    /* An interval that ends right before first, or begins right after last, melts into the new one. */
    from = lower(s, first ? first - 1 : 0);
    for (to = from; to < s->used && (last == ~0ull || s->r[to].first <= last + 1); to++) {
        merged.first = MIN(merged.first, s->r[to].first);
        merged.last = MAX(merged.last, s->r[to].last);
    }
    return splice(s, from, to, &merged, 1);
}

int ranges_remove(struct ranges *s, uint64_t first, uint64_t last)
{
    struct range rest[2];
    uint32_t n = 0, from, to;

    if (first > last)
        return -XEN_EINVAL;
    from = to = lower(s, first);
    for (; to < s->used && s->r[to].first <= last; to++)
        ;
    if (from == to)
        return 0;
    if (s->r[from].first < first)
        rest[n++] = (struct range){ s->r[from].first, first - 1 };
    if (s->r[to - 1].last > last)
        rest[n++] = (struct range){ last + 1, s->r[to - 1].last };
    return splice(s, from, to, rest, n);
}

void ranges_free(struct ranges *s)
{
    kfree(s->r);
    *s = (struct ranges){ 0 };
}
