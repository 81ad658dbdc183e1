/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FIFO layout: a word for each port, in up to 128 pages that the guest gives, and a queue of ports for
 * each vCPU and priority, linked through these words.
 *
 *   word:   PENDING | MASKED | LINKED | BUSY | link (17 bits): the port behind this one in its queue
 *   vCPU:   a control block in the guest's memory: the head of each queue, and a bit for each that has work
 *   here:   the tail of each queue
 *
 * We put a port at the tail: set LINKED in its word, then, if the old tail is still LINKED (the guest has
 * not taken it off yet), write our port into its link; else the queue is empty, and the head is set and the
 * ready bit raised. The guest takes ports off at the head by clearing LINKED and the link in one step, so
 * exactly one of the two sees the other.
 *
 * The memory is the guest's, and it may write anything at any moment. What we rely on is only what we keep
 * ourselves: tails and the queue a port was last on. A word is changed by compare-exchange a bounded number
 * of times; a guest that changes it as often meanwhile loses the events that stood behind it, and nothing
 * else happens.
 *
 * A port may move to another queue (bind_vcpu, set_priority) only while it is not LINKED. It may then still
 * be the tail of its old queue, where an addition would follow it into the new one; so both queues are
 * locked, and the old tail is forgotten.
 */
#include "event_port.h"

#include <hv/frame.h>

#define WORDS           (PAGE_SIZE / sizeof(uint32_t))
#define FIFO_PAGES      DIV_ROUND_UP(MAX_PORTS, WORDS)
#define TRIES           8       /* at a word that its guest keeps changing */

#define W_PENDING (1u << EVTCHN_FIFO_PENDING)
#define W_MASKED  (1u << EVTCHN_FIFO_MASKED)
#define W_LINKED  (1u << EVTCHN_FIFO_LINKED)
#define W_BUSY    (1u << EVTCHN_FIFO_BUSY)
#define W_LINK    ((uint32_t)EVTCHN_FIFO_LINK_MASK)

struct fifo_queue { uint32_t tail; uint8_t lock; };

struct fifo_vcpu {
    struct evtchn_fifo_control_block *control;
    mfn_t             frame;
    struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

struct event_fifo {
    uint32_t          pages;            /* of the array; atomic, raised after page[] is set */
    uint32_t         *page[FIFO_PAGES];
    mfn_t             frame[FIFO_PAGES];
    struct fifo_vcpu *vcpu[MAX_VCPUS];  /* NULL: no control block; atomic */
};

static uint32_t *word_of(struct event_fifo *f, uint32_t port)
{
    if (port / WORDS >= __atomic_load_n(&f->pages, __ATOMIC_ACQUIRE))
        return NULL;
    return &f->page[port / WORDS][port % WORDS];
}

static struct fifo_vcpu *vcpu_of(struct event_fifo *f, uint32_t vcpu)
{
    return __atomic_load_n(&f->vcpu[vcpu], __ATOMIC_ACQUIRE);
}

/* ---- putting a port on its queue ---- */

/* Writes port into the link of the old tail, if that is still on the queue. */
static bool link_behind(uint32_t *tail, uint32_t port)
{
    uint32_t w = __atomic_load_n(tail, __ATOMIC_RELAXED);
    unsigned i;

    for (i = 0; i < TRIES && w & W_LINKED; i++) {
        if (__atomic_compare_exchange_n(tail, &w, (w & ~(W_BUSY | W_LINK)) | port, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return true;
        /* BUSY asks a well-behaved guest to keep off for a moment. */
        if (i == 0)
            w = __atomic_or_fetch(tail, W_BUSY, __ATOMIC_RELAXED);
    }
    if (i)                              /* or the guest would wait for it to go, for ever */
        __atomic_fetch_and(tail, ~W_BUSY, __ATOMIC_RELAXED);
    return false;
}

static void lock_both(struct fifo_queue *a, struct fifo_queue *b)
{
    byte_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        byte_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct fifo_queue *a, struct fifo_queue *b)
{
    byte_unlock(&a->lock);
    if (a != b)
        byte_unlock(&b->lock);
}

/* Locks the queue the port is to go on and the one it was on; says which it was. */
static struct fifo_queue *lock_queues(struct event_fifo *f, struct event *e, struct fifo_queue *q)
{
    for (;;) {
        uint16_t last = __atomic_load_n(&e->last_queue, __ATOMIC_RELAXED);
        struct fifo_vcpu *fv = vcpu_of(f, last / EVTCHN_FIFO_MAX_QUEUES);
        struct fifo_queue *old = fv ? &fv->queue[last % EVTCHN_FIFO_MAX_QUEUES] : q;

        lock_both(old, q);
        if (__atomic_load_n(&e->last_queue, __ATOMIC_RELAXED) == last)
            return old;
        unlock_both(old, q);
    }
}

/* With both queues locked: true if the queue was empty, so that the guest must be told. */
static bool append(struct event_fifo *f, struct fifo_queue *old, struct fifo_queue *q, uint32_t *head,
                   uint32_t port)
{
    uint32_t *tail;
    bool linked = false;

    if (old->tail == port)
        old->tail = 0;
    if (q->tail) {
        tail = word_of(f, q->tail);
        linked = tail && link_behind(tail, port);
    }
    if (!linked)
        __atomic_store_n(head, port, __ATOMIC_SEQ_CST);
    q->tail = port;
    return !linked;
}

static void enqueue(struct domain *d, struct event_fifo *f, uint32_t port, struct event *e, uint32_t *w)
{
    uint16_t vcpu = __atomic_load_n(&e->vcpu, __ATOMIC_RELAXED);
    uint8_t priority = __atomic_load_n(&e->priority, __ATOMIC_RELAXED);
    struct fifo_vcpu *fv = vcpu_of(f, vcpu);
    struct fifo_queue *q, *old;
    uint32_t ready = 1u << priority;
    bool first;

    if (!fv)
        /* stays pending; that vCPU has no control block, so it takes no events */
        return;
    q = &fv->queue[priority];
    old = lock_queues(f, e, q);
    if (__atomic_fetch_or(w, W_LINKED, __ATOMIC_SEQ_CST) & W_LINKED) {
        unlock_both(old, q);
        return;
    }
    first = append(f, old, q, &fv->control->head[priority], port);
    __atomic_store_n(&e->last_queue, (uint16_t)(vcpu * EVTCHN_FIFO_MAX_QUEUES + priority), __ATOMIC_RELAXED);
    unlock_both(old, q);
    if (first && !(__atomic_fetch_or(&fv->control->ready, ready, __ATOMIC_SEQ_CST) & ready))
        event_notify_vcpu(d->vcpu[vcpu]);
}

/* ---- what event.c calls ---- */

void event_fifo_raise(struct domain *d, struct event_fifo *f, uint32_t port, struct event *e)
{
    uint32_t *w = word_of(f, port), old;

    if (unlikely(!w)) {
        /* Kept until the page comes; which may be right now, and then one of the two sees it. */
        __atomic_store_n(&e->pending, 1, __ATOMIC_SEQ_CST);
        w = word_of(f, port);
        if (!w || !__atomic_exchange_n(&e->pending, 0, __ATOMIC_SEQ_CST))
            return;
    }
    old = __atomic_fetch_or(w, W_PENDING, __ATOMIC_SEQ_CST);
    if (!(old & (W_MASKED | W_LINKED)))
        enqueue(d, f, port, e, w);
}

void event_fifo_unmask(struct domain *d, struct event_fifo *f, uint32_t port, struct event *e)
{
    uint32_t *w = word_of(f, port), old;

    if (!w)
        return;
    old = __atomic_fetch_and(w, ~W_MASKED, __ATOMIC_SEQ_CST);
    if ((old & W_PENDING) && !(old & W_LINKED))
        enqueue(d, f, port, e, w);
}

void event_fifo_clear(struct event_fifo *f, uint32_t port, struct event *e)
{
    uint32_t *w = word_of(f, port);

    __atomic_store_n(&e->pending, 0, __ATOMIC_SEQ_CST);
    if (w)
        __atomic_fetch_and(w, ~W_PENDING, __ATOMIC_SEQ_CST);
}

bool event_fifo_pending(struct event_fifo *f, uint32_t port, const struct event *e)
{
    uint32_t *w = word_of(f, port);

    if (!w)
        return __atomic_load_n(&e->pending, __ATOMIC_SEQ_CST);
    return __atomic_load_n(w, __ATOMIC_SEQ_CST) & W_PENDING;
}

bool event_fifo_linked(struct event_fifo *f, uint32_t port)
{
    uint32_t *w = word_of(f, port);

    return w && __atomic_load_n(w, __ATOMIC_SEQ_CST) & W_LINKED;
}

/* ---- changing over ---- */

/* A page of the guest's that stays mapped until event_fifo_free(). */
static void *page_get(struct domain *d, mfn_t frame)
{
    return frame_get_writable(frame, d) ? frame_map(frame) : NULL;
}

static void page_put(const void *page, mfn_t frame)
{
    frame_unmap(page);
    frame_put_writable(frame);
}

/*
 * What is pending in the old layout must not be lost: it waits in the records until the pages come. Senders
 * go on meanwhile, so the new layout is there first and the old one read second: who still wrote to the old
 * one looks again (raise_2l()).
 */
static void take_over(struct domain *d, struct event_fifo *f)
{
    for (uint32_t port = 1; port < d->events.ports; port++) {
        __atomic_store_n(&event_at(d, port)->priority, PRIORITY_DEFAULT, __ATOMIC_RELAXED);
        __atomic_store_n(&event_at(d, port)->pending, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&d->events.fifo, f, __ATOMIC_SEQ_CST);
    for (uint32_t port = 1; port < d->events.ports; port++)
        if (event_2l_pending(d, port))
            event_fifo_raise(d, f, port, event_at(d, port));
}

int event_fifo_control_set(struct domain *d, uint32_t vcpu, mfn_t frame, uint32_t offset)
{
    struct event_fifo *old = d->events.fifo, *f = old;
    struct fifo_vcpu *fv;
    char *page = NULL;

    if (offset % 8 || offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || (f && f->vcpu[vcpu]))
        return -XEN_EINVAL;
    fv = kalloc(sizeof(*fv));
    if (!f)
        f = kalloc(sizeof(*f));
    if (fv && f)
        page = page_get(d, frame);
    if (!page) {
        bool no_memory = !fv || !f;

        kfree(fv);
        if (!old)
            kfree(f);
        return no_memory ? -XEN_ENOMEM : -XEN_EINVAL;
    }
    fv->control = (struct evtchn_fifo_control_block *)(page + offset);
    fv->frame = frame;
    __atomic_store_n(&f->vcpu[vcpu], fv, __ATOMIC_RELEASE);
    if (!old)
        take_over(d, f);
    return 0;
}

int event_fifo_array_add(struct domain *d, mfn_t frame)
{
    struct event_fifo *f = d->events.fifo;
    uint32_t first, end;

    if (!f)
        return -XEN_EOPNOTSUPP;
    first = f->pages * WORDS;
    if (first >= d->events.max_ports || f->pages >= FIFO_PAGES)
        return -XEN_ENOSPC;
    f->page[f->pages] = page_get(d, frame);
    if (!f->page[f->pages])
        return -XEN_EINVAL;
    f->frame[f->pages] = frame;
    __atomic_store_n(&f->pages, f->pages + 1, __ATOMIC_SEQ_CST);
    end = MIN(first + (uint32_t)WORDS, d->events.ports);
    for (uint32_t port = first; port < end; port++) {
        struct event *e = event_at(d, port);

        if (__atomic_exchange_n(&e->pending, 0, __ATOMIC_SEQ_CST))
            event_fifo_raise(d, f, port, e);
    }
    return 0;
}

struct event_fifo *event_fifo_detach(struct domain *d)
{
    struct event_fifo *f = d->events.fifo;

    __atomic_store_n(&d->events.fifo, NULL, __ATOMIC_RELEASE);
    return f;
}

void event_fifo_free(struct event_fifo *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < f->pages; i++)
        page_put(f->page[i], f->frame[i]);
    for (uint32_t i = 0; i < MAX_VCPUS; i++)
        if (f->vcpu[i]) {
            page_put(f->vcpu[i]->control, f->vcpu[i]->frame);
            kfree(f->vcpu[i]);
        }
    kfree(f);
}
