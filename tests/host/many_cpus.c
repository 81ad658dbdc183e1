/* SPDX-License-Identifier: BSD-2-Clause */
#include "many_cpus.h"

#include <hv/print.h>
#include <hv/task.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK   (96u * 1024)
#define NEVER   (~0ull)
#define ENTRY_NS 200            /* what a way into the hypervisor and back costs at least */

struct many_counts many_counts;

struct processor {
    uint64_t programmed;        /* its timer; atomic */
    uint32_t kicked;            /* atomic */
    uint64_t wakes;             /* in its guest, or idle, until then at the latest */
    bool     quiet;             /* it is */
    jmp_buf  at;
    ucontext_t first;
    char    *stack;
    bool     begun;
    uint64_t held_up;           /* until so many switches: see struct many */
    pthread_t thread;
};

static struct many m;
static struct processor proc[MAX_CPUS];
static uint64_t end;
static bool stop;

/* ---- the machine of one processor ---- */

static bool interrupted(struct processor *p, const struct pcpu *c)
{
    return __atomic_load_n(&p->kicked, __ATOMIC_SEQ_CST) || __atomic_load_n(&c->pending, __ATOMIC_SEQ_CST) ||
           now_ns() >= __atomic_load_n(&p->programmed, __ATOMIC_SEQ_CST);
}

static void let_time_pass(struct processor *p, struct pcpu *c, uint64_t until);

/* As hw_switch() does: registers are taken from whoever holds them, then the old vCPU is let go. */
static void change_over(struct pcpu *c, struct vcpu *next)
{
    struct vcpu *prev = c->current;

    many_point();                   /* saving registers takes a while */
    if (!vcpu_is_idle(next)) {
        BUG_ON(__atomic_load_n(&next->cpu, __ATOMIC_RELAXED) != c);
        /* on two processors at once */
        BUG_ON(next != prev && __atomic_load_n(&next->loaded, __ATOMIC_ACQUIRE));
        if (__atomic_load_n(&next->ran_on, __ATOMIC_RELAXED) != c)
            __atomic_fetch_add(&many_counts.moves, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&next->ran_on, c, __ATOMIC_RELAXED);
    }
    if (prev != next && !vcpu_is_idle(prev))
        __atomic_store_n(&prev->loaded, NULL, __ATOMIC_RELEASE);
    if (!vcpu_is_idle(next))
        __atomic_store_n(&next->loaded, c, __ATOMIC_RELEASE);
    __atomic_store_n(&c->current, next, __ATOMIC_RELEASE);
    sched_switched(c, prev, next);
}

static void do_pending(struct processor *p, struct pcpu *c)
{
    uint32_t work;

    __atomic_store_n(&p->kicked, 0, __ATOMIC_SEQ_CST);
    if (m.interrupts)
        m.interrupts(c);
    if (now_ns() >= __atomic_load_n(&p->programmed, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&p->programmed, NEVER, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&many_counts.timers, 1, __ATOMIC_RELAXED);
        pcpu_raise(c, PENDING_TIMER);
    }
    while ((work = __atomic_exchange_n(&c->pending, 0, __ATOMIC_SEQ_CST))) {
        if (work & PENDING_TIMER)
            timer_run(c);
        if (work & PENDING_TASK)
            task_run(c);
        if (work & PENDING_SCHED) {
            struct vcpu *next = sched_pick(c, now_ns());

            __atomic_fetch_add(&many_counts.picks, 1, __ATOMIC_RELAXED);
            if (next != c->current)
                m.change_over ? m.change_over(c, next) : change_over(c, next);
        }
    }
}

static void processor_loop(struct processor *p, struct pcpu *c)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        struct vcpu *v;
        uint64_t since, until = NEVER;

        do_pending(p, c);
        v = c->current;
        since = now_ns();
        if (!vcpu_is_idle(v))
            until = m.guest_enter(c, v);
        let_time_pass(p, c, until);
        if (!vcpu_is_idle(v))
            m.guest_leave(c, v, since, now_ns() >= until);
    }
}

/* ---- hooks of the fake ---- */

static void disturb(unsigned cpu, uint64_t at);

static void hook_kick(struct pcpu *c)
{
    __atomic_fetch_add(&many_counts.kicks, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&proc[c->id].kicked, 1, __ATOMIC_SEQ_CST);
    disturb(c->id, 0);
}

static void hook_program(unsigned cpu, uint64_t deadline)
{
    __atomic_store_n(&proc[cpu].programmed, deadline, __ATOMIC_SEQ_CST);
    disturb(cpu, deadline);
}

#ifdef MANY_THREADS

static void hook_relax(void) { sched_yield(); }
void many_point(void) { }
static void disturb(unsigned cpu, uint64_t at) { }
static void processors_make(void) { }

/* Whoever waits moves the clock on. */
static void let_time_pass(struct processor *p, struct pcpu *c, uint64_t until)
{
    while (!interrupted(p, c) && now_ns() < until && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&fake_now, 2000, __ATOMIC_RELAXED);
        sched_yield();
    }
}

static void *thread_main(void *arg)
{
    struct processor *p = arg;

    fake_be_cpu((unsigned)(p - proc));
    fake_seed(m.seed + (uint64_t)(p - proc));
    processor_loop(p, this_cpu());
    return NULL;
}

void many_run(uint64_t ns)
{
    end = now_ns() + ns;
    __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < m.cpus; i++)
        BUG_ON(pthread_create(&proc[i].thread, NULL, thread_main, &proc[i]));
    while (now_ns() < end) {
        __atomic_fetch_add(&fake_now, 500, __ATOMIC_RELAXED);
        if (m.all_quiet)
            m.all_quiet();
        sched_yield();
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < m.cpus; i++)
        pthread_join(proc[i].thread, NULL);
    fake_be_cpu(0);
}

void many_end(void) { fake_hooks = (struct fake_hooks){ 0 }; }

#else

static jmp_buf engine;
static uint64_t die;
static bool running;            /* the coroutines are: switch points act */
static unsigned busy;           /* processors that are not quiet: the first so many of order[] */
static unsigned order[MAX_CPUS];
static uint64_t soonest;        /* nothing wakes a quiet processor before, but a kick */

static uint64_t next_moment(void);
static void quiet_set(unsigned n, bool quiet);

static void disturb(unsigned cpu, uint64_t at)
{
    soonest = MIN(soonest, at);
    if (!at)
        quiet_set(cpu, false);
}

static uint32_t cast(uint32_t below)
{
    die ^= die << 13;
    die ^= die >> 7;
    die ^= die << 17;
    return (uint32_t)((die >> 20) % below);
}

static void go_to(unsigned n)
{
    struct processor *p = &proc[n];

    fake_be_cpu(n);
    many_counts.switches++;
    if (!p->begun) {
        p->begun = true;
        setcontext(&p->first);
    }
    _longjmp(p->at, 1);
}

/* One of those that are not quiet, and rather one that is not held up. */
static unsigned choose_next(void)
{
    unsigned next = order[cast(busy)];

    for (unsigned i = 0; i < 2 * busy && proc[next].held_up > many_counts.switches; i++)
        next = order[cast(busy)];
    return next;
}

static void go_on_as(unsigned next)
{
    struct processor *p = &proc[host_cpu->id];

    if (_setjmp(p->at))
        return;
    if (next == m.cpus)
        _longjmp(engine, 1);
    go_to(next);
}

/* Another processor goes on, maybe this one again. */
static void switch_away(void)
{
    unsigned next;

    fake_now += cast(40);
    if (fake_now >= soonest && fake_now < end)
        next_moment();
    next = busy ? choose_next() : m.cpus;   /* at the end, too, all go on until they are in their guests */
    if (next != host_cpu->id)
        go_on_as(next);
}

void many_point(void)
{
    if (!running)
        return;
    if (m.at_point)
        m.at_point();
    if (m.hold_up_one_in && cast(m.hold_up_one_in) == 0)
        proc[host_cpu->id].held_up = many_counts.switches + cast(200);
    else if (cast(m.switch_one_in) != 0)
        return;
    switch_away();
}

static void hook_relax(void)
{
    if (running)
        switch_away();
}

static void quiet_set(unsigned n, bool quiet)
{
    struct processor *p = &proc[n];

    if (p->quiet == quiet)
        return;
    p->quiet = quiet;
    if (!quiet) {
        order[busy++] = n;
        return;
    }
    for (unsigned i = 0; i < busy; i++)
        if (order[i] == n)
            order[i] = order[--busy];
}

static void let_time_pass(struct processor *p, struct pcpu *c, uint64_t until)
{
    unsigned n = c->id;

    fake_now += ENTRY_NS;
    p->wakes = until;
    soonest = MIN(soonest, until);
    if (!interrupted(p, c))
        quiet_set(n, true);
    switch_away();
}

static void coroutine(void)
{
    processor_loop(&proc[host_cpu->id], host_cpu);
    abort();
}

/* Time for whoever is quiet until then; returns when that is. */
static uint64_t next_moment(void)
{
    uint64_t next = NEVER;

    for (unsigned i = 0; i < m.cpus; i++) {
        struct processor *p = &proc[i];

        if (p->kicked || pcpus[i]->pending || fake_now >= MIN(p->programmed, p->wakes))
            quiet_set(i, false);
        else
            next = MIN(next, MIN(p->programmed, p->wakes));
    }
    return soonest = next;
}

void many_run(uint64_t ns)
{
    end = fake_now + ns;
    for (;;) {
        if (fake_now < end)
            next_moment();
        if (!busy && fake_now >= end)
            break;
        if (busy) {
            running = true;
            if (!_setjmp(engine))
                go_to(order[cast(busy)]);
            running = false;
            continue;
        }
        if (m.all_quiet)
            m.all_quiet();
        fake_now = MAX(fake_now, MIN(soonest, end));
    }
    fake_be_cpu(0);
}

void many_end(void)
{
    running = false;
    for (unsigned i = 0; i < m.cpus; i++) {
        free(proc[i].stack);
        proc[i].stack = NULL;
    }
    fake_hooks = (struct fake_hooks){ 0 };
}

static void coroutine_make(struct processor *p)
{
    p->stack = malloc(STACK);
    BUG_ON(!p->stack || getcontext(&p->first));
    p->first.uc_stack.ss_sp = p->stack;
    p->first.uc_stack.ss_size = STACK;
    makecontext(&p->first, coroutine, 0);
}

static void processors_make(void)
{
    die = m.seed * 6364136223846793005ull + 1442695040888963407ull;
    busy = 0;
    for (unsigned i = 0; i < m.cpus; i++) {
        proc[i].quiet = true;
        proc[i].wakes = NEVER;
        coroutine_make(&proc[i]);
    }
}

#endif

void many_start(const struct many *want)
{
    m = *want;
    many_counts = (struct many_counts){ 0 };
    memset(proc, 0, sizeof proc);
    fake_machine(m.cpus);
    fake_hooks = (struct fake_hooks){ .relax = hook_relax, .kick = hook_kick, .program = hook_program };
    for (unsigned i = 0; i < m.cpus; i++)
        proc[i].programmed = NEVER;
    processors_make();
}
