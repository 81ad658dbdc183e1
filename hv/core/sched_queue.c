/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shares: virtual time, and who is next on a queue.
 *
 * A vCPU's weight is its domain's, divided by how many of the domain's vCPUs compete now; its virtual time
 * is the processor time it has used divided by that weight. All queues count in the same virtual time, so
 * any two vCPUs that wait can be compared, and who is behind on one processor can be moved to another
 * (sched_place.c).
 *
 * One that runs alone competes with nobody, and its virtual time would run away from that of the others,
 * forward if its weight is small, backward if it is large. It is held to a band about common_vtime, which
 * follows the queues where somebody waits. On such a queue no virtual time is ever touched but by charging:
 * there, who may run where can keep processors apart for ever, and each must stay fair within itself.
 *
 * Who sleeps for less than a round is still reckoned with. A queue counts as shared for a round after the
 * last one that waited left, so that one that works in short bursts finds itself behind by what the other
 * has used meanwhile, and gets its share as if it had waited. The vCPUs of a domain must not each save up
 * the whole weight while they take turns: the domain has an account of its own, and who wakes is as far
 * behind or ahead as his domain is.
 */
#include "sched_local.h"

#include <hw/hw.h>

#define UNIT 65536u         /* a vCPU of this weight is charged 1 virtual ns a ns: default weight, alone */
#define SCARCE_NS   40000000ull     /* two periods of caps */
#define CHARGE_MOST (1ull << 40)

static uint64_t common_vtime;       /* about where the contended queues are; atomic */
static uint64_t scarce_at;          /* ns: when last somebody waited, anywhere, to a millisecond; atomic */

static uint32_t domain_weight(const struct domain *d)
{
    uint32_t weight = __atomic_load_n(&d->sched.weight, __ATOMIC_RELAXED);

    return (weight ? weight : SCHED_WEIGHT_DEFAULT) * (UNIT / SCHED_WEIGHT_DEFAULT);
}

static uint32_t weight_now(const struct vcpu *v)
{
    uint32_t n = __atomic_load_n(&v->domain->sched.runnable, __ATOMIC_RELAXED);

    return MAX(domain_weight(v->domain) / MAX(n, 1u), 1u);
}

static uint64_t to_virtual(uint64_t ns, uint64_t weight)
{
    return MIN(ns, CHARGE_MOST) * UNIT / MAX(weight, 1u);
}

uint64_t queue_round(uint64_t weight) { return to_virtual(SCHED_SLICE_NS, weight); }

/* ---- order ---- */

struct vcpu *queue_first(const struct runqueue *q)
{
    return list_empty(&q->waiting) ? NULL : list_entry(q->waiting.next, struct vcpu, sched.queue);
}

/* Behind all of the same virtual time, so that equals take turns. */
void queue_add(struct runqueue *q, struct vcpu *v)
{
    struct list *at = q->waiting.prev;

    while (at != &q->waiting &&
           vtime_before(v->sched.vtime, list_entry(at, struct vcpu, sched.queue)->sched.vtime))
        at = at->prev;
    list_insert(at, at->next, &v->sched.queue);
    q->count++;
    queue_weigh(q, v);
}

void queue_remove(struct runqueue *q, struct vcpu *v)
{
    list_del(&v->sched.queue);
    if (!v->sched.stray)
        q->count--;
    v->sched.stray = false;
}

void queue_leave(struct runqueue *q, struct vcpu *v)
{
    q->weight -= v->sched.weight;
    v->sched.weight = 0;
}

void queue_weigh(struct runqueue *q, struct vcpu *v)
{
    uint32_t weight = weight_now(v);

    q->weight = q->weight - v->sched.weight + weight;
    v->sched.weight = weight;
}

/* ---- virtual time ---- */

uint64_t vtime_alone(uint64_t vtime, uint64_t ref, uint32_t weight)
{
    uint64_t least = ref - to_virtual(SCHED_BEHIND_NS, weight),
             most = ref + to_virtual(SCHED_LEAD_NS, weight);

    return vtime_max(least, vtime_min(vtime, most));
}

uint64_t queue_common(void) { return __atomic_load_n(&common_vtime, __ATOMIC_RELAXED); }

/* Other processors' clocks and ours were read in any order: scarce_at may be a little later than now. */
static bool scarce_within(uint64_t now, uint64_t ns)
{
    return now - __atomic_load_n(&scarce_at, __ATOMIC_RELAXED) + ns < 2 * ns;
}

void queue_scarce(uint64_t now)
{
    if (!scarce_within(now, SCHED_SLICE_SHORT))
        __atomic_store_n(&scarce_at, now, __ATOMIC_RELAXED);
}

/*
 * While nobody waits on any processor, nor for a new budget, what one uses is taken from nobody. It gets no
 * further ahead by that, or it would have to stand back for so long when others come.
 */
static void charge_alone(struct vcpu *v, uint64_t used, bool scarce)
{
    uint64_t common = queue_common();
    uint64_t vtime = vtime_alone(v->sched.vtime + used, common, v->sched.weight);

    if (!scarce)
        vtime = vtime_min(vtime, vtime_max(v->sched.vtime, common));
    v->sched.vtime = vtime;
}

/* The queue's time follows the smallest of its vCPUs and never goes back. */
static void advance(struct runqueue *q)
{
    const struct vcpu *first = queue_first(q);
    uint64_t common, t = first->sched.vtime;

    if (q->running)
        t = vtime_min(t, q->running->sched.vtime);
    q->vtime = vtime_max(q->vtime, t);
    common = queue_common();
    common += (uint64_t)((int64_t)(q->vtime - common) / 8);
    __atomic_store_n(&common_vtime, common, __ATOMIC_RELAXED);
}

static bool shared_at(const struct runqueue *q, uint64_t now)
{
    return q->count || (q->running && now < q->shared_until);
}

/*
 * v has q for itself while those it shares with sleep. The queue's time goes on with it, but not far beyond
 * the common one: one of small weight may be much further. And v does not get too far ahead of the queue.
 */
static void charge_shared(struct runqueue *q, struct vcpu *v, uint64_t used)
{
    uint64_t most = queue_common() + queue_round(q->shared_weight);

    v->sched.vtime += used;
    if (vtime_before(q->vtime, most))
        q->vtime = vtime_max(q->vtime, vtime_min(most, vtime_min(v->sched.vtime, q->vtime + used)));
    v->sched.vtime = vtime_min(v->sched.vtime, q->vtime + to_virtual(SCHED_LEAD_NS, v->sched.weight));
}

static void charge_domain(struct domain *d, uint64_t ns)
{
    if (d->max_vcpus > 1 && ns)
        __atomic_fetch_add(&d->sched.vtime, to_virtual(ns, domain_weight(d)), __ATOMIC_RELAXED);
}

static void charge(struct runqueue *q, struct vcpu *v, uint64_t now)
{
    uint64_t start = v->sched.slice_start, shared = MAX(MIN(now, q->shared_until), start);
    bool scarce = scarce_within(now, SCARCE_NS);

    queue_weigh(q, v);
    v->sched.slice_start = now;
    if (q->count)
        v->sched.vtime += to_virtual(now - start, v->sched.weight);
    else if (shared > start)
        charge_shared(q, v, to_virtual(shared - start, v->sched.weight));
    if (now > shared)
        charge_alone(v, to_virtual(now - shared, v->sched.weight), scarce);
    charge_domain(v->domain, (scarce ? now : shared) - start);
}

void queue_charge(struct runqueue *q, uint64_t now)
{
    if (q->count) {
        q->shared_until = now + SCHED_SLICE_NS;
        q->shared_weight = q->weight;
        queue_scarce(now);
    }
    if (q->running && now > q->running->sched.slice_start)
        charge(q, q->running, now);
    if (q->count)
        advance(q);
}

uint64_t queue_ref(const struct runqueue *q, uint64_t now)
{
    return shared_at(q, now) ? q->vtime : queue_common();
}

void queue_join(struct runqueue *q, uint64_t ref, uint64_t now)
{
    struct vcpu *v = q->running;

    if (shared_at(q, now))
        return;
    if (v)
        v->sched.vtime = vtime_alone(v->sched.vtime, ref, v->sched.weight);
    q->vtime = ref;
}

uint64_t queue_ahead(const struct runqueue *q, const struct vcpu *v)
{
    const struct vcpu *first = queue_first(q);
    uint64_t ahead = q->running ? q->running->sched.vtime : first ? first->sched.vtime : 0;

    if (!q->running && !first)
        return SCHED_AHEAD_MOST;
    if (q->count)
        ahead = vtime_min(ahead, first->sched.vtime);
    return vtime_before(v->sched.vtime, ahead) ? ahead - v->sched.vtime : 0;
}

uint64_t vtime_guess(const struct pcpu *c, uint64_t now, uint64_t ref)
{
    uint64_t since = __atomic_load_n(&c->rq.peek.since, __ATOMIC_RELAXED);
    uint32_t weight = __atomic_load_n(&c->rq.peek.weight, __ATOMIC_RELAXED);
    uint64_t t = __atomic_load_n(&c->rq.peek.running, __ATOMIC_RELAXED);

    t += to_virtual(now > since ? now - since : 0, weight);
    if (!__atomic_load_n(&c->rq.peek.waiting, __ATOMIC_RELAXED))
        return vtime_alone(t, ref, weight);
    return vtime_min(t, __atomic_load_n(&c->rq.peek.first, __ATOMIC_RELAXED));
}

/*
 * How far the domain is ahead of all others, or behind if the sign says so: by a round at most, the rest is
 * forgotten.
 */
static uint64_t domain_ahead(struct sched_domain *s, uint64_t round)
{
    uint64_t common = queue_common(), t = __atomic_load_n(&s->vtime, __ATOMIC_RELAXED);
    uint64_t within = vtime_max(vtime_min(t, common + round), common - round);

    if (t != within)
        __atomic_store_n(&s->vtime, within, __ATOMIC_RELAXED);
    return within - common;
}

void vtime_bound(const struct runqueue *q, struct vcpu *v, uint64_t ref, bool woken)
{
    uint32_t weight = weight_now(v);
    uint64_t round = queue_round(q->weight + weight), most = ref + to_virtual(SCHED_LEAD_NS, weight), least;

    if (!woken)
        least = ref - SCHED_LAG_MOVED * round;
    else
        least = ref + (v->domain->max_vcpus > 1 ? domain_ahead(&v->domain->sched, round) : -round);
    v->sched.vtime = vtime_min(vtime_max(v->sched.vtime, least), most);
}

/*
 * Until v is half a round ahead of the first that waits. A round is as long as the longest turn, unless so
 * many take part that their turns would become too short.
 */
uint64_t queue_turn(const struct runqueue *q, const struct vcpu *v)
{
    const struct vcpu *first = queue_first(q);
    uint64_t weight = v->sched.weight, part = SCHED_SLICE_NS * weight / MAX(q->weight, 1u), turn;
    uint64_t least = MIN(MAX(part, SCHED_SLICE_LEAST), SCHED_SLICE_SHORT);
    int64_t lead = first ? (int64_t)(first->sched.vtime + queue_round(q->weight) / 2 - v->sched.vtime) : 0;

    if (lead <= 0)
        return least;
    if ((uint64_t)lead >= to_virtual(SCHED_SLICE_NS, weight))
        return SCHED_SLICE_NS;
    turn = (uint64_t)lead * weight / UNIT;
    return MIN(MAX(turn, least), SCHED_SLICE_NS);
}

void queue_publish(struct runqueue *q)
{
    const struct vcpu *first = queue_first(q), *v = q->running;
    /* Without anybody running, the first is as good as running. */
    uint32_t waiting = v || !q->count ? q->count : q->count - 1;

    __atomic_store_n(&q->peek.first, first ? first->sched.vtime : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&q->peek.running, v ? v->sched.vtime : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&q->peek.since, v ? v->sched.slice_start : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&q->peek.total, q->weight, __ATOMIC_RELAXED);
    __atomic_store_n(&q->peek.weight, v ? v->sched.weight : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&q->peek.waiting, waiting, __ATOMIC_RELAXED);
    __atomic_store_n(&q->peek.strays, !list_empty(&q->strays), __ATOMIC_RELAXED);
    place_waiting(container_of(q, struct pcpu, rq), waiting);
}
