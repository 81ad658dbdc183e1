/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linear page tables: an entry that points, read-only, to a table of its own level, so that the tables appear
 * in the guest's address space one after another. NetBSD points a slot of its L4 at the L4 itself.
 *
 * An entry of a table to itself needs no reference: it goes when the table goes. An entry to another table
 * must keep that one valid, but tables must not form long chains or circles: taking one apart would take all
 * the others apart, without bound, and a circle would keep itself alive for ever. So a table either has
 * linear entries, or is pointed to by them, not both; the type word counts which. The target must be valid
 * already: a linear entry never starts a validation and never waits for one.
 */
#include <hw/hw.h>

#include "pt.h"

static bool swap(struct frame *f, uint64_t *old, uint64_t word)
{
    return __atomic_compare_exchange_n(&f->type, old, word, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static bool at_limit(uint64_t word)
{
    uint64_t n = (word & TYPE_LINEAR_MASK) >> TYPE_LINEAR_SHIFT;

    return n >= MIN((uint64_t)LINEAR_PT_MAX, TYPE_LINEAR_MASK >> TYPE_LINEAR_SHIFT);
}

/* One more linear entry in this table: refused if others point to it. */
static bool linear_mark(mfn_t table)
{
    struct frame *f = frame_of(table);
    uint64_t old = __atomic_load_n(&f->type, __ATOMIC_RELAXED);

    do
        if (at_limit(old) || (!(old & TYPE_HAS_LINEAR) && (old & TYPE_LINEAR_MASK)))
            return false;
    while (!swap(f, &old, (old | TYPE_HAS_LINEAR) + TYPE_LINEAR_ONE));
    return true;
}

void linear_unmark(mfn_t table)
{
    struct frame *f = frame_of(table);
    uint64_t old = __atomic_load_n(&f->type, __ATOMIC_RELAXED), word;

    do {
        word = old - TYPE_LINEAR_ONE;
        if (!(word & TYPE_LINEAR_MASK))
            word &= ~TYPE_HAS_LINEAR;
    } while (!swap(f, &old, word));
}

/* One more entry elsewhere that points here: a type reference, if the table is valid and has no linear
 * entries. */
static bool linear_use(mfn_t target, enum frame_type t)
{
    struct frame *f = frame_of(target);
    uint64_t old = __atomic_load_n(&f->type, __ATOMIC_RELAXED);

    do
        if (type_of(old) != t || !(old & TYPE_VALIDATED) || (old & (TYPE_BUSY | TYPE_HAS_LINEAR)) ||
            at_limit(old) || (old & TYPE_COUNT_MASK) == 0 || (old & TYPE_COUNT_MASK) >= TYPE_COUNT_MASK - 1)
            return false;
    while (!swap(f, &old, old + TYPE_LINEAR_ONE + 1));
    return true;
}

int linear_get(mfn_t table, mfn_t target, const struct domain *d, enum frame_type t)
{
    if (mfn_eq(table, target))
        return 0;
    if (!frame_get(target, d))
        return -XEN_EINVAL;
    if (linear_mark(table)) {
        if (linear_use(target, t))
            return 0;
        linear_unmark(table);
    }
    frame_put(target);
    return -XEN_EINVAL;
}
