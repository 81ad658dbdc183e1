/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs.
 *
 * Every vCPU has a virtual time: the processor time it has used, divided by its weight (sched_queue.c). The
 * runnable one with the smallest virtual time runs next, for a short turn if others wait. In the long
 * run each then gets time in proportion to its weight, whatever the mix, and nobody starves: a waiting
 * vCPU's virtual time stands still while that of the others grows past it.
 *
 * The boost on wake-up comes from the same number. A vCPU that slept has fallen behind; it keeps a bounded
 * part of that arrear, which is enough to come before whoever is running, and too little to hold the
 * processor for long. So one that wakes often and runs briefly is always served at once, and one that only
 * computes never is; no second kind of priority is needed.
 *
 * Each processor has a queue and a lock of its own. A vCPU is on the queue of vcpu.cpu while it waits, and
 * nowhere while it runs; vcpu.cpu changes only with the locks of both processors held, while the vCPU waits
 * or sleeps and no processor holds it (on_cpu). Which processor it is, and how the queues stay even, is in
 * sched_place.c. The processor's switching loop (hw/) asks sched_pick() whom to run, changes over,
 * and says so by sched_switched(): that is what vcpu_sleep_sync() on another processor waits for.
 *
 * A lone vCPU has no slice timer: a machine where nobody competes takes no scheduling interrupts at all.
 */
#include <hv/print.h>
#include <hw/hw.h>

#include "sched_local.h"

#define BALANCE_NS 1000000ull       /* a processor does not look at others more often */

static struct timer slice_timer[MAX_CPUS];

/* ---- one processor ---- */

void sched_prod(struct pcpu *c)
{
    pcpu_raise(c, PENDING_SCHED);
    if (c != this_cpu())
        hw_kick(c);
}

static void slice_over(void *arg, uint64_t now)
{
    pcpu_raise(arg, PENDING_SCHED);
}

void sched_init_cpu(struct pcpu *c)
{
    c->rq = (struct runqueue){ .probe = c->id };
    spin_init(&c->rq.lock, LOCK_SCHED);
    list_init(&c->rq.waiting);
    list_init(&c->rq.strays);
    c->core_mates = cpu_set_of(c->id);
    place_waiting(c, false);
    place_idle(c, false);
    pcpu_raise(c, PENDING_SCHED);       /* it says itself that it idles */
    timer_init(&slice_timer[c->id], slice_over, c, c->id);
}

/* What becomes of the vCPU that has run until now. */
static void put_prev(struct runqueue *q, struct vcpu *prev, uint64_t now)
{
    uint32_t flags = pause_flags(prev);
    struct vcpu *first = queue_first(q);

    prev->running = false;
    q->running = NULL;
    cap_return(prev, now > prev->sched.turn_start ? now - prev->sched.turn_start : 0, now);
    state_set(prev, state_of(flags), now);
    if (flags) {
        queue_leave(q, prev);
    } else {
        if (prev->sched.yielded && first)
            prev->sched.vtime = vtime_max(prev->sched.vtime, first->sched.vtime + 1);
        queue_add(q, prev);
    }
    prev->sched.yielded = false;
}

/* The first that may run here; those that may not are put aside. NULL: nobody. */
static struct vcpu *take_first(struct pcpu *c, uint64_t now)
{
    struct runqueue *q = &c->rq;
    struct vcpu *v;

    while ((v = queue_first(q))) {
        uint32_t flags = pause_flags(v);

        queue_remove(q, v);
        if (flags) {                            /* paused while it waited */
            queue_leave(q, v);
            state_set(v, state_of(flags), now);
        } else if (!vcpu_may_run_on(v, c->id)) {
            v->sched.stray = true;
            list_add_tail(&q->strays, &v->sched.queue);
        } else if (cap_admit(v, now)) {
            return v;
        } else {
            queue_leave(q, v);
        }
    }
    return NULL;
}

static void start(struct runqueue *q, struct vcpu *v, uint64_t now)
{
    queue_weigh(q, v);              /* others of its domain may have come or gone */
    v->running = true;
    q->running = v;
    __atomic_store_n(&v->on_cpu, true, __ATOMIC_RELAXED);
    v->sched.slice_start = v->sched.turn_start = now;
    state_set(v, RUNSTATE_running, now);
}

/* Under the lock: who runs next, if anybody; *turn: for how long, 0: until something happens. */
static struct vcpu *choose(struct pcpu *c, uint64_t now, uint64_t *turn)
{
    struct runqueue *q = &c->rq;
    struct vcpu *next = take_first(c, now);

    if (next)
        start(q, next, now);
    place_idle(c, !next);
    queue_charge(q, now);
    *turn = next && q->count ? queue_turn(q, next) : 0;
    if (next && next->sched.allowed)
        *turn = *turn ? MIN(*turn, next->sched.allowed) : next->sched.allowed;
    queue_publish(q);
    return next;
}

/*
 * Who waits here may be better off elsewhere. Asked when the choice is made, or who is next here would only
 * be sent back by the processor it was sent to; and when who ran last is let go, or it could not be sent.
 * Each that arrived was offered to idle processors, but not one that seemed to be the next here, and then
 * was not.
 */
static void look_around(struct pcpu *c, const struct vcpu *next)
{
    struct runqueue *q = &c->rq;
    uint64_t now;

    if (!vcpu_is_idle(next))
        place_pass_on(c);
    if (__atomic_load_n(&q->peek.strays, __ATOMIC_RELAXED))
        place_strays(c);
    if (!__atomic_load_n(&q->peek.waiting, __ATOMIC_SEQ_CST))
        return;
    place_offer_all(c);
    now = now_ns();
    if (now - q->balanced >= BALANCE_NS)
        place_balance(c, now);
}

static struct vcpu *go_idle(struct pcpu *c, uint64_t now)
{
    c->idle->sched.slice_start = now;
    return c->idle;
}

static void account_prev(struct pcpu *c, uint64_t now)
{
    struct vcpu *prev = c->current;

    if (vcpu_is_idle(prev)) {
        c->idle_ns += now > prev->sched.slice_start ? now - prev->sched.slice_start : 0;
        prev->sched.slice_start = now;
    } else if (prev->running) {
        queue_charge(&c->rq, now);
        put_prev(&c->rq, prev, now);
    }
}

struct vcpu *sched_pick(struct pcpu *c, uint64_t now)
{
    struct runqueue *q = &c->rq;
    struct vcpu *next, *prev = c->current;
    uint64_t turn;

    do {
        spin_lock(&q->lock);
        account_prev(c, now);
        next = choose(c, now, &turn);
        spin_unlock(&q->lock);
    } while (!next && place_pull(c));

    if (turn)
        timer_set(&slice_timer[c->id], now + turn);
    if (!next)
        next = go_idle(c, now);
    if (prev == next)
        look_around(c, next);
    else if (!vcpu_is_idle(prev))
        vcpu_runstate_update(prev);     /* its address space is still there: others of its domain may look */
    return next;
}

/* prev may be gone as soon as it is marked: only the queue is looked at then. */
void sched_switched(struct pcpu *c, struct vcpu *prev, struct vcpu *next)
{
    if (prev == next)
        return;
    if (!vcpu_is_idle(prev))
        __atomic_store_n(&prev->on_cpu, false, __ATOMIC_SEQ_CST);
    look_around(c, next);
}

/* ---- waking and stopping ---- */

void sched_vcpu_init(struct vcpu *v)
{
    struct sched_vcpu *s = &v->sched;

    list_init(&s->queue);
    s->state = RUNSTATE_offline;
    s->state_since = now_ns();
    s->hard = s->soft = cpu_set_first(MAX_CPUS);
    s->override = ~0u;
    if (!v->cpu)
        v->cpu = v->domain ? pcpus[(v->domain->id + v->id) % pcpu_count] : this_cpu();
}

void queue_arrive(struct pcpu *c, struct vcpu *v, uint64_t ref, uint64_t now, struct arrival *a)
{
    struct runqueue *q = &c->rq;
    bool woken = v->sched.state != RUNSTATE_runnable || v->sched.parked;

    queue_charge(q, now);
    queue_join(q, ref, now);
    vtime_bound(q, v, q->vtime, woken);
    v->sched.parked = false;
    state_set(v, RUNSTATE_runnable, now);
    __atomic_store_n(&v->cpu, c, __ATOMIC_RELEASE);
    queue_add(q, v);
    a->better = !q->running || vtime_before(v->sched.vtime, q->running->sched.vtime) ||
                !vcpu_may_run_on(v, c->id);
    a->turn = q->running ? queue_turn(q, q->running) : 0;
    a->may = placement_of(v).may;
    queue_publish(q);
}

void sched_arrived(struct pcpu *c, const struct arrival *a)
{
    if (a->better)
        sched_prod(c);
    else
        timer_set_by(&slice_timer[c->id], now_ns() + a->turn);
    if (__atomic_load_n(&c->rq.peek.waiting, __ATOMIC_RELAXED))
        place_offer(c, &a->may);
}

static bool waits_nowhere(const struct vcpu *v)
{
    return !v->running && list_empty(&v->sched.queue) && !pause_flags(v);
}

/* Puts v, which was on `from`, on the queue of `to`. False: it went elsewhere meanwhile, look again. */
static bool wake_on(struct vcpu *v, struct pcpu *from, struct pcpu *to)
{
    struct arrival a;
    bool same, arrived = false;

    spin_lock2(&from->rq.lock, &to->rq.lock);
    same = __atomic_load_n(&v->cpu, __ATOMIC_RELAXED) == from &&
           (from == to || !__atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE));
    if (same && waits_nowhere(v)) {
        queue_arrive(to, v, queue_common(), now_ns(), &a);
        arrived = true;
    }
    spin_unlock2(&from->rq.lock, &to->rq.lock);
    if (arrived)
        sched_arrived(to, &a);
    else
        sched_prod(to);         /* it may have been claimed for nothing: it says again that it idles */
    return same;
}

void vcpu_wake(struct vcpu *v)
{
    struct runqueue *q;
    struct placement p;
    struct pcpu *from, *to;
    bool wanted, held;

    if (pause_flags(v) || vcpu_is_idle(v))
        return;
    do {
        q = queue_lock(v);
        from = v->cpu;
        wanted = waits_nowhere(v);
        held = __atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE);
        p = placement_of(v);
        spin_unlock(&q->lock);
        if (!wanted)
            return;
        to = held ? from : place_choose(&p, from);
    } while (!wake_on(v, from, to));
}

void vcpu_sleep_nosync(struct vcpu *v)
{
    struct runqueue *q = queue_lock(v);
    struct pcpu *c = v->cpu;
    bool running = v->running;
    uint32_t flags = pause_flags(v);

    /* Flags that are gone again by now are the business of vcpu_wake(), which has come first. */
    if (!running && flags) {
        if (!list_empty(&v->sched.queue)) {
            queue_charge(q, now_ns());
            queue_remove(q, v);
            queue_leave(q, v);
            queue_publish(q);
        }
        state_set(v, state_of(flags), now_ns());
    }
    spin_unlock(&q->lock);
    if (running)
        sched_prod(c);
}

void vcpu_sleep_sync(struct vcpu *v)
{
    vcpu_sleep_nosync(v);
    /* Whoever stops itself goes on to the end of its hypercall; the pending word does the rest. */
    while (this_cpu()->current != v && __atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE))
        hw_relax();
}

void vcpu_kick(struct vcpu *v)
{
    struct pcpu *c = __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE);

    if (c != this_cpu() && __atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE))
        hw_kick(c);
}

void vcpu_pause(struct vcpu *v, uint32_t flag, bool sync)
{
    __atomic_fetch_or(&v->pause_flags, flag, __ATOMIC_SEQ_CST);
    if (sync)
        vcpu_sleep_sync(v);
    else
        vcpu_sleep_nosync(v);
}

void vcpu_unpause(struct vcpu *v, uint32_t flag)
{
    uint32_t before;

    if (!(pause_flags(v) & flag))
        return;
    before = __atomic_fetch_and(&v->pause_flags, ~flag, __ATOMIC_SEQ_CST);
    if (!(before & ~flag))
        vcpu_wake(v);
    else
        vcpu_sleep_nosync(v);           /* the reason has changed, so its runstate may */
}

void vcpu_yield(struct vcpu *v)
{
    struct runqueue *q = queue_lock(v);
    bool others = q->count;

    v->sched.yielded = others;
    spin_unlock(&q->lock);
    if (others)
        pcpu_raise(v->cpu, PENDING_SCHED);
}
