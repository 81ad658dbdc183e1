/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels against a model: three domains open, bind, send, move, close, reset, die and come back at
 * random, with preemption and failing guest pages. After each call every port of every domain must be what
 * the model says: its state, its other end (so wires are symmetrical), and whether it is pending; and the
 * count of used ports must agree, so that none leaks. The model's guests take their events as real ones do,
 * in either layout, and each event must come out exactly once.
 */
#include "fake.h"

#include <hv/ops.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOMAINS 3u
#define PORTS   48u             /* highest port + 1: tiny, so that limits are met all the time */
#define VCPUS   2u

struct port { uint32_t kind, vcpu, number; domid_t remote; bool pending; };
struct guest {
    struct domain *d;
    struct port port[PORTS];
    bool fifo, array;
    mfn_t control[VCPUS], words;
    bool has_control[VCPUS];
    uint32_t priority[PORTS];
};

static struct guest guest[DOMAINS];

#define PENDING 0x80000000u
#define MASKED  0x40000000u
#define LINKED  0x20000000u
#define LINK    0x0001ffffu

static struct guest *guest_of(domid_t id) { return &guest[id]; }
static struct vcpu *vcpu_of(struct guest *g) { return g->d->vcpu[0]; }

static uint32_t *word(struct guest *g, uint32_t port) { return (uint32_t *)frame_map(g->words) + port; }

/* ---- what must be true after every call ---- */

static uint32_t used(const struct guest *g)
{
    uint32_t n = 1;

    for (uint32_t p = 1; p < PORTS; p++)
        n += g->port[p].kind != EVTCHNSTAT_closed;
    return n;
}

static void check_port(struct guest *g, uint32_t p)
{
    struct evtchn_status s = { .dom = g->d->id, .port = p };
    const struct port *m = &g->port[p];
    int rc = event_op_status(vcpu_of(g), g->d, &s);

    if (rc == -XEN_EINVAL) {                /* not allocated yet */
        assert_int_equal(m->kind, EVTCHNSTAT_closed);
        return;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(s.status, m->kind);
    if (m->kind == EVTCHNSTAT_closed)
        return;
    assert_int_equal(s.vcpu, m->vcpu);
    if (m->kind == EVTCHNSTAT_unbound)
        assert_int_equal(s.u.unbound.dom, m->remote);
    if (m->kind == EVTCHNSTAT_interdomain) {
        assert_int_equal(s.u.interdomain.dom, m->remote);
        assert_int_equal(s.u.interdomain.port, m->number);
        assert_int_equal(guest_of(m->remote)->port[m->number].number, p);
        assert_int_equal(guest_of(m->remote)->port[m->number].remote, g->d->id);
    }
    if (m->kind == EVTCHNSTAT_virq)
        assert_int_equal(s.u.virq, m->number);
    assert_int_equal(event_port_pending(g->d, p), m->pending);
}

static void check_all(void)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        assert_int_equal(guest[i].d->events.used, used(&guest[i]));
        for (uint32_t p = 1; p < PORTS; p++)
            check_port(&guest[i], p);
    }
}

/* ---- the model's own moves ---- */

static void opened(struct guest *g, uint32_t p, uint32_t kind)
{
    assert_true(p > 0 && p < PORTS);
    assert_int_equal(g->port[p].kind, EVTCHNSTAT_closed);
    g->port[p] = (struct port){ .kind = kind };
    g->priority[p] = 7;
}

static void closed(struct guest *g, uint32_t p)
{
    struct port *m = &g->port[p], *far;

    if (m->kind == EVTCHNSTAT_interdomain) {
        far = &guest_of(m->remote)->port[m->number];
        if (far != m) {
            far->kind = EVTCHNSTAT_unbound;
            far->remote = g->d->id;
        }
    }
    m->kind = EVTCHNSTAT_closed;
    m->pending = false;
    g->priority[p] = 7;
}

static void all_closed(struct guest *g)
{
    for (uint32_t p = 1; p < PORTS; p++)
        closed(g, p);
    g->fifo = g->array = g->has_control[0] = g->has_control[1] = false;
}

static bool full(const struct guest *g)
{
    for (uint32_t p = 1; p < PORTS; p++)
        if (g->port[p].kind == EVTCHNSTAT_closed && !(g->array && *word((struct guest *)g, p) & LINKED))
            return false;
    return true;
}

/* ---- operations ---- */

static void op_alloc(struct guest *g, struct guest *other)
{
    struct evtchn_alloc_unbound a = { .remote_dom = other->d->id };
    int rc = event_op_alloc_unbound(vcpu_of(g), g->d, &a);

    assert_int_equal(rc, full(g) ? -XEN_ENOSPC : 0);
    if (rc)
        return;
    opened(g, a.port, EVTCHNSTAT_unbound);
    g->port[a.port].remote = other->d->id;
}

static void op_bind(struct guest *g, struct guest *other)
{
    struct evtchn_bind_interdomain b = { .remote_dom = other->d->id, .remote_port = fake_random(PORTS + 2) };
    struct port *far = b.remote_port < PORTS ? &other->port[b.remote_port] : NULL;
    bool right = far && b.remote_port && far->kind == EVTCHNSTAT_unbound && far->remote == g->d->id;
    int expected = !right ? -XEN_EINVAL : full(g) ? -XEN_ENOSPC : 0;

    assert_int_equal(event_op_bind_interdomain(vcpu_of(g), g->d, &b), expected);
    if (expected)
        return;
    opened(g, b.local_port, EVTCHNSTAT_interdomain);
    g->port[b.local_port].remote = other->d->id;
    g->port[b.local_port].number = b.remote_port;
    g->port[b.local_port].pending = true;
    far->kind = EVTCHNSTAT_interdomain;
    far->remote = g->d->id;
    far->number = b.local_port;
}

static void op_virq(struct guest *g)
{
    struct evtchn_bind_virq b = { .virq = fake_random(2) ? VIRQ_TIMER : VIRQ_DEBUG,
                                  .vcpu = fake_random(VCPUS + 1) };
    int expected = b.vcpu >= VCPUS ? -XEN_ENOENT : full(g) ? -XEN_ENOSPC : 0;

    for (uint32_t p = 1; p < PORTS && b.vcpu < VCPUS; p++)
        if (g->port[p].kind == EVTCHNSTAT_virq && g->port[p].number == b.virq && g->port[p].vcpu == b.vcpu)
            expected = -XEN_EEXIST;
    assert_int_equal(event_op_bind_virq(vcpu_of(g), g->d, &b), expected);
    if (expected)
        return;
    opened(g, b.port, EVTCHNSTAT_virq);
    g->port[b.port].number = b.virq;
    g->port[b.port].vcpu = b.vcpu;
}

static void op_ipi(struct guest *g)
{
    struct evtchn_bind_ipi b = { .vcpu = fake_random(VCPUS) };
    int rc = event_op_bind_ipi(vcpu_of(g), g->d, &b);

    assert_int_equal(rc, full(g) ? -XEN_ENOSPC : 0);
    if (rc)
        return;
    opened(g, b.port, EVTCHNSTAT_ipi);
    g->port[b.port].vcpu = b.vcpu;
}

static void op_raise(struct guest *g)
{
    uint32_t virq = fake_random(2) ? VIRQ_TIMER : VIRQ_DEBUG, vcpu = fake_random(VCPUS);

    event_raise_virq(g->d->vcpu[vcpu], virq);
    for (uint32_t p = 1; p < PORTS; p++)
        if (g->port[p].kind == EVTCHNSTAT_virq && g->port[p].number == virq && g->port[p].vcpu == vcpu)
            g->port[p].pending = true;
}

static void op_send(struct guest *g)
{
    struct evtchn_send s = { .port = fake_random(PORTS + 2) };
    struct port *m = s.port < PORTS ? &g->port[s.port] : NULL;
    int rc = event_op_send(vcpu_of(g), g->d, &s);

    if (!m || m->kind == EVTCHNSTAT_closed || m->kind == EVTCHNSTAT_virq || m->kind == EVTCHNSTAT_pirq) {
        assert_int_equal(rc, -XEN_EINVAL);
        return;
    }
    assert_int_equal(rc, 0);
    if (m->kind == EVTCHNSTAT_ipi)
        m->pending = true;
    if (m->kind == EVTCHNSTAT_interdomain)
        guest_of(m->remote)->port[m->number].pending = true;
}

static void op_close(struct guest *g)
{
    struct evtchn_close c = { .port = fake_random(PORTS + 2) };
    bool open = c.port < PORTS && g->port[c.port].kind != EVTCHNSTAT_closed;

    assert_int_equal(event_op_close(vcpu_of(g), g->d, &c), open ? 0 : -XEN_EINVAL);
    if (open)
        closed(g, c.port);
}

static void op_move(struct guest *g)
{
    struct evtchn_bind_vcpu b = { .port = fake_random(PORTS), .vcpu = fake_random(VCPUS + 1) };
    const struct port *m = &g->port[b.port];
    int expected = b.vcpu >= VCPUS ? -XEN_ENOENT
                   : m->kind == EVTCHNSTAT_unbound || m->kind == EVTCHNSTAT_interdomain ? 0 : -XEN_EINVAL;

    assert_int_equal(event_op_bind_vcpu(vcpu_of(g), g->d, &b), expected);
    if (expected == 0)
        g->port[b.port].vcpu = b.vcpu;
}

static void op_priority(struct guest *g)
{
    struct evtchn_set_priority p = { .port = 1 + fake_random(31), .priority = fake_random(16) };
    int rc = event_op_set_priority(vcpu_of(g), g->d, &p);

    if (rc == 0)
        g->priority[p.port] = p.priority;
    if (g->fifo && p.port < PORTS && p.port < g->d->events.ports)
        assert_int_equal(rc, g->port[p.port].kind == EVTCHNSTAT_closed ? -XEN_EACCES : 0);
    else
        assert_true(rc == -XEN_EINVAL || (rc == -XEN_ENOSYS && !g->fifo));
}

static void op_fifo(struct guest *g)
{
    struct evtchn_init_control c = { .vcpu = fake_random(VCPUS), .offset = fake_random(2) * 8 };
    int rc;

    if (!g->has_control[c.vcpu]) {
        memset(frame_map(g->control[c.vcpu]), 0, PAGE_SIZE);
        c.offset = 0;
    }
    c.control_gfn = g->control[c.vcpu].n;
    rc = event_op_init_control(vcpu_of(g), g->d, &c);
    assert_int_equal(rc, g->has_control[c.vcpu] ? -XEN_EINVAL : 0);
    g->fifo = true;
    g->has_control[c.vcpu] = true;
    /* The guest gives the array at once, and a control block to every vCPU, as real ones do. */
    if (!g->array && g->has_control[0] && g->has_control[1]) {
        memset(frame_map(g->words), 0, PAGE_SIZE);
        assert_int_equal(event_op_expand_array(vcpu_of(g), g->d, &(struct evtchn_expand_array){ g->words.n }),
                         0);
        g->array = true;
    }
}

static void op_reset(struct guest *g)
{
    struct evtchn_reset r = { .dom = DOMID_SELF };

    while (event_op_reset(vcpu_of(g), g->d, &r) == -XEN_ERESTART)
        ;
    all_closed(g);
    memset(g->d->shared_info->evtchn_pending, 0, sizeof(g->d->shared_info->evtchn_pending));
}

/* ---- the guest takes its events ---- */

static void took(struct guest *g, uint32_t p)
{
    assert_true(p > 0 && p < PORTS);
    /* A closed port may still come out of a queue; it is not pending then. */
    if (g->port[p].kind == EVTCHNSTAT_closed)
        return;
    g->port[p].pending = false;
}

static void consume_2l(struct guest *g)
{
    struct shared_info *s = g->d->shared_info;

    for (unsigned n = 0; n < VCPUS; n++) {
        struct vcpu_info *info = g->d->vcpu[n]->info;

        info->evtchn_upcall_pending = 0;
        while (info->evtchn_pending_sel) {
            unsigned w = (unsigned)__builtin_ctzll(info->evtchn_pending_sel);

            info->evtchn_pending_sel &= ~(1ull << w);
            for (uint64_t bits = s->evtchn_pending[w]; bits; bits &= bits - 1)
                took(g, w * 64 + (uint32_t)__builtin_ctzll(bits));
            s->evtchn_pending[w] = 0;
        }
    }
    for (uint32_t p = 1; p < PORTS; p++)
        assert_false(g->port[p].pending);       /* nothing is left that no selector led to */
}

static void consume_queue(struct guest *g, struct evtchn_fifo_control_block *c, unsigned priority)
{
    uint32_t p = c->head[priority], next, w;

    for (unsigned n = 0; p; p = next, n++) {
        assert_true(n < PORTS && p < PORTS);
        w = *word(g, p);
        assert_true(w & LINKED);
        next = w & LINK;
        *word(g, p) = w & ~(LINKED | LINK | PENDING);
        if (w & PENDING)
            took(g, p);
    }
    c->head[priority] = 0;
}

static void consume_fifo(struct guest *g)
{
    for (unsigned n = 0; n < VCPUS; n++) {
        struct evtchn_fifo_control_block *c = frame_map(g->control[n]);
        struct vcpu_info *info = g->d->vcpu[n]->info;

        if (c->ready)
            assert_int_equal(info->evtchn_upcall_pending, 1);
        info->evtchn_upcall_pending = 0;
        for (; c->ready; c->ready &= c->ready - 1)
            consume_queue(g, c, (unsigned)__builtin_ctz(c->ready));
    }
    for (uint32_t p = 1; p < PORTS; p++)
        assert_false(g->port[p].pending);
}

static void op_consume(struct guest *g)
{
    if (!g->fifo)
        consume_2l(g);
    else if (g->array)
        consume_fifo(g);
}

/* ---- life ---- */

static void begin(struct guest *g, domid_t id)
{
    memset(g, 0, sizeof(*g));
    g->d = fake_domain(id, VCPUS, id == 0, PORTS - 1);
    for (unsigned n = 0; n < VCPUS; n++)
        g->control[n] = fake_frame_new(g->d);
    g->words = fake_frame_new(g->d);
}

static void op_die(struct guest *g)
{
    domid_t id = g->d->id;

    if (id == 0)
        return;
    all_closed(g);
    fake_domain_end(g->d);
    begin(g, id);
}

static void step(void)
{
    struct guest *g = &guest[fake_random(DOMAINS)], *other = &guest[fake_random(DOMAINS)];

    switch (fake_random(40)) {
    case 0 ... 5:   op_alloc(g, other); break;
    case 6 ... 12:  op_bind(g, other); break;
    case 13:        op_virq(g); break;
    case 14:        op_ipi(g); break;
    case 15 ... 17: op_raise(g); break;
    case 18 ... 26: op_send(g); break;
    case 27 ... 29: op_close(g); break;
    case 30:        op_move(g); break;
    case 31:        op_priority(g); break;
    case 32 ... 37: op_consume(g); break;
    case 38:
        if (fake_random(4) == 0)
            op_fifo(g);
        break;
    case 39:
        if (fake_random(16) == 0)
            op_reset(g);
        else if (fake_random(32) == 0)
            op_die(g);
        break;
    }
}

static void sequence(void)
{
    for (unsigned i = 0; i < DOMAINS; i++)
        begin(&guest[i], (domid_t)i);
    for (unsigned n = 0; n < 1500; n++) {
        step();
        check_all();
    }
    for (unsigned i = DOMAINS; i-- > 0;)
        fake_domain_end(guest[i].d);
}

static void sequences_agree_with_the_model(void **state) { fake_sequences(sequence); }

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sequences_agree_with_the_model) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
