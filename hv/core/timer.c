/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: one heap of four children a node for each processor. Four, not two, because a vCPU's timer is
 * mostly moved to a later moment and seldom fires: the way up is what costs, and it is half as long.
 *
 * The hardware is programmed lazily. A timer that becomes the first one is told to the hardware at once;
 * one that stops being the first is not, and the interrupt that then comes too early finds nothing expired
 * and programs the next deadline. Most one-shot timers of guests are moved before they fire, so most of the
 * writes are never made.
 *
 * Room for every timer that can exist is reserved when its owner is created, so timer_set() cannot fail.
 */
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/timer.h>
#include <hw/hw.h>

#include <string.h>

#define NEVER   (~0ull)
#define FANOUT  4
#define SPARE   64              /* timers of the hypervisor itself, on each processor */

static uint32_t reserved;       /* by timer_reserve(), on each processor; atomic */

void timer_heap_init(struct timer_heap *h)
{
    *h = (struct timer_heap){ .programmed = NEVER };
    spin_init(&h->lock, LOCK_TIMER);
}

static unsigned order_of(uint32_t timers)
{
    unsigned order = 0;

    while (((PAGE_SIZE << order) / sizeof(struct timer *)) < timers)
        order++;
    return order;
}

/*
 * Makes room for at least `timers` in h. Allocation happens outside the lock, so somebody else may be faster.
 */
static int heap_grow(struct timer_heap *h, uint32_t timers)
{
    unsigned order = order_of(timers);
    uint32_t room = (uint32_t)((PAGE_SIZE << order) / sizeof(struct timer *));
    struct timer **fresh, **old = NULL;
    uint32_t old_room = 0;

    if (__atomic_load_n(&h->room, __ATOMIC_ACQUIRE) >= timers)
        return 0;
    fresh = page_alloc(order);
    if (!fresh)
        return -XEN_ENOMEM;
    spin_lock(&h->lock);
    if (h->room < timers) {
        if (h->used)
            memcpy(fresh, h->slot, h->used * sizeof(*fresh));
        old = h->slot;
        old_room = h->room;
        h->slot = fresh;
        __atomic_store_n(&h->room, room, __ATOMIC_RELEASE);
    } else {
        old = fresh;
        old_room = room;
    }
    spin_unlock(&h->lock);
    if (old)
        page_free(old, order_of(old_room));
    return 0;
}

int timer_reserve(unsigned n)
{
    uint32_t want = __atomic_add_fetch(&reserved, n, __ATOMIC_RELAXED) + SPARE;

    for (unsigned i = 0; i < pcpu_count; i++)
        if (heap_grow(&pcpus[i]->timers, want)) {
            timer_unreserve(n);
            return -XEN_ENOMEM;
        }
    return 0;
}

void timer_unreserve(unsigned n)
{
    __atomic_sub_fetch(&reserved, n, __ATOMIC_RELAXED);
}

void timer_init(struct timer *t, void (*fn)(void *, uint64_t), void *arg, unsigned cpu)
{
    *t = (struct timer){ .deadline = NEVER, .fn = fn, .arg = arg, .cpu = cpu };
}

/* ---- the heap; all under its lock. slot[] counts from 0, timer.slot from 1 ---- */

static void place(struct timer_heap *h, uint32_t i, struct timer *t)
{
    h->slot[i] = t;
    __atomic_store_n(&t->slot, i + 1, __ATOMIC_RELAXED);
}

static void sift_up(struct timer_heap *h, uint32_t i, struct timer *t)
{
    while (i > 0 && h->slot[(i - 1) / FANOUT]->deadline > t->deadline) {
        place(h, i, h->slot[(i - 1) / FANOUT]);
        i = (i - 1) / FANOUT;
    }
    place(h, i, t);
}

static void sift_down(struct timer_heap *h, uint32_t i, struct timer *t)
{
    for (;;) {
        uint32_t first = i * FANOUT + 1, least = first;

        if (first >= h->used)
            break;
        for (uint32_t k = first + 1; k < first + FANOUT && k < h->used; k++)
            if (h->slot[k]->deadline < h->slot[least]->deadline)
                least = k;
        if (h->slot[least]->deadline >= t->deadline)
            break;
        place(h, i, h->slot[least]);
        i = least;
    }
    place(h, i, t);
}

static void heap_add(struct timer_heap *h, struct timer *t, uint64_t deadline)
{
    BUG_ON(h->used >= h->room);         /* timer_reserve() was forgotten */
    t->deadline = deadline;
    sift_up(h, h->used++, t);
}

static void heap_remove(struct timer_heap *h, struct timer *t)
{
    uint32_t i = t->slot - 1;
    struct timer *last = h->slot[--h->used];

    __atomic_store_n(&t->slot, 0, __ATOMIC_RELAXED);
    if (last == t)
        return;
    if (last->deadline < t->deadline)
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

static void heap_move(struct timer_heap *h, struct timer *t, uint64_t deadline)
{
    uint64_t before = t->deadline;

    t->deadline = deadline;
    if (deadline < before)
        sift_up(h, t->slot - 1, t);
    else
        sift_down(h, t->slot - 1, t);
}

/* ---- the hardware ---- */

/* Under the heap's lock: sees to it that the first deadline is not missed. */
static void program(struct pcpu *c)
{
    struct timer_heap *h = &c->timers;
    uint64_t first = h->used ? h->slot[0]->deadline : NEVER;

    if (first >= h->programmed)
        return;
    if (c == this_cpu()) {
        h->programmed = first;
        h->programs++;
        hw_timer_program(first);
    } else if (!(__atomic_fetch_or(&c->pending, PENDING_TIMER, __ATOMIC_SEQ_CST) & PENDING_TIMER)) {
        hw_kick(c);             /* else it is about to look, and takes our lock before it does */
    }
}

/* ---- the interface ---- */

/* Takes the lock of the heap that t belongs to, which timer_migrate() may be changing. */
static struct pcpu *timer_lock(const struct timer *t)
{
    for (;;) {
        unsigned cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);

        spin_lock(&pcpus[cpu]->timers.lock);
        if (__atomic_load_n(&t->cpu, __ATOMIC_RELAXED) == cpu)
            return pcpus[cpu];
        spin_unlock(&pcpus[cpu]->timers.lock);
    }
}

static void set(struct timer *t, uint64_t deadline, bool sooner)
{
    struct pcpu *c = timer_lock(t);

    if (!t->slot)
        heap_add(&c->timers, t, deadline);
    else if (!sooner || deadline < t->deadline)
        heap_move(&c->timers, t, deadline);
    program(c);
    spin_unlock(&c->timers.lock);
}

void timer_set(struct timer *t, uint64_t deadline) { set(t, deadline, false); }
void timer_set_by(struct timer *t, uint64_t deadline) { set(t, deadline, true); }

void timer_stop(struct timer *t)
{
    struct pcpu *c;

    if (!timer_is_set(t))
        return;
    c = timer_lock(t);
    if (t->slot)
        heap_remove(&c->timers, t);
    spin_unlock(&c->timers.lock);
}

/*
 * The callback of t may be under way on another processor, and may set t again: until it has returned, t is
 * not given up.
 */
void timer_stop_sync(struct timer *t)
{
    bool busy;

    do {
        struct pcpu *c = timer_lock(t);

        if (t->slot)
            heap_remove(&c->timers, t);
        busy = c->timers.running == t && c != this_cpu();
        spin_unlock(&c->timers.lock);
        if (busy)
            hw_relax();
    } while (busy);
}

/* A timer that is not set only changes its place in name: the lock of the old place is enough. */
static bool move_unset(struct timer *t, unsigned cpu)
{
    struct pcpu *from = timer_lock(t);
    bool unset = !t->slot;

    if (unset && from->timers.running != t)
        __atomic_store_n(&t->cpu, cpu, __ATOMIC_RELEASE);
    spin_unlock(&from->timers.lock);
    return unset;
}

/* One whose callback runs stays: timer_stop_sync() looks for it where it belongs. */
void timer_migrate(struct timer *t, unsigned cpu)
{
    struct pcpu *from, *to = pcpus[cpu];

    if (__atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE) == cpu || move_unset(t, cpu))
        return;
    for (;;) {
        from = pcpus[__atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE)];
        spin_lock2(&from->timers.lock, &to->timers.lock);
        if (from->id == __atomic_load_n(&t->cpu, __ATOMIC_RELAXED))
            break;
        spin_unlock2(&from->timers.lock, &to->timers.lock);
    }
    if (from != to && from->timers.running != t) {
        bool set = t->slot;

        if (set)
            heap_remove(&from->timers, t);
        __atomic_store_n(&t->cpu, cpu, __ATOMIC_RELEASE);
        if (set) {
            heap_add(&to->timers, t, t->deadline);
            program(to);
        }
    }
    spin_unlock2(&from->timers.lock, &to->timers.lock);
}

/*
 * Timers that are set again to a moment already past wait for the next round: a callback cannot hold the
 * processor.
 */
void timer_run(struct pcpu *c)
{
    struct timer_heap *h = &c->timers;
    uint64_t now = now_ns();

    spin_lock(&h->lock);
    for (uint32_t budget = h->used; budget && h->used && h->slot[0]->deadline <= now; budget--) {
        struct timer *t = h->slot[0];

        heap_remove(h, t);
        h->running = t;
        spin_unlock(&h->lock);
        t->fn(t->arg, now);
        spin_lock(&h->lock);
        h->running = NULL;
    }
    h->programmed = NEVER;              /* what the hardware was told has passed or does not matter */
    program(c);
    spin_unlock(&h->lock);
}

size_t timer_format(char *buf, size_t len)
{
    size_t n = 0;

    for (unsigned i = 0; i < pcpu_count && n < len; i++) {
        struct timer_heap *h = &pcpus[i]->timers;

        spin_lock(&h->lock);
        n += format(buf + n, len - n,
                    "processor %u: %lu timer interrupts, programmed %lu times, %u timers set, ", i,
                    h->interrupts, h->programs, h->used);
        n += h->programmed == NEVER ? format(buf + n, len - n, "none due\n")
                                    : format(buf + n, len - n, "next at %lu\n", h->programmed);
        spin_unlock(&h->lock);
    }
    return n;
}
