/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transaction: an overlay over the tree, empty when it starts, that holds what the client touched.
 *
 * The first touch of a path notes whether the node was there and its generations, and takes references of its
 * value and permissions, so what was read once reads the same again. Changes stay in the overlay. The commit
 * first compares what was noted with the tree as it is: if every value, permission list, set of children and
 * absence that the client saw or changed is still so, the whole transaction might as well have run at this
 * moment, and its changes are applied; else nothing is, and the client hears -EAGAIN. Nothing is copied at
 * the start and nothing is locked.
 *
 * Reads of paths touched for the first time see the tree of that moment: a transaction may see a mixture of
 * two states, but then it cannot commit.
 */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include <stdbool.h>

#include "dom0/store/quota.h"
#include "dom0/store/tree.h"

/* What of a node a client has seen. That it exists, or does not, is always noted. */
#define TXN_VALUE    1
#define TXN_PERMS    2
#define TXN_CHILDREN 4

enum txn_event {
    TXN_EVENT_NONE,
    TXN_EVENT_EXACT, /* only watches on this very path */
    TXN_EVENT_FULL,  /* those above as well */
};

struct txn_node {
    struct hash_link link;
    struct txn_node *next; /* all nodes of the transaction */
    struct txn_node *work; /* while a subtree is being removed */
    struct txn_node *kids; /* nodes that this transaction made directly below */
    struct txn_node *next_kid;
    bool existed, exists, is_kid, value_changed, perms_changed;
    uint8_t seen;
    enum txn_event event;
    uint64_t value_generation, perms_generation, children_generation;
    struct blob *value; /* NULL while it does not exist and never did */
    struct perms *perms;
    struct perms *perms_before; /* as in the tree; NULL if it was not there */
    uint32_t len;
    char path[];
};

struct txn {
    struct txn *next; /* of its connection */
    uint32_t id;
    uint32_t count;
    int failed;      /* an operation stopped half-way: the error that the commit will give */
    uint16_t actor;  /* the domain at work, for its limits */
    int64_t created; /* nodes of the actor that this transaction adds, less those it removes */
    uint64_t memory; /* bytes held */
    const struct quota_limits *limits;
    struct tree *tree;
    struct hash nodes;
    struct txn_node *all, **tail; /* in the order of their first touch */
};

struct txn *txn_new(struct tree *t, uint32_t id, uint16_t actor, const struct quota_limits *limits);
void txn_free(struct txn *x);

/* The node as this transaction sees it, noting that `seen` (TXN_ bits) was looked at. -ENOENT if there is
 * none; -ENOSPC beyond the limits; -ENOMEM. *out may be set (to an absent node) with -ENOENT. */
int txn_get(struct txn *x, const char *path, size_t len, uint8_t seen, struct txn_node **out);

/* Calls fn with the name of each child; stops at the first non-zero result and returns it. */
typedef int txn_child_fn(void *arg, const char *name, size_t len);
int txn_children(struct txn *x, struct txn_node *n, txn_child_fn *fn, void *arg);

/* path must be absent and its parent present, both for this transaction. */
int txn_create(struct txn *x, const char *path, size_t len, struct blob *value, struct perms *perms);
int txn_set_value(struct txn *x, struct txn_node *n, const void *bytes, size_t len);
int txn_set_perms(struct txn *x, struct txn_node *n, struct perms *perms);
int txn_remove(struct txn *x, struct txn_node *n);

/* One node changed by a commit. Removed nodes are told of before the tree changes, others after. */
typedef void txn_changed_fn(void *arg, const struct txn_node *n);

/* Applies everything or nothing. 0; -EAGAIN on a conflict; -ENOSPC if the actor would own too many nodes; or
 * the error of an operation that stopped half-way. The transaction is to be freed afterwards in every case.
 */
int txn_commit(struct txn *x, txn_changed_fn *changed, void *arg);

#endif
