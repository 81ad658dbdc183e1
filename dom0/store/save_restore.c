/* SPDX-License-Identifier: BSD-2-Clause */
/* The store from the journal's entries; see save.h. Entries are checked for being well formed, so that a
 * journal that somebody else wrote does not make the daemon do what it could not do anyway. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dom0/store/domain.h"
#include "dom0/store/path.h"
#include "dom0/store/save.h"
#include "dom0/store/save_entry.h"
#include "dom0/store/store.h"

/* What of an entry is not read yet. */
struct cursor {
    const char *at;
    size_t left;
};

static const void *take(struct cursor *c, size_t len) {
    const char *at = c->at;
    if (len > c->left)
        return NULL;
    c->at += len;
    c->left -= len;
    return at;
}

static int take_copy(struct cursor *c, void *to, size_t len) {
    const void *at = take(c, len);
    if (!at)
        return -EBADMSG;
    memcpy(to, at, len);
    return 0;
}

static int take_path(struct cursor *c, struct path *p, size_t len) {
    const char *at = take(c, len);
    if (!at || len > XENSTORE_ABS_PATH_MAX)
        return -EBADMSG;
    char text[XENSTORE_ABS_PATH_MAX + 1];
    memcpy(text, at, len);
    text[len] = '\0';
    return path_parse(p, text, 0) < 0 || p->len != len ? -EBADMSG : 0;
}

struct node_entry {
    struct path path;
    struct perms *perms; /* NULL: the entry has none */
    struct node *node;   /* of that path; NULL: not there */
};

static int take_perms(struct cursor *c, struct node_entry *e, uint32_t count) {
    if (count == 0)
        return 0;
    e->perms = perms_new(count);
    return e->perms ? take_copy(c, e->perms->entry, count * sizeof(struct perm)) : -ENOMEM;
}

static int take_node(struct store *s, struct cursor *c, struct node_entry *e) {
    struct save_node_head h;
    int rc = take_copy(c, &h, sizeof(h));
    if (rc == 0)
        rc = take_perms(c, e, h.perm_count);
    if (rc == 0)
        rc = take_path(c, &e->path, h.path_len);
    if (rc == 0)
        e->node = tree_find(&s->tree, e->path.text, e->path.len);
    return rc;
}

static int create(struct store *s, const struct node_entry *e, const struct cursor *value) {
    size_t up = path_parent_len(e->path.text, e->path.len);
    if (!e->perms || !up || !tree_find(&s->tree, e->path.text, up))
        return -EBADMSG;
    struct blob *b = blob_new(value->at, value->left);
    int rc = b ? tree_create(&s->tree, e->path.text, e->path.len, b, e->perms) : -ENOMEM;
    blob_put(b);
    return rc;
}

static int apply_node(struct store *s, uint16_t type, const struct node_entry *e,
                      const struct cursor *value) {
    struct node *n = e->node;
    if (type == SAVE_NODE && !n)
        return create(s, e, value);
    if (!n || (type == SAVE_REMOVAL && !n->parent))
        return -EBADMSG;
    int rc = type == SAVE_NODE || type == SAVE_VALUE ? tree_set_value(&s->tree, n, value->at, value->left) :
                                                       0;
    if (rc == 0 && e->perms)
        rc = tree_set_perms(&s->tree, n, e->perms);
    if (type == SAVE_REMOVAL)
        tree_remove(&s->tree, n);
    return rc;
}

static int restore_node(struct store *s, uint16_t type, struct cursor *c) {
    struct node_entry e = { .perms = NULL };
    int rc = take_node(s, c, &e);
    if (rc == 0)
        rc = apply_node(s, type, &e, c);
    perms_put(e.perms);
    return rc;
}

static int restore_limit(struct store *s, struct cursor *c) {
    char name[32] = "";
    uint64_t value;
    int rc = take_copy(c, &value, sizeof(value));
    if (rc < 0 || c->left >= sizeof(name))
        return -EBADMSG;
    memcpy(name, c->at, c->left);
    uint64_t *limit = quota_limit_by_name(&s->quota.guest, name);
    if (limit)
        *limit = value;
    return limit ? 0 : -EBADMSG;
}

/* ---- what a connection holds ---- */

static int restore_watch(struct conn *c, uint16_t type, struct cursor *in) {
    struct save_watch_head h;
    struct path p;
    char token[XENSTORE_PAYLOAD_MAX];
    int rc = take_copy(in, &h, sizeof(h));
    if (rc == 0)
        rc = take_path(in, &p, h.path_len);
    if (rc < 0 || in->left >= sizeof(token) || h.skip > p.len)
        return -EBADMSG;
    memcpy(token, in->at, in->left);
    token[in->left] = '\0';
    if (type == SAVE_WATCH)
        return conn_add_watch(c, &p, h.skip, token) ? 0 : -ENOMEM;
    struct watch *w = watch_find(&c->store->watches, c, &p, token);
    if (w)
        conn_drop_watch(c, w);
    return w ? 0 : -EBADMSG;
}

/* A transaction goes on, empty, and cannot succeed. */
static int restore_txn(struct conn *c, uint16_t type, uint32_t id) {
    struct txn *x = conn_find_txn(c, id);
    if (type == SAVE_TXN && !x) {
        x = conn_add_txn(c, id);
        if (!x)
            return -ENOMEM;
        x->failed = -EAGAIN;
        c->last_txn = id;
        return 0;
    }
    if (!x)
        return -EBADMSG;
    conn_drop_txn(c, x);
    return 0;
}

static int restore_input(struct conn *c, const struct cursor *in) {
    if (in->left > sizeof(struct xs_message) - c->in_end)
        return -EBADMSG;
    if (conn_make_room(c) < 0)
        return -ENOMEM;
    memcpy(c->in + c->in_end, in->at, in->left);
    c->in_end += in->left;
    c->held += (uint32_t)in->left;
    return 0;
}

static int restore_ring(struct domain *d, struct cursor *in) {
    struct conn *c = &d->conn;
    struct save_ring_state r;
    if (take_copy(in, &r, sizeof(r)) < 0 || r.unsent > c->out_bytes || (r.held && r.held != c->held))
        return -EBADMSG;
    d->cons = r.cons;
    d->prod = r.prod;
    conn_restore_sent(c, c->out_bytes - r.unsent);
    if (r.held == 0) {
        c->in_end = 0;
        c->held = 0;
    }
    return 0;
}

static int restore_unsent(struct conn *c, struct cursor *in) {
    uint32_t sent;
    int rc = take_copy(in, &sent, sizeof(sent));
    return rc < 0 ? rc : conn_restore_unsent(c, in->at, in->left, sent);
}

static void forget(struct store *s, struct domain *d) {
    conn_destroy(&d->conn);
    hash_remove(&s->domains, &d->by_domid);
    free(d);
}

static int restore_number(struct domain *d, uint16_t type, uint32_t number) {
    struct conn *c = &d->conn;
    switch (type) {
    case SAVE_DOMAIN: d->remote_port = number; return 0;
    case SAVE_TARGET: c->who.target = (int32_t)number; return 0;
    case SAVE_FAULT: c->fault = (int)number; return 0;
    default: return restore_txn(c, type, number);
    }
}

static int restore_held(struct domain *d, uint16_t type, struct cursor *in) {
    struct conn *c = &d->conn;
    uint32_t number;
    switch (type) {
    case SAVE_WATCH:
    case SAVE_UNWATCH: return restore_watch(c, type, in);
    case SAVE_UNSENT: return restore_unsent(c, in);
    case SAVE_INPUT: return restore_input(c, in);
    case SAVE_RING: return restore_ring(d, in);
    case SAVE_RESET: conn_reset(c); return 0;
    case SAVE_GONE: forget(c->store, d); return 0;
    default: return take_copy(in, &number, sizeof(number)) < 0 ? -EBADMSG : restore_number(d, type, number);
    }
}

static int restore_entry(void *arg, const struct journal_entry *e, const char *bytes) {
    struct store *s = arg;
    struct cursor in = { bytes, e->len };
    if (e->type < SAVE_NODE || e->type > SAVE_RING)
        return -EBADMSG;
    if (e->type < SAVE_LIMIT)
        return restore_node(s, e->type, &in);
    if (e->type == SAVE_LIMIT)
        return restore_limit(s, &in);
    struct domain *d = domain_find(s, e->id);
    if (!d && e->type == SAVE_DOMAIN)
        d = domain_restore(s, e->id);
    return d ? restore_held(d, e->type, &in) : -EBADMSG;
}

int save_restore(struct store *s, const char *base, size_t size, bool *incomplete) {
    struct journal_header h = { 0 };
    int rc = journal_read(base, size, restore_entry, s);
    if (size >= sizeof(h))
        memcpy(&h, base, sizeof(h));
    *incomplete = rc < 0 || h.flags & JOURNAL_INCOMPLETE;
    s->distrust = *incomplete;
    if (rc != -EINVAL)
        s->tree.generation += (uint64_t)(h.life + 1) << 40; /* none that a client has seen comes again */
    return rc;
}
