/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels from four processors at once, under ThreadSanitizer. Domains 0 and 1 are used by several
 * of them, domain 2 dies and comes back all the time. In the end every wire must have two ends that know
 * each other, and nothing may be left behind.
 */
#include "fake.h"

#include <hv/ops.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CPUS  4u
#define PORTS 32u
#define STEPS 3000u

static bool failed, killer_done;

static void must(bool ok) { if (!ok) __atomic_store_n(&failed, true, __ATOMIC_RELAXED); }

static void consume(struct domain *d)
{
    struct shared_info *s = d->shared_info;
    struct vcpu_info *info = __atomic_load_n(&d->vcpu[0]->info, __ATOMIC_SEQ_CST);
    uint64_t sel;

    __atomic_store_n(&info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    sel = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; sel; sel &= sel - 1)
        __atomic_exchange_n(&s->evtchn_pending[__builtin_ctzll(sel)], 0, __ATOMIC_SEQ_CST);
}

static void step(struct domain *d)
{
    struct vcpu *v = d->vcpu[0];
    domid_t other = (domid_t)fake_random(3);
    uint32_t port = fake_random(PORTS);

    switch (fake_random(10)) {
    case 0: {
        struct evtchn_alloc_unbound a = { .remote_dom = other };

        event_op_alloc_unbound(v, d, &a);
        break;
    }
    case 1:
    case 2: {
        struct evtchn_bind_interdomain b = { .remote_dom = other, .remote_port = port };

        event_op_bind_interdomain(v, d, &b);
        break;
    }
    case 3:
        event_op_close(v, d, &(struct evtchn_close){ port });
        break;
    case 4:
        event_op_bind_vcpu(v, d, &(struct evtchn_bind_vcpu){ port, 0 });
        event_op_set_priority(v, d, &(struct evtchn_set_priority){ port, fake_random(16) });
        break;
    case 5: {
        struct evtchn_status s = { .port = port };

        event_op_status(v, d, &s);
        event_op_unmask(v, d, &(struct evtchn_unmask){ port });
        break;
    }
    case 6:
        consume(d);
        event_raise_global_virq(VIRQ_CONSOLE);
        break;
    default:
        event_op_send(v, d, &(struct evtchn_send){ port });
    }
    fake_pending();
}

/* Processors 0 and 1 work for domain 0, processor 2 for domain 1. */
static void *worker(void *arg)
{
    unsigned cpu = (unsigned)(uintptr_t)arg;
    struct domain *d = domain_get(cpu == 2);

    fake_be_cpu(cpu);
    fake_seed(cpu + 1);
    for (unsigned n = 0; n < STEPS; n++)
        step(d);
    domain_put(d);
    /* A processor that runs a vCPU which is to die must go on answering. */
    while (!__atomic_load_n(&killer_done, __ATOMIC_ACQUIRE)) {
        fake_pending();
        hw_relax();
    }
    fake_pending();
    return NULL;
}

static void *killer(void *arg)
{
    fake_be_cpu(3);
    fake_seed(77);
    for (unsigned n = 0; n < STEPS / 100; n++) {
        struct domain *d = fake_domain(2, 1, false, PORTS - 1);

        must(d != NULL);
        if (fake_random(2)) {
            struct evtchn_init_control c = { .control_gfn = fake_frame_new(d).n };

            must(event_op_init_control(d->vcpu[0], d, &c) == 0);
            must(event_op_expand_array(d->vcpu[0], d, &(struct evtchn_expand_array){ fake_frame_new(d).n }) ==
                 0);
        }
        for (unsigned i = 0; i < 80; i++)
            step(d);
        fake_domain_end(d);
        /* Somebody may hold it a moment longer; its number is free when they have let go. */
        for (d = domain_get(2); d; d = domain_get(2)) {
            domain_put(d);
            fake_pending();
            hw_relax();
        }
    }
    __atomic_store_n(&killer_done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void check_wires(struct domain *d)
{
    uint32_t used = 1;

    for (uint32_t p = 1; p < PORTS; p++) {
        struct evtchn_status s = { .dom = d->id, .port = p }, far;
        struct domain *peer;

        if (event_op_status(d->vcpu[0], d, &s) || s.status == EVTCHNSTAT_closed)
            continue;
        used++;
        if (s.status != EVTCHNSTAT_interdomain)
            continue;
        peer = domain_get(s.u.interdomain.dom);
        assert_non_null(peer);
        far = (struct evtchn_status){ .dom = peer->id, .port = s.u.interdomain.port };
        assert_int_equal(event_op_status(peer->vcpu[0], peer, &far), 0);
        assert_int_equal(far.status, EVTCHNSTAT_interdomain);
        assert_int_equal(far.u.interdomain.dom, d->id);
        assert_int_equal(far.u.interdomain.port, p);
        domain_put(peer);
    }
    assert_int_equal(d->events.used, used);
}

static void four_processors_agree(void **state)
{
    pthread_t t[CPUS];
    struct domain *d0, *d1;

    fake_machine(CPUS);
    d0 = fake_domain(0, 1, true, PORTS - 1);
    d1 = fake_domain(1, 1, false, PORTS - 1);
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, i == 3 ? killer : worker, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(t[i], NULL);
    assert_false(failed);
    check_wires(d0);
    check_wires(d1);
    /* Only this thread is left: it does the others' work. */
    for (unsigned i = CPUS; i-- > 0;) {
        fake_be_cpu(i);
        domain_pause(d0, false);
        domain_pause(d1, false);
        fake_pending();
    }
    fake_domain_end(d1);
    fake_domain_end(d0);
    assert_int_equal(fake_leaks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(four_processors_agree) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
