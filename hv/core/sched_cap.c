/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caps: no more than so many percent of a processor for a domain, whatever is free.
 *
 * A capped domain has a budget of run time for each period. Whichever vCPU of it is about to run takes a
 * part, gives back what it has not used when it stops, and is put aside when there is nothing left: runnable,
 * but on no queue. What was used beyond the budget is missing in the next period; what was not used is lost.
 * The first to look after a period's end fills the budget up; a timer does it only while somebody is put
 * aside, so a domain without a cap, or below it, costs no interrupt. The budget is an atomic counter:
 * processors that run vCPUs of one domain share nothing else.
 */
#include <hw/hw.h>

#include "sched_local.h"

#define PERIOD_NS   20000000ull
#define PART_LEAST  500000          /* ns; a part is not cut smaller, unless that is all there is */
#define WORTH_NS    100000          /* given back that much: those put aside may try again */

static int64_t budget_of(uint32_t cap) { return (int64_t)(PERIOD_NS / 100 * cap); }

/* Fills up if a period is over; only one of those who see that does. */
static void refresh(struct sched_domain *s, uint32_t cap, uint64_t now)
{
    uint64_t begun = __atomic_load_n(&s->period_begun, __ATOMIC_ACQUIRE), periods;
    int64_t left, full = budget_of(cap), more;

    if (now < begun || now - begun < PERIOD_NS)
        return;
    periods = (now - begun) / PERIOD_NS;
    if (!__atomic_compare_exchange_n(&s->period_begun, &begun, begun + periods * PERIOD_NS, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    more = full * (int64_t)MIN(periods, 1000u);
    left = __atomic_load_n(&s->budget, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&s->budget, &left, MIN(left + more, full), false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        ;
}

static uint64_t take_part(struct sched_domain *s)
{
    uint32_t n = MAX(__atomic_load_n(&s->runnable, __ATOMIC_RELAXED), 1u);
    int64_t left = __atomic_load_n(&s->budget, __ATOMIC_RELAXED), part;

    do {
        if (left <= 0)
            return 0;
        part = MIN(MIN(MAX(left / n, PART_LEAST), left), (int64_t)SCHED_SLICE_NS);
    } while (!__atomic_compare_exchange_n(&s->budget, &left, left - part, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return (uint64_t)part;
}

static void put_aside(struct vcpu *v, uint64_t now)
{
    struct sched_domain *s = &v->domain->sched;
    uint64_t over = __atomic_load_n(&s->period_begun, __ATOMIC_RELAXED) + PERIOD_NS;

    v->sched.parked = true;
    queue_scarce(now);
    __atomic_fetch_or(&s->parked, 1ull << v->id, __ATOMIC_SEQ_CST);
    /* Who has given something back meanwhile did not see it put aside. */
    timer_set_by(&s->refill, __atomic_load_n(&s->budget, __ATOMIC_SEQ_CST) > 0 ? now : over);
}

bool cap_admit(struct vcpu *v, uint64_t now)
{
    struct sched_domain *s = &v->domain->sched;
    uint32_t cap = __atomic_load_n(&s->cap, __ATOMIC_RELAXED);

    v->sched.allowed = 0;
    if (likely(!cap))
        return true;
    refresh(s, cap, now);
    v->sched.allowed = take_part(s);
    if (v->sched.allowed)
        return true;
    put_aside(v, now);
    return false;
}

void cap_return(struct vcpu *v, uint64_t ran, uint64_t now)
{
    struct sched_domain *s = &v->domain->sched;
    int64_t back = (int64_t)(v->sched.allowed - ran);

    if (likely(!v->sched.allowed))
        return;
    v->sched.allowed = 0;
    __atomic_fetch_add(&s->budget, back, __ATOMIC_RELAXED);
    if (back >= WORTH_NS && __atomic_load_n(&s->parked, __ATOMIC_RELAXED))
        timer_set(&s->refill, now);
}

static void refill(void *arg, uint64_t now)
{
    struct domain *d = arg;
    struct sched_domain *s = &d->sched;
    uint32_t cap = __atomic_load_n(&s->cap, __ATOMIC_RELAXED);
    uint64_t waiting;

    if (cap)
        refresh(s, cap, now);
    waiting = __atomic_exchange_n(&s->parked, 0, __ATOMIC_SEQ_CST);
    for (; waiting; waiting &= waiting - 1)
        vcpu_wake(d->vcpu[__builtin_ctzll(waiting)]);
}

int sched_domain_init(struct domain *d)
{
    d->sched.weight = SCHED_WEIGHT_DEFAULT;
    if (timer_reserve(1))
        return -XEN_ENOMEM;
    timer_init(&d->sched.refill, refill, d, this_cpu()->id);
    return 0;
}

void sched_domain_free(struct domain *d)
{
    if (!d->sched.refill.fn)
        return;
    timer_stop_sync(&d->sched.refill);
    timer_unreserve(1);
}

/*
 * What v is behind or ahead was saved up by another weight, and may be seconds by the new one: it is
 * bounded again.
 */
static void weight_changed(struct vcpu *v)
{
    struct runqueue *q = queue_lock(v);
    uint64_t now = now_ns();
    bool waits = !list_empty(&v->sched.queue) && !v->sched.stray;

    queue_charge(q, now);
    if (waits)
        queue_remove(q, v);
    vtime_bound(q, v, queue_ref(q, now), true);
    if (waits)
        queue_add(q, v);
    queue_publish(q);
    spin_unlock(&q->lock);
}

/* Whoever runs or waits is counted anew at its next turn, so those that run now take a new one. */
void sched_domain_set(struct domain *d, uint32_t weight, uint32_t cap)
{
    struct sched_domain *s = &d->sched;

    if (__atomic_exchange_n(&s->weight, (uint16_t)weight, __ATOMIC_RELAXED) != weight)
        for_each_vcpu(d, v)
            weight_changed(v);
    if (cap != __atomic_load_n(&s->cap, __ATOMIC_RELAXED)) {
        __atomic_store_n(&s->budget, budget_of(cap), __ATOMIC_RELAXED);
        __atomic_store_n(&s->period_begun, now_ns(), __ATOMIC_RELEASE);
        __atomic_store_n(&s->cap, (uint16_t)cap, __ATOMIC_RELAXED);
        timer_set(&s->refill, now_ns());
    }
    for_each_vcpu(d, v)
        if (__atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE))
            sched_prod(__atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE));
}
