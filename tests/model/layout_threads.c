/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of pending bits changes while four processors use it, under ThreadSanitizer. Processor 0 takes
 * domain 1 from two levels to FIFO, adds pages, and resets it, again and again; processors 1 and 2, vCPUs of
 * the same domain, open, send, unmask, move, poll and close; processor 3 sends from domain 0. Pages that the
 * reset gives back must be in nobody's hands. The second test has one processor change over, once a round,
 * while another sends: no event may be lost between the two layouts.
 */
#include "fake.h"

#include <hv/ops.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS   4u
#define PORTS  24u
#define ROUNDS 150u

static struct domain *d0, *d1;
static bool failed, over;

static void must(bool ok) { if (!ok) __atomic_store_n(&failed, true, __ATOMIC_RELAXED); }

static uint32_t open_ipi(struct vcpu *v, uint32_t target)
{
    struct evtchn_bind_ipi a = { .vcpu = target };

    return event_op_bind_ipi(v, v->domain, &a) ? 0 : a.port;
}

static void changer_round(struct vcpu *v, const mfn_t *control, mfn_t page)
{
    uint32_t before = open_ipi(v, 0);

    for (unsigned i = 0; i < 2; i++) {
        struct evtchn_init_control c = { .control_gfn = control[i].n, .vcpu = i };

        must(event_op_init_control(v, d1, &c) == 0);
        for (unsigned n = fake_random(50); n; n--)
            hw_relax();
    }
    must(event_op_expand_array(v, d1, &(struct evtchn_expand_array){ page.n }) == 0);
    for (unsigned n = fake_random(200); n; n--)
        hw_relax();
    event_op_close(v, d1, &(struct evtchn_close){ before });
    while (event_op_reset(v, d1, &(struct evtchn_reset){ 0 }) == -XEN_ERESTART)
        hw_relax();
}

/* Pages given back by a reset are free at once: whoever writes to one afterwards is seen by what the page is
 * then. */
static void *changer(void *arg)
{
    fake_be_cpu(0);
    fake_seed(3);
    for (unsigned n = 0; n < ROUNDS; n++) {
        mfn_t m[3];
        uint8_t *p;

        for (unsigned i = 0; i < 3; i++)
            m[i] = fake_frame_new(d1);
        changer_round(d1->vcpu[0], m, m[2]);
        for (unsigned i = 0; i < 3; i++) {
            must(fake_frame[m[i].n].writers == 0);
            p = page_of_mfn(m[i]);
            memset(p, 0, PAGE_SIZE);            /* ordinary memory now: a race with any late writer */
            fake_frame_drop(d1, m[i]);
        }
    }
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    return NULL;
}

static void poll(struct vcpu *v, evtchn_port_t port)
{
    struct sched_poll p = { .ports = GADDR((uint64_t)&port), .nr_ports = 1 };

    sched_op_poll(v, v->domain, &p);
    event_poll_end(v);
    fake_pending();
}

static void step(struct vcpu *v, uint32_t port)
{
    struct domain *d = v->domain;

    switch (fake_random(8)) {
    case 0: {
        struct evtchn_bind_interdomain b = { .remote_dom = d == d0, .remote_port = port };
        struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = d == d0 };

        if (event_op_bind_interdomain(v, d, &b))
            event_op_alloc_unbound(v, d, &a);
        break;
    }
    case 1:
        open_ipi(v, fake_random(2));
        break;
    case 2:
        event_op_close(v, d, &(struct evtchn_close){ port });
        break;
    case 3:
        event_op_bind_vcpu(v, d, &(struct evtchn_bind_vcpu){ port, fake_random(2) });
        event_op_set_priority(v, d, &(struct evtchn_set_priority){ port, fake_random(16) });
        break;
    case 4:
        poll(v, port);
        break;
    case 5:
        event_op_unmask(v, d, &(struct evtchn_unmask){ port });
        break;
    default:
        event_op_send(v, d, &(struct evtchn_send){ port });
    }
}

static void *worker(void *arg)
{
    unsigned cpu = (unsigned)(uintptr_t)arg;
    struct vcpu *v = cpu == 3 ? d0->vcpu[0] : d1->vcpu[cpu % 2];

    fake_be_cpu(cpu);
    fake_seed(cpu + 10);
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        step(v, 1 + fake_random(PORTS - 1));
        fake_pending();
    }
    return NULL;
}

static void machine_with_two(void)
{
    fake_machine(CPUS);
    failed = over = false;
    d0 = fake_domain(0, 2, true, PORTS - 1);
    d1 = fake_domain(1, 2, false, PORTS - 1);
}

static void end_of_two(void)
{
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

static void a_layout_in_use_stays(void **state)
{
    pthread_t t[CPUS];

    machine_with_two();
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, i ? worker : changer, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(t[i], NULL);
    assert_false(failed);
    end_of_two();
}

/* ---- nothing is lost ---- */
static pthread_barrier_t meeting;
static uint32_t port[8];

static void *sender(void *arg)
{
    fake_be_cpu(1);
    fake_seed(5);
    for (unsigned n = 0; n < ROUNDS; n++) {
        pthread_barrier_wait(&meeting);
        for (unsigned i = 0; i < 8; i++)
            must(event_op_send(d1->vcpu[1], d1, &(struct evtchn_send){ port[i] }) == 0);
        fake_pending();
        pthread_barrier_wait(&meeting);
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

static void change_over_once(mfn_t control, mfn_t page)
{
    struct vcpu *v = d1->vcpu[0];
    struct evtchn_init_control c = { .control_gfn = control.n };

    for (unsigned i = 0; i < 8; i++)
        port[i] = open_ipi(v, 0);
    pthread_barrier_wait(&meeting);
    for (unsigned k = fake_random(40); k; k--)
        __asm__ volatile("pause");
    must(event_op_init_control(v, d1, &c) == 0);
    must(event_op_expand_array(v, d1, &(struct evtchn_expand_array){ page.n }) == 0);
    pthread_barrier_wait(&meeting);
    for (unsigned i = 0; i < 8; i++)
        must(event_port_pending(d1, port[i]));
    while (event_op_reset(v, d1, &(struct evtchn_reset){ 0 }) == -XEN_ERESTART)
        hw_relax();
    memset(d1->shared_info->evtchn_pending, 0, sizeof d1->shared_info->evtchn_pending);
}

static void no_event_falls_between_the_layouts(void **state)
{
    pthread_t t;

    machine_with_two();
    pthread_barrier_init(&meeting, NULL, 2);
    assert_int_equal(pthread_create(&t, NULL, sender, NULL), 0);
    for (unsigned n = 0; n < ROUNDS; n++) {
        mfn_t control = fake_frame_new(d1), page = fake_frame_new(d1);

        change_over_once(control, page);
        fake_frame_drop(d1, control);
        fake_frame_drop(d1, page);
        fake_pending();
        pthread_barrier_wait(&meeting);
    }
    pthread_join(t, NULL);
    pthread_barrier_destroy(&meeting);
    assert_false(failed);
    end_of_two();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layout_in_use_stays),
        cmocka_unit_test(no_event_falls_between_the_layouts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
