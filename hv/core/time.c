/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as guests see it.
 *
 * A guest computes system time from its own TSC and four numbers (TSC and time at one moment, and a scale)
 * that stand in its vcpu_info and, for its user programs, in a second place that it names. The writer makes
 * the version odd, writes, and makes it even; readers retry.
 *
 * Where the TSC runs at one rate on all processors, one pair (TSC, time) is taken for the whole machine and
 * never again. All vCPUs then compute from identical numbers, so no two clocks of a guest can disagree,
 * which is what the stable bit promises; and nothing is written when a vCPU is switched to, because nothing
 * has changed.
 *
 * Where it does not, or where system time does not come from it at all, the pair is taken anew whenever a
 * vCPU starts to run, since it may have come to another processor, and twice a second while it runs; the
 * scale follows what was seen of that processor's TSC. The stable bit is off then, and a guest sees to it
 * itself that its clock does not go back by the little that two pairs may differ.
 */
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/pcpu.h>
#include <hv/time.h>
#include <hw/hw.h>

#define SECOND       1000000000ul
#define RENEW_NS     500000000ul
#define SAMPLE_TRIES 3u

/* ---- system time for guests ---- */

struct clock { uint64_t tsc, ns; struct tsc_scale scale; };

static struct clock machine;            /* of the reliable TSC; taken once */
static uint32_t machine_taken;          /* 0 no, 1 being taken, 2 yes; atomic */

/* The TSC halfway between before and after belongs to the time read in between: the quickest of some
 * tries. */
static struct clock clock_sample(void)
{
    struct clock c = { .scale = tsc_scale_from_khz(tsc_khz()) };
    uint64_t least = ~0ull;

    for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
        uint64_t before = tsc_now(), ns = now_ns(), after = tsc_now();

        if (after - before >= least)
            continue;
        least = after - before;
        c.ns = ns;
        c.tsc = before + least / 2;
    }
    return c;
}

/* ---- where the TSC is not reliable: each processor's is watched, and guests' numbers are renewed ---- */

static uint32_t keeper;                 /* the processor that never lets go of the clock, + 1; atomic */

/* Whoever runs here gets new numbers. Where nobody does, one processor goes on, lest a narrow counter
 * wraps. */
static void renew(void *arg, uint64_t now)
{
    struct pcpu *c = arg;

    if (!vcpu_is_idle(c->current))
        vcpu_time_update(c->current);
    else if (__atomic_load_n(&keeper, __ATOMIC_RELAXED) == c->id + 1)
        timer_set(&c->renew, now + RENEW_NS);
}

static void renew_ready(struct pcpu *c, const struct clock *now)
{
    uint32_t none = 0;

    timer_init(&c->renew, renew, c, c->id);
    clock_rate_begin(&c->tsc_rate, now->tsc, now->ns, tsc_khz() * 1000);
    __atomic_compare_exchange_n(&keeper, &none, c->id + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static struct clock clock_local(void)
{
    struct pcpu *c = this_cpu();
    struct clock now = clock_sample();

    if (!c->renew.fn)
        renew_ready(c, &now);
    now.scale = tsc_scale_from_hz(clock_rate_look(&c->tsc_rate, now.tsc, now.ns));
    timer_set(&c->renew, now.ns + RENEW_NS);
    return now;
}

static struct clock clock_now(void)
{
    uint32_t none = 0;

    if (!tsc_reliable())
        return clock_local();
    if (__atomic_compare_exchange_n(&machine_taken, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
        machine = clock_sample();
        __atomic_store_n(&machine_taken, 2, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(&machine_taken, __ATOMIC_ACQUIRE) != 2)
        hw_relax();
    return machine;
}

static void fill(struct vcpu_time_info *t, const struct clock *c, const struct domain *d)
{
    t->tsc_timestamp = c->tsc;
    t->system_time = c->ns;
    t->tsc_to_system_mul = c->scale.mul;
    t->tsc_shift = c->scale.shift;
    t->flags = d->tsc_stable ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
}

static void write_info(struct vcpu_time_info *t, const struct clock *c, const struct domain *d)
{
    uint32_t version = __atomic_load_n(&t->version, __ATOMIC_RELAXED) & ~1u;

    /* what follows stays behind */
    (void)__atomic_exchange_n(&t->version, version + 1, __ATOMIC_ACQUIRE);
    fill(t, c, d);
    __atomic_store_n(&t->version, version + 2, __ATOMIC_RELEASE);
}

/* The guest's own area has no fixed mapping: three checked writes. An area that is not there is no error. */
static void write_area(struct vcpu *v, const struct clock *c)
{
    struct vcpu_time_info t = { .version = v->time_version + 1 };
    gaddr_t at = v->time_area;

    fill(&t, c, v->domain);
    if (guest_write(at, &t.version, sizeof(t.version)))
        return;
    if (guest_write(GADDR(at.va + sizeof(t.version)), (char *)&t + sizeof(t.version),
                    sizeof(t) - sizeof(t.version)))
        return;
    t.version = v->time_version += 2;
    if (guest_write(at, &t.version, sizeof(t.version)))
        return;
    v->time_area_valid = true;
}

void vcpu_time_update(struct vcpu *v)
{
    struct vcpu_time_info *t = &v->info->time;
    struct clock c;

    vcpu_timers_resume(v);
    if (v->domain->tsc_stable && t->version && t->tsc_to_system_mul &&
        (!v->time_area.va || v->time_area_valid))
        return;
    c = clock_now();
    write_info(t, &c, v->domain);
    if (v->time_area.va)
        write_area(v, &c);
}

/* ---- wall clock ---- */

static struct { spinlock_t lock; uint64_t sec; uint32_t nsec; } wall = { .lock = SPINLOCK(LOCK_TIMER) };

void wallclock_write(struct domain *d)
{
    struct shared_info *s = d->shared_info;
    uint32_t version;
    uint64_t sec;

    spin_lock(&wall.lock);
    sec = wall.sec + (uint64_t)d->time_offset_seconds;
    version = __atomic_load_n(&s->wc_version, __ATOMIC_RELAXED) & ~1u;
    (void)__atomic_exchange_n(&s->wc_version, version + 1, __ATOMIC_ACQUIRE);
    s->wc_sec = (uint32_t)sec;
    s->wc_sec_hi = (uint32_t)(sec >> 32);
    s->wc_nsec = wall.nsec;
    __atomic_store_n(&s->wc_version, version + 2, __ATOMIC_RELEASE);
    spin_unlock(&wall.lock);
}

void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
    uint64_t ns = nsec % SECOND, back = system_time / SECOND;

    sec += nsec / SECOND;
    /* The moment of system time 0, borrowing a second where the nanoseconds do not suffice. */
    system_time %= SECOND;
    if (ns < system_time) {
        ns += SECOND;
        back++;
    }
    spin_lock(&wall.lock);
    wall.sec = sec > back ? sec - back : 0;
    wall.nsec = (uint32_t)(ns - system_time);
    spin_unlock(&wall.lock);

    for (struct domain *d = domain_get_from(0), *next; d; d = next) {
        wallclock_write(d);
        next = domain_get_from((domid_t)(d->id + 1));
        domain_put(d);
    }
}

uint64_t wallclock_seconds_now(void)
{
    uint64_t now = now_ns(), seconds;

    spin_lock(&wall.lock);
    seconds = wall.sec + (now + wall.nsec) / SECOND;
    spin_unlock(&wall.lock);
    return seconds;
}
