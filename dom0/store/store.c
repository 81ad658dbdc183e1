/* SPDX-License-Identifier: BSD-2-Clause */
/* The store of store.h. */
#include "dom0/store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dom0/store/domain.h"
#include "dom0/store/path.h"
#include "dom0/store/save.h"

int store_init(struct store *s, void (*log)(const char *line)) {
    memset(s, 0, sizeof(*s));
    s->log = log;
    s->run_tail = &s->run;
    struct hash *tables[] = { &s->events, &s->domains, &s->ports, &s->watches.by_path };
    int rc = quota_init(&s->quota);
    for (unsigned int i = 0; i < 4 && rc == 0; i++)
        rc = hash_init(tables[i]);
    if (rc == 0)
        rc = tree_init(&s->tree, &s->quota);
    return rc;
}

void store_destroy(struct store *s) {
    domain_release_all(s);
    tree_destroy(&s->tree);
    quota_destroy(&s->quota);
    watch_table_destroy(&s->watches);
    hash_destroy(&s->events);
    hash_destroy(&s->domains);
    hash_destroy(&s->ports);
}

void store_logf(struct store *s, const char *format, ...) {
    char line[1024];
    va_list ap;
    if (!s->log)
        return;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    s->log(line);
}

/* One change on its way to those who watch it. */
struct delivery {
    const struct view_change *change;
    const struct perms *parent; /* of the node above: who may list that may know of what is in it */
};

static bool may_know(const struct perms *p, const struct perm_subject *who) {
    return p && perms_allowed(p, who) & PERM_READ;
}

static void deliver(void *arg, struct watch *w) {
    const struct delivery *d = arg;
    const struct perm_subject *who = &w->conn->who;
    if (may_know(d->change->now, who) || may_know(d->change->before, who) || may_know(d->parent, who))
        conn_send_event(w->conn, d->change->path + w->skip, w->token);
}

static void store_changed(void *arg, const struct view_change *change) {
    struct store *s = arg;
    if (s->watches.by_path.count == 0)
        return;
    size_t up = path_parent_len(change->path, change->len);
    struct node *parent = up ? tree_find(&s->tree, change->path, up) : NULL;
    struct delivery d = { change, parent ? parent->perms : NULL };
    watch_for_each(&s->watches, change->path, change->len, change->exact, deliver, &d);
}

struct view store_view(struct store *s, struct txn *x) {
    return (struct view){ .tree = &s->tree, .txn = x, .changed = store_changed, .arg = s };
}

void store_fire_special(struct store *s, const char *path) {
    size_t len = strlen(path);
    struct node *n = tree_find(&s->tree, path, len);
    if (n)
        store_changed(s, &(struct view_change){ path, len, true, n->perms, NULL });
}

/* Length of the deepest ancestor of p that exists. */
static size_t existing_len(struct store *s, const struct path *p) {
    size_t len = p->len;
    do
        len = path_parent_len(p->text, len);
    while (!tree_find(&s->tree, p->text, len));
    return len;
}

int store_put(struct store *s, const char *text, const char *value) {
    struct view v = store_view(s, NULL);
    struct view_node n;
    struct path p;
    int rc = path_parse(&p, text, 0);
    if (rc < 0)
        return rc;
    if (view_get(&v, p.text, p.len, TXN_VALUE, &n) == 0)
        return view_set_value(&v, &n, value, strlen(value));
    struct blob *b = blob_new(value, strlen(value));
    if (!b)
        return -ENOMEM;
    rc = view_create(&v, &p, existing_len(s, &p), b, s->tree.root->perms);
    blob_put(b);
    return rc;
}

void store_reap(struct store *s) {
    if (!s->any_failed)
        return;
    s->any_failed = false;
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (!c->fault)
            continue;
        conn_reset(c);
        c->transport->failed(c);
    }
}

static struct conn *next_to_run(struct store *s) {
    struct conn *c = s->run;
    s->run = c->next_run;
    if (!s->run)
        s->run_tail = &s->run;
    s->run_count--;
    c->runnable = false;
    return c;
}

void store_commit(struct store *s) {
    if (s->moved)
        domain_save_moved(s);
    if (s->journal)
        journal_commit(s->journal);
    if (s->moved)
        domain_publish(s);
}

static void report_journal(struct store *s) {
    const struct journal *j = s->journal;
    if (j->failed && !s->journal_reported)
        store_logf(s, "the store can no more be kept in %s: %s. It serves on, but a restart would lose what "
                      "changes from here on; make room there (it is tried again each second)",
                   s->journal_place, strerror(-j->error));
    if (!j->failed && s->journal_reported)
        store_logf(s, "the store is kept in %s again: a restart loses nothing", s->journal_place);
    s->journal_reported = j->failed;
}

static void tend_journal(struct store *s) {
    if (!s->journal)
        return;
    if (journal_due(s->journal))
        save_all(s);
    report_journal(s);
}

void store_keep(struct store *s, struct journal *j, const char *place) {
    s->journal = s->tree.journal = j;
    s->journal_place = place;
    s->journal_reported = false;
    if (j) {
        save_all(s);
        report_journal(s);
    }
}

/* Taken from the head one at a time, since serving one may destroy another. */
bool store_run(struct store *s) {
    if (s->parked)
        domain_unpark(s);
    for (uint32_t n = s->run_count; n > 0 && s->run; n--) {
        struct conn *c = next_to_run(s);
        if (!c->fault && conn_run(c))
            conn_requeue(c);
    }
    store_reap(s);
    store_commit(s);
    tend_journal(s);
    domain_notify(s);
    return s->run != NULL;
}

int store_check(const struct store *s) {
    return tree_check(&s->tree);
}
