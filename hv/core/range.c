/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of numbers as sorted intervals that neither overlap nor touch. A lookup is a binary search; a change
 * rebuilds the array in one pass, which needs at most one interval more than before, so room is made before
 * anything moves.
 */
#include <hv/frame.h>
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

bool ranges_have(const struct ranges *s, uint64_t first, uint64_t last)
{
    uint32_t i = lower(s, first);

    return first <= last && i < s->used && s->r[i].first <= first && last <= s->r[i].last;
}

static int make_room(struct ranges *s)
{
    uint32_t room = s->room ? s->room * 2 : 8;
    struct range *r;

    if (s->used < s->room)
        return 0;
    r = kalloc(room * sizeof(*r));
    if (!r)
        return -XEN_ENOMEM;
    if (s->used)
        memcpy(r, s->r, s->used * sizeof(*r));
    kfree(s->r);
    s->r = r;
    s->room = room;
    return 0;
}

/* Replaces the intervals [from, to) by the n given ones. Room is there. */
static void splice(struct ranges *s, uint32_t from, uint32_t to, const struct range *with, uint32_t n)
{
    memmove(&s->r[from + n], &s->r[to], (s->used - to) * sizeof(*s->r));
    for (uint32_t i = 0; i < n; i++)
        s->r[from + i] = with[i];
    s->used = s->used - (to - from) + n;
}

int ranges_add(struct ranges *s, uint64_t first, uint64_t last)
{
    struct range merged = { first, last };
    uint32_t from, to;

    if (first > last)
        return -XEN_EINVAL;
    if (make_room(s))
        return -XEN_ENOMEM;
    /* An interval that ends right before first, or begins right after last, melts into the new one. */
    from = lower(s, first ? first - 1 : 0);
    for (to = from; to < s->used && (last == ~0ull || s->r[to].first <= last + 1); to++) {
        merged.first = MIN(merged.first, s->r[to].first);
        merged.last = MAX(merged.last, s->r[to].last);
    }
    splice(s, from, to, &merged, 1);
    return 0;
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
    if (n > to - from && make_room(s))
        return -XEN_ENOMEM;
    splice(s, from, to, rest, n);
    return 0;
}

void ranges_free(struct ranges *s)
{
    kfree(s->r);
    *s = (struct ranges){ 0 };
}
