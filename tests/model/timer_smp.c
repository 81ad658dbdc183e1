/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests' timers and clocks on many processors (tests/host/many_cpus.c). Guests set their one-shot timer to
 * any moment, compute, sleep and stop it, while others move them about and pause them. No timer is early,
 * none is lost, and what a guest reads of the time is right to a microsecond and never goes back, whichever
 * processor it reads it on.
 */
#include "../host/many_cpus.h"

#include <hv/hypercall.h>
#include <hv/ops.h>
#include <hv/time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define US 1000ull
#define MS (1000 * US)
#define DOMAINS 4u
#define VCPUS   3u
#define APART   1000            /* ns that a guest's clock may be wrong */

struct guest {
    struct vcpu *v;
    uint64_t due;               /* the timer's deadline; 0: not set. The guest's own memory: no lock */
    bool asleep;
    unsigned fired;
};

static struct guest guest[DOMAINS][VCPUS];
static uint64_t last_seen[DOMAINS];         /* atomic: the latest time that a vCPU of the domain has read */
static uint64_t ended;                          /* when the last run did */
static unsigned early, wrong, backwards, moves; /* atomic */

static struct guest *guest_of(const struct vcpu *v) { return &guest[v->domain->id - 1][v->id]; }
static void count(unsigned *n) { __atomic_fetch_add(n, 1, __ATOMIC_RELAXED); }

/* What the guest's kernel computes. */
static uint64_t guest_time(const struct vcpu *v)
{
    const struct vcpu_time_info *t = &v->info->time;
    uint64_t ticks = tsc_now() - t->tsc_timestamp;

    ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
    return t->system_time + (uint64_t)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
}

static void read_clock(const struct vcpu *v)
{
    uint64_t *last = &last_seen[v->domain->id - 1], before = __atomic_load_n(last, __ATOMIC_SEQ_CST),
             low = now_ns();
    uint64_t t = guest_time(v), high = now_ns();

    if (t + APART < low || t > high + APART)
        count(&wrong);
    if (t < before && fake_tsc_unreliable == false)
        count(&backwards);
    while (before < t &&
           !__atomic_compare_exchange_n(last, &before, t, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}

/* The upcall handler: the only event there is, is the timer's. */
static void take_events(struct guest *g)
{
    struct domain *d = g->v->domain;

    if (!__atomic_exchange_n(&g->v->info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST))
        return;
    __atomic_store_n(&g->v->info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    __atomic_fetch_and(&d->shared_info->evtchn_pending[0], ~(1ul << (g->v->id + 1)), __ATOMIC_SEQ_CST);
    if (!g->due || now_ns() < g->due)
        count(&early);
    g->due = 0;
    g->fired++;
}

static uint64_t enter(struct pcpu *c, struct vcpu *v)
{
    struct guest *g = guest_of(v);

    vcpu_time_update(v);                        /* as hw_switch() does */
    read_clock(v);
    take_events(g);
    g->asleep = false;
    return now_ns() + US + fake_random(50 * US);
}

static void set_timer(struct guest *g)
{
    uint64_t now = now_ns(), at = now + fake_random(300 * US);

    if (g->due)                                 /* what has rung already is no error of the timer's */
        return;
    g->due = fake_random(10) ? at : now - 1;
    hc_set_timer_op(g->v, g->due, 0, 0, 0, 0);
}

/* One vCPU meddles with others: where they may run, and whether they run at all. */
static void meddle(struct vcpu *by)
{
    struct domain *d = guest[fake_random(DOMAINS)][0].v->domain;
    struct cpu_set one = cpu_set_of(fake_random(pcpu_count)), all = cpu_set_first(MAX_CPUS);

    if (d == by->domain)
        return;
    count(&moves);
    switch (fake_random(3)) {
    case 0:
        vcpu_affinity_set(d->vcpu[fake_random(VCPUS)], fake_random(2) ? &one : &all, NULL, false);
        break;
    case 1:
        domain_pause(d, false);
        domain_unpause(d);
        break;
    default:
        wallclock_set(1700000000 + fake_random(1000), fake_random(1000000000), now_ns());
    }
}

static void leave(struct pcpu *c, struct vcpu *v, uint64_t since, bool did)
{
    struct guest *g = guest_of(v);

    if (!did)
        return;
    read_clock(v);
    if (fake_random(3))
        set_timer(g);
    if (v->id == 0 && fake_random(4) == 0)
        meddle(v);
    if (g->due && fake_random(2)) {
        g->asleep = true;
        sched_op_block(v, v->domain, NULL);
    }
}

/* ---- a run ---- */

static void bind_timer(struct vcpu *v)
{
    struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = v->id };

    assert_int_equal(event_op_bind_virq(v, v->domain, &b), 0);
    assert_int_equal(b.port, v->id + 1);
}

static void machine_with(unsigned cpus, uint64_t seed)
{
    struct many m = {
        .cpus = cpus, .seed = seed, .switch_one_in = 3, .guest_enter = enter, .guest_leave = leave
    };

    fake_seed(seed);
    many_start(&m);
    fake_now = MAX(fake_now, ended);            /* the machine's pair of TSC and time is from the first run */
    early = wrong = backwards = 0;
    for (unsigned i = 0; i < DOMAINS; i++) {
        struct domain *d = fake_domain((domid_t)(i + 1), VCPUS, false, 31);

        last_seen[i] = 0;
        for (unsigned k = 0; k < VCPUS; k++) {
            guest[i][k] = (struct guest){ .v = d->vcpu[k] };
            bind_timer(d->vcpu[k]);
            d->vcpu[k]->info->evtchn_upcall_mask = 0;
        }
    }
}

/* A deadline that has long passed, of a guest that slept for it: then somebody lost it. */
static unsigned lost(uint64_t now)
{
    unsigned n = 0;

    for (unsigned i = 0; i < DOMAINS; i++)
        for (unsigned k = 0; k < VCPUS; k++) {
            const struct guest *g = &guest[i][k];

            n += g->due && g->due + 100 * MS < now;
        }
    return n;
}

static unsigned finish(void)
{
    unsigned fired = 0;

    many_end();
    ended = fake_now;
    for (unsigned i = 0; i < DOMAINS; i++) {
        domain_pause(guest[i][0].v->domain, false);
        for (unsigned k = 0; k < VCPUS; k++)
            fired += guest[i][k].fired;
    }
    for (unsigned i = 0; i < pcpu_count; i++) {
        fake_be_cpu(i);
        fake_pending();
    }
    fake_be_cpu(0);
    for (unsigned i = 0; i < DOMAINS; i++)
        fake_domain_end(guest[i][0].v->domain);
    assert_int_equal(fake_leaks(), 0);
    return fired;
}

static unsigned play(unsigned cpus, uint64_t seed, uint64_t ns)
{
    machine_with(cpus, seed);
    many_run(ns);
    /* All sleep and wake for a while: what was lost shows. */
    many_run(MANY_DETERMINISTIC ? 5 * ns : ns);
    if (MANY_DETERMINISTIC)
        assert_int_equal(lost(now_ns()), 0);
    assert_int_equal(early, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(backwards, 0);
    return finish();
}

static void none_early_none_lost(void **state)
{
    unsigned runs = !MANY_DETERMINISTIC ? 3 : getenv("NIGHTLY") ? 1000 : 30, fired = 0;

    moves = 0;
    fake_tsc_unreliable = false;
    for (unsigned seed = 1; seed <= runs; seed++)
        fired += play(MANY_DETERMINISTIC ? 1 + seed % 6 : 4, seed, 30 * MS);
    /* how far threads get, the host says */
    assert_true(fired > (MANY_DETERMINISTIC ? runs * 100 : 0));
    assert_true(moves > (MANY_DETERMINISTIC ? runs * 10 : 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(none_early_none_lost) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
