/* SPDX-License-Identifier: BSD-2-Clause */
/* The overlay of txn.h. */
#include "dom0/store/txn.h"

#include <errno.h>
#include <string.h>

#include "dom0/store/path.h"

struct txn *txn_new(struct tree *t, uint32_t id, uint16_t actor, const struct quota_limits *limits) {
    struct txn *x = calloc(1, sizeof(*x));
    if (!x || hash_init(&x->nodes) < 0) {
        free(x);
        return NULL;
    }
    x->id = id;
    x->actor = actor;
    x->limits = limits;
    x->tree = t;
    x->memory = sizeof(*x);
    x->tail = &x->all;
    return x;
}

void txn_free(struct txn *x) {
    for (struct txn_node *n = x->all, *next; n; n = next) {
        next = n->next;
        blob_put(n->value);
        perms_put(n->perms);
        perms_put(n->perms_before);
        free(n);
    }
    hash_destroy(&x->nodes);
    free(x);
}

static struct txn_node *find(const struct txn *x, const char *path, size_t len, uint32_t hash) {
    for (struct hash_link *link = hash_first(&x->nodes, hash); link; link = hash_next(link)) {
        struct txn_node *n = hash_entry(link, struct txn_node, link);
        if (n->len == len && memcmp(n->path, path, len) == 0)
            return n;
    }
    return NULL;
}

static void note_base(struct txn_node *n, const struct node *base) {
    n->existed = n->exists = true;
    n->value_generation = base->value_generation;
    n->perms_generation = base->perms_generation;
    n->children_generation = base->children_generation;
    n->value = blob_get(base->value);
    n->perms = perms_get(base->perms);
    n->perms_before = perms_get(base->perms);
}

static struct txn_node *load(struct txn *x, const char *path, size_t len, uint32_t hash) {
    struct txn_node *n = calloc(1, sizeof(*n) + len + 1);
    if (!n)
        return NULL;
    memcpy(n->path, path, len);
    n->len = (uint32_t)len;
    const struct node *base = tree_find(x->tree, path, len);
    if (base)
        note_base(n, base);
    *x->tail = n;
    x->tail = &n->next;
    x->count++;
    x->memory += sizeof(*n) + len;
    hash_insert(&x->nodes, &n->link, hash);
    return n;
}

static int find_or_load(struct txn *x, const char *path, size_t len, struct txn_node **out) {
    uint32_t hash = hash_bytes(path, len);
    *out = find(x, path, len, hash);
    if (*out)
        return 0;
    if (x->count >= x->limits->transaction_nodes || x->memory + len > x->limits->memory)
        return -ENOSPC;
    *out = load(x, path, len, hash);
    return *out ? 0 : -ENOMEM;
}

int txn_get(struct txn *x, const char *path, size_t len, uint8_t seen, struct txn_node **out) {
    int rc = find_or_load(x, path, len, out);
    if (rc < 0)
        return rc;
    (*out)->seen |= seen;
    return (*out)->exists ? 0 : -ENOENT;
}

static bool hidden(const struct txn *x, const struct node *n) {
    const struct txn_node *over = find(x, n->path, n->len, n->link.value);
    return over && !over->exists;
}

int txn_children(struct txn *x, struct txn_node *n, txn_child_fn *fn, void *arg) {
    /* What another made at a path that this transaction found absent is not to be seen: were it gone again by
     * the commit, nothing would tell. */
    const struct node *base = n->existed ? tree_find(x->tree, n->path, n->len) : NULL;
    int rc = 0;
    n->seen |= TXN_CHILDREN;
    for (const struct node *c = base ? base->first : NULL; c && rc == 0; c = c->next)
        if (!hidden(x, c)) {
            const char *name = path_name(c->path, c->len);
            rc = fn(arg, name, (size_t)(c->path + c->len - name));
        }
    for (const struct txn_node *k = n->kids; k && rc == 0; k = k->next_kid)
        if (k->exists && !(base && tree_find(x->tree, k->path, k->len))) {
            const char *name = path_name(k->path, k->len);
            rc = fn(arg, name, (size_t)(k->path + k->len - name));
        }
    return rc;
}

/* Kids are kept in order of creation, as the tree keeps children. */
static void add_kid(struct txn_node *parent, struct txn_node *n) {
    struct txn_node **at = &parent->kids;
    if (n->is_kid)
        return;
    while (*at)
        at = &(*at)->next_kid;
    *at = n;
    n->is_kid = true;
}

static void take_value(struct txn *x, struct txn_node *n, struct blob *value) {
    blob_put(n->value);
    n->value = value;
    n->value_changed = true;
    n->seen |= TXN_VALUE;
    x->memory += value->len;
}

static void take_perms(struct txn_node *n, struct perms *perms) {
    struct perms *before = n->perms;
    n->perms = perms_get(perms);
    n->perms_changed = true;
    n->seen |= TXN_PERMS;
    perms_put(before);
}

int txn_create(struct txn *x, const char *path, size_t len, struct blob *value, struct perms *perms) {
    struct txn_node *n, *parent;
    int rc = find_or_load(x, path, len, &n);
    if (rc == 0)
        rc = find_or_load(x, path, path_parent_len(path, len), &parent);
    if (rc < 0)
        return rc;
    if (!n->existed)
        add_kid(parent, n);
    take_value(x, n, blob_get(value));
    take_perms(n, perms);
    n->exists = true;
    x->created += perms_owner(perms) == x->actor;
    return 0;
}

int txn_set_value(struct txn *x, struct txn_node *n, const void *bytes, size_t len) {
    struct blob *value = blob_new(bytes, len);
    if (!value)
        return -ENOMEM;
    take_value(x, n, value);
    n->event = TXN_EVENT_FULL;
    return 0;
}

int txn_set_perms(struct txn *x, struct txn_node *n, struct perms *perms) {
    x->created += (perms_owner(perms) == x->actor) - (perms_owner(n->perms) == x->actor);
    x->memory += perms->count * sizeof(perms->entry[0]);
    take_perms(n, perms);
    n->event = TXN_EVENT_FULL;
    return 0;
}

struct removal {
    struct txn *x;
    struct txn_node *of;   /* whose children are being listed */
    struct txn_node *work; /* removed, children still to be listed */
    char path[XENSTORE_ABS_PATH_MAX + 1];
};

static void mark_removed(struct removal *r, struct txn_node *n, enum txn_event event) {
    n->exists = false;
    n->seen |= TXN_VALUE | TXN_PERMS;
    if (n->event != TXN_EVENT_FULL)
        n->event = event;
    r->x->created -= perms_owner(n->perms) == r->x->actor;
    n->work = r->work;
    r->work = n;
}

static int remove_child(void *arg, const char *name, size_t len) {
    struct removal *r = arg;
    struct txn_node *child;
    size_t at = r->of->len == 1 ? 0 : r->of->len;
    memcpy(r->path, r->of->path, at);
    r->path[at] = '/';
    memcpy(r->path + at + 1, name, len);
    int rc = find_or_load(r->x, r->path, at + 1 + len, &child);
    if (rc < 0)
        return rc;
    mark_removed(r, child, TXN_EVENT_EXACT);
    return 0;
}

int txn_remove(struct txn *x, struct txn_node *n) {
    struct removal r = { .x = x };
    int rc = 0;
    mark_removed(&r, n, TXN_EVENT_FULL);
    while (r.work && rc == 0) {
        r.of = r.work;
        r.work = r.work->work;
        rc = txn_children(x, r.of, remove_child, &r);
    }
    if (rc < 0)
        x->failed = rc;
    return rc;
}

static bool unchanged(const struct txn *x, const struct txn_node *n) {
    const struct node *base = tree_find(x->tree, n->path, n->len);
    if (!base || !n->existed)
        return !base && !n->existed;
    return !((n->seen & TXN_VALUE && base->value_generation != n->value_generation) ||
             (n->seen & TXN_PERMS && base->perms_generation != n->perms_generation) ||
             (n->seen & TXN_CHILDREN && base->children_generation != n->children_generation));
}

static int check(const struct txn *x) {
    const struct account *a = quota_find(x->tree->quota, x->actor);
    uint64_t owned = a ? a->nodes : 0;
    if (x->failed)
        return x->failed;
    for (const struct txn_node *n = x->all; n; n = n->next)
        if (!unchanged(x, n))
            return -EAGAIN;
    return x->created > 0 && owned + (uint64_t)x->created > x->limits->nodes ? -ENOSPC : 0;
}

static int apply(struct tree *t, const struct txn_node *n) {
    struct node *base = tree_find(t, n->path, n->len);
    if (!base)
        return tree_create(t, n->path, n->len, n->value, n->perms);
    int rc = n->value_changed ? tree_set_value(t, base, n->value->bytes, n->value->len) : 0;
    return rc == 0 && n->perms_changed ? tree_set_perms(t, base, n->perms) : rc;
}

static int by_length(const void *a, const void *b) {
    const struct txn_node *const *x = a, *const *y = b;
    return (*x)->len < (*y)->len ? -1 : (*x)->len > (*y)->len;
}

/* Parents before children: a parent's path is the shorter one. */
static int apply_present(struct txn *x, struct txn_node **order) {
    uint32_t count = 0;
    int rc = 0;
    for (struct txn_node *n = x->all; n; n = n->next)
        if (n->exists && (n->value_changed || n->perms_changed))
            order[count++] = n;
    qsort(order, count, sizeof(order[0]), by_length);
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = apply(x->tree, order[i]);
    return rc;
}

static void remove_absent(struct txn *x) {
    for (struct txn_node *n = x->all; n; n = n->next) {
        struct node *base = n->existed && !n->exists ? tree_find(x->tree, n->path, n->len) : NULL;
        if (base)
            tree_remove(x->tree, base);
    }
}

static void tell(struct txn *x, bool exists, txn_changed_fn *changed, void *arg) {
    for (struct txn_node *n = x->all; n; n = n->next)
        if (n->exists == exists && n->event != TXN_EVENT_NONE)
            changed(arg, n);
}

int txn_commit(struct txn *x, txn_changed_fn *changed, void *arg) {
    int rc = check(x);
    if (rc < 0)
        return rc;
    struct txn_node **order = malloc((x->count + 1) * sizeof(order[0]));
    if (!order)
        return -ENOMEM;
    tell(x, false, changed, arg);
    remove_absent(x);
    rc = apply_present(x, order);
    tell(x, true, changed, arg);
    free(order);
    return rc;
}
