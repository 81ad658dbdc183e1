/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels one call at a time: each operation's successes and refusals, in both layouts. */
#include "fake.h"

#include <hv/ops.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct domain *d0, *d1;
static struct vcpu *v0, *v1;

static int setup(void **state)
{
    fake_machine(1);
    d0 = fake_domain(0, 2, true, 4095);
    d1 = fake_domain(1, 2, false, 200);
    v0 = d0->vcpu[0];
    v1 = d1->vcpu[0];
    return 0;
}

static int teardown(void **state)
{
    fake_domain_end(d1);
    fake_domain_end(d0);
    return fake_leaks() != 0;
}

static bool bit(const uint64_t *map, uint32_t n) { return map[n / 64] >> n % 64 & 1; }

static uint32_t open_port(struct vcpu *v, domid_t remote)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = remote };

    assert_int_equal(event_op_alloc_unbound(v, v->domain, &a), 0);
    return a.port;
}

static int bind_port(struct vcpu *v, domid_t remote, uint32_t port, uint32_t *local)
{
    struct evtchn_bind_interdomain b = { .remote_dom = remote, .remote_port = port };
    int rc = event_op_bind_interdomain(v, v->domain, &b);

    *local = b.local_port;
    return rc;
}

static int send(struct vcpu *v, uint32_t port)
{
    return event_op_send(v, v->domain, &(struct evtchn_send){ .port = port });
}

static int shut(struct vcpu *v, uint32_t port)
{
    return event_op_close(v, v->domain, &(struct evtchn_close){ .port = port });
}

static int unmask(struct vcpu *v, uint32_t port)
{
    return event_op_unmask(v, v->domain, &(struct evtchn_unmask){ .port = port });
}

static struct evtchn_status status_of(struct vcpu *v, struct domain *d, uint32_t port)
{
    struct evtchn_status s = { .dom = d->id, .port = port };

    assert_int_equal(event_op_status(v, d, &s), 0);
    return s;
}

static void a_wire_carries_a_bit_both_ways(void **state)
{
    uint32_t far = open_port(v1, 0), near;

    assert_int_equal(bind_port(v0, 1, far, &near), 0);
    assert_true(bit(d0->shared_info->evtchn_pending, near));      /* the conservative first notification */
    assert_int_equal(send(v0, near), 0);
    assert_true(bit(d1->shared_info->evtchn_pending, far));
    assert_int_equal(v1->info->evtchn_upcall_pending, 1);
    assert_true(v1->info->evtchn_pending_sel & 1ull << far / 64);
    d0->shared_info->evtchn_pending[near / 64] = 0;
    assert_int_equal(send(v1, far), 0);
    assert_true(bit(d0->shared_info->evtchn_pending, near));
    assert_int_equal(status_of(v0, d1, far).status, EVTCHNSTAT_interdomain);
    assert_int_equal(status_of(v0, d1, far).u.interdomain.port, near);
}

static void only_the_one_invited_may_bind(void **state)
{
    struct domain *d2 = fake_domain(2, 1, false, 31);
    uint32_t far = open_port(v1, 0), near;

    assert_int_equal(bind_port(d2->vcpu[0], 1, far, &near), -XEN_EINVAL);
    assert_int_equal(bind_port(v0, 1, far + 1, &near), -XEN_EINVAL);
    assert_int_equal(bind_port(v0, 1, 1u << 30, &near), -XEN_EINVAL);
    assert_int_equal(bind_port(v0, 9, far, &near), -XEN_ESRCH);
    assert_int_equal(bind_port(v0, 1, far, &near), 0);
    assert_int_equal(bind_port(v0, 1, far, &near), -XEN_EINVAL);  /* taken */
    fake_domain_end(d2);
}

static void closing_one_end_opens_the_other(void **state)
{
    uint32_t far = open_port(v1, 0), near;

    assert_int_equal(bind_port(v0, 1, far, &near), 0);
    assert_int_equal(shut(v0, near), 0);
    assert_int_equal(shut(v0, near), -XEN_EINVAL);
    assert_int_equal(status_of(v1, d1, far).status, EVTCHNSTAT_unbound);
    assert_int_equal(status_of(v1, d1, far).u.unbound.dom, 0);
    assert_int_equal(send(v1, far), 0);                           /* nobody listens: no error */
    assert_int_equal(send(v0, near), -XEN_EINVAL);
    assert_int_equal(bind_port(v0, 1, far, &near), 0);
}

static void a_wire_within_one_domain(void **state)
{
    uint32_t far = open_port(v1, DOMID_SELF), near;

    assert_int_equal(bind_port(v1, DOMID_SELF, far, &near), 0);
    assert_int_equal(send(v1, near), 0);
    assert_true(bit(d1->shared_info->evtchn_pending, far));
    assert_int_equal(shut(v1, far), 0);
    assert_int_equal(status_of(v1, d1, near).status, EVTCHNSTAT_unbound);
}

static void masked_events_wait_until_unmasked(void **state)
{
    uint32_t far = open_port(v1, 0), near;

    assert_int_equal(bind_port(v0, 1, far, &near), 0);
    d1->shared_info->evtchn_mask[far / 64] = ~0ull;
    assert_int_equal(send(v0, near), 0);
    assert_true(bit(d1->shared_info->evtchn_pending, far));
    assert_int_equal(v1->info->evtchn_upcall_pending, 0);
    assert_int_equal(unmask(v1, far), 0);
    assert_int_equal(v1->info->evtchn_upcall_pending, 1);
    assert_true(v1->info->evtchn_pending_sel & 1ull << far / 64);
    assert_int_equal(unmask(v1, 4000), -XEN_EINVAL);
}

static void virqs(void **state)
{
    struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = 1 };

    assert_int_equal(event_op_bind_virq(v1, d1, &b), 0);
    assert_int_equal(event_op_bind_virq(v1, d1, &b), -XEN_EEXIST);
    event_raise_virq(d1->vcpu[0], VIRQ_TIMER);
    assert_false(bit(d1->shared_info->evtchn_pending, b.port));
    event_raise_virq(d1->vcpu[1], VIRQ_TIMER);
    assert_true(bit(d1->shared_info->evtchn_pending, b.port));
    assert_int_equal(d1->vcpu[1]->info->evtchn_upcall_pending, 1);
    assert_int_equal(send(v1, b.port), -XEN_EINVAL);
    assert_int_equal(shut(v1, b.port), 0);
    assert_int_equal(event_op_bind_virq(v1, d1, &b), 0);

    b = (struct evtchn_bind_virq){ .virq = NR_VIRQS };
    assert_int_equal(event_op_bind_virq(v1, d1, &b), -XEN_EINVAL);
    b = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = 2 };
    assert_int_equal(event_op_bind_virq(v1, d1, &b), -XEN_ENOENT);
    b = (struct evtchn_bind_virq){ .virq = VIRQ_DOM_EXC, .vcpu = 1 };
    assert_int_equal(event_op_bind_virq(v1, d1, &b), -XEN_EINVAL);
}

static void global_virqs_go_to_their_handler(void **state)
{
    struct evtchn_bind_virq b0 = { .virq = VIRQ_CONSOLE }, b1 = b0;

    assert_int_equal(event_op_bind_virq(v0, d0, &b0), 0);
    assert_int_equal(event_op_bind_virq(v1, d1, &b1), 0);
    event_raise_global_virq(VIRQ_CONSOLE);
    assert_true(bit(d0->shared_info->evtchn_pending, b0.port));
    assert_false(bit(d1->shared_info->evtchn_pending, b1.port));
    assert_int_equal(event_virq_handler_set(d1, VIRQ_TIMER), -XEN_EINVAL);
    assert_int_equal(event_virq_handler_set(d1, VIRQ_CONSOLE), 0);
    event_raise_global_virq(VIRQ_CONSOLE);
    assert_true(bit(d1->shared_info->evtchn_pending, b1.port));
    /* The end of the domain gives it back: teardown counts references. */
}

static void pirqs(void **state)
{
    struct evtchn_bind_pirq b = { .pirq = 9 };

    fake_pirq_refuse = true;
    assert_int_equal(event_op_bind_pirq(v0, d0, &b), -XEN_EPERM);
    fake_pirq_refuse = false;
    assert_int_equal(event_op_bind_pirq(v0, d0, &b), 0);
    assert_int_equal(event_op_bind_pirq(v0, d0, &b), -XEN_EEXIST);
    event_raise_pirq(d0, 9);
    assert_true(bit(d0->shared_info->evtchn_pending, b.port));
    event_raise_pirq(d0, 10);
    event_raise_pirq(d1, 9);
    assert_int_equal(fake_pirq_bound, 1);
    assert_int_equal(shut(v0, b.port), 0);
    assert_int_equal(fake_pirq_bound, 0);
    b.pirq = MAX_PIRQS;
    assert_int_equal(event_op_bind_pirq(v0, d0, &b), -XEN_EINVAL);
}

static void ipis_and_moving(void **state)
{
    struct evtchn_bind_ipi b = { .vcpu = 1 };
    uint32_t far = open_port(v1, 0);

    assert_int_equal(event_op_bind_ipi(v1, d1, &b), 0);
    assert_int_equal(send(v1, b.port), 0);
    assert_int_equal(d1->vcpu[1]->info->evtchn_upcall_pending, 1);
    assert_int_equal(event_op_bind_vcpu(v1, d1, &(struct evtchn_bind_vcpu){ b.port, 0 }), -XEN_EINVAL);
    assert_int_equal(event_op_bind_vcpu(v1, d1, &(struct evtchn_bind_vcpu){ far, 2 }), -XEN_ENOENT);
    assert_int_equal(event_op_bind_vcpu(v1, d1, &(struct evtchn_bind_vcpu){ far, 1 }), 0);
    assert_int_equal(status_of(v1, d1, far).vcpu, 1);
    b.vcpu = 7;
    assert_int_equal(event_op_bind_ipi(v1, d1, &b), -XEN_ENOENT);
}

static void ports_end_at_the_limit_and_come_back(void **state)
{
    struct evtchn_alloc_unbound a = { .remote_dom = 0 };

    for (uint32_t n = 1; n <= 200; n++)
        assert_int_equal(open_port(v1, 0), n);
    assert_int_equal(event_op_alloc_unbound(v1, d1, &a), -XEN_ENOSPC);
    assert_int_equal(shut(v1, 77), 0);
    assert_int_equal(open_port(v1, 0), 77);
    assert_int_equal(event_op_reset(v1, d1, &(struct evtchn_reset){ 1 }), 0);
    assert_int_equal(d1->events.used, 1);
    assert_int_equal(open_port(v1, 0), 1);
}

/*
 * A guest goes on with something else where its reset was preempted, and opens ports that the reset was past
 * already. Its end must find these too: whoever stands at the other end would send to memory that is free.
 */
static void a_reset_cut_short_hides_no_port_from_the_end(void **state)
{
    struct domain *d2 = fake_domain(2, 1, false, 63);
    uint32_t early, near;

    for (unsigned n = 0; n < 40; n++)
        open_port(d2->vcpu[0], 0);
    fake_preempt_one_in = 1;
    assert_int_equal(event_op_reset(d2->vcpu[0], d2, &(struct evtchn_reset){ 2 }), -XEN_ERESTART);
    fake_preempt_one_in = 0;
    early = open_port(d2->vcpu[0], 0);
    assert_true(early < d2->events.close_next);
    assert_int_equal(bind_port(v0, 2, early, &near), 0);
    fake_domain_end(d2);
    assert_int_equal(status_of(v0, d0, near).status, EVTCHNSTAT_unbound);
    assert_int_equal(send(v0, near), 0);
}

/*
 * Death is preempted between two ports: those that are left still tell the guest, where it wants to be told.
 */
static void the_place_for_news_outlives_the_ports(void **state)
{
    struct domain *d2 = fake_domain(2, 1, false, 63);
    mfn_t place = fake_frame_new(d2);
    const struct vcpu_info *info;
    uint32_t near[12];
    unsigned told = 0;

    assert_int_equal(vcpu_register_info(d2->vcpu[0], place, 64), 0);
    info = d2->vcpu[0]->info;
    for (unsigned n = 0; n < ARRAY_LEN(near); n++)
        assert_int_equal(bind_port(v0, 2, open_port(d2->vcpu[0], 0), &near[n]), 0);
    domain_pause(d2, false);
    fake_pending();
    fake_preempt_one_in = 1;
    while (domain_kill(d2) == -XEN_ERESTART) {
        if (d2->events.used == 1)
            continue;
        assert_ptr_equal(d2->vcpu[0]->info, info);
        assert_int_equal(fake_frame[place.n].writers, 1);
        ((struct vcpu_info *)info)->evtchn_upcall_pending = 0;
        memset(d2->shared_info->evtchn_pending, 0, sizeof(d2->shared_info->evtchn_pending));
        ((struct vcpu_info *)info)->evtchn_pending_sel = 0;
        assert_int_equal(send(v0, near[ARRAY_LEN(near) - 1]), 0);
        assert_int_equal(info->evtchn_upcall_pending, 1);
        told++;
    }
    assert_true(told >= 2);
    assert_int_equal(fake_frame[place.n].refs, 0);
    fake_pending();
}

/* A builder's mistake: nobody could be told of what is sent there. */
static void no_port_before_the_first_vcpu(void **state)
{
    const struct xen_domctl_createdomain c = { .max_vcpus = 1, .max_evtchn_port = 15, .max_grant_frames = 1,
                                               .max_maptrack_frames = 1 };
    struct evtchn_alloc_unbound a = { .dom = 3, .remote_dom = 0 };
    int err;
    struct domain *d = domain_create(3, &c, false, &err);
    uint32_t near;

    assert_non_null(d);
    assert_int_equal(event_op_alloc_unbound(v0, d, &a), -XEN_EINVAL);
    assert_int_equal(domain_add_vcpu(d, 0), 0);
    assert_int_equal(event_op_alloc_unbound(v0, d, &a), 0);
    assert_int_equal(bind_port(v0, 3, a.port, &near), 0);
    assert_int_equal(send(v0, near), 0);
    assert_true(bit(d->shared_info->evtchn_pending, a.port));
    fake_domain_end(d);
}

/* Or it would be kept for ever, as the handler. */
static void no_global_virq_for_the_dying(void **state)
{
    struct domain *d2 = fake_domain(2, 1, false, 31);

    assert_true(domain_get_again(d2));
    fake_domain_end(d2);
    assert_int_equal(event_virq_handler_set(d2, VIRQ_CONSOLE), -XEN_EINVAL);
    domain_put(d2);
    fake_pending();
    assert_null(domain_get(2));
}

static void sending_wakes_who_blocks_or_polls(void **state)
{
    struct evtchn_bind_ipi b = { .vcpu = 1 };
    struct vcpu *v = d1->vcpu[1];
    evtchn_port_t ports[1];
    struct sched_poll p = { .ports = GADDR((uint64_t)ports), .nr_ports = 1 };

    assert_int_equal(event_op_bind_ipi(v1, d1, &b), 0);
    assert_int_equal(sched_op_block(v, d1, NULL), 0);
    assert_int_equal(v->pause_flags, PAUSE_BLOCKED);
    assert_int_equal(send(v1, b.port), 0);
    assert_int_equal(v->pause_flags, 0);
    assert_int_equal(sched_op_block(v, d1, NULL), 0);             /* one is due: no sleep */
    assert_int_equal(v->pause_flags, 0);

    v->info->evtchn_upcall_pending = 0;
    d1->shared_info->evtchn_pending[0] = 0;
    d1->shared_info->evtchn_mask[0] = ~0ull;
    ports[0] = b.port;
    assert_int_equal(sched_op_poll(v, d1, &p), 0);
    assert_int_equal(v->pause_flags, PAUSE_POLL);
    assert_int_equal(send(v1, b.port), 0);                        /* masked, and still ends the poll */
    assert_int_equal(v->pause_flags, 0);
    assert_int_equal(sched_op_poll(v, d1, &p), 0);                /* pending already */
    assert_int_equal(v->pause_flags, 0);

    d1->shared_info->evtchn_pending[0] = 0;
    p.timeout = fake_now + 1000;
    assert_int_equal(sched_op_poll(v, d1, &p), 0);
    assert_int_equal(v->pause_flags, PAUSE_POLL);
    fake_now += 1000;
    pcpu_raise(host_cpu, PENDING_TIMER);
    fake_pending();
    assert_int_equal(v->pause_flags, 0);

    ports[0] = 5000;
    assert_int_equal(sched_op_poll(v, d1, &p), -XEN_EINVAL);
    assert_int_equal(v->pause_flags, 0);
    p.ports = GADDR(0);
    assert_int_equal(sched_op_poll(v, d1, &p), -XEN_EFAULT);
    p.nr_ports = 129;
    assert_int_equal(sched_op_poll(v, d1, &p), -XEN_EINVAL);
    assert_int_equal(v->pause_flags, 0);
    assert_int_equal(d1->events.pollers, 0);
}

/* ---- FIFO ---- */

#define PENDING 0x80000000u
#define MASKED  0x40000000u
#define LINKED  0x20000000u
#define LINK    0x0001ffffu

static mfn_t control_frame, array_frame;

static uint32_t *word(uint32_t port) { return (uint32_t *)frame_map(array_frame) + port; }
static struct evtchn_fifo_control_block *control(void) { return frame_map(control_frame); }

static void fifo_on(void)
{
    struct evtchn_init_control c = { .vcpu = 0 };

    control_frame = fake_frame_new(d1);
    array_frame = fake_frame_new(d1);
    c.control_gfn = control_frame.n;
    assert_int_equal(event_op_init_control(v1, d1, &c), 0);
    assert_int_equal(c.link_bits, 17);
    assert_int_equal(event_op_expand_array(v1, d1, &(struct evtchn_expand_array){ array_frame.n }), 0);
}

/* What a guest does: takes the first port off the queue. 0: empty. */
static uint32_t consume(unsigned priority)
{
    uint32_t port = control()->head[priority], w;

    if (!port)
        return 0;
    w = *word(port);
    *word(port) = w & ~(LINKED | LINK | PENDING);
    control()->head[priority] = w & LINK;
    if (!(w & LINK))
        control()->ready &= ~(1u << priority);
    return port;
}

static void fifo_keeps_the_order(void **state)
{
    uint32_t port[3], near[3];

    fifo_on();
    for (int i = 0; i < 3; i++) {
        port[i] = open_port(v1, 0);
        assert_int_equal(bind_port(v0, 1, port[i], &near[i]), 0);
    }
    v1->info->evtchn_upcall_pending = 0;
    for (int i = 2; i >= 0; i--)
        assert_int_equal(send(v0, near[i]), 0);
    assert_int_equal(v1->info->evtchn_upcall_pending, 1);
    assert_int_equal(control()->ready, 1u << 7);
    for (int i = 2; i >= 0; i--)
        assert_int_equal(consume(7), port[i]);
    assert_int_equal(consume(7), 0);
    assert_int_equal(send(v0, near[1]), 0);
    assert_int_equal(consume(7), port[1]);
}

static void fifo_priority_moves_the_tail_too(void **state)
{
    uint32_t a, b, na, nb;

    fifo_on();
    a = open_port(v1, 0);
    b = open_port(v1, 0);
    assert_int_equal(bind_port(v0, 1, a, &na), 0);
    assert_int_equal(bind_port(v0, 1, b, &nb), 0);
    assert_int_equal(send(v0, na), 0);
    assert_int_equal(consume(7), a);                              /* a is still remembered as tail of 7 */
    assert_int_equal(event_op_set_priority(v1, d1, &(struct evtchn_set_priority){ a, 0 }), 0);
    assert_int_equal(send(v0, na), 0);                            /* now on 0 */
    assert_int_equal(send(v0, nb), 0);                            /* must not follow it there */
    assert_int_equal(consume(0), a);
    assert_int_equal(consume(7), b);
    assert_int_equal(event_op_set_priority(v1, d1, &(struct evtchn_set_priority){ a, 16 }), -XEN_EINVAL);
}

static void fifo_masked_and_late_pages(void **state)
{
    struct evtchn_init_control c = { .vcpu = 0 };
    uint32_t port, near;

    port = open_port(v1, 0);
    assert_int_equal(bind_port(v0, 1, port, &near), 0);
    assert_int_equal(send(v0, near), 0);                          /* pending in the old layout */
    control_frame = fake_frame_new(d1);
    array_frame = fake_frame_new(d1);
    c.control_gfn = control_frame.n;
    assert_int_equal(event_op_expand_array(v1, d1, &(struct evtchn_expand_array){ array_frame.n }),
                     -XEN_EOPNOTSUPP);
    assert_int_equal(event_op_init_control(v1, d1, &c), 0);
    assert_true(event_port_pending(d1, port));
    assert_int_equal(event_op_expand_array(v1, d1, &(struct evtchn_expand_array){ array_frame.n }), 0);
    assert_int_equal(consume(7), port);                           /* and was not lost */

    *word(port) = MASKED;
    assert_int_equal(send(v0, near), 0);
    assert_int_equal(*word(port), MASKED | PENDING);
    assert_int_equal(consume(7), 0);
    assert_int_equal(unmask(v1, port), 0);
    assert_int_equal(consume(7), port);
    assert_int_equal(event_op_init_control(v1, d1, &c), -XEN_EINVAL);   /* has one */
}

static void fifo_bad_arguments(void **state)
{
    struct evtchn_init_control c = { .control_gfn = 5, .vcpu = 3 };
    mfn_t foreign = fake_frame_new(d0);

    assert_int_equal(event_op_init_control(v1, d1, &c), -XEN_ENOENT);
    c.vcpu = 0;
    c.control_gfn = foreign.n;
    assert_int_equal(event_op_init_control(v1, d1, &c), -XEN_EINVAL);
    c.control_gfn = 1u << 30;
    assert_int_equal(event_op_init_control(v1, d1, &c), -XEN_EINVAL);
    c.control_gfn = fake_frame_new(d1).n;
    c.offset = 4;
    assert_int_equal(event_op_init_control(v1, d1, &c), -XEN_EINVAL);
    c.offset = 4096 - 64;
    assert_int_equal(event_op_init_control(v1, d1, &c), -XEN_EINVAL);
    assert_int_equal(event_op_set_priority(v1, d1, &(struct evtchn_set_priority){ 1, 1 }), -XEN_ENOSYS);
    fifo_on();
    assert_int_equal(event_op_expand_array(v1, d1, &(struct evtchn_expand_array){ c.control_gfn }),
                     -XEN_ENOSPC);
    assert_int_equal(fake_frame[foreign.n].refs, 1);
}

static void fifo_port_that_is_still_queued_is_not_given_out(void **state)
{
    uint32_t port, near, next;

    fifo_on();
    port = open_port(v1, 0);
    assert_int_equal(bind_port(v0, 1, port, &near), 0);
    assert_int_equal(send(v0, near), 0);
    assert_int_equal(shut(v1, port), 0);
    next = open_port(v1, 0);
    assert_int_not_equal(next, port);
    assert_int_equal(consume(7), port);
    assert_int_equal(open_port(v1, 0), port);
}

/* The guest writes rubbish everywhere: nothing but its own events may suffer. */
static void fifo_hostile_guest(void **state)
{
    uint32_t port[20], near[20];

    fifo_on();
    for (int i = 0; i < 20; i++) {
        port[i] = open_port(v1, 0);
        assert_int_equal(bind_port(v0, 1, port[i], &near[i]), 0);
    }
    fake_seed(3);
    for (int n = 0; n < 20000; n++) {
        *word(fake_random(1024)) = fake_random(~0u);
        control()->head[fake_random(16)] = fake_random(~0u);
        control()->ready = fake_random(~0u);
        assert_int_equal(send(v0, near[fake_random(20)]), 0);
        assert_int_equal(unmask(v1, port[fake_random(20)]), 0);
        event_op_set_priority(v1, d1,
                              &(struct evtchn_set_priority){ port[fake_random(20)], fake_random(16) });
        event_op_bind_vcpu(v1, d1, &(struct evtchn_bind_vcpu){ port[fake_random(20)], fake_random(2) });
    }
    assert_int_equal(event_op_reset(v1, d1, &(struct evtchn_reset){ 1 }), 0);
    assert_null(d1->events.fifo);
    assert_int_equal(fake_frame[control_frame.n].refs, 1);
    assert_int_equal(fake_frame[array_frame.n].refs, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_wire_carries_a_bit_both_ways),
        CASE(only_the_one_invited_may_bind),
        CASE(closing_one_end_opens_the_other),
        CASE(a_wire_within_one_domain),
        CASE(masked_events_wait_until_unmasked),
        CASE(virqs),
        CASE(global_virqs_go_to_their_handler),
        CASE(pirqs),
        CASE(ipis_and_moving),
        CASE(ports_end_at_the_limit_and_come_back),
        CASE(a_reset_cut_short_hides_no_port_from_the_end),
        CASE(the_place_for_news_outlives_the_ports),
        CASE(no_port_before_the_first_vcpu),
        CASE(no_global_virq_for_the_dying),
        CASE(sending_wakes_who_blocks_or_polls),
        CASE(fifo_keeps_the_order),
        CASE(fifo_priority_moves_the_tail_too),
        CASE(fifo_masked_and_late_pages),
        CASE(fifo_bad_arguments),
        CASE(fifo_port_that_is_still_queued_is_not_given_out),
        CASE(fifo_hostile_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
