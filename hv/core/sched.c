/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs.
 *
 * Every vCPU has a virtual time: the processor time it has used, divided by its domain's weight. The
 * runnable one with the smallest virtual time runs next, for at most a slice if others wait. In the long
 * run each then gets time in proportion to its weight, whatever the mix, and nobody starves: a waiting
 * vCPU's virtual time stands still while that of the others grows past it.
 *
 * The boost on wake-up comes from the same number. A vCPU that slept has fallen behind; it keeps at most
 * WAKE_LAG of that arrear, which is enough to come before whoever is running, and too little to hold the
 * processor for long. So one that wakes often and runs briefly is always served at once, and one that only
 * computes never is; no second kind of priority is needed.
 *
 * Each processor has a queue and a lock of its own. A vCPU is on the queue of vcpu.cpu while it waits, and
 * nowhere while it runs. The processor's switching loop (hw/) asks sched_pick() whom to run, changes over,
 * and says so by sched_switched(): that is what vcpu_sleep_sync() on another processor waits for.
 *
 * A lone vCPU has no slice timer: a machine where nobody competes takes no scheduling interrupts at all.
 */
#include <hv/domain.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/sched.h>
#include <hw/hw.h>

#include <string.h>

#ifndef SCHED_SLICE_NS
#define SCHED_SLICE_NS  10000000ull
#endif
#ifndef SCHED_WAKE_LAG_NS
#define SCHED_WAKE_LAG_NS 10000000ull       /* virtual time a sleeper may be behind the queue */
#endif

static struct timer slice_timer[MAX_CPUS];

static inline uint32_t pause_flags(const struct vcpu *v)
{
    return __atomic_load_n(&v->pause_flags, __ATOMIC_SEQ_CST);
}

/* ---- runstates ---- */

static unsigned state_of(uint32_t flags)
{
    if (!flags)
        return RUNSTATE_runnable;
    return flags & ~(uint32_t)(PAUSE_BLOCKED | PAUSE_POLL) ? RUNSTATE_offline : RUNSTATE_blocked;
}

/* Under the queue's lock. */
static void state_set(struct vcpu *v, unsigned state, uint64_t now)
{
    struct sched_vcpu *s = &v->sched;

    if (s->state == state)
        return;
    s->time_in[s->state] += now > s->state_since ? now - s->state_since : 0;
    s->state_since = MAX(now, s->state_since);
    s->state = (uint8_t)state;
}

static struct runqueue *queue_lock(const struct vcpu *v)
{
    for (;;) {
        struct pcpu *c = __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE);

        spin_lock(&c->rq.lock);
        if (__atomic_load_n(&v->cpu, __ATOMIC_RELAXED) == c)
            return &c->rq;
        spin_unlock(&c->rq.lock);
    }
}

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out)
{
    const struct sched_vcpu *s = &v->sched;
    struct runqueue *q = queue_lock(v);
    uint64_t now = now_ns();

    memset(out, 0, sizeof(*out));       /* it goes to the guest, with the gap behind the state */
    out->state = s->state;
    out->state_entry_time = s->state_since;
    for (unsigned i = 0; i < 4; i++)
        out->time[i] = s->time_in[i];
    out->time[s->state] += now > s->state_since ? now - s->state_since : 0;
    spin_unlock(&q->lock);
}

uint64_t vcpu_run_time(const struct vcpu *v)
{
    struct vcpu_runstate_info info;

    vcpu_runstate_get(v, &info);
    return info.time[RUNSTATE_running];
}

/* ---- the queue; all under its lock ---- */

static uint64_t weighted(const struct vcpu *v, uint64_t ns)
{
    uint16_t weight = v->domain->sched.weight;

    return ns * SCHED_WEIGHT_DEFAULT / (weight ? weight : SCHED_WEIGHT_DEFAULT);
}

static struct vcpu *queue_first(const struct runqueue *q)
{
    return list_empty(&q->waiting) ? NULL : list_entry(q->waiting.next, struct vcpu, sched.queue);
}

/* Behind all of the same virtual time, so that equals take turns. */
static void queue_add(struct runqueue *q, struct vcpu *v)
{
    struct list *at = q->waiting.prev;

    while (at != &q->waiting && list_entry(at, struct vcpu, sched.queue)->sched.vtime > v->sched.vtime)
        at = at->prev;
    list_insert(at, at->next, &v->sched.queue);
    q->count++;
}

static void queue_remove(struct runqueue *q, struct vcpu *v)
{
    list_del(&v->sched.queue);
    q->count--;
}

/* Charges the running vCPU for the time since slice_start. */
static void charge(struct vcpu *v, uint64_t now)
{
    if (now <= v->sched.slice_start)
        return;
    v->sched.vtime += weighted(v, now - v->sched.slice_start);
    v->sched.slice_start = now;
}

/* The queue's time follows the smallest of its vCPUs and never goes back. */
static void advance(struct runqueue *q, const struct vcpu *running)
{
    const struct vcpu *first = queue_first(q);
    uint64_t t = running ? running->sched.vtime : first ? first->sched.vtime : q->vtime;

    if (first)
        t = MIN(t, first->sched.vtime);
    q->vtime = MAX(q->vtime, t);
}

/* ---- one processor ---- */

static void slice_over(void *arg, uint64_t now)
{
    pcpu_raise(arg, PENDING_SCHED);
}

void sched_init_cpu(struct pcpu *c)
{
    spin_init(&c->rq.lock, LOCK_SCHED);
    list_init(&c->rq.waiting);
    c->rq.vtime = 0;
    c->rq.count = 0;
    timer_init(&slice_timer[c->id], slice_over, c, c->id);
}

/* What becomes of the vCPU that has run until now. */
static void put_prev(struct runqueue *q, struct vcpu *prev, uint64_t now)
{
    uint32_t flags = pause_flags(prev);
    struct vcpu *first = queue_first(q);

    charge(prev, now);
    prev->running = false;
    state_set(prev, state_of(flags), now);
    if (flags)
        return;
    if (prev->sched.yielded && first)
        prev->sched.vtime = MAX(prev->sched.vtime, first->sched.vtime + 1);
    prev->sched.yielded = false;
    queue_add(q, prev);
}

static struct vcpu *take_next(struct pcpu *c, uint64_t now)
{
    struct vcpu *v;

    while ((v = queue_first(&c->rq))) {
        uint32_t flags = pause_flags(v);

        queue_remove(&c->rq, v);
        if (!flags)
            break;
        state_set(v, state_of(flags), now);     /* paused while it waited */
    }
    if (!v)
        return c->idle;
    v->running = true;
    __atomic_store_n(&v->on_cpu, true, __ATOMIC_RELAXED);
    v->sched.slice_start = now;
    state_set(v, RUNSTATE_running, now);
    return v;
}

struct vcpu *sched_pick(struct pcpu *c, uint64_t now)
{
    struct vcpu *prev = c->current, *next;
    struct runqueue *q = &c->rq;
    bool contended;

    spin_lock(&q->lock);
    if (vcpu_is_idle(prev)) {
        c->idle_ns += now > prev->sched.slice_start ? now - prev->sched.slice_start : 0;
        prev->sched.slice_start = now;
    } else if (prev->running) {
        put_prev(q, prev, now);
    }
    next = take_next(c, now);
    if (vcpu_is_idle(next))
        next->sched.slice_start = now;
    advance(q, vcpu_is_idle(next) ? NULL : next);
    contended = !list_empty(&q->waiting);
    spin_unlock(&q->lock);

    if (contended && !vcpu_is_idle(next))
        timer_set(&slice_timer[c->id], now + SCHED_SLICE_NS);
    return next;
}

void sched_switched(struct pcpu *c, struct vcpu *prev, struct vcpu *next)
{
    if (prev != next)
        __atomic_store_n(&prev->on_cpu, false, __ATOMIC_RELEASE);
}

/* ---- waking and stopping ---- */

void sched_vcpu_init(struct vcpu *v)
{
    struct sched_vcpu *s = &v->sched;

    list_init(&s->queue);
    s->state = RUNSTATE_offline;
    s->state_since = now_ns();
    if (!v->cpu)
        v->cpu = v->domain ? pcpus[(v->domain->id + v->id) % pcpu_count] : this_cpu();
}

/* The vCPU that runs on c, charged up to now so that the queue's time is up to date; NULL: none, c idles. */
static struct vcpu *charged_runner(struct pcpu *c, uint64_t now)
{
    struct vcpu *v = __atomic_load_n(&c->current, __ATOMIC_RELAXED);

    if (vcpu_is_idle(v) || !v->running)
        return NULL;
    charge(v, now);
    advance(&c->rq, v);
    return v;
}

/* With the queue locked: puts v, which is runnable, on it. True if it should run rather than who runs now. */
static bool enqueue_woken(struct pcpu *c, struct vcpu *v, uint64_t now)
{
    struct runqueue *q = &c->rq;
    struct vcpu *runner = charged_runner(c, now);
    uint64_t floor = q->vtime > SCHED_WAKE_LAG_NS ? q->vtime - SCHED_WAKE_LAG_NS : 0;

    v->sched.vtime = MAX(v->sched.vtime, floor);
    state_set(v, RUNSTATE_runnable, now);
    queue_add(q, v);
    return !runner || v->sched.vtime < runner->sched.vtime;
}

void vcpu_wake(struct vcpu *v)
{
    struct runqueue *q;
    struct pcpu *c;
    uint64_t now, slice_end = 0;
    bool now_better = false;

    if (pause_flags(v) || vcpu_is_idle(v))
        return;
    q = queue_lock(v);
    c = v->cpu;
    if (!v->running && list_empty(&v->sched.queue) && !pause_flags(v)) {
        now = now_ns();
        now_better = enqueue_woken(c, v, now);
        slice_end = now + SCHED_SLICE_NS;
    }
    spin_unlock(&q->lock);

    if (now_better) {
        pcpu_raise(c, PENDING_SCHED);
        if (c != this_cpu())
            hw_kick(c);
    } else if (slice_end && !timer_is_set(&slice_timer[c->id])) {
        timer_set(&slice_timer[c->id], slice_end);
    }
}

void vcpu_sleep_nosync(struct vcpu *v)
{
    struct runqueue *q = queue_lock(v);
    struct pcpu *c = v->cpu;
    bool running = v->running;
    uint32_t flags = pause_flags(v);

    /* Flags that are gone again by now are the business of vcpu_wake(), which has come first. */
    if (!running && flags) {
        if (!list_empty(&v->sched.queue))
            queue_remove(q, v);
        state_set(v, state_of(flags), now_ns());
    }
    spin_unlock(&q->lock);
    if (!running)
        return;
    pcpu_raise(c, PENDING_SCHED);
    if (c != this_cpu())
        hw_kick(c);
}

void vcpu_sleep_sync(struct vcpu *v)
{
    vcpu_sleep_nosync(v);
    /* Whoever stops itself goes on to the end of its hypercall; the pending word does the rest. */
    while (__atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE) != this_cpu() &&
           __atomic_load_n(&v->on_cpu, __ATOMIC_ACQUIRE))
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
    bool others = !list_empty(&q->waiting);

    v->sched.yielded = others;
    spin_unlock(&q->lock);
    if (others)
        pcpu_raise(v->cpu, PENDING_SCHED);
}
