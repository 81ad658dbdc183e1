/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store against a naive model: random requests of three clients (a privileged one and two domains),
 * transactions and tiny quotas among them, compared after each step.
 *
 * The model is a flat list of nodes. Requests outside transactions must give exactly the model's answer.
 * Those inside are only noted with the answer they got; when the commit succeeds, replaying them on the model
 * at that moment must give the same answers (that is what a transaction promises), and when it fails with
 * EAGAIN, a node near one of those touched must have been changed by somebody since the start. After every
 * step the trees must be equal, the accounts must agree with a recount, and each client must have got exactly
 * the watch events that the model expects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_harness.h"

#define CLIENTS     3
#define TXNS        2 /* per client */
#define MAX_NODES   16
#define MAX_LOG     12
#define MAX_FIRED   64
#define QUOTA_NODES 5
#define QUOTA_SIZE  12
#define QUOTA_PERMS 2

static const uint16_t domid_of[CLIENTS] = { 0, 3, 4 };

struct mnode {
    char path[8]; /* empty: unused */
    char value[12];
    int perm_count;
    struct perm perm[3];
};

struct model {
    struct mnode node[MAX_NODES];
};

struct op {
    uint32_t type;
    char path[8];
    char value[12]; /* WRITE */
    int perm_count; /* SET_PERMS */
    struct perm perm[3];
};

struct result {
    int rc;
    char text[128];
};

struct fired {
    char path[8];
    bool exact;
};

struct change_list {
    int count;
    struct fired at[MAX_FIRED];
};

static uint64_t rng_state;

static uint32_t rnd(uint32_t below) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 33) % below;
}

/* ---- the model ---- */

static struct mnode *m_find(struct model *m, const char *path) {
    for (int i = 0; i < MAX_NODES; i++)
        if (m->node[i].path[0] && strcmp(m->node[i].path, path) == 0)
            return &m->node[i];
    return NULL;
}

static bool m_parent(const char *path, char *out) {
    if (strcmp(path, "/") == 0)
        return false;
    memmove(out, path, strlen(path) + 1);
    char *slash = strrchr(out, '/');
    slash[slash == out] = '\0';
    return true;
}

/* path is top or below it. */
static bool m_within(const char *path, const char *top) {
    size_t n = strlen(top);
    return strcmp(top, "/") == 0 || (strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

static unsigned int m_allowed(const struct mnode *n, int client) {
    int who = domid_of[client];
    if (client == 0 || n->perm[0].domid == who)
        return PERM_READ | PERM_WRITE | PERM_OWNER;
    for (int i = 1; i < n->perm_count; i++)
        if (n->perm[i].domid == who)
            return n->perm[i].bits;
    return n->perm[0].bits;
}

static int m_owned(struct model *m, int domid) {
    int n = 0;
    for (int i = 0; i < MAX_NODES; i++)
        n += m->node[i].path[0] && m->node[i].perm[0].domid == domid;
    return n;
}

static struct mnode *m_ancestor(struct model *m, const char *path) {
    char up[8];
    struct mnode *n = NULL;
    strcpy(up, path);
    while (!n && m_parent(up, up))
        n = m_find(m, up);
    return n;
}

static int m_check(struct model *m, const char *path, int client, unsigned int need, struct mnode **out) {
    *out = m_find(m, path);
    struct mnode *n = *out ? *out : m_ancestor(m, path);
    if ((m_allowed(n, client) & need) != need)
        return -EACCES;
    return *out ? 0 : -ENOENT;
}

static void fire(struct change_list *l, const char *path, bool exact) {
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->at[i].path, path) == 0) {
            l->at[i].exact = l->at[i].exact && exact;
            return;
        }
    assert_true(l->count < MAX_FIRED);
    strcpy(l->at[l->count].path, path);
    l->at[l->count++].exact = exact;
}

static int m_size(size_t len, int perms, int client) {
    return client != 0 && len + 4 * (size_t)perms > QUOTA_SIZE ? -ENOSPC : 0;
}

static void m_add(struct model *m, const char *path, const char *value, const struct mnode *like,
                  int client) {
    char up[8];
    if (m_parent(path, up) && !m_find(m, up))
        m_add(m, up, "", like, client);
    for (int i = 0; i < MAX_NODES; i++)
        if (!m->node[i].path[0]) {
            m->node[i] = *like;
            strcpy(m->node[i].path, path);
            strcpy(m->node[i].value, value);
            if (client != 0)
                m->node[i].perm[0].domid = domid_of[client];
            return;
        }
    fail();
}

static int m_create(struct model *m, const struct op *op, int client, bool limits) {
    struct mnode like = *m_ancestor(m, op->path);
    int missing = 0;
    char up[8];
    strcpy(up, op->path);
    do
        missing++;
    while (m_parent(up, up) && !m_find(m, up));
    if (limits && client != 0 && m_owned(m, domid_of[client]) + missing > QUOTA_NODES)
        return -ENOSPC;
    if (m_size(strlen(op->value), like.perm_count, client) < 0)
        return -ENOSPC;
    m_add(m, op->path, op->value, &like, client);
    return 0;
}

static int m_write(struct model *m, const struct op *op, int client, bool limits, struct change_list *l) {
    struct mnode *n;
    int rc = m_check(m, op->path, client, PERM_WRITE, &n);
    if (rc == -ENOENT) {
        rc = m_create(m, op, client, limits);
    } else if (rc == 0 && op->type == XS_MKDIR) {
        return 0;
    } else if (rc == 0) {
        rc = m_size(strlen(op->value), n->perm_count, client);
        if (rc == 0)
            strcpy(n->value, op->value);
    }
    if (rc == 0)
        fire(l, op->path, false);
    return rc;
}

static void m_remove(struct model *m, const char *path, struct change_list *l) {
    char top[8];
    strcpy(top, path); /* it may lie in one of the nodes */
    for (int i = 0; i < MAX_NODES; i++)
        if (m->node[i].path[0] && m_within(m->node[i].path, top)) {
            if (l)
                fire(l, m->node[i].path, strcmp(m->node[i].path, top) != 0);
            m->node[i].path[0] = '\0';
        }
}

static int m_rm(struct model *m, const struct op *op, int client, struct change_list *l) {
    struct mnode *n;
    char up[8];
    if (!m_parent(op->path, up))
        return -EINVAL;
    int rc = m_check(m, op->path, client, PERM_WRITE, &n);
    if (rc == -ENOENT)
        return m_find(m, up) ? 0 : -ENOENT;
    if (rc == 0)
        m_remove(m, op->path, l);
    return rc;
}

static int m_set_perms(struct model *m, const struct op *op, int client, struct change_list *l) {
    struct mnode *n;
    if (client != 0 && op->perm_count > QUOTA_PERMS)
        return -ENOSPC;
    int rc = m_check(m, op->path, client, PERM_WRITE | PERM_OWNER, &n);
    if (rc < 0)
        return rc;
    if (client != 0 && op->perm[0].domid != n->perm[0].domid)
        return -EPERM;
    if (m_size(strlen(n->value), op->perm_count, client) < 0)
        return -ENOSPC;
    n->perm_count = op->perm_count;
    memcpy(n->perm, op->perm, sizeof(n->perm));
    fire(l, op->path, false);
    return 0;
}

/* Names of children, in the order of the alphabet: 'a' and 'b' are all there are. */
static void m_list(struct model *m, const char *path, char *out) {
    char child[16];
    out[0] = '\0';
    for (char c = 'a'; c <= 'b'; c++) {
        snprintf(child, sizeof(child), "%s/%c", strcmp(path, "/") == 0 ? "" : path, c);
        if (strlen(child) < 8 && m_find(m, child))
            strncat(out, &c, 1);
    }
}

static void perms_text(const struct perm *p, int count, char *out) {
    out[0] = '\0';
    for (int i = 0; i < count; i++)
        sprintf(out + strlen(out), "%c%u ", "nrwb"[p[i].bits], p[i].domid);
}

static int m_look(struct model *m, const struct op *op, int client, char *text) {
    struct mnode *n;
    int rc = m_check(m, op->path, client, PERM_READ, &n);
    if (rc < 0)
        return rc;
    if (op->type == XS_READ)
        strcpy(text, n->value);
    else if (op->type == XS_DIRECTORY)
        m_list(m, op->path, text);
    else
        perms_text(n->perm, n->perm_count, text);
    return 0;
}

static struct result m_do(struct model *m, const struct op *op, int client, bool limits,
                          struct change_list *l) {
    struct result r = { 0, "" };
    switch (op->type) {
    case XS_WRITE:
    case XS_MKDIR: r.rc = m_write(m, op, client, limits, l); break;
    case XS_RM: r.rc = m_rm(m, op, client, l); break;
    case XS_SET_PERMS: r.rc = m_set_perms(m, op, client, l); break;
    default: r.rc = m_look(m, op, client, r.text); break;
    }
    return r;
}

/* ---- the store under test, beside it ---- */

struct mtxn {
    uint32_t id; /* 0: free */
    unsigned int started;
    int count;
    struct op op[MAX_LOG];
    struct result result[MAX_LOG];
};

struct mwatch {
    bool set;
    char path[8];
};

struct world {
    struct store store;
    struct fake_client client[CLIENTS];
    struct model model;
    struct mtxn txn[CLIENTS][TXNS];
    struct mwatch watch[CLIENTS][2]; /* token "0" and "1" */
    unsigned int step;
    struct {
        char path[8];
        unsigned int when;
    } changed[MAX_NODES * 2];
    unsigned int commits, conflicts, refusals, events;
};

static void sort_names(char *out, const char *payload, size_t len) {
    bool has[2] = { false, false };
    for (size_t at = 0; at < len; at += strlen(payload + at) + 1)
        has[payload[at] - 'a'] = true;
    snprintf(out, 8, "%s%s", has[0] ? "a" : "", has[1] ? "b" : "");
}

static struct result real_do(struct world *w, int client, uint32_t tx, const struct op *op) {
    struct fake_client *f = &w->client[client];
    struct result r = { 0, "" };
    char list[64] = "", payload[128];
    if (op->type == XS_WRITE) {
        r.rc = fake_write(f, tx, op->path, op->value);
        return r;
    }
    if (op->type == XS_SET_PERMS) {
        size_t n = strlen(op->path) + 1;
        strcpy(payload, op->path);
        for (int i = 0; i < op->perm_count; i++)
            n += (size_t)sprintf(payload + n, "%c%u", "nrwb"[op->perm[i].bits], op -> perm[i].domid) + 1;
        r.rc = fake_call(f, XS_SET_PERMS, tx, payload, n);
        return r;
    }
    r.rc = fake_text(f, op->type, tx, op->path);
    if (r.rc == 0 && op->type == XS_READ)
        snprintf(r.text, sizeof(r.text), "%s", f->reply.payload);
    if (r.rc == 0 && op->type == XS_DIRECTORY)
        sort_names(r.text, f->reply.payload, f->reply.header.len);
    for (size_t at = 0; r.rc == 0 && op->type == XS_GET_PERMS && at < f->reply.header.len;
         at += strlen(f->reply.payload + at) + 1)
        sprintf(list + strlen(list), "%s ", f->reply.payload + at);
    if (op->type == XS_GET_PERMS)
        strcpy(r.text, list);
    return r;
}

static void note_changed(struct world *w, const char *path) {
    for (int i = 0; i < MAX_NODES * 2; i++)
        if (!w->changed[i].path[0] || strcmp(w->changed[i].path, path) == 0) {
            strcpy(w->changed[i].path, path);
            w->changed[i].when = w->step;
            return;
        }
    fail();
}

static bool may_know(struct model *m, const char *path, int client) {
    struct mnode *n = m_find(m, path);
    return n && m_allowed(n, client) & PERM_READ;
}

/* Removed nodes are judged by the state before, others by that after (or their own permissions before). */
static bool permitted(struct model *before, struct model *after, const char *path, int client) {
    char up[8];
    bool gone = !m_find(after, path);
    if (may_know(before, path, client) || (!gone && may_know(after, path, client)))
        return true;
    return m_parent(path, up) && may_know(gone ? before : after, up, client);
}

static void expect_events(struct world *w, struct model *before, const struct change_list *l) {
    for (int c = 0; c < CLIENTS; c++) {
        for (int t = 0; t < 2; t++)
            for (int i = 0; i < l->count && w->watch[c][t].set; i++) {
                const char *on = w->watch[c][t].path, *path = l->at[i].path;
                bool hit = l->at[i].exact ? strcmp(on, path) == 0 : m_within(path, on);
                if (hit && permitted(before, &w->model, path, c)) {
                    assert_true(fake_take(&w->client[c], path, t ? "1" : "0"));
                    w->events++;
                }
            }
        assert_int_equal(fake_events(&w->client[c]), 0);
    }
    for (int i = 0; i < l->count; i++)
        note_changed(w, l->at[i].path);
    for (int i = 0; i < MAX_NODES; i++) /* parents made on the way have no event of their own */
        if (w->model.node[i].path[0] && !m_find(before, w->model.node[i].path))
            note_changed(w, w->model.node[i].path);
}

static void compare_node(const struct node *n, struct model *m) {
    struct mnode *want = m_find(m, n->path);
    assert_non_null(want);
    assert_int_equal(n->value->len, strlen(want->value));
    assert_memory_equal(n->value->bytes, want->value, n->value->len);
    assert_int_equal(n->perms->count, want->perm_count);
    assert_memory_equal(n->perms->entry, want->perm, (size_t)want->perm_count * sizeof(want->perm[0]));
}

static void compare(struct world *w) {
    int seen = 0, want = 0;
    for (const struct node *n = w->store.tree.root; n; n = tree_next(w->store.tree.root, n), seen++)
        compare_node(n, &w->model);
    for (int i = 0; i < MAX_NODES; i++)
        want += w->model.node[i].path[0] != '\0';
    assert_int_equal(seen, want);
    assert_int_equal(store_check(&w->store), 0);
    for (int c = 1; c < CLIENTS; c++) {
        struct account *a = quota_find(&w->store.quota, domid_of[c]);
        assert_int_equal(a ? a->nodes : 0, m_owned(&w->model, domid_of[c]));
    }
}

/* ---- steps ---- */

static void random_path(char *out) {
    static const char *const paths[] = { "/",      "/a",     "/b",     "/a/a",   "/a/b",
                                         "/b/a",   "/b/b",   "/a/a/a", "/a/a/b", "/a/b/a",
                                         "/b/a/a", "/b/b/b", "/a",     "/a/a",   "/b" };
    strcpy(out, paths[rnd(sizeof(paths) / sizeof(paths[0]))]);
}

static struct op random_op(void) {
    static const uint32_t types[] = { XS_WRITE,     XS_WRITE,     XS_WRITE,    XS_MKDIR,
                                      XS_RM,        XS_READ,      XS_READ,     XS_DIRECTORY,
                                      XS_GET_PERMS, XS_SET_PERMS, XS_SET_PERMS };
    struct op op = { .type = types[rnd(sizeof(types) / sizeof(types[0]))] };
    random_path(op.path);
    if (op.type == XS_WRITE)
        snprintf(op.value, sizeof(op.value), "%.*s", (int)rnd(11), "0123456789");
    op.perm_count = op.type == XS_SET_PERMS ? 1 + (int)rnd(3) : 0;
    for (int i = 0; i < op.perm_count; i++)
        op.perm[i] = (struct perm){ rnd(3) ? (uint16_t)(3 + rnd(2)) : 0, (uint16_t)rnd(4) };
    return op;
}

static void same_result(const struct result *a, const struct result *b) {
    assert_int_equal(a->rc, b->rc);
    assert_string_equal(a->text, b->text);
}

static void plain_step(struct world *w, int client) {
    struct model before = w->model;
    struct change_list l = { 0 };
    struct op op = random_op();
    struct result got = real_do(w, client, 0, &op), want = m_do(&w->model, &op, client, true, &l);
    same_result(&got, &want);
    w->refusals += got.rc < 0;
    expect_events(w, &before, &l);
}

static void txn_step(struct world *w, int client, struct mtxn *x) {
    if (x->count == MAX_LOG)
        return;
    x->op[x->count] = random_op();
    x->result[x->count] = real_do(w, client, x->id, &x->op[x->count]);
    x->count++;
    assert_int_equal(fake_events(&w->client[client]), 0);
}

static bool touched_near(const struct mtxn *x, const char *path) {
    for (int i = 0; i < x->count; i++)
        if (m_within(path, x->op[i].path) || m_within(x->op[i].path, path))
            return true;
    return false;
}

static void conflict_is_real(struct world *w, const struct mtxn *x) {
    for (int i = 0; i < MAX_NODES * 2; i++)
        if (w->changed[i].path[0] && w->changed[i].when > x->started && touched_near(x, w->changed[i].path))
            return;
    fail_msg("a conflict, but nothing that the transaction touched was changed");
}

static bool results_differ(const struct result *a, const struct result *b) {
    return a->rc != b->rc || strcmp(a->text, b->text) != 0;
}

static void print_log(const struct mtxn *x, int client) {
    for (int i = 0; i < x->count; i++)
        print_message("  client %d: type %u %s '%s' -> %d '%s'\n", client, x->op[i].type, x->op[i].path,
                      x->op[i].value, x->result[i].rc, x->result[i].text);
}

/* Requests refused for lack of quota did nothing, and might be granted by now. */
static void replay(struct model *m, const struct mtxn *x, int client, struct change_list *l,
                   bool compare_results) {
    for (int i = 0; i < x->count; i++) {
        if (x->result[i].rc == -ENOSPC)
            continue;
        struct result r = m_do(m, &x->op[i], client, false, l);
        if (compare_results && results_differ(&x->result[i], &r))
            print_log(x, client);
        if (compare_results)
            same_result(&x->result[i], &r);
    }
}

static void commit_step(struct world *w, int client, struct mtxn *x) {
    struct model before = w->model, after = w->model;
    struct change_list l = { 0 };
    int rc = fake_end(&w->client[client], x->id, true);
    x->id = 0;
    if (rc == -EAGAIN) {
        w->conflicts++;
        conflict_is_real(w, x);
        return;
    }
    replay(&after, x, client, &l, rc == 0);
    int had = m_owned(&before, domid_of[client]), has = m_owned(&after, domid_of[client]);
    assert_int_equal(rc, client != 0 && has > had && has > QUOTA_NODES ? -ENOSPC : 0);
    if (rc < 0)
        return;
    w->commits++;
    w->model = after;
    expect_events(w, &before, &l);
}

static void transaction_step(struct world *w, int client) {
    struct mtxn *x = &w->txn[client][rnd(TXNS)];
    if (!x->id) {
        *x = (struct mtxn){ .id = fake_start(&w->client[client]), .started = w->step };
        assert_int_not_equal(x->id, 0);
    } else if (rnd(4)) {
        txn_step(w, client, x);
    } else if (rnd(5)) {
        commit_step(w, client, x);
    } else {
        assert_int_equal(fake_end(&w->client[client], x->id, false), 0);
        x->id = 0;
    }
}

static void watch_step(struct world *w, int client) {
    int t = (int)rnd(2);
    struct mwatch *m = &w->watch[client][t];
    if (m->set) {
        assert_int_equal(fake_two(&w->client[client], XS_UNWATCH, 0, m->path, t ? "1" : "0"), 0);
    } else {
        random_path(m->path);
        assert_int_equal(fake_two(&w->client[client], XS_WATCH, 0, m->path, t ? "1" : "0"), 0);
        assert_true(fake_take(&w->client[client], m->path, t ? "1" : "0"));
    }
    m->set = !m->set;
}

static void forget_perms(struct mnode *n, int domid) {
    int kept = 1;
    for (int i = 1; i < n->perm_count; i++)
        if (n->perm[i].domid != domid)
            n->perm[kept++] = n->perm[i];
    n->perm_count = kept;
    if (n->perm[0].domid == domid)
        n->perm[0].domid = 0;
}

/* The domain goes; its test client stays, as the next domain of that number. */
static void release_step(struct world *w) {
    int domid = domid_of[1 + rnd(2)];
    bool known = m_owned(&w->model, domid) > 0;
    for (int i = 0; i < MAX_NODES; i++) {
        struct mnode *n = &w->model.node[i];
        for (int k = 1; n->path[0] && k < n->perm_count; k++)
            known = known || n->perm[k].domid == domid;
    }
    assert_int_equal(domain_release(&w->store, (uint16_t)domid), known ? 0 : -ENOENT);
    for (int i = 0; i < MAX_NODES; i++) {
        struct mnode *n = &w->model.node[i];
        if (n->path[0])
            note_changed(w, n->path);
    }
    for (int i = 0; i < MAX_NODES; i++) {
        struct mnode *n = &w->model.node[i];
        if (!n->path[0])
            continue;
        if (n->perm[0].domid == domid && strcmp(n->path, "/") != 0)
            m_remove(&w->model, n->path, NULL);
        else
            forget_perms(n, domid);
    }
}

static void one_step(struct world *w) {
    int client = (int)rnd(CLIENTS);
    uint32_t what = rnd(100);
    w->step++;
    if (what < 45)
        plain_step(w, client);
    else if (what < 92)
        transaction_step(w, client);
    else if (what < 99)
        watch_step(w, client);
    else
        release_step(w);
    compare(w);
}

static void open_world(struct world *w) {
    memset(w, 0, sizeof(*w));
    assert_int_equal(store_init(&w->store, NULL), 0);
    w->store.quota.guest.nodes = QUOTA_NODES;
    w->store.quota.guest.node_size = QUOTA_SIZE;
    w->store.quota.guest.permissions = QUOTA_PERMS;
    for (int i = 0; i < CLIENTS; i++)
        fake_open(&w->client[i], &w->store, domid_of[i]);
    strcpy(w->model.node[0].path, "/");
    w->model.node[0].perm_count = 1;
}

static void close_world(struct world *w) {
    for (int i = 0; i < CLIENTS; i++)
        fake_close(&w->client[i]);
    store_destroy(&w->store);
}

static unsigned int runs = 500, steps = 500, seed;

static void random_sequences(void **state) {
    static struct world w;
    unsigned int commits = 0, conflicts = 0, refusals = 0, events = 0;
    for (seed = 1; seed <= runs; seed++) {
        rng_state = seed * 0x9e3779b97f4a7c15ull;
        open_world(&w);
        for (unsigned int i = 0; i < steps; i++)
            one_step(&w);
        commits += w.commits;
        conflicts += w.conflicts;
        refusals += w.refusals;
        events += w.events;
        close_world(&w);
    }
    print_message("%u commits, %u conflicts, %u refusals, %u events\n", commits, conflicts, refusals, events);
    assert_true(commits > runs && conflicts > runs && refusals > runs &&
                events > runs); /* all of it did happen */
}

static int name_seed(void **state) {
    if (seed <= runs)
        print_message("the sequence that failed is that of seed %u\n", seed);
    return 0;
}

/* store_model [RUNS [STEPS]] */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(random_sequences, name_seed) };
    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        steps = (unsigned int)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
