/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler on many processors (tests/host/many_cpus.c) under random loads: domains whose vCPUs compute
 * without end, and others that wake, compute a little and sleep. What each domain must get is worked out
 * independently: the weights fill the machine like water, and nobody gets more than its vCPUs or its cap
 * can use. Who sleeps for less than a round of turns can use what it would if it never had to wait.
 */
#include "../host/many_cpus.h"

#include <hv/time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define US 1000ull
#define MS (1000 * US)
#define SECOND (1000 * MS)
#define DOMAINS 512u
#define NEVER (~0ull)

struct guest {
    struct vcpu *v;
    uint64_t burst, sleep, left;    /* burst 0: computes without end */
    uint64_t worst, wakes, late;
    uint64_t woken;                 /* atomic */
    struct timer alarm;
    uint64_t before;                /* run time when measuring began */
    double todo, asleep;            /* of the fluid model: ns left of this burst; until when it sleeps */
};

struct load {
    struct domain *d;
    unsigned vcpus;
    uint32_t weight, cap;
    struct guest g[8];
    double fair;                    /* processors it should get */
    double rate, fluid;             /* of the fluid model: processors, now and on average */
};

static struct load load[DOMAINS];
static unsigned loads;
static bool sleepers_count;         /* their shares are judged, too */

static struct guest *guest_of(const struct vcpu *v) { return &load[v->domain->id - 1].g[v->id]; }

static uint64_t enter(struct pcpu *c, struct vcpu *v)
{
    struct guest *g = guest_of(v);
    uint64_t now = now_ns(), woken = __atomic_exchange_n(&g->woken, 0, __ATOMIC_RELAXED);

    if (woken) {
        uint64_t took = now - woken;

        g->worst = MAX(g->worst, took);
        g->late += took;
        g->wakes++;
    }
    return g->burst ? now + g->left : NEVER;
}

static void leave(struct pcpu *c, struct vcpu *v, uint64_t since, bool did)
{
    struct guest *g = guest_of(v);
    uint64_t used = now_ns() - since;

    if (!g->burst)
        return;
    g->left -= MIN(g->left, used);
    if (!did && g->left)
        return;
    g->left = g->burst / 2 + fake_random((uint32_t)g->burst);
    timer_set(&g->alarm, now_ns() + g->sleep / 2 + fake_random((uint32_t)g->sleep));
    vcpu_pause(v, PAUSE_BLOCKED, false);
}

static void alarm_rings(void *arg, uint64_t now)
{
    struct guest *g = arg;

    __atomic_store_n(&g->woken, now_ns(), __ATOMIC_RELAXED);
    vcpu_unpause(g->v, PAUSE_BLOCKED);
}

static struct load *add(unsigned vcpus, uint32_t weight, uint64_t burst, uint64_t sleep)
{
    struct load *l = &load[loads++];

    *l = (struct load){ .vcpus = vcpus, .weight = weight };
    for (unsigned i = 0; i < vcpus; i++)
        l->g[i] = (struct guest){ .burst = burst, .sleep = sleep, .left = burst };
    l->d = fake_domain((domid_t)loads, vcpus, false, 31);
    sched_domain_set(l->d, weight, 0);
    for (unsigned i = 0; i < vcpus; i++) {
        l->g[i].v = l->d->vcpu[i];
        timer_init(&l->g[i].alarm, alarm_rings, &l->g[i], fake_random(pcpu_count));
    }
    return l;
}

static void begin(unsigned cpus, uint64_t seed, unsigned one_in)
{
    struct many m = {
        .cpus = cpus, .seed = seed, .switch_one_in = one_in, .guest_enter = enter, .guest_leave = leave
    };

    loads = 0;
    sleepers_count = false;
    fake_seed(seed);
    many_start(&m);
}

/* ---- what should be, and what is ---- */

static bool counts(const struct load *l) { return sleepers_count || !l->g[0].burst; }

static double limit_of(const struct load *l)
{
    const struct guest *g = &l->g[0];
    double use = g->burst ? l->vcpus * (double)g->burst / (double)(g->burst + g->sleep) : l->vcpus;

    return l->cap && l->cap < use * 100 ? l->cap / 100.0 : use;
}

/* Water: the level at which the domains that count use up `room` processors. */
static void fill(double room)
{
    double low = 0, high = 1e6;

    for (unsigned round = 0; round < 100; round++) {
        double level = (low + high) / 2, sum = 0;

        for (unsigned i = 0; i < loads; i++) {
            double want = level * load[i].weight, most = limit_of(&load[i]);

            load[i].fair = !counts(&load[i]) ? 0 : want < most ? want : most;
            sum += load[i].fair;
        }
        if (sum > room)
            high = level;
        else
            low = level;
    }
}

/*
 * The other measure for those who sleep: at each moment, only who has work takes part, and all that do run
 * at once, as slowly as their shares are. (The first forgets nothing that a sleeper did not use; this one
 * remembers nothing.)
 */
static void fluid_rates(double now)
{
    double low = 0, high = 1e3;

    for (unsigned round = 0; round < 60; round++) {
        double level = (low + high) / 2, sum = 0;

        for (unsigned i = 0; i < loads; i++) {
            double most = 0;

            for (unsigned k = 0; k < load[i].vcpus; k++)
                most += load[i].g[k].asleep <= now;
            load[i].rate = level * load[i].weight < most ? level * load[i].weight : most;
            load[i].rate /= most ? most : 1;            /* of each */
            sum += load[i].rate * most;
        }
        if (sum > pcpu_count)
            high = level;
        else
            low = level;
    }
}

static double fluid_next(double now, double end)
{
    for (unsigned i = 0; i < loads; i++)
        for (unsigned k = 0; k < load[i].vcpus; k++) {
            const struct guest *g = &load[i].g[k];
            double at = g->asleep > now ? g->asleep : g->burst ? now + g->todo / load[i].rate + 1 : end;

            end = at < end ? at : end;
        }
    return end;
}

static void fluid_step(struct load *l, struct guest *g, double now, double next)
{
    if (g->asleep > now)
        return;
    l->fluid += l->rate * (next - now);
    g->todo -= l->rate * (next - now);
    if (g->burst && g->todo <= 0) {
        g->todo = (double)(g->burst / 2 + fake_random((uint32_t)g->burst));
        g->asleep = next + (double)(g->sleep / 2 + fake_random((uint32_t)g->sleep));
    }
}

static void fluid(double end)
{
    for (unsigned i = 0; i < loads; i++)
        load[i].fluid = 0;
    for (double now = 0, next; now < end; now = next) {
        fluid_rates(now);
        next = fluid_next(now, end);
        for (unsigned i = 0; i < loads; i++)
            for (unsigned k = 0; k < load[i].vcpus; k++)
                fluid_step(&load[i], &load[i].g[k], now, next);
    }
    for (unsigned i = 0; i < loads; i++)
        load[i].fluid /= end;
}

static uint64_t ran(const struct load *l)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < l->vcpus; i++)
        sum += vcpu_run_time(l->g[i].v) - l->g[i].before;
    return sum;
}

static void mark(void)
{
    for (unsigned i = 0; i < loads; i++)
        for (unsigned k = 0; k < load[i].vcpus; k++)
            load[i].g[k].before = vcpu_run_time(load[i].g[k].v);
}

struct result { double worst, above, mean, idle, wake_worst, wake_mean; };

/*
 * Lets it run and compares. worst, mean: error of a domain, in percent of its share, slack ns forgiven.
 * above: what one got above its cap, in percent of the cap.
 */
static struct result measure(uint64_t ns, uint64_t slack, bool tell)
{
    struct result r = { 0 };
    uint64_t start = now_ns(), sum = 0, idle = 0, took;
    double wakes = 0, late = 0;

    mark();
    for (unsigned i = 0; i < pcpu_count; i++)
        idle -= pcpus[i]->idle_ns;
    many_run(ns);
    took = now_ns() - start;
    for (unsigned i = 0; i < pcpu_count; i++)
        idle += pcpus[i]->idle_ns;
    for (unsigned i = 0; i < loads; i++)
        sum += counts(&load[i]) ? ran(&load[i]) : 0;
    fill((double)sum / (double)took);
    for (unsigned i = 0; i < loads; i++) {
        double want = load[i].fair * (double)took, other = load[i].fluid * (double)took;
        double got = (double)ran(&load[i]);
        double off = got > want ? got - want : want - got;

        for (unsigned k = 0; k < load[i].vcpus; k++) {
            r.wake_worst = load[i].g[k].worst > r.wake_worst ? load[i].g[k].worst : r.wake_worst;
            wakes += load[i].g[k].wakes;
            late += load[i].g[k].late;
        }
        if (!counts(&load[i]))
            continue;
        if (other)                  /* between the two all is well */
            off = (got > want) == (got < other) ? 0 : MIN(off, got > other ? got - other : other - got);
        off = off > slack ? (off - slack) / want * 100 : 0;
        r.worst = off > r.worst ? off : r.worst;
        if (load[i].cap)
            r.above = MAX(r.above, got * 10000 / (double)took / load[i].cap - 100);
        r.mean += off / loads;
        if (tell)
            printf("  weight %5u vcpus %u cap %3u: fair %8.3f ms got %8.3f ms\n", load[i].weight,
                   load[i].vcpus, load[i].cap, want / 1e6, got / 1e6);
    }
    r.idle = 100.0 * (double)idle / (double)took / pcpu_count;
    r.wake_mean = wakes ? late / wakes : 0;
    return r;
}

static void finish(void)
{
    many_end();
    for (unsigned i = 0; i < loads; i++) {
        domain_pause(load[i].d, false);
        for (unsigned k = 0; k < load[i].vcpus; k++)
            timer_stop(&load[i].g[k].alarm);
    }
    for (unsigned i = 0; i < pcpu_count; i++) {
        fake_be_cpu(i);
        fake_pending();
    }
    fake_be_cpu(0);
    for (unsigned i = 0; i < loads; i++)
        fake_domain_end(load[i].d);
    assert_int_equal(fake_leaks(), 0);
}

/* ---- what must hold at any moment ---- */

/*
 * A processor that idles while somebody waits who may run there gets a little time to notice, and one that
 * has strays to send them away.
 */
static uint64_t idle_since[MAX_CPUS], stray_since[MAX_CPUS];
#define NOTICE (8 * US)      /* a processor that is held up may take most of it */

static bool waits_for(const struct pcpu *c, const struct runqueue *q)
{
    list_for_each(at, &q->waiting)
        if (cpu_set_has(&list_entry(at, struct vcpu, sched.queue)->sched.hard, c->id))
            return true;
    return false;
}

static void look_for_waste(void)
{
    uint64_t now = now_ns();

    for (unsigned i = 0; i < pcpu_count; i++) {
        bool waste = false;

        for (unsigned k = 0; k < pcpu_count && vcpu_is_idle(pcpus[i]->current); k++)
            waste |= waits_for(pcpus[i], &pcpus[k]->rq);
        if (!waste)
            idle_since[i] = now;
        assert_true(now - idle_since[i] <= NOTICE);
        if (list_empty(&pcpus[i]->rq.strays))
            stray_since[i] = now;
        assert_true(now - stray_since[i] <= NOTICE);
    }
}

static void runstates_add_up(uint64_t born)
{
    for (unsigned i = 0; i < loads; i++)
        for (unsigned k = 0; k < load[i].vcpus; k++) {
            struct vcpu_runstate_info r;

            vcpu_runstate_get(load[i].g[k].v, &r);
            assert_true(r.time[0] + r.time[1] + r.time[2] + r.time[3] == now_ns() - born);
        }
}

/* ---- the tests ---- */

static bool nightly(void) { return getenv("NIGHTLY") != NULL; }
static void forget_latency(void)
{
    for (unsigned i = 0; i < loads; i++)
        for (unsigned k = 0; k < load[i].vcpus; k++)
            load[i].g[k].worst = load[i].g[k].wakes = load[i].g[k].late = 0;
}

static void random_hogs(unsigned domains, uint32_t ratio)
{
    uint32_t least = ratio > 16 ? 1 : 64;

    for (unsigned i = 0; i < domains; i++)
        add(1 + fake_random(4), least + fake_random(least * ratio - least), 0, 0);
}

static void say(const char *what, const struct result *r)
{
    print_message("%s: off by %.2f%%, idle %.3f%%, woken after %.0f us (mean %.1f)\n", what, r->worst,
                  r->idle, r->wake_worst / 1000, r->wake_mean / 1000);
}

static void worse(struct result *all, const struct result *r)
{
    all->worst = MAX(all->worst, r->worst);
    all->above = MAX(all->above, r->above);
    all->mean = MAX(all->mean, r->mean);
    all->idle = MAX(all->idle, r->idle);
    all->wake_worst = MAX(all->wake_worst, r->wake_worst);
    all->wake_mean = MAX(all->wake_mean, r->wake_mean);
}

/* Each domain within 2 % of its share in a second, weights up to 16 to 1. */
static void shares_in_a_second(void **state)
{
    struct result all = { 0 };

    for (unsigned seed = 1; seed <= (nightly() ? 1000u : 100u); seed++) {
        struct result r;
        unsigned cpus;

        fake_seed(seed);
        cpus = 1 + fake_random(8);
        begin(cpus, seed, 4);
        random_hogs(2 + fake_random(2 * cpus + 4), 16);
        many_run(300 * MS);
        r = measure(SECOND, 0, false);
        if (r.worst > 2)
            print_message("seed %u: %.2f%%\n", seed, r.worst);
        assert_true(r.worst <= 2);
        worse(&all, &r);
        finish();
    }
    say("a second, 1 to 8 processors", &all);
}

/* With weights up to 65535 to 1 in a minute; the smallest share is less than the shortest turn. */
static void shares_in_a_minute(void **state)
{
    struct result all = { 0 };

    for (unsigned seed = 1; seed <= (nightly() ? 100u : 8u); seed++) {
        struct result r;
        unsigned cpus;

        fake_seed(seed);
        cpus = 1 + fake_random(4);
        begin(cpus, seed, 8);
        random_hogs(2 + fake_random(2 * cpus + 4), 65535);
        add(1, 1, 0, 0);
        add(1, 65535, 0, 0);
        many_run(SECOND);
        r = measure(60 * SECOND, 2 * MS, false);
        if (r.worst > 2)
            print_message("seed %u: %.2f%%\n", seed, r.worst);
        assert_true(r.worst <= 2);
        worse(&all, &r);
        finish();
    }
    say("a minute, weights 1 to 65535", &all);
}

static void shares_on_256(void **state)
{
    struct result r;

    begin(256, 1, 4);
    random_hogs(300, 16);
    many_run(300 * MS);
    r = measure(SECOND, 0, false);
    say("a second, 256 processors", &r);
    assert_true(r.worst <= 2);
    finish();
}

/*
 * As many domains that compute as there are processors, and one to as many that work in bursts of 300 us:
 * while these sleep, nobody waits anywhere.
 */
static void short_bursts_get_their_share(void **state)
{
    static const uint64_t sleep[] = { 50 * US, 100 * US, 300 * US, MS };
    struct result all = { 0 };

    for (unsigned i = 0; i < 24; i++) {
        unsigned cpus = 1u << i / 8, bursts;
        struct result r;

        begin(cpus, i, 4);
        bursts = 1 + fake_random(cpus);
        sleepers_count = true;
        for (unsigned k = 0; k < cpus; k++)
            add(1, 256, 0, 0);
        for (unsigned k = 0; k < bursts; k++)
            add(1, i & 4 ? 1024 : 256, 300 * US, sleep[i % 4]);
        many_run(300 * MS);
        r = measure(2 * SECOND, 0, false);
        if (r.worst > 2)
            print_message("case %u: %.2f%%\n", i, r.worst);
        worse(&all, &r);
        finish();
    }
    say("short bursts", &all);
    assert_true(all.worst <= 2);
}

/*
 * The same at random, with several vCPUs each, between the two measures. 20 ms are two percent of a
 * processor.
 */
static void random_bursts_get_their_share(void **state)
{
    unsigned runs = nightly() ? 300 : 60;
    double worst = 0, mean = 0;

    for (unsigned seed = 1; seed <= runs; seed++) {
        struct result r;
        unsigned cpus;

        fake_seed(seed);
        cpus = 1 + fake_random(8);
        begin(cpus, seed, 4);
        sleepers_count = true;
        for (unsigned i = 0; i < cpus + seed % cpus; i++)
            add(1, 64 + fake_random(960), 0, 0);
        for (unsigned i = 0; i < 1 + seed % (cpus + 2); i++)
            add(1 + fake_random(3), 64 + fake_random(960), 100 * US + fake_random(900 * US),
                50 * US + fake_random(1000 * US));
        many_run(300 * MS);
        fluid((double)SECOND);
        r = measure(SECOND, 20 * MS, false);
        worst = MAX(worst, r.worst);
        mean += r.mean / runs;
        finish();
    }
    print_message("random bursts, 20 ms forgiven: off by %.2f%%, mean %.3f%%\n", worst, mean);
    assert_true(worst <= (nightly() ? 15 : 10) && mean <= 0.05);
}

/* vCPUs of one domain that take turns are together worth no more than their domain's weight. */
static void relay_leave(struct pcpu *c, struct vcpu *v, uint64_t since, bool did)
{
    struct load *l = &load[v->domain->id - 1];

    if (l->vcpus == 1 || !did)
        return;
    vcpu_pause(v, PAUSE_BLOCKED, false);
    vcpu_unpause(l->g[(v->id + 1) % l->vcpus].v, PAUSE_BLOCKED);
}

static uint64_t relay_enter(struct pcpu *c, struct vcpu *v)
{
    return load[v->domain->id - 1].vcpus == 1 ? NEVER : now_ns() + 300 * US;
}

static void taking_turns_gains_nothing(void **state)
{
    struct many m = {
        .cpus = 1, .seed = 1, .switch_one_in = 4, .guest_enter = relay_enter, .guest_leave = relay_leave
    };
    struct result r;

    loads = 0;
    sleepers_count = false;
    many_start(&m);
    add(1, 256, 0, 0);
    add(4, 256, 0, 0);
    for (unsigned i = 1; i < 4; i++)
        vcpu_pause(load[1].g[i].v, PAUSE_BLOCKED, false);
    many_run(300 * MS);
    r = measure(SECOND, 0, false);
    print_message("a domain whose vCPUs take turns: off by %.2f%%\n", r.worst);
    assert_true(r.worst <= 2);
    finish();
}

/* A weight that is raised is not worth more because of what the domain was owed by the old one. */
static void a_new_weight_pays_no_old_debts(void **state)
{
    begin(1, 1, 4);
    add(1, 1024, 0, 0);
    add(1, 1, 0, 0);
    add(1, 1024, 0, 0);
    domain_pause(load[1].d, false);
    many_run(100 * MS);
    domain_unpause(load[1].d);
    sched_domain_set(load[1].d, 65535, 0);
    mark();
    many_run(SECOND);
    print_message("beside a weight that was raised: %.1f and %.1f ms of 15\n", (double)ran(&load[0]) / 1e6,
                  (double)ran(&load[2]) / 1e6);
    assert_true(ran(&load[0]) >= 11 * MS && ran(&load[2]) >= 11 * MS);
    finish();
}

/*
 * Where one would rather run is no reason for less than its share, nor to move about while the share is
 * there.
 */
static void soft_affinity_is_a_wish(void **state)
{
    const struct cpu_set first = cpu_set_of(0), second = cpu_set_of(1);

    for (unsigned seed = 1; seed <= 10; seed++) {
        struct result r;

        begin(2, seed, 4);
        for (unsigned i = 0; i < 4; i++)
            add(1, 256, 0, 0);
        for (unsigned i = 0; i < 4; i++)
            vcpu_affinity_set(load[i].g[0].v, NULL, i < 2 ? &first : &second, false);
        many_run(300 * MS);
        many_counts.moves = 0;
        many_run(SECOND);
        assert_true(many_counts.moves == 0);
        vcpu_affinity_set(load[2].g[0].v, NULL, &first, false);
        many_run(300 * MS);
        r = measure(SECOND, 0, false);
        assert_true(r.worst <= 5);
        finish();
    }
}

/* Eight processors in four cores: four that compute have a core each, wherever they were. */
static void a_core_each(void **state)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        unsigned busy[4] = { 0 };

        begin(8, seed, 4);
        for (unsigned i = 0; i < 8; i++) {
            pcpus[i]->core_id = i / 2;
            pcpus[i]->topology_known = true;
        }
        sched_topology();
        many_run(MS);
        for (unsigned i = 0; i < 4; i++) {
            add(1, 256, 0, 0);
            many_run(MS);
        }
        for (unsigned i = 0; i < 8; i++)
            busy[i / 2] += !vcpu_is_idle(pcpus[i]->current);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(busy[i], 1);
        finish();
    }
}

/*
 * Caps bind and are used up, whether the others leave room or not. What is left goes to the others by their
 * weights; but capped domains that work side by side at the beginning of their periods keep some from it
 * that then cannot use more than they have vCPUs, in one load of sixty. Nightly's are many.
 */
static void caps_hold(void **state)
{
    struct result all = { 0 };

    for (unsigned seed = 1; seed <= (nightly() ? 1000u : 60u); seed++) {
        struct result r;
        unsigned cpus;

        fake_seed(seed);
        cpus = 1 + fake_random(6);
        begin(cpus, seed, 4);
        random_hogs(2 + fake_random(cpus), 4);
        for (unsigned i = 0; i < loads; i += 2) {
            load[i].cap = 5 + fake_random(load[i].vcpus * 100);
            sched_domain_set(load[i].d, load[i].weight, load[i].cap);
        }
        many_run(300 * MS);
        r = measure(SECOND, 0, false);
        if (r.worst > 2)
            print_message("seed %u: %.2f%%\n", seed, r.worst);
        worse(&all, &r);
        finish();
    }
    say("caps", &all);
    print_message("above the cap: %.2f%%\n", all.above);
    assert_true(all.above <= 2);
    assert_true(all.worst <= (nightly() ? 20 : 2));
}

/* What was not used of a budget is lost: a second of sleep is worth no more than one period. */
static void a_cap_saves_nothing_up(void **state)
{
    begin(2, 1, 4);
    add(2, 256, 0, 0);
    sched_domain_set(load[0].d, 256, 20);
    many_run(100 * MS);
    domain_pause(load[0].d, false);
    many_run(SECOND);
    mark();
    domain_unpause(load[0].d);
    many_run(100 * MS);
    assert_true(ran(&load[0]) >= 20 * MS && ran(&load[0]) <= 25 * MS);
    finish();
}

/* Domains that wake, work for less than their share and sleep: served soon, whoever computes beside them. */
static void who_wakes_runs_soon(void **state)
{
    struct result all = { 0 };

    for (unsigned seed = 1; seed <= (nightly() ? 300u : 30u); seed++) {
        struct result r;
        unsigned cpus;

        fake_seed(seed);
        cpus = 1 + fake_random(8);
        begin(cpus, seed, 4);
        random_hogs(2 * cpus, 4);
        for (unsigned i = 0; i < cpus; i++)
            add(1, 256, 100 * US, 10 * MS);
        many_run(300 * MS);
        forget_latency();
        r = measure(SECOND, 0, false);
        assert_true(r.wake_worst <= 10 * MS);
        assert_true(r.wake_mean <= 100 * US);

        worse(&all, &r);
        finish();
    }
    say("sleepers among hogs", &all);
}

/* Loads that sleep, wake, are pinned here and there and paused, all the time. */
static unsigned changes;

static void change_something(const struct vcpu *by)
{
    struct load *l = &load[fake_random(loads)];
    struct vcpu *v = l->g[fake_random(l->vcpus)].v;
    struct cpu_set set = { 0 };

    for (unsigned i = 0; i < pcpu_count; i++)
        if (fake_random(2))
            cpu_set_add(&set, i);
    cpu_set_add(&set, fake_random(pcpu_count));
    __atomic_fetch_add(&changes, 1, __ATOMIC_RELAXED);
    switch (fake_random(8)) {
    case 6:
    case 7:
        vcpu_pause(v, PAUSE_INTERNAL, false);
        vcpu_unpause(v, PAUSE_INTERNAL);
        break;
    case 0:
        vcpu_affinity_set(v, &set, NULL, false);
        break;
    case 1:
        vcpu_affinity_set(v, NULL, &set, false);
        break;
    case 2:
        sched_domain_set(l->d, 1 + fake_random(65535), fake_random(3) ? 0 : 1 + fake_random(300));
        break;
    case 3:
        /* Nobody waits for his own domain to stand still: two of its vCPUs would wait for each other. */
        if (l->d == by->domain)
            break;
        domain_pause(l->d, true);
        domain_unpause(l->d);
        break;
    default:
        vcpu_unpause(v, PAUSE_BLOCKED);
    }
}

static uint64_t unrest_enter(struct pcpu *c, struct vcpu *v)
{
    return enter(c, v);
}

static void unrest_leave(struct pcpu *c, struct vcpu *v, uint64_t since, bool did)
{
    leave(c, v, since, did);
    if (fake_random(8) == 0)
        vcpu_yield(v);
    if (v->domain->id == 1 && fake_random(4) == 0)
        change_something(v);
}

static void unrest_run(unsigned cpus, uint64_t seed, uint64_t ns)
{
    struct many m = { .cpus = cpus, .seed = seed, .switch_one_in = 3, .guest_enter = unrest_enter,
                      .guest_leave = unrest_leave };
    uint64_t born;

    if (MANY_DETERMINISTIC)
        m.all_quiet = look_for_waste;
    loads = 0;
    fake_seed(seed);
    many_start(&m);
    born = now_ns();
    for (unsigned i = 0; i < cpus; i++)
        idle_since[i] = stray_since[i] = born;
    add(2, 256, 20 * US, 30 * US);
    for (unsigned i = 0; i < cpus; i++)
        add(1 + fake_random(4), 1 + fake_random(1000), 5 * US + fake_random(200 * US),
            1 + fake_random(200 * US));
    add(2, 256, 0, 0);
    many_run(ns);
    runstates_add_up(born);
    finish();
}

static void nothing_breaks(void **state)
{
    unsigned runs = !MANY_DETERMINISTIC ? 4 : nightly() ? 3000 : 120;

    for (unsigned seed = 1; seed <= runs; seed++)
        unrest_run(MANY_DETERMINISTIC ? 1 + seed % 6 : 4, seed, 10 * MS);
    assert_true(changes > (MANY_DETERMINISTIC ? 100 : 0));        /* how far threads get, the host says */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_breaks), cmocka_unit_test(shares_in_a_second),
        cmocka_unit_test(shares_in_a_minute), cmocka_unit_test(shares_on_256),
        cmocka_unit_test(short_bursts_get_their_share),
        cmocka_unit_test(random_bursts_get_their_share),
        cmocka_unit_test(taking_turns_gains_nothing),
        cmocka_unit_test(a_new_weight_pays_no_old_debts), cmocka_unit_test(soft_affinity_is_a_wish),
        cmocka_unit_test(caps_hold), cmocka_unit_test(a_cap_saves_nothing_up),
        cmocka_unit_test(a_core_each), cmocka_unit_test(who_wakes_runs_soon),
    };
    const struct CMUnitTest threads[] = { cmocka_unit_test(nothing_breaks) };

    return MANY_DETERMINISTIC ? cmocka_run_group_tests(tests, NULL, NULL) :
                                cmocka_run_group_tests(threads, NULL, NULL);
}
