/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processor a vCPU waits for.
 *
 * Nobody waits while a processor where it may run is idle: who wakes goes to an idle one, best to the last it
 * ran on, then to one whose core is idle as a whole; a processor that runs out of work looks for somebody who
 * waits; and one where somebody is left waiting looks for an idle one (place_offer()). The two looks cross:
 * each side first says what it is, then looks, so one of them sees the other.
 *
 * That keeps the processors busy. What keeps them fair is that processors where somebody waits now and then
 * look at a few others, a different few each time, and compare virtual times: the first that waits here goes
 * there if all there are ahead of it by half a round, and the other way round. Only who has somebody waiting
 * looks, so without competition there is no timer and no traffic. A vCPU that is heavier than any share it
 * can use is never ahead, so the others leave it alone on its processor, and share the rest: nothing needs to
 * know which weights are feasible.
 *
 * Looks happen without locks, at numbers that queue_publish() leaves (runqueue.peek); a move takes both locks
 * and looks again.
 */
#include <hv/machine.h>
#include <hw/hw.h>

#include "sched_local.h"

#define PROBES      4u      /* processors looked at in one go */
#define LOOK_DEEP   8u      /* waiting vCPUs examined for one that may be moved */
#define ROUNDS_TO_LEAVE 2u  /* behind by that much, balancing takes one from where it would rather run */

/* Sets that all processors change: a cache line for each 64 of them. */
struct shared_word { uint64_t bits; } __attribute__((aligned(64)));
static struct shared_word idle_cpus[CPU_SET_WORDS], waiting_cpus[CPU_SET_WORDS];

static struct cpu_set snapshot(const struct shared_word *w)
{
    struct cpu_set s;

    for (unsigned i = 0; i < CPU_SET_WORDS; i++)
        s.word[i] = __atomic_load_n(&w[i].bits, __ATOMIC_SEQ_CST);
    return s;
}

static bool is_in(const struct shared_word *w, unsigned n)
{
    return __atomic_load_n(&w[n / 64].bits, __ATOMIC_SEQ_CST) >> n % 64 & 1;
}

/* True if that changed anything. */
static bool set_in(struct shared_word *w, unsigned n, bool in)
{
    uint64_t bit = 1ull << n % 64, before;

    if (is_in(w, n) == in)
        return false;
    before = in ? __atomic_fetch_or(&w[n / 64].bits, bit, __ATOMIC_SEQ_CST)
                : __atomic_fetch_and(&w[n / 64].bits, ~bit, __ATOMIC_SEQ_CST);
    return !(before & bit) == in;
}

void place_idle(struct pcpu *c, bool idle) { set_in(idle_cpus, c->id, idle); }
void place_waiting(struct pcpu *c, bool waiting) { set_in(waiting_cpus, c->id, waiting); }

static struct cpu_set online(void) { return cpu_set_first(pcpu_count); }

void sched_topology(void)
{
    for (unsigned i = 0; i < pcpu_count; i++) {
        struct cpu_set mates = cpu_set_of(i);

        for (unsigned k = 0; k < pcpu_count; k++)
            if (pcpus[i]->topology_known && pcpus[k]->topology_known &&
                pcpus[i]->core_id == pcpus[k]->core_id && pcpus[i]->socket_id == pcpus[k]->socket_id)
                cpu_set_add(&mates, k);
        pcpus[i]->core_mates = mates;
    }
}

/* ---- where a vCPU may run ---- */

bool vcpu_may_run_on(const struct vcpu *v, unsigned cpu)
{
    return v->sched.override == ~0u ? cpu_set_has(&v->sched.hard, cpu) : v->sched.override == cpu;
}

struct placement placement_of(const struct vcpu *v)
{
    struct cpu_set here = online();
    struct placement p = { .may = v->sched.override == ~0u ? v->sched.hard : cpu_set_of(v->sched.override) };

    p.may = cpu_set_and(&p.may, &here);
    p.would = cpu_set_and(&p.may, &v->sched.soft);
    if (cpu_set_empty(&p.would))
        p.would = p.may;
    return p;
}

/*
 * Under the lock, after a change of where v may run. True: v waited, and vcpu_wake() is to find it a place.
 */
static bool resettle(struct runqueue *q, struct vcpu *v)
{
    if (v->running || list_empty(&v->sched.queue))
        return false;
    queue_charge(q, now_ns());
    queue_remove(q, v);
    queue_leave(q, v);
    queue_publish(q);
    return true;
}

static void settle(struct runqueue *q, struct vcpu *v)
{
    struct pcpu *c = v->cpu;
    bool leave = v->running && !vcpu_may_run_on(v, c->id), waited = resettle(q, v);

    spin_unlock(&q->lock);
    if (leave)
        sched_prod(c);
    if (waited)
        vcpu_wake(v);
}

int vcpu_affinity_set(struct vcpu *v, const struct cpu_set *hard, const struct cpu_set *soft, bool force)
{
    struct cpu_set here = online();
    struct runqueue *q;

    if (hard)
        here = cpu_set_and(hard, &here);
    if (cpu_set_empty(&here))
        return -XEN_EINVAL;
    q = queue_lock(v);
    if (hard && !force && v->sched.override != ~0u) {
        spin_unlock(&q->lock);
        return -XEN_EBUSY;
    }
    if (force)
        v->sched.override = ~0u;
    if (hard)
        v->sched.hard = *hard;
    if (soft)
        v->sched.soft = *soft;
    settle(q, v);
    return 0;
}

void vcpu_affinity_get(const struct vcpu *v, struct cpu_set *hard, struct cpu_set *soft)
{
    struct runqueue *q = queue_lock(v);

    *hard = v->sched.hard;
    *soft = v->sched.soft;
    spin_unlock(&q->lock);
}

void vcpu_pin_override(struct vcpu *v, uint32_t cpu)
{
    struct runqueue *q = queue_lock(v);

    v->sched.override = cpu;
    settle(q, v);
}

/* ---- choosing ---- */

static bool same_socket(const struct pcpu *a, const struct pcpu *b)
{
    return !a->topology_known || !b->topology_known || a->socket_id == b->socket_id;
}

/* How good an idle processor is for one that was on `last`; the larger the better. */
enum { IDLE_FAR = 1, IDLE_NEAR, IDLE_LAST, CORE_FAR, CORE_NEAR, CORE_LAST };

static unsigned idle_rank(unsigned n, const struct pcpu *last, const struct cpu_set *idle)
{
    const struct pcpu *c = pcpus[n];
    unsigned rank = c == last ? IDLE_LAST : same_socket(c, last) ? IDLE_NEAR : IDLE_FAR;

    return cpu_set_within(&c->core_mates, idle) ? rank + IDLE_LAST : rank;
}

static struct pcpu *best_idle(const struct cpu_set *among, const struct cpu_set *idle,
                              const struct pcpu *last)
{
    struct pcpu *best = NULL;
    unsigned rank = 0;

    if (cpu_set_has(among, last->id) && idle_rank(last->id, last, idle) == CORE_LAST)
        return pcpus[last->id];
    for (unsigned n = cpu_set_next(among, 0); n < MAX_CPUS && rank < CORE_NEAR;
         n = cpu_set_next(among, n + 1)) {
        unsigned r = idle_rank(n, last, idle);

        if (r > rank) {
            rank = r;
            best = pcpus[n];
        }
    }
    return best;
}

static struct pcpu *claim_idle(const struct cpu_set *set, const struct pcpu *last)
{
    for (;;) {
        struct cpu_set idle = snapshot(idle_cpus), among = cpu_set_and(&idle, set);
        struct pcpu *c = best_idle(&among, &idle, last);

        if (!c || set_in(idle_cpus, c->id, false))
            return c;
    }
}

static struct pcpu *least_loaded(const struct cpu_set *set)
{
    struct pcpu *best = NULL;
    uint64_t least = ~0ull;

    for_each_cpu_in(set, n) {
        uint64_t load = __atomic_load_n(&pcpus[n]->rq.peek.total, __ATOMIC_RELAXED);

        if (load < least) {
            least = load;
            best = pcpus[n];
        }
    }
    return best;
}

/*
 * Who runs on `last` makes room if he has had his share. If not, another of a few may be better: where he
 * who runs is ahead the most.
 */
static struct pcpu *most_ahead(const struct cpu_set *set, struct pcpu *last)
{
    uint64_t now = now_ns(), common = queue_common(), most = vtime_guess(last, now, common);
    struct pcpu *best = last;
    unsigned n = last->id;

    for (unsigned i = 0; i < PROBES && vtime_before(most, common); i++) {
        uint64_t t;

        n = cpu_set_next(set, n + 1);
        n = n < MAX_CPUS ? n : cpu_set_next(set, 0);
        t = vtime_guess(pcpus[n], now, common);
        if (vtime_before(most, t)) {
            most = t;
            best = pcpus[n];
        }
    }
    return best;
}

struct pcpu *place_choose(const struct placement *p, struct pcpu *last)
{
    struct pcpu *c = claim_idle(&p->would, last);

    if (!c)
        c = claim_idle(&p->may, last);
    if (!c && cpu_set_has(&p->would, last->id))
        c = most_ahead(&p->would, last);
    if (!c)
        c = least_loaded(&p->would);
    return c ? c : last;
}

void place_offer(const struct pcpu *from, const struct cpu_set *may)
{
    struct cpu_set idle = snapshot(idle_cpus), among = cpu_set_and(&idle, may);

    for_each_cpu_in(&among, n)
        if (set_in(idle_cpus, n, false)) {
            __atomic_store_n(&pcpus[n]->rq.offered, from->id + 1, __ATOMIC_SEQ_CST);
            sched_prod(pcpus[n]);
            return;
        }
}

void place_offer_all(struct pcpu *c)
{
    struct cpu_set idle = snapshot(idle_cpus), may = { 0 };

    if (cpu_set_empty(&idle))
        return;
    spin_lock(&c->rq.lock);
    list_for_each(at, &c->rq.waiting) {
        struct placement p = placement_of(list_entry(at, struct vcpu, sched.queue));

        for (unsigned i = 0; i < CPU_SET_WORDS; i++)
            may.word[i] |= p.may.word[i];
    }
    spin_unlock(&c->rq.lock);
    place_offer(c, &may);
}

void place_pass_on(struct pcpu *c)
{
    uint32_t by = __atomic_load_n(&c->rq.offered, __ATOMIC_SEQ_CST);

    if (likely(!by))
        return;
    __atomic_store_n(&c->rq.offered, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pcpus[by - 1]->rq.peek.waiting, __ATOMIC_SEQ_CST))
        place_offer_all(pcpus[by - 1]);
}

/* ---- moving ---- */

/* With both locked: v waits on `from`, and shall on `to`. */
static void move(struct pcpu *from, struct pcpu *to, struct vcpu *v, struct arrival *a)
{
    uint64_t now = now_ns(), ref;

    queue_charge(&from->rq, now);
    ref = queue_ref(&from->rq, now);
    queue_remove(&from->rq, v);
    queue_leave(&from->rq, v);
    queue_publish(&from->rq);
    queue_arrive(to, v, ref, now, a);
}

static bool movable(const struct vcpu *v, const struct pcpu *to)
{
    return vcpu_may_run_on(v, to->id) && !__atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE);
}

/* Takes the first from another queue that may run here. */
static bool pull_from(struct pcpu *c, struct pcpu *from)
{
    struct arrival a;
    bool done = false;

    spin_lock2(&c->rq.lock, &from->rq.lock);
    list_for_each(at, &from->rq.waiting) {
        struct vcpu *v = list_entry(at, struct vcpu, sched.queue);

        if (movable(v, c)) {
            move(from, c, v, &a);
            done = true;
            break;
        }
    }
    spin_unlock2(&c->rq.lock, &from->rq.lock);
    return done;
}

bool place_pull(struct pcpu *c)
{
    struct cpu_set waiting = snapshot(waiting_cpus);

    for (unsigned far = 0; far < 2; far++)
        for_each_cpu_in(&waiting, n)
            if (n != c->id && same_socket(c, pcpus[n]) == !far && pull_from(c, pcpus[n]))
                return true;
    return false;
}

/* How far behind those on `to` v must be; further if it would rather stay on `from`. */
static uint64_t threshold(const struct vcpu *v, const struct pcpu *from, const struct pcpu *to)
{
    uint64_t round = queue_round(from->rq.weight);
    bool leaves = cpu_set_has(&v->sched.soft, from->id) && !cpu_set_has(&v->sched.soft, to->id);

    return leaves ? ROUNDS_TO_LEAVE * round : round / 2;
}

/* Moves the first that is far enough behind everybody on `to`. */
static void even_out(struct pcpu *from, struct pcpu *to)
{
    struct arrival a;
    uint64_t now = now_ns();
    bool done = false;
    unsigned looked = 0;

    spin_lock2(&from->rq.lock, &to->rq.lock);
    queue_charge(&to->rq, now);
    queue_join(&to->rq, queue_ref(&from->rq, now), now);
    list_for_each(at, &from->rq.waiting) {
        struct vcpu *v = list_entry(at, struct vcpu, sched.queue);

        if (looked++ == LOOK_DEEP || queue_ahead(&to->rq, v) <= queue_round(from->rq.weight) / 2)
            break;
        if (movable(v, to) && queue_ahead(&to->rq, v) > threshold(v, from, to)) {
            move(from, to, v, &a);
            done = true;
            break;
        }
    }
    spin_unlock2(&from->rq.lock, &to->rq.lock);
    if (done)
        sched_arrived(to, &a);
}

static struct pcpu *probe_next(struct pcpu *c, unsigned i)
{
    struct runqueue *q = &c->rq;

    if (pcpu_count <= PROBES + 1)
        return pcpus[(c->id + 1 + i) % pcpu_count];
    q->probe = q->probe * 1664525u + 1013904223u;
    return pcpus[(q->probe >> 8) % pcpu_count];
}

/* What a move between c and k would gain, in virtual time beyond the threshold; below 0: from k to c. */
static int64_t gain(struct pcpu *c, struct pcpu *k, uint64_t now)
{
    uint64_t first = __atomic_load_n(&c->rq.peek.first, __ATOMIC_RELAXED), theirs, round;
    int64_t out, in;

    if (!__atomic_load_n(&k->rq.peek.weight, __ATOMIC_RELAXED))
        return 0;
    theirs = vtime_guess(k, now, first);
    round = queue_round(__atomic_load_n(&c->rq.peek.total, __ATOMIC_RELAXED));
    out = (int64_t)(theirs - first - round / 2);
    if (out > 0)
        return out;
    if (!__atomic_load_n(&k->rq.peek.waiting, __ATOMIC_RELAXED))
        return 0;
    round = queue_round(__atomic_load_n(&k->rq.peek.total, __ATOMIC_RELAXED));
    in = (int64_t)(vtime_guess(c, now, first) - __atomic_load_n(&k->rq.peek.first, __ATOMIC_RELAXED) -
                   round / 2);
    return in > 0 ? -in : 0;
}

void place_balance(struct pcpu *c, uint64_t now)
{
    struct pcpu *best = NULL;
    int64_t most = 0;

    c->rq.balanced = now;
    for (unsigned i = 0; i < MIN(PROBES, pcpu_count - 1); i++) {
        struct pcpu *k = probe_next(c, i);
        int64_t g = k == c ? 0 : gain(c, k, now);

        if ((g < 0 ? -g : g) > (most < 0 ? -most : most)) {
            most = g;
            best = k;
        }
    }
    if (most > 0)
        even_out(c, best);
    else if (most < 0)
        even_out(best, c);
}

/* ---- strays ---- */

static struct vcpu *stray_ready(struct runqueue *q)
{
    list_for_each(at, &q->strays) {
        struct vcpu *v = list_entry(at, struct vcpu, sched.queue);

        if (!__atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE))
            return v;
    }
    return NULL;
}

/* v was one of c's strays; it may not even exist any more, unless it still is. */
static void stray_go(struct pcpu *c, const struct vcpu *v, struct pcpu *to)
{
    struct arrival a;
    bool arrived = false;

    spin_lock2(&c->rq.lock, &to->rq.lock);
    list_for_each(at, &c->rq.strays)
        if (list_entry(at, struct vcpu, sched.queue) == v) {
            move(c, to, list_entry(at, struct vcpu, sched.queue), &a);
            arrived = true;
            break;
        }
    spin_unlock2(&c->rq.lock, &to->rq.lock);
    if (arrived)
        sched_arrived(to, &a);
    else
        sched_prod(to);
}

void place_strays(struct pcpu *c)
{
    struct placement p;
    const struct vcpu *v;

    for (;;) {
        spin_lock(&c->rq.lock);
        v = stray_ready(&c->rq);
        if (v)
            p = placement_of(v);
        spin_unlock(&c->rq.lock);
        if (!v)
            return;
        stray_go(c, v, place_choose(&p, c));
    }
}
