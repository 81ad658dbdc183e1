/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * The FIFO layout under fire: every vCPU sends to every other's ports, takes its own queues apart, while the
 * array grows and priorities, masks and owners change. One outstanding event a port: none may be lost.
 */
#include "smp.h"

TEST("smp: FIFO queues with several senders, growing array, changing priorities");

#define ROUNDS rounds(60)
#define PORTS_EACH 6
#define PRIORITIES EVTCHN_FIFO_MAX_QUEUES
#define ARRAY_PAGES 8
#define WORDS_PER_PAGE (PAGE_SIZE / 4)

static unsigned n;
static struct evtchn_fifo_control_block *control[RT_VCPUS];
static uint32_t *array;                             /* mapped side by side */
static evtchn_port_t port[RT_VCPUS][PORTS_EACH];
static volatile uint64_t sent[4096], taken[4096];
static uint32_t heads[RT_VCPUS][PRIORITIES];

static volatile uint32_t *word(evtchn_port_t p) { return &array[p]; }

/* Takes the first of a queue: 0 if it is empty. The hypervisor writes head when it links to an empty
 * queue. */
static evtchn_port_t queue_take(unsigned v, unsigned priority, uint32_t *ready)
{
    evtchn_port_t p = heads[v][priority];
    uint32_t old, want;

    if (!p)
        p = __atomic_load_n(&control[v]->head[priority], __ATOMIC_SEQ_CST);
    do {
        old = *word(p);
        if (old & 1u << EVTCHN_FIFO_BUSY) {
            relax();
            continue;
        }
        want = old & ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK);
        if (__atomic_compare_exchange_n(word(p), &old, want, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            break;
    } while (true);
    heads[v][priority] = old & EVTCHN_FIFO_LINK_MASK;
    if (!heads[v][priority])
        *ready &= ~(1u << priority);
    return p;
}

static void fifo_dispatch(void)
{
    unsigned v = self();
    uint32_t ready = __atomic_exchange_n(&control[v]->ready, 0, __ATOMIC_SEQ_CST);

    while (ready) {
        evtchn_port_t p = queue_take(v, (unsigned)__builtin_ctz(ready), &ready);
        uint32_t w = *word(p);

        if (w & 1u << EVTCHN_FIFO_PENDING && !(w & 1u << EVTCHN_FIFO_MASKED)) {
            __atomic_and_fetch(word(p), ~(1u << EVTCHN_FIFO_PENDING), __ATOMIC_SEQ_CST);
            count(&taken[p]);
        }
        ready |= __atomic_exchange_n(&control[v]->ready, 0, __ATOMIC_SEQ_CST);
    }
}

/* vCPU i alone sends to ports [.][i mod PORTS_EACH], so one event a port is under way. */
static void send(unsigned self)
{
    static struct barrier begin, end;

    events_unmask();
    barrier_wait(&begin, n);
    for (unsigned r = 0; r < ROUNDS; r++)
        for (unsigned v = 0; v < n; v++)
            for (unsigned i = self; i < PORTS_EACH; i += n) {
                evtchn_port_t p = port[v][i];

                AWAIT(taken[p] == sent[p]);
                sent[p]++;
                CHECK_EQ(port_send(p), 0);
            }
    barrier_wait(&end, n);
    for (unsigned i = 0; i < PORTS_EACH; i++)
        AWAIT(taken[port[self][i]] == sent[port[self][i]]);
    barrier_wait(&begin, n);
}

/* The same, and vCPU 0 turns everything round meanwhile. */
static void send_and_disturb(unsigned self)
{
    uint64_t seed = 99;

    if (self) {
        send(self);
        return;
    }
    static unsigned grown = 1;

    for (unsigned r = 0; r < ROUNDS * 4; r++) {
        evtchn_port_t p = port[random_next(&seed) % n][seed >> 20 & 3];
        struct evtchn_set_priority s = { p, (uint32_t)(seed >> 30) % PRIORITIES };
        struct evtchn_unmask u = { p };
        struct evtchn_expand_array e = { va_to_mfn((uint8_t *)array + grown * PAGE_SIZE) };

        CHECK_EQ(event_op(EVTCHNOP_set_priority, &s), 0);
        __atomic_fetch_or(word(p), 1u << EVTCHN_FIFO_MASKED, __ATOMIC_SEQ_CST);
        CHECK_EQ(event_op(EVTCHNOP_unmask, &u), 0);
        if (r % 16 == 0 && grown < ARRAY_PAGES) {
            CHECK_EQ(event_op(EVTCHNOP_expand_array, &e), 0);
            grown++;
        }
    }
    send(self);
}

static void fifo_begin(void)
{
    struct evtchn_expand_array e;

    array = pages_alloc(ARRAY_PAGES);
    for (unsigned v = 0; v < n; v++) {
        struct evtchn_init_control i = { .vcpu = v };

        control[v] = page_alloc();
        i.control_gfn = va_to_mfn(control[v]);
        CHECK_EQ(event_op(EVTCHNOP_init_control, &i), 0);
    }
    e.array_gfn = va_to_mfn(array);
    CHECK_EQ(event_op(EVTCHNOP_expand_array, &e), 0);
    on_event = fifo_dispatch;
}

void test_main(void)
{
    n = smp_begin_all(2);
    fifo_begin();
    for (unsigned v = 0; v < n; v++)
        for (unsigned i = 0; i < PORTS_EACH; i++) {
            struct evtchn_bind_ipi b = { .vcpu = v };
            struct evtchn_unmask u;

            CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
            u.port = port[v][i] = b.port;
            CHECK_EQ(event_op(EVTCHNOP_unmask, &u), 0);
        }
    smp_run(n, send);
    smp_run(n, send_and_disturb);
    for (unsigned v = 0; v < n; v++)
        for (unsigned i = 0; i < PORTS_EACH; i++)
            CHECK_EQ(taken[port[v][i]], 2 * ROUNDS);
    /* What is left standing, a guest that unmasks would wait for, for ever. */
    for (evtchn_port_t p = 0; p < PAGE_SIZE / sizeof(*array); p++)
        CHECK_EQ(*word(p) >> EVTCHN_FIFO_BUSY & 1, 0);
}
