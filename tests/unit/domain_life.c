/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and vCPUs: creation and its refusals, references, pause, shutdown, crash, watchdog, death; clocks.
 */
#include "fake.h"

#include <hv/ops.h>
#include <hv/time.h>

#include <abi/sched.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct domain *d0, *d1;
static evtchn_port_t dom_exc;

static bool pending(struct domain *d, uint32_t port)
{
    bool is = event_port_pending(d, port);

    d->shared_info->evtchn_pending[port / 64] &= ~(1ull << port % 64);
    return is;
}

static int setup(void **state)
{
    struct evtchn_bind_virq b = { .virq = VIRQ_DOM_EXC };

    fake_machine(1);
    d0 = fake_domain(0, 1, true, 63);
    d1 = fake_domain(1, 2, false, 63);
    if (event_op_bind_virq(d0->vcpu[0], d0, &b))
        return -1;
    dom_exc = b.port;
    fake_pending();
    return 0;
}

static int teardown(void **state)
{
    if (d1)
        fake_domain_end(d1);
    fake_domain_end(d0);
    return fake_leaks() != 0;
}

static struct domain *create(domid_t id, struct xen_domctl_createdomain c, int *err)
{
    return domain_create(id, &c, false, err);
}

static void bad_configurations_are_refused(void **state)
{
    struct xen_domctl_createdomain ok = { .max_vcpus = 1 }, c;
    int err;

    assert_null(create(DOMID_FIRST_RESERVED, ok, &err));
    assert_int_equal(err, -XEN_EINVAL);
    assert_null(create(1, ok, &err));
    assert_int_equal(err, -XEN_EEXIST);
    c = ok;
    c.max_vcpus = 0;
    assert_null(create(5, c, &err));
    assert_int_equal(err, -XEN_EINVAL);
    c.max_vcpus = MAX_VCPUS + 1;
    assert_null(create(5, c, &err));
    c = ok;
    c.flags = XEN_DOMCTL_CDF_hvm;
    assert_null(create(5, c, &err));
    c = ok;
    c.max_grant_frames = 1 << 20;
    assert_null(create(5, c, &err));
    assert_int_equal(err, -XEN_EINVAL);
    assert_null(domain_get(5));
    assert_int_equal(domain_add_vcpu(d1, 0), -XEN_EEXIST);
    assert_int_equal(domain_add_vcpu(d1, 2), -XEN_EINVAL);
}

static void the_list_is_in_order(void **state)
{
    const domid_t id[] = { 300, 7, 299, 44, 301, 0x7fef };
    const domid_t sorted[] = { 0, 1, 7, 44, 299, 300, 301, 0x7fef };
    struct domain *d[6];
    unsigned n = 0;

    for (unsigned i = 0; i < 6; i++)
        d[i] = fake_domain(id[i], 1, false, 31);
    for (struct domain *x = domain_get_from(0), *next; x; x = next) {
        assert_int_equal(x->id, sorted[n++]);
        next = domain_get_from((domid_t)(x->id + 1));
        domain_put(x);
    }
    assert_int_equal(n, 8);
    for (unsigned i = 0; i < 6; i++) {
        struct domain *x = domain_get(id[i]);

        assert_ptr_equal(x, d[i]);
        domain_put(x);
        fake_domain_end(d[i]);
        assert_null(domain_get(id[i]));
    }
}

static void pauses_are_counted(void **state)
{
    struct vcpu *v = d1->vcpu[0];

    domain_pause(d1, true);
    domain_pause(d1, true);
    assert_int_equal(v->pause_flags, PAUSE_CONTROL);
    domain_unpause(d1);
    assert_int_equal(v->pause_flags, PAUSE_CONTROL);
    domain_unpause(d1);
    assert_int_equal(v->pause_flags, 0);
    domain_unpause(d1);                         /* one too many does nothing */
    assert_int_equal(d1->pause_count, 0);
}

static void shutdown_is_told_and_can_be_undone(void **state)
{
    struct xen_domctl_getdomaininfo info;

    assert_int_equal(domain_resume(d1), -XEN_EINVAL);
    assert_int_equal(sched_op_shutdown(d1->vcpu[0], d1, &(struct sched_shutdown){ 9 }), -XEN_EINVAL);
    assert_int_equal(sched_op_shutdown(d1->vcpu[0], d1, &(struct sched_shutdown){ SHUTDOWN_suspend }), 0);
    assert_true(pending(d0, dom_exc));
    domain_info(d1, &info);
    assert_int_equal(info.flags & XEN_DOMINF_shutdown, XEN_DOMINF_shutdown);
    assert_int_equal(info.flags >> XEN_DOMINF_shutdownshift, SHUTDOWN_suspend);
    assert_int_equal(info.nr_online_vcpus, 2);
    assert_int_equal(info.max_vcpu_id, 1);
    assert_int_equal(info.shared_info_frame, d1->shared_info_mfn.n);
    domain_shutdown(d1, SHUTDOWN_crash);        /* the first word counts */
    assert_false(pending(d0, dom_exc));
    assert_int_equal(domain_resume(d1), 0);
    assert_int_equal(d1->vcpu[0]->pause_flags, 0);
    domain_info(d1, &info);
    assert_int_equal(info.flags & XEN_DOMINF_shutdown, 0);
}

static void a_reason_told_early_is_kept(void **state)
{
    assert_int_equal(sched_op_shutdown_code(d1->vcpu[0], d1, &(struct sched_shutdown){ SHUTDOWN_crash }), 0);
    assert_int_equal(sched_op_shutdown_code(d1->vcpu[0], d1, &(struct sched_shutdown){ SHUTDOWN_reboot }),
                     -XEN_EINVAL);
    domain_shutdown(d1, SHUTDOWN_poweroff);
    assert_int_equal(d1->shutdown_reason, SHUTDOWN_crash);
}

static void a_crash_says_why(void **state)
{
    domain_crash(d1, "frame %x is not %s", 0x77u, "nice");
    assert_non_null(strstr(fake_console, "d1 crashed: frame 77 is not nice\n"));
    assert_int_equal(d1->shutdown_reason, SHUTDOWN_crash);
    assert_int_equal(d1->vcpu[1]->pause_flags, PAUSE_SHUTDOWN);
}

static void remote_shutdown(void **state)
{
    struct sched_remote_shutdown r = { .domain_id = 1, .reason = SHUTDOWN_reboot };

    assert_int_equal(sched_op_remote_shutdown(d0->vcpu[0], d0, &r), -XEN_ESRCH);
    assert_int_equal(sched_op_remote_shutdown(d0->vcpu[0], d1, &r), 0);
    assert_int_equal(d1->shutdown_reason, SHUTDOWN_reboot);
}

static int watchdog(uint32_t id, uint32_t timeout)
{
    return sched_op_watchdog(d1->vcpu[0], d1, &(struct sched_watchdog){ id, timeout });
}

static void pass(uint64_t ns)
{
    fake_now += ns;
    pcpu_raise(host_cpu, PENDING_TIMER);
    fake_pending();
}

static void watchdogs_bite(void **state)
{
    assert_int_equal(watchdog(0, 0), -XEN_EINVAL);
    assert_int_equal(watchdog(1, 5), -XEN_EINVAL);
    assert_int_equal(watchdog(0, 5), 1);
    assert_int_equal(watchdog(0, 3), 2);
    assert_int_equal(watchdog(0, 5), -XEN_ENOSPC);
    pass(2000000000);
    assert_int_equal(watchdog(2, 0), 0);
    assert_int_equal(watchdog(1, 4), 0);
    pass(3900000000);
    assert_false(d1->shut_down);
    pass(100000000);
    assert_true(d1->shut_down);
    assert_int_equal(d1->shutdown_reason, SHUTDOWN_watchdog);
}

static void death_is_told_and_complete(void **state)
{
    struct domain *held = domain_get(1), *seen;

    assert_int_equal(domain_kill(d0), -XEN_EINVAL);
    assert_ptr_equal(held, d1);
    domain_pause(d1, false);
    fake_pending();
    fake_preempt_one_in = 2;
    while (domain_kill(d1) == -XEN_ERESTART)
        ;
    assert_int_equal(domain_kill(d1), 0);
    assert_true(pending(d0, dom_exc));
    fake_pending();
    seen = domain_get(1);                       /* still there: we hold it */
    assert_ptr_equal(seen, d1);
    domain_put(seen);
    domain_put(held);
    fake_pending();
    assert_null(domain_get(1));
    assert_true(pending(d0, dom_exc));
    d1 = NULL;
}

/* ---- vCPUs ---- */

static void up_and_down(void **state)
{
    struct vcpu *v = d1->vcpu[0], *other = d1->vcpu[1];
    struct vcpu_guest_context c = { .flags = VGCF_online };

    assert_int_equal(vcpu_op_is_up(v, other, NULL), 1);
    assert_int_equal(vcpu_op_down(v, other, NULL), 0);
    assert_int_equal(vcpu_op_is_up(v, other, NULL), 0);
    assert_int_equal(vcpu_op_initialise(v, other, &c), -XEN_EEXIST);
    other->initialised = false;
    assert_int_equal(vcpu_op_up(v, other, NULL), -XEN_EINVAL);
    assert_int_equal(vcpu_op_initialise(v, other, &c), 0);
    assert_int_equal(vcpu_op_is_up(v, other, NULL), 1);
    assert_int_equal(vcpu_op_down(v, other, NULL), 0);
    assert_false(d1->shut_down);
    assert_int_equal(vcpu_op_down(v, v, NULL), 0);              /* the last one */
    assert_true(d1->shut_down);
    assert_int_equal(d1->shutdown_reason, SHUTDOWN_poweroff);
}

static void vcpu_info_moves_once(void **state)
{
    struct vcpu *v = d1->vcpu[0];
    struct vcpu_register_vcpu_info r = { .mfn = fake_frame_new(d1).n, .offset = 4096 - 60 };
    mfn_t own = MFN(r.mfn), foreign = fake_frame_new(d0);

    assert_int_equal(vcpu_op_register_info(v, v, &r), -XEN_EINVAL);
    r.offset = 4;
    assert_int_equal(vcpu_op_register_info(v, v, &r), -XEN_EINVAL);
    r.offset = 64;
    assert_int_equal(vcpu_op_register_info(v, d1->vcpu[1], &r), -XEN_EINVAL);   /* runs */
    r.mfn = foreign.n;
    assert_int_equal(vcpu_op_register_info(v, v, &r), -XEN_EINVAL);
    r.mfn = own.n;
    v->info->evtchn_upcall_mask = 1;
    assert_int_equal(vcpu_op_register_info(v, v, &r), 0);
    assert_ptr_equal(v->info, (char *)frame_map(own) + 64);
    assert_int_equal(v->info->evtchn_upcall_mask, 1);
    assert_int_equal(v->info->evtchn_upcall_pending, 1);        /* look at everything once */
    assert_int_equal(fake_frame[own.n].writers, 1);
    assert_int_equal(vcpu_op_register_info(v, v, &r), -XEN_EINVAL);
}

static evtchn_port_t bind_timer(void)
{
    struct evtchn_bind_virq b = { .virq = VIRQ_TIMER };

    assert_int_equal(event_op_bind_virq(d1->vcpu[0], d1, &b), 0);
    return b.port;
}

static void timers_of_a_vcpu(void **state)
{
    struct vcpu *v = d1->vcpu[0];
    struct vcpu_set_singleshot_timer s = { .timeout_abs_ns = fake_now - 1, .flags = VCPU_SSHOTTMR_future };
    evtchn_port_t port = bind_timer();

    assert_int_equal(vcpu_op_set_singleshot_timer(v, v, &s), -XEN_ETIME);
    assert_int_equal(vcpu_op_set_singleshot_timer(v, d1->vcpu[1], &s), -XEN_EINVAL);
    s.timeout_abs_ns = fake_now + 500;
    assert_int_equal(vcpu_op_set_singleshot_timer(v, v, &s), 0);
    pass(499);
    assert_false(pending(d1, port));
    pass(1);
    assert_true(pending(d1, port));

    assert_int_equal(hc_set_timer_op(v, fake_now + 700, 0, 0, 0, 0), 0);
    assert_int_equal(hc_set_timer_op(v, 0, 0, 0, 0, 0), 0);
    pass(1000);
    assert_false(pending(d1, port));
    assert_int_equal(hc_set_timer_op(v, ~0ull, 0, 0, 0, 0), 0);    /* nonsense: heals in 100 ms */
    pass(100000000);
    assert_true(pending(d1, port));

    assert_int_equal(vcpu_op_set_periodic_timer(v, v, &(struct vcpu_set_periodic_timer){ 1000 }),
                     -XEN_EINVAL);
    assert_int_equal(vcpu_op_set_periodic_timer(v, v, &(struct vcpu_set_periodic_timer){ 2000000 }), 0);
    for (unsigned i = 0; i < 5; i++) {
        v->on_cpu = true;                       /* it runs, or there would be only one tick */
        pass(2000000);
        assert_true(pending(d1, port));
    }
    v->on_cpu = false;
    assert_int_equal(vcpu_op_stop_periodic_timer(v, v, NULL), 0);
    pass(10000000);
    assert_false(pending(d1, port));
}

/* ---- time ---- */

static uint64_t guest_time(const struct vcpu_time_info *t)
{
    uint64_t ticks = tsc_now() - t->tsc_timestamp;

    ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
    return t->system_time + (uint64_t)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
}

static void guests_can_tell_the_time(void **state)
{
    struct vcpu_time_info area = { 0 };
    struct vcpu *v = d1->vcpu[0];
    struct vcpu_register_time_memory_area r;
    uint64_t error;

    r.addr.h = GADDR((uint64_t)&area);
    assert_int_equal(vcpu_op_register_time_area(v, v, &r), 0);
    for (unsigned i = 0; i < 3; i++) {
        fake_now += 3600ull * 1000000000;
        assert_int_equal(v->info->time.version % 2, 0);
        assert_int_equal(area.version % 2, 0);
        assert_int_equal(area.flags, XEN_PVCLOCK_TSC_STABLE_BIT);
        error = now_ns() - guest_time(&area);
        assert_true((int64_t)error >= -1 && error + 1 < 50000);
        assert_int_equal(guest_time(&area), guest_time(&v->info->time));
    }
    uint32_t version = area.version;

    vcpu_time_update(v);                        /* nothing has changed: nothing is written */
    assert_int_equal(area.version, version);
    r.addr.h = GADDR(0xffff800000000000);
    assert_int_equal(vcpu_op_register_time_area(v, v, &r), -XEN_EFAULT);
}

static void scales_are_exact_enough(void **state)
{
    for (uint64_t khz = 1000; khz < 6000000; khz = khz * 11 / 10 + 7) {
        struct tsc_scale s = tsc_scale_from_khz(khz);
        uint64_t day = tsc_to_ns(s, khz * 1000 * 86400);

        assert_true(s.mul >= 1u << 31);
        assert_true(day <= 86400000000000ull && day > 86400000000000ull - 100000);     /* 0.1 ms a day */
    }
}

static void the_wall_clock_borrows(void **state)
{
    const struct shared_info *s = d1->shared_info;

    wallclock_set(1800000000, 100, 5000000200ull);
    assert_int_equal(s->wc_sec, 1799999994);
    assert_int_equal(s->wc_nsec, 999999900);
    assert_int_equal(s->wc_version % 2, 0);
    fake_now = 5000000300ull;
    assert_int_equal(wallclock_seconds_now(), 1800000000);
    d1->time_offset_seconds = -3600;
    wallclock_write(d1);
    assert_int_equal(s->wc_sec, 1799999994 - 3600);
}

static void runstate_area_is_written(void **state)
{
    struct vcpu_runstate_info area = { .state = 77 };
    struct vcpu *v = d1->vcpu[0];
    struct vcpu_register_runstate_memory_area r = { .addr.h = GADDR((uint64_t)&area) };

    d1->pv.vm_assist = 1u << VMASST_TYPE_runstate_update_flag;
    assert_int_equal(vcpu_op_register_runstate_area(v, v, &r), 0);
    assert_true(area.state >= 0 && area.state <= 3);
    assert_int_equal(area.state_entry_time & XEN_RUNSTATE_UPDATE, 0);
    r.addr.h = GADDR(0xffff880000000000 - 8);
    assert_int_equal(vcpu_op_register_runstate_area(v, v, &r), -XEN_EFAULT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(bad_configurations_are_refused), CASE(the_list_is_in_order), CASE(pauses_are_counted),
        CASE(shutdown_is_told_and_can_be_undone), CASE(a_reason_told_early_is_kept), CASE(a_crash_says_why),
        CASE(remote_shutdown), CASE(watchdogs_bite), CASE(death_is_told_and_complete), CASE(up_and_down),
        CASE(vcpu_info_moves_once), CASE(timers_of_a_vcpu), CASE(guests_can_tell_the_time),
        CASE(scales_are_exact_enough), CASE(the_wall_clock_borrows), CASE(runstate_area_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
