/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request works on: the tree itself, or a transaction over it. The operations on nodes are written
 * once, against this.
 *
 * Changes outside a transaction are told of at once; those inside when it commits.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "dom0/store/path.h"
#include "dom0/store/tree.h"
#include "dom0/store/txn.h"

/* A change as watches need it. Removed nodes are told of while they are still in the tree. */
struct view_change {
    const char *path;
    size_t len;
    bool exact;                 /* part of a removed subtree: only for watches on this very path */
    const struct perms *now;    /* NULL: removed */
    const struct perms *before; /* NULL: new */
};

typedef void view_changed_fn(void *arg, const struct view_change *c);

struct view {
    struct tree *tree;
    struct txn *txn; /* NULL: none */
    view_changed_fn *changed;
    void *arg;
};

/* A node as seen now. Borrowed: valid until the next change. */
struct view_node {
    const struct blob *value;
    struct perms *perms;
    uint64_t children_generation;
    struct node *node;         /* outside a transaction */
    struct txn_node *txn_node; /* inside one */
};

/* seen: TXN_ bits of what the caller will look at. -ENOENT, -ENOSPC (limits of the transaction), -ENOMEM. */
int view_get(const struct view *v, const char *path, size_t len, uint8_t seen, struct view_node *out);
int view_children(const struct view *v, const struct view_node *n, txn_child_fn *fn, void *arg);

/* Makes p and all missing parents, all with perms. have: length of the path of the deepest ancestor that
 * exists. */
int view_create(const struct view *v, const struct path *p, size_t have, struct blob *value,
                struct perms *perms);
int view_set_value(const struct view *v, const struct view_node *n, const void *bytes, size_t len);
int view_set_perms(const struct view *v, const struct view_node *n, struct perms *perms);
int view_remove(const struct view *v, const struct view_node *n);

/* Commits v->txn (see txn_commit()) and tells of the changes. */
int view_commit(const struct view *v);

#endif
