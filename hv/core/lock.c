/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket locks. Whoever wants the lock draws a number and waits until it is served, so nobody is overtaken
 * for ever. The way of a lock that is free is inline, in lock.h.
 *
 * Checked builds keep the levels of the locks that a processor holds and stop at the first one taken out of
 * order: a deadlock is then found by any single run through the code, not by two processors that happen to
 * meet.
 */
#include <hv/lock.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#if defined(HV_DEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

static void order_note(const spinlock_t *l)
{
    struct pcpu *c = this_cpu();

    if (!c)
        return;                 /* early boot: one processor, nobody to wait for */
    BUG_ON(c->lock_depth >= ARRAY_LEN(c->lock_held));
    c->lock_held[c->lock_depth++] = l->level;
}

/* Two locks of one level are taken only by spin_lock2(), which says so with pair. */
void lock_order_enter(const spinlock_t *l, bool pair)
{
    struct pcpu *c = this_cpu();

    for (unsigned i = 0; c && i < c->lock_depth; i++)
        BUG_ON(pair ? c->lock_held[i] > l->level : c->lock_held[i] >= l->level);
    order_note(l);
}

/* Locks may be given back in any order. */
void lock_order_leave(const spinlock_t *l)
{
    struct pcpu *c = this_cpu();
    unsigned i;

    if (!c)
        return;
    for (i = c->lock_depth; i > 0 && c->lock_held[i - 1] != l->level; i--)
        ;
    BUG_ON(i == 0);
    for (; i < c->lock_depth; i++)
        c->lock_held[i - 1] = c->lock_held[i];
    c->lock_depth--;
}

#else

static inline void order_note(const spinlock_t *l) { }

#endif

void spin_wait(spinlock_t *l, uint16_t ticket)
{
    do
        hw_relax();
    while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket);
}

void byte_wait(uint8_t *lock)
{
    do
        while (__atomic_load_n(lock, __ATOMIC_RELAXED))
            hw_relax();
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE));
}

/* A lock that is not waited for cannot deadlock: it may be taken in any order. */
bool spin_trylock(spinlock_t *l)
{
    uint16_t owner = __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE);
    uint16_t expected = owner;

    if (!__atomic_compare_exchange_n(&l->next, &expected, (uint16_t)(owner + 1), false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    order_note(l);
    return true;
}

void spin_lock2(spinlock_t *a, spinlock_t *b)
{
    spinlock_t *first = a < b ? a : b, *second = a < b ? b : a;

    spin_lock(first);
    if (first == second)
        return;
    lock_order_enter(second, true);
    spin_take(second);
}

void spin_unlock2(spinlock_t *a, spinlock_t *b)
{
    spin_unlock(a);
    if (a != b)
        spin_unlock(b);
}
