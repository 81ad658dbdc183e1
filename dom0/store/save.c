/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries as they are written; see save.h. save_restore.c reads them. */
#include "dom0/store/save.h"

#include <string.h>

#include "dom0/store/domain.h"
#include "dom0/store/save_entry.h"
#include "dom0/store/store.h"

static struct journal *of(const struct conn *c) {
    return c->lasting ? c->store->journal : NULL;
}

static void put(struct journal *j, enum save_type type, uint16_t id, const void *bytes, size_t len) {
    journal_put(j, (uint16_t)type, id, &(struct journal_piece){ bytes, len }, 1);
}

static size_t perms_size(const struct perms *p) {
    return p->count * sizeof(p->entry[0]);
}

static void put_node(struct journal *j, enum save_type type, const struct node *n, bool value, bool perms) {
    struct save_node_head h = { (uint16_t)n->len, perms ? (uint16_t)n->perms->count : 0 };
    struct journal_piece pieces[] = {
        { &h, sizeof(h) },
        { n->perms->entry, perms ? perms_size(n->perms) : 0 },
        { n->path, n->len },
        { n->value->bytes, value ? n->value->len : 0 },
    };
    journal_put(j, (uint16_t)type, 0, pieces, 4);
}

void save_node(struct journal *j, const struct node *n) {
    if (journal_is_on(j))
        put_node(j, SAVE_NODE, n, true, true);
}

void save_value(struct journal *j, const struct node *n) {
    if (journal_is_on(j))
        put_node(j, SAVE_VALUE, n, true, false);
}

void save_perms(struct journal *j, const struct node *n) {
    if (journal_is_on(j))
        put_node(j, SAVE_PERMS, n, false, true);
}

void save_removal(struct journal *j, const struct node *n) {
    if (journal_is_on(j))
        put_node(j, SAVE_REMOVAL, n, false, false);
}

static void put_watch(const struct conn *c, enum save_type type, const struct watch *w) {
    struct save_watch_head h = { (uint16_t)w->len, (uint16_t)w->skip };
    struct journal_piece pieces[] = { { &h, sizeof(h) },
                                      { w->path, w->len },
                                      { w->token, strlen(w->token) } };
    if (journal_is_on(of(c)))
        journal_put(of(c), (uint16_t)type, c->who.domid, pieces, 3);
}

void save_watch(const struct conn *c, const struct watch *w) {
    put_watch(c, SAVE_WATCH, w);
}

void save_unwatch(const struct conn *c, const struct watch *w) {
    put_watch(c, SAVE_UNWATCH, w);
}

void save_txn(const struct conn *c, uint32_t id, bool open) {
    put(of(c), open ? SAVE_TXN : SAVE_TXN_END, c->who.domid, &id, sizeof(id));
}

void save_unsent(const struct conn *c, const void *message, size_t len, size_t sent) {
    uint32_t head = (uint32_t)sent;
    struct journal_piece pieces[] = { { &head, sizeof(head) }, { message, len } };
    journal_put(of(c), SAVE_UNSENT, c->who.domid, pieces, 2);
}

void save_input(const struct conn *c, const void *bytes, size_t len) {
    put(of(c), SAVE_INPUT, c->who.domid, bytes, len);
}

void save_reset(const struct conn *c) {
    put(of(c), SAVE_RESET, c->who.domid, NULL, 0);
}

void save_fault(const struct conn *c) {
    uint32_t fault = (uint32_t)c->fault;
    put(of(c), SAVE_FAULT, c->who.domid, &fault, sizeof(fault));
}

void save_target(const struct conn *c) {
    int32_t target = c->who.target;
    put(of(c), SAVE_TARGET, c->who.domid, &target, sizeof(target));
}

void save_domain(const struct domain *d) {
    put(of(&d->conn), SAVE_DOMAIN, d->conn.who.domid, &d->remote_port, sizeof(d->remote_port));
}

void save_gone(const struct domain *d) {
    put(of(&d->conn), SAVE_GONE, d->conn.who.domid, NULL, 0);
}

void save_ring(const struct domain *d) {
    const struct conn *c = &d->conn;
    struct save_ring_state r = { domain_handled(d), d->prod, (uint32_t)c->out_bytes, c->held };
    put(of(c), SAVE_RING, c->who.domid, &r, sizeof(r));
}

void save_limit(struct journal *j, const char *name, uint64_t value) {
    struct journal_piece pieces[] = { { &value, sizeof(value) }, { name, strlen(name) } };
    journal_put(j, SAVE_LIMIT, 0, pieces, 2);
}

/* ---- a snapshot ---- */

static void save_limits(struct store *s) {
    const char *name, *what;
    uint64_t *limit;
    for (unsigned int i = 0; (limit = quota_limit_by_index(&s->quota.guest, i, &name, &what)); i++)
        save_limit(s->journal, name, *limit);
}

static void save_tree(struct store *s) {
    save_node(s->journal, tree_find(&s->tree, "@introduceDomain", 16));
    save_node(s->journal, tree_find(&s->tree, "@releaseDomain", 14));
    for (const struct node *n = s->tree.root; n; n = tree_next(s->tree.root, n))
        save_node(s->journal, n);
}

/* Those set last stand first in the list. */
static void save_watches(const struct conn *c) {
    const struct watch *w = c->watches;
    while (w && w->next)
        w = w->next;
    for (; w; w = w->prev)
        save_watch(c, w);
}

static void save_held(const struct domain *d) {
    const struct conn *c = &d->conn;
    save_domain(d);
    if (c->who.target != PERM_NO_TARGET)
        save_target(c);
    save_watches(c);
    for (const struct txn *x = c->txns; x; x = x->next)
        save_txn(c, x->id, true);
    for (const struct outgoing *o = c->out; o; o = o->next)
        save_unsent(c, o->bytes, o->len, o->sent);
    if (c->held)
        save_input(c, c->in + c->in_start, c->held);
    if (c->fault)
        save_fault(c);
    save_ring(d);
}

int save_all(struct store *s) {
    int rc = journal_start(s->journal);
    if (rc < 0)
        return rc;
    save_limits(s);
    save_tree(s);
    for (const struct conn *c = s->conns; c; c = c->next)
        if (c->lasting)
            save_held(domain_of(c));
    return journal_finish(s->journal);
}
