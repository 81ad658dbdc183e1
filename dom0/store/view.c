/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of view.h. */
#include "dom0/store/view.h"

#include <errno.h>
#include <string.h>

static int get_in_txn(const struct view *v, const char *path, size_t len, uint8_t seen,
                      struct view_node *out) {
    struct txn_node *n;
    int rc = txn_get(v->txn, path, len, seen, &n);
    if (rc == 0)
        *out = (struct view_node){ n->value, n->perms, n->children_generation, NULL, n };
    return rc;
}

int view_get(const struct view *v, const char *path, size_t len, uint8_t seen, struct view_node *out) {
    if (v->txn)
        return get_in_txn(v, path, len, seen, out);
    struct node *n = tree_find(v->tree, path, len);
    if (!n)
        return -ENOENT;
    *out = (struct view_node){ n->value, n->perms, n->children_generation, n, NULL };
    return 0;
}

int view_children(const struct view *v, const struct view_node *n, txn_child_fn *fn, void *arg) {
    int rc = 0;
    if (n->txn_node)
        return txn_children(v->txn, n->txn_node, fn, arg);
    for (const struct node *c = n->node->first; c && rc == 0; c = c->next) {
        const char *name = path_name(c->path, c->len);
        rc = fn(arg, name, (size_t)(c->path + c->len - name));
    }
    return rc;
}

static int create_one(const struct view *v, const char *path, size_t len, struct blob *value,
                      struct perms *perms) {
    return v->txn ? txn_create(v->txn, path, len, value, perms)
                  : tree_create(v->tree, path, len, value, perms);
}

/* A creation that stopped half-way: a transaction can no more commit; the tree loses what was made. */
static void undo_create(const struct view *v, const struct path *p, size_t first, int rc) {
    struct node *n = v->txn ? NULL : tree_find(v->tree, p->text, first);
    if (v->txn)
        v->txn->failed = rc;
    if (n)
        tree_remove(v->tree, n);
}

/* Length of the path one name longer than the first `have` bytes of p. */
static size_t next_len(const struct path *p, size_t have) {
    size_t len = have == 1 ? 1 : have + 1;
    while (len < p->len && p->text[len] != '/')
        len++;
    return len;
}

static void tell_created(const struct view *v, const struct path *p, struct perms *perms) {
    struct txn_node *n;
    if (!v->txn)
        v->changed(v->arg, &(struct view_change){ p->text, p->len, false, perms, NULL });
    else if (txn_get(v->txn, p->text, p->len, 0, &n) == 0)
        n->event = TXN_EVENT_FULL;
}

int view_create(const struct view *v, const struct path *p, size_t have, struct blob *value,
                struct perms *perms) {
    struct blob *empty = blob_new("", 0);
    size_t first = next_len(p, have);
    int rc = empty ? 0 : -ENOMEM;
    for (size_t len = first; rc == 0; len = next_len(p, len)) {
        rc = create_one(v, p->text, len, len == p->len ? value : empty, perms);
        if (len == p->len)
            break;
    }
    blob_put(empty);
    if (rc < 0)
        undo_create(v, p, first, rc);
    else
        tell_created(v, p, perms);
    return rc;
}

int view_set_value(const struct view *v, const struct view_node *n, const void *bytes, size_t len) {
    if (n->txn_node)
        return txn_set_value(v->txn, n->txn_node, bytes, len);
    struct node *node = n->node;
    int rc = tree_set_value(v->tree, node, bytes, len);
    if (rc == 0)
        v->changed(v->arg, &(struct view_change){ node->path, node->len, false, node->perms, NULL });
    return rc;
}

int view_set_perms(const struct view *v, const struct view_node *n, struct perms *perms) {
    if (n->txn_node)
        return txn_set_perms(v->txn, n->txn_node, perms);
    struct node *node = n->node;
    struct perms *before = perms_get(node->perms);
    int rc = tree_set_perms(v->tree, node, perms);
    if (rc == 0)
        v->changed(v->arg, &(struct view_change){ node->path, node->len, false, node->perms, before });
    perms_put(before);
    return rc;
}

int view_remove(const struct view *v, const struct view_node *n) {
    if (n->txn_node)
        return txn_remove(v->txn, n->txn_node);
    struct node *top = n->node;
    for (const struct node *m = top; m; m = tree_next(top, m))
        v->changed(v->arg, &(struct view_change){ m->path, m->len, m != top, NULL, m->perms });
    tree_remove(v->tree, top);
    return 0;
}

static void tell_committed(void *arg, const struct txn_node *n) {
    const struct view *v = arg;
    v->changed(v->arg, &(struct view_change){ n->path, n->len, n->event == TXN_EVENT_EXACT,
                                              n->exists ? n->perms : NULL, n->perms_before });
}

int view_commit(const struct view *v) {
    return txn_commit(v->txn, tell_committed, (void *)v);
}
