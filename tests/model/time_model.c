/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as guests see it, and their timers: two domains whose vCPUs run here and there, are paused, moved and
 * added, on processors whose TSCs agree or do not.
 */
#include "fake.h"

#include <hv/ops.h>
#include <hv/time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS   4u
#define MS     1000000ull
#define SECOND 1000000000ull
#define HOUR   (3600 * SECOND)

static struct domain *dom[2];

/* Who runs where is decided by the tests here: no vCPU is on any queue of the scheduler's. */
static struct domain *new_domain(domid_t id, unsigned vcpus)
{
    struct domain *d = fake_domain(id, vcpus, id == 0, 1024);

    for_each_vcpu(d, v)
        vcpu_pause(v, PAUSE_INTERNAL, false);
    return d;
}

static void machine_with(bool reliable)
{
    fake_machine(CPUS);
    fake_seed(11);
    fake_tsc_unreliable = !reliable;
    dom[0] = new_domain(0, 2);
    dom[1] = new_domain(1, 3);
}

static void end(void)
{
    fake_domain_end(dom[1]);
    fake_domain_end(dom[0]);
    fake_pending();
}

/* What a guest's kernel computes on the processor where it runs. */
static uint64_t guest_time(const struct vcpu *v, unsigned cpu)
{
    const struct vcpu_time_info *t = &v->info->time;
    uint64_t ticks;

    fake_be_cpu(cpu);
    ticks = tsc_now() - t->tsc_timestamp;
    ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
    assert_int_equal(t->version % 2, 0);
    return t->system_time + (uint64_t)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
}

static void run_on(struct vcpu *v, unsigned cpu)
{
    fake_be_cpu(cpu);
    v->cpu = pcpus[cpu];
    pcpus[cpu]->current = v;
    vcpu_time_update(v);
}

static struct vcpu *some_vcpu(void)
{
    struct domain *d = dom[fake_random(2)];

    return d->vcpu[fake_random(d->max_vcpus)];
}

static void stop_everywhere(void)
{
    for (unsigned i = 0; i < CPUS; i++)
        pcpus[i]->current = pcpus[i]->idle;
    fake_be_cpu(0);
}

/* ---- clocks ---- */

static void wander(uint64_t longest, uint64_t apart)
{
    for (unsigned n = 0; n < 20000; n++) {
        struct vcpu *v = some_vcpu();
        unsigned cpu = fake_random(CPUS);
        uint64_t t;

        run_on(v, cpu);
        fake_now += fake_random(1000) * (longest / 1000);
        timer_run(pcpus[cpu]);
        t = guest_time(v, cpu);
        assert_true(llabs((int64_t)(t - fake_now)) <= (int64_t)apart);
        pcpus[cpu]->current = pcpus[cpu]->idle;
    }
}

static void reliable_clocks_agree_at_any_moment(void **state)
{
    machine_with(true);
    wander(100 * MS, 1000);
    fake_now += 30 * 24 * HOUR;
    wander(MS, 1000);
    for (unsigned i = 1; i < dom[1]->max_vcpus; i++)
        assert_int_equal(guest_time(dom[1]->vcpu[0], 0), guest_time(dom[1]->vcpu[i], 3));
    assert_int_equal(guest_time(dom[1]->vcpu[0], 2), guest_time(dom[0]->vcpu[0], 1));
    stop_everywhere();
    end();
}

/* Four TSCs that differ in where they stand and, by less than 40 ppm, in their rate. */
static void unreliable_clocks_agree_within_a_microsecond(void **state)
{
    machine_with(false);
    for (unsigned i = 0; i < CPUS; i++)
        fake_tsc[i] = (struct fake_tsc){ 2000, (uint64_t)i << 40 };
    wander(2 * MS, 1000);
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(dom[1]->vcpu[0]->info->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT, 0);
    stop_everywhere();
    end();
}

/* One processor runs one vCPU for long: nobody switches, so only the renewing timer keeps its clock right. */
static void a_clock_is_renewed_while_its_vcpu_runs(void **state)
{
    struct vcpu *v;

    machine_with(false);
    fake_tsc[1].mhz = 2001;                     /* 500 ppm quicker than was measured at boot */
    v = dom[1]->vcpu[0];
    run_on(v, 1);
    for (unsigned n = 0; n < 2000; n++) {
        fake_now += 10 * MS;
        timer_run(pcpus[1]);
        if (n > 100)                            /* a second after the rate was first seen */
            assert_true(llabs((int64_t)(guest_time(v, 1) - fake_now)) < 1000);
    }
    fake_tsc[1] = (struct fake_tsc){ 1000, tsc_now() - fake_now };      /* it changes its rate */
    for (unsigned n = 0; n < 2000; n++) {
        fake_now += 10 * MS;
        timer_run(pcpus[1]);
        if (n > 200)
            assert_true(llabs((int64_t)(guest_time(v, 1) - fake_now)) < 1000);
    }
    stop_everywhere();
    end();
}

/* Nobody runs: one processor goes on looking at the clock, the others rest. */
static void one_processor_keeps_a_narrow_counter(void **state)
{
    unsigned runs[CPUS] = { 0 };

    machine_with(false);
    for (unsigned i = 0; i < CPUS; i++)
        run_on(dom[1]->vcpu[0], i);
    stop_everywhere();
    for (unsigned n = 0; n < 100; n++) {
        fake_now += 100 * MS;
        for (unsigned i = 0; i < CPUS; i++) {
            fake_be_cpu(i);
            timer_run(pcpus[i]);
            runs[i] += pcpus[i]->timers.used;
        }
    }
    assert_true((runs[0] > 90) + (runs[1] > 90) + (runs[2] > 90) + (runs[3] > 90) == 1);
    assert_true(runs[0] + runs[1] + runs[2] + runs[3] < 120);
    fake_be_cpu(0);
    end();
}

static void an_hour_of_pause_changes_no_clock(void **state)
{
    machine_with(true);
    run_on(dom[1]->vcpu[0], 1);
    pcpus[1]->current = pcpus[1]->idle;
    fake_be_cpu(0);
    domain_pause(dom[1], false);
    fake_now += HOUR;
    domain_unpause(dom[1]);
    run_on(dom[1]->vcpu[0], 2);
    run_on(dom[0]->vcpu[0], 3);
    assert_int_equal(guest_time(dom[1]->vcpu[0], 2), guest_time(dom[0]->vcpu[0], 3));
    assert_true(llabs((int64_t)(guest_time(dom[1]->vcpu[0], 2) - fake_now)) < 1000);
    stop_everywhere();
    end();
}

/* A vCPU that comes up late computes from the numbers that the others have. */
static void a_vcpu_that_comes_later_has_the_same_time(void **state)
{
    machine_with(true);
    run_on(dom[1]->vcpu[0], 0);
    pcpus[0]->current = pcpus[0]->idle;
    fake_now += HOUR;
    run_on(dom[1]->vcpu[2], 3);
    assert_memory_equal(&dom[1]->vcpu[0]->info->time.tsc_timestamp,
                        &dom[1]->vcpu[2]->info->time.tsc_timestamp, 21);
    stop_everywhere();
    end();
}

static void the_wall_clock_is_one(void **state)
{
    const struct shared_info *s[2];

    machine_with(true);
    for (unsigned i = 0; i < 2; i++)
        s[i] = dom[i]->shared_info;
    for (unsigned n = 0; n < 2000; n++) {
        uint64_t sec = 1000000000ull + fake_random(2000000000), system = fake_random(2000000000) * 1000ull;
        uint32_t nsec = fake_random(1000000000);
        uint64_t at, seen[2];

        fake_now += fake_random(1000000);
        wallclock_set(sec, nsec, system);
        at = sec * SECOND + nsec - system;
        for (unsigned i = 0; i < 2; i++) {
            seen[i] = ((uint64_t)s[i]->wc_sec_hi << 32 | s[i]->wc_sec) * SECOND + s[i]->wc_nsec;
            assert_int_equal(seen[i], at);
            assert_true(s[i]->wc_nsec < SECOND);
            assert_int_equal(s[i]->wc_version % 2, 0);
        }
    }
    end();
}

/* ---- timers of guests ---- */

static uint32_t fired(struct vcpu *v)
{
    uint32_t before = v->info->evtchn_upcall_pending;

    v->info->evtchn_upcall_pending = 0;
    v->info->evtchn_pending_sel = 0;
    memset(v->domain->shared_info->evtchn_pending, 0, sizeof(v->domain->shared_info->evtchn_pending));
    return before;
}

static void bind_timer(struct vcpu *v)
{
    struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = v->id };

    assert_int_equal(event_op_bind_virq(v, v->domain, &b), 0);
    __atomic_fetch_and(&v->domain->shared_info->evtchn_mask[b.port / 64], ~(1ull << b.port % 64),
                       __ATOMIC_SEQ_CST);
    fired(v);
}

/* Deadlines to the nanosecond, on whichever processor the vCPU is: none early, none lost, none late. */
static void one_shots_are_exact_wherever_the_vcpu_is(void **state)
{
    struct vcpu *v;

    machine_with(true);
    v = dom[1]->vcpu[1];
    bind_timer(v);
    for (unsigned n = 0; n < 5000; n++) {
        uint64_t deadline = fake_now + 1 + fake_random(1000000);
        unsigned cpu = fake_random(CPUS);
        struct vcpu_set_singleshot_timer set = { deadline, fake_random(2) ? VCPU_SSHOTTMR_future : 0 };

        run_on(v, cpu);
        assert_int_equal(vcpu_op_set_singleshot_timer(v, v, &set), 0);
        assert_int_equal(v->singleshot.cpu, cpu);
        pcpus[cpu]->current = pcpus[cpu]->idle;
        if (fake_random(2))
            vcpu_timers_migrate(v, fake_random(CPUS));
        for (unsigned i = 0; i < 2; i++) {
            fake_now = i ? deadline : deadline - 1;
            for (unsigned c = 0; c < CPUS; c++) {
                fake_be_cpu(c);
                timer_run(pcpus[c]);
            }
            assert_int_equal(fired(v), i);
        }
    }
    fake_be_cpu(0);
    assert_int_equal(vcpu_op_set_singleshot_timer(v, v,
                                                  &(struct vcpu_set_singleshot_timer){
                                                      fake_now - 1, VCPU_SSHOTTMR_future }),
                     -XEN_ETIME);
    assert_int_equal(vcpu_op_set_singleshot_timer(v, v,
                                                  &(struct vcpu_set_singleshot_timer){ fake_now - 1, 0 }),
                     0);
    vcpu_timers_migrate(v, 0);
    timer_run(pcpus[0]);
    assert_int_equal(fired(v), 1);
    stop_everywhere();
    end();
}

static void a_vcpu_that_does_not_run_gets_one_tick(void **state)
{
    struct vcpu *v;
    unsigned ticks = 0;
    uint64_t start;

    machine_with(true);
    v = dom[1]->vcpu[0];
    bind_timer(v);
    run_on(v, 0);
    v->on_cpu = true;
    start = fake_now;
    assert_int_equal(vcpu_op_set_periodic_timer(v, v, &(struct vcpu_set_periodic_timer){ 3 * MS }), 0);
    for (unsigned n = 0; n < 1000; n++) {  /* it runs: each tick, on the grid, however late it is looked at */
        fake_now += 1 + fake_random(2 * MS);
        timer_run(pcpus[0]);
        ticks += fired(v);
        assert_int_equal(ticks, (fake_now - start) / (3 * MS));
    }
    domain_pause(dom[1], false);
    v->on_cpu = false;
    pcpus[0]->current = pcpus[0]->idle;
    ticks = 0;
    for (unsigned n = 0; n < 1000; n++) {
        fake_now += 10 * MS;
        timer_run(pcpus[0]);
        ticks += fired(v);
    }
    assert_int_equal(ticks, 1);
    assert_int_equal(pcpus[0]->timers.used, 0);
    domain_unpause(dom[1]);
    v->on_cpu = true;
    run_on(v, 0);
    fake_now += 3 * MS;
    timer_run(pcpus[0]);
    assert_int_equal(fired(v), 1);              /* it goes on, in step */
    assert_int_equal((v->periodic.deadline - start) % (3 * MS), 0);
    v->on_cpu = false;
    stop_everywhere();
    end();
}

/* A hundred domains that have set what kernels set, and wait: the hardware is told of nothing any more. */
static void those_who_wait_cost_no_interrupt(void **state)
{
    struct domain *many[100];
    uint64_t programs;

    fake_machine(CPUS);
    for (unsigned i = 0; i < 100; i++) {
        struct vcpu *v;

        many[i] = new_domain((domid_t)i, 1);
        v = many[i]->vcpu[0];
        run_on(v, i % CPUS);
        vcpu_op_set_periodic_timer(v, v, &(struct vcpu_set_periodic_timer){ MS });
        vcpu_op_set_singleshot_timer(v, v, &(struct vcpu_set_singleshot_timer){ fake_now + MS, 0 });
        stop_everywhere();
    }
    fake_now += SECOND;
    for (unsigned n = 0; n < 100; n++) {
        for (unsigned c = 0; c < CPUS; c++) {
            fake_be_cpu(c);
            timer_run(pcpus[c]);
            assert_int_equal(pcpus[c]->timers.programmed, ~0ull);
            assert_int_equal(pcpus[c]->timers.used, 0);
        }
        if (n == 0)
            programs = pcpus[0]->timers.programs;
        fake_now += 100 * MS;
    }
    assert_int_equal(pcpus[0]->timers.programs, programs);
    fake_be_cpu(0);
    for (unsigned i = 100; i-- > 0;)
        fake_domain_end(many[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reliable_clocks_agree_at_any_moment),
        cmocka_unit_test(unreliable_clocks_agree_within_a_microsecond),
        cmocka_unit_test(a_clock_is_renewed_while_its_vcpu_runs),
        cmocka_unit_test(one_processor_keeps_a_narrow_counter),
        cmocka_unit_test(an_hour_of_pause_changes_no_clock),
        cmocka_unit_test(a_vcpu_that_comes_later_has_the_same_time),
        cmocka_unit_test(the_wall_clock_is_one),
        cmocka_unit_test(one_shots_are_exact_wherever_the_vcpu_is),
        cmocka_unit_test(a_vcpu_that_does_not_run_gets_one_tick),
        cmocka_unit_test(those_who_wait_cost_no_interrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
