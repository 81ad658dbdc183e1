/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of nodes: found by the hash of their whole path, children in a list in order of creation.
 *
 * Each node carries three generations, of its value, its permissions and its set of children, drawn from one
 * counter of the tree. They are what transactions compare: a conflict is a changed generation, so two clients
 * adding different children to one directory, or one changing a value while the other checks permissions, do
 * not disturb each other.
 *
 * No permission is checked here, and no limit; accounts are kept.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "dom0/store/blob.h"
#include "dom0/store/hash.h"
#include "dom0/store/perm.h"
#include "dom0/store/quota.h"

struct node {
    struct hash_link link;
    struct node *parent; /* NULL for the root and special nodes */
    struct node *first, *last, *prev, *next;
    struct blob *value;
    struct perms *perms;
    uint64_t value_generation, perms_generation, children_generation;
    uint32_t len; /* of path */
    char path[];
};

struct tree {
    struct hash nodes;
    struct node *root;
    struct quota *quota;
    struct journal *journal; /* NULL: nothing outlives the daemon */
    uint64_t generation;
};

/* A tree of "/" and the two special nodes, owned by domain 0 and hidden from others. -ENOMEM or 0. */
int tree_init(struct tree *t, struct quota *quota);
void tree_destroy(struct tree *t);

struct node *tree_find(const struct tree *t, const char *path, size_t len);

/* A new node; its parent must exist (or the path be special) and the node not. Takes references of its own.
 * -ENOMEM or 0. */
int tree_create(struct tree *t, const char *path, size_t len, struct blob *value, struct perms *perms);
int tree_set_value(struct tree *t, struct node *n, const void *bytes, size_t len);
int tree_set_perms(struct tree *t, struct node *n, struct perms *perms);
/* Removes n and all below it. Not the root. */
void tree_remove(struct tree *t, struct node *n);

/* The next node of the subtree of top after n, parents before children; NULL at the end. */
struct node *tree_next(const struct node *top, const struct node *n);

/* Forgets a domain: nodes it owns go with all below them, permissions that name it are dropped. The root and
 * special nodes only change their owner to domain 0. Costs nothing if the domain is named nowhere. */
void tree_forget_domain(struct tree *t, uint16_t domid);

/* Bytes that a node costs its owner. */
size_t tree_node_cost(size_t path_len, size_t value_len, const struct perms *perms);

/* Recounts every account and link from scratch. 0, or -EIO if anything differs. For tests and `control
 * check`. */
int tree_check(const struct tree *t);

#endif
