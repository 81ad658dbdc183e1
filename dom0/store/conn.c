/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of conn.h. */
#include "dom0/store/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dom0/store/request.h"
#include "dom0/store/save.h"
#include "dom0/store/store.h"
#include "dom0/store/usage.h"

void conn_init(struct conn *c, struct store *s, const struct conn_transport *t, uint16_t domid) {
    memset(c, 0, sizeof(*c));
    c->store = s;
    c->transport = t;
    c->who.domid = domid;
    c->who.privileged = domid == 0;
    c->who.target = PERM_NO_TARGET;
    c->limits = c->who.privileged ? &s->quota.privileged : &s->quota.guest;
    c->out_tail = &c->out;
    c->next = s->conns;
    if (c->next)
        c->next->prev = c;
    s->conns = c;
}

uint64_t conn_memory(const struct conn *c) {
    uint64_t sum = c->memory;
    for (const struct txn *x = c->txns; x; x = x->next)
        sum += x->memory;
    return sum;
}

struct txn *conn_find_txn(const struct conn *c, uint32_t id) {
    struct txn *x = c->txns;
    while (x && x->id != id)
        x = x->next;
    return x;
}

struct txn *conn_add_txn(struct conn *c, uint32_t id) {
    struct txn *x = txn_new(&c->store->tree, id, c->who.domid, c->limits);
    if (!x)
        return NULL;
    x->next = c->txns;
    c->txns = x;
    c->txn_count++;
    save_txn(c, id, true);
    return x;
}

static void forget_txn(struct conn *c, struct txn *x) {
    struct txn **at = &c->txns;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    c->txn_count--;
    txn_free(x);
}

void conn_drop_txn(struct conn *c, struct txn *x) {
    save_txn(c, x->id, false);
    forget_txn(c, x);
}

struct watch *conn_add_watch(struct conn *c, const struct path *p, size_t skip, const char *token) {
    struct watch *w = watch_add(&c->store->watches, c, p, skip, token);
    if (!w)
        return NULL;
    w->next = c->watches;
    if (w->next)
        w->next->prev = w;
    c->watches = w;
    c->watch_count++;
    c->memory += watch_cost(w);
    save_watch(c, w);
    return w;
}

static void forget_watch(struct conn *c, struct watch *w) {
    *(w->prev ? &w->prev->next : &c->watches) = w->next;
    if (w->next)
        w->next->prev = w->prev;
    c->watch_count--;
    c->memory -= watch_cost(w);
    watch_remove(&c->store->watches, w);
}

void conn_drop_watch(struct conn *c, struct watch *w) {
    save_unwatch(c, w);
    forget_watch(c, w);
}

/* An event once begun is on its way and no longer stands for later ones. */
static void unlink_event(struct outgoing *o) {
    if (o->is_event)
        hash_remove(&o->conn->store->events, &o->link);
    o->is_event = false;
}

static void pop(struct conn *c) {
    struct outgoing *o = c->out;
    struct xsd_sockmsg header;
    memcpy(&header, o->bytes, sizeof(header));
    if (header.type != XS_WATCH_EVENT)
        c->replies--;
    unlink_event(o);
    c->memory -= sizeof(*o) + o->len;
    c->out_bytes -= o->len - o->sent;
    c->out = o->next;
    if (!c->out)
        c->out_tail = &c->out;
    free(o);
}

void conn_reset(struct conn *c) {
    save_reset(c);
    while (c->watches)
        forget_watch(c, c->watches);
    while (c->txns)
        forget_txn(c, c->txns);
    while (c->out)
        pop(c);
    c->in_start = c->in_end = 0;
    c->held = 0;
    c->drained = false;
}

static void leave_run_list(struct conn *c) {
    struct conn **at = &c->store->run;
    if (!c->runnable)
        return;
    while (*at != c)
        at = &(*at)->next_run;
    *at = c->next_run;
    if (!*at)
        c->store->run_tail = at;
    c->store->run_count--;
    c->runnable = false;
}

void conn_destroy(struct conn *c) {
    conn_reset(c);
    free(c->in);
    c->in = NULL;
    leave_run_list(c);
    *(c->prev ? &c->prev->next : &c->store->conns) = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

void conn_requeue(struct conn *c) {
    struct store *s = c->store;
    if (c->runnable)
        return;
    c->runnable = true;
    c->next_run = NULL;
    *s->run_tail = c;
    s->run_tail = &c->next_run;
    s->run_count++;
}

void conn_wake(struct conn *c) {
    c->drained = false;
    conn_requeue(c);
}

void conn_fail(struct conn *c, int fault) {
    if (c->fault)
        return;
    c->fault = fault;
    c->store->any_failed = true;
}

/* Bytes the transport took; a peer that is gone takes all. */
static size_t transmit(struct conn *c, const void *buf, size_t len) {
    ssize_t n = c->fault ? (ssize_t)len : c->transport->write(c, buf, len);
    if (n >= 0)
        return (size_t)n;
    conn_fail(c, XENSTORE_ERROR_COMM);
    return len;
}

/* True if the first message is gone. */
static bool note_sent(struct conn *c, size_t n) {
    struct outgoing *o = c->out;
    if (n > 0)
        unlink_event(o);
    o->sent += n;
    c->out_bytes -= n;
    if (o->sent < o->len)
        return false;
    pop(c);
    return true;
}

static void flush(struct conn *c) {
    while (c->out && note_sent(c, transmit(c, c->out->bytes + c->out->sent, c->out->len - c->out->sent)))
        ;
    if (c->out && c->transport->blocked)
        c->transport->blocked(c);
}

static uint32_t event_hash(const struct conn *c, const struct xs_message *m) {
    uint32_t state = hash_step(hash_start(), &c, sizeof(c));
    return hash_finish(hash_step(state, m->payload, m->header.len));
}

static bool event_waits(const struct conn *c, const struct xs_message *m, uint32_t hash) {
    size_t len = sizeof(m->header) + m->header.len;
    for (struct hash_link *l = hash_first(&c->store->events, hash); l; l = hash_next(l)) {
        struct outgoing *o = hash_entry(l, struct outgoing, link);
        if (o->conn == c && o->len == len && memcmp(o->bytes, m, len) == 0)
            return true;
    }
    return false;
}

static bool over_memory(struct conn *c, size_t more) {
    const struct account *a = c->who.privileged ? NULL : quota_find(&c->store->quota, c->who.domid);
    return !usage_within(c, QUOTA_MEMORY, conn_memory(c) + (a ? a->memory : 0) + more);
}

static struct outgoing *enqueue(struct conn *c, const struct xs_message *m, size_t sent) {
    size_t len = sizeof(m->header) + m->header.len;
    struct outgoing *o = malloc(sizeof(*o) + len);
    if (!o) {
        conn_fail(c, XENSTORE_ERROR_COMM);
        return NULL;
    }
    *o = (struct outgoing){ .conn = c, .len = len, .sent = sent };
    memcpy(o->bytes, m, len);
    *c->out_tail = o;
    c->out_tail = &o->next;
    c->memory += sizeof(*o) + len;
    c->out_bytes += len - sent;
    if (m->header.type != XS_WATCH_EVENT)
        c->replies++;
    save_unsent(c, m, len, sent);
    if (c->out == o && c->transport->blocked)
        c->transport->blocked(c);
    return o;
}

/* What a client is told holds from then on: it survives us first. (What goes by a ring is published later, by
 * store_commit().) */
void conn_send(struct conn *c, const struct xs_message *m) {
    size_t len = sizeof(m->header) + m->header.len;
    if (!c->lasting)
        store_commit(c->store);
    size_t sent = c->out ? 0 : transmit(c, m, len);
    if (sent < len)
        enqueue(c, m, sent);
}

static void link_event(struct outgoing *o, uint32_t hash) {
    o->is_event = true;
    hash_insert(&o->conn->store->events, &o->link, hash);
}

static void queue_event(struct conn *c, const struct xs_message *m, size_t sent) {
    uint32_t hash = event_hash(c, m);
    if (sent == 0 && event_waits(c, m, hash))
        return;
    if (over_memory(c, sizeof(struct outgoing) + sizeof(m->header) + m->header.len)) {
        conn_fail(c, XENSTORE_ERROR_COMM);
        return;
    }
    struct outgoing *o = enqueue(c, m, sent);
    if (o && sent == 0)
        link_event(o, hash);
}

int conn_restore_unsent(struct conn *c, const void *message, size_t len, size_t sent) {
    struct xs_message *m = &c->store->event;
    if (len < sizeof(m->header) || len > sizeof(*m) || sent >= len)
        return -EBADMSG;
    memcpy(m, message, len);
    if (m->header.len != len - sizeof(m->header))
        return -EBADMSG;
    struct outgoing *o = enqueue(c, m, sent);
    if (o && sent == 0 && m->header.type == XS_WATCH_EVENT)
        link_event(o, event_hash(c, m));
    return o ? 0 : -ENOMEM;
}

void conn_restore_sent(struct conn *c, uint64_t n) {
    while (n > 0 && c->out) {
        size_t left = c->out->len - c->out->sent, step = n < left ? (size_t)n : left;
        n -= step;
        note_sent(c, step);
    }
}

void conn_send_event(struct conn *c, const char *path, const char *token) {
    struct xs_message *m = &c->store->event;
    size_t path_size = strlen(path) + 1, token_size = strlen(token) + 1;
    if (c->fault)
        return;
    m->header = (struct xsd_sockmsg){ .type = XS_WATCH_EVENT, .len = (uint32_t)(path_size + token_size) };
    memcpy(m->payload, path, path_size);
    memcpy(m->payload + path_size, token, token_size);
    size_t sent = c->out ? 0 : transmit(c, m, sizeof(m->header) + m->header.len);
    if (sent < sizeof(m->header) + m->header.len)
        queue_event(c, m, sent);
}

int conn_make_room(struct conn *c) {
    if (!c->in)
        c->in = malloc(sizeof(struct xs_message));
    return c->in ? 0 : -ENOMEM;
}

/* A guest that says nothing costs no buffer; a client of the socket soon says more. */
static void give_room_back(struct conn *c) {
    if (!c->lasting || c->in_end > c->in_start)
        return;
    free(c->in);
    c->in = NULL;
    c->in_start = c->in_end = 0;
}

/* Reads once if the transport may have more. */
static void fill(struct conn *c) {
    if (c->drained)
        return;
    if (conn_make_room(c) < 0) {
        conn_fail(c, XENSTORE_ERROR_COMM);
        return;
    }
    size_t have = c->in_end - c->in_start;
    memmove(c->in, c->in + c->in_start, have);
    c->in_start = 0;
    c->in_end = have;
    ssize_t n = c->transport->read(c, c->in + have, sizeof(struct xs_message) - have);
    if (n < 0) {
        conn_fail(c, XENSTORE_ERROR_COMM);
        n = 0;
    }
    c->drained = (size_t)n < sizeof(struct xs_message) - have;
    c->in_end += (size_t)n;
}

static bool whole_message(struct conn *c, struct xsd_sockmsg *header) {
    size_t have = c->in_end - c->in_start;
    if (have < sizeof(*header))
        return false;
    memcpy(header, c->in + c->in_start, sizeof(*header));
    if (header->len > XENSTORE_PAYLOAD_MAX)
        conn_fail(c, XENSTORE_ERROR_PROTO);
    return have - sizeof(*header) >= header->len;
}

static bool serve_one(struct conn *c) {
    struct xsd_sockmsg header;
    if (!whole_message(c, &header)) {
        fill(c);
        if (!whole_message(c, &header)) {
            if (c->transport->unfinished && !c->fault && c->in_end > c->in_start)
                c->transport->unfinished(c);
            return false;
        }
    }
    if (c->fault || (c->transport->allowed && !c->transport->allowed(c)))
        return false;
    char *payload = c->in + c->in_start + sizeof(header);
    c->in_start += sizeof(header) + header.len;
    c->held = 0;
    if (c->transport->taken)
        c->transport->taken(c);
    request_handle(c, &header, payload);
    store_commit(c->store);
    return true;
}

static bool may_ask(struct conn *c) {
    return c->replies == 0 || usage_within(c, QUOTA_OUTSTANDING, c->replies + 1);
}

bool conn_run(struct conn *c) {
    unsigned int i = 0;
    flush(c);
    while (i < CONN_BURST && !c->fault && may_ask(c) && serve_one(c))
        i++;
    store_commit(c->store);
    give_room_back(c);
    return i == CONN_BURST;
}
