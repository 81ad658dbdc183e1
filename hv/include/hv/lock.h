/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket locks and the order in which they may be taken.
 *
 * The hypervisor runs with interrupts off and takes them only at named points (preempt_due() and idle),
 * so no lock needs an interrupt-safe variant. A processor that waits for a lock goes on answering requests
 * of others (hw_relax()), or two of them could wait for each other for ever: one for the lock, one for a
 * TLB flush.
 *
 * LOCK ORDER, outermost first. A lock may be taken only while all held locks stand above it. Host tests and
 * out/hv-debug/hauch.elf check; there is no check, and no call for a lock that is free, in out/hv/hauch.elf.
 */
#ifndef HV_LOCK_H
#define HV_LOCK_H

#include <hv/types.h>

enum lock_level {
    LOCK_DOMLIST = 1,   /* the list and hash of domains */
    LOCK_DOMAIN,        /* a domain's life cycle, vCPU creation */
    LOCK_GRANT,         /* a grant table */
    LOCK_EVENT,         /* an event table; two of them by spin_lock2() */
    LOCK_IRQ,           /* one interrupt line */
    LOCK_SCHED,         /* a run queue */
    LOCK_TIMER,         /* a processor's timer heap */
    LOCK_DEVICE,        /* registers reached by index and data: IO-APICs, PCI configuration */
    LOCK_FRAMES,        /* a domain's list of frames and its counts: whoever drops a reference may need it */
    LOCK_SLAB,          /* small objects */
    LOCK_HEAP,          /* free frames */
    LOCK_CONSOLE,       /* the ring and the devices of the console: the innermost */
};

typedef struct spinlock {
    uint16_t next, owner;   /* tickets */
    uint8_t  level;         /* enum lock_level */
} spinlock_t;

#define SPINLOCK(lvl) { .next = 0, .owner = 0, .level = (lvl) }

static inline void spin_init(spinlock_t *l, enum lock_level level)
{
    *l = (spinlock_t)SPINLOCK((uint8_t)level);
}

/* ---- for this header: the order (core/lock.c) and the wait ---- */
#if defined(HV_DEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void lock_order_enter(const spinlock_t *l, bool pair);
void lock_order_leave(const spinlock_t *l);
#else
static inline void lock_order_enter(const spinlock_t *l, bool pair) { (void)l; (void)pair; }
static inline void lock_order_leave(const spinlock_t *l) { (void)l; }
#endif
void spin_wait(spinlock_t *l, uint16_t ticket);

static inline void spin_take(spinlock_t *l)
{
    uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

    if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
        spin_wait(l, ticket);
}

/* ---- take and release ---- */
static inline void spin_lock(spinlock_t *l)
{
    lock_order_enter(l, false);
    spin_take(l);
}

static inline void spin_unlock(spinlock_t *l)
{
    __atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
    lock_order_leave(l);
}

/* True: taken. It does not wait, so any lock may be held. */
bool spin_trylock(spinlock_t *l);
/* Two of the same level, lower address first; they may be the same lock. */
void spin_lock2(spinlock_t *a, spinlock_t *b);
void spin_unlock2(spinlock_t *a, spinlock_t *b);

/* ---- locks of one byte, held for a few instructions: innermost, so they have no place in the order ---- */
void byte_wait(uint8_t *lock);

static inline void byte_lock(uint8_t *lock)
{
    if (unlikely(__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)))
        byte_wait(lock);
}

static inline void byte_unlock(uint8_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

#endif
