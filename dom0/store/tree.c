/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of tree.h. */
#include "dom0/store/tree.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "dom0/store/path.h"
#include "dom0/store/save.h"

size_t tree_node_cost(size_t path_len, size_t value_len, const struct perms *perms) {
    return sizeof(struct node) + path_len + 1 + value_len + perms->count * sizeof(perms->entry[0]);
}

static size_t cost_of(const struct node *n) {
    return tree_node_cost(n->len, n->value->len, n->perms);
}

static int create_first_nodes(struct tree *t, struct blob *value, struct perms *perms) {
    static const char *const paths[] = { "/", "@introduceDomain", "@releaseDomain" };
    int rc = 0;
    for (unsigned int i = 0; i < 3 && rc == 0; i++)
        rc = tree_create(t, paths[i], strlen(paths[i]), value, perms);
    return rc;
}

int tree_init(struct tree *t, struct quota *quota) {
    memset(t, 0, sizeof(*t));
    t->quota = quota;
    int rc = hash_init(&t->nodes);
    if (rc < 0)
        return rc;
    struct blob *value = blob_new("", 0);
    struct perms *perms = perms_one(0, 0);
    rc = value && perms ? create_first_nodes(t, value, perms) : -ENOMEM;
    blob_put(value);
    perms_put(perms);
    if (rc < 0)
        tree_destroy(t);
    else
        t->root = tree_find(t, "/", 1);
    return rc;
}

static void free_node(struct node *n) {
    blob_put(n->value);
    perms_put(n->perms);
    free(n);
}

void tree_destroy(struct tree *t) {
    for (uint32_t i = 0; i <= t->nodes.mask && t->nodes.slots; i++) {
        struct hash_link *link = t->nodes.slots[i];
        while (link) {
            struct hash_link *next = link->next;
            free_node(hash_entry(link, struct node, link));
            link = next;
        }
    }
    hash_destroy(&t->nodes);
}

struct node *tree_find(const struct tree *t, const char *path, size_t len) {
    struct hash_link *link = hash_first(&t->nodes, hash_bytes(path, len));
    for (; link; link = hash_next(link)) {
        struct node *n = hash_entry(link, struct node, link);
        if (n->len == len && memcmp(n->path, path, len) == 0)
            return n;
    }
    return NULL;
}

/* The list of the parent or of the sibling before n, if that is the same: most of a domain's nodes have
 * one of two. */
static struct perms *like_neighbours(const struct node *parent, const struct node *sibling,
                                     struct perms *perms) {
    if (parent && perms_equal(parent->perms, perms))
        return parent->perms;
    return sibling && perms_equal(sibling->perms, perms) ? sibling->perms : perms;
}

static void attach(struct tree *t, struct node *n, struct node *parent) {
    n->parent = parent;
    if (!parent)
        return;
    n->prev = parent->last;
    *(parent->last ? &parent->last->next : &parent->first) = n;
    parent->last = n;
    parent->children_generation = ++t->generation;
}

static void detach(struct tree *t, struct node *n) {
    struct node *parent = n->parent;
    *(n->prev ? &n->prev->next : &parent->first) = n->next;
    *(n->next ? &n->next->prev : &parent->last) = n->prev;
    parent->children_generation = ++t->generation;
}

int tree_create(struct tree *t, const char *path, size_t len, struct blob *value, struct perms *perms) {
    struct node *n = calloc(1, offsetof(struct node, path) + len + 1);
    if (!n || quota_prepare(t->quota, perms) < 0) {
        free(n);
        return -ENOMEM;
    }
    size_t parent_len = path_parent_len(path, len);
    struct node *parent = parent_len ? tree_find(t, path, parent_len) : NULL;
    memcpy(n->path, path, len);
    n->len = (uint32_t)len;
    n->value = blob_get(value);
    n->perms = perms_get(like_neighbours(parent, parent ? parent->last : NULL, perms));
    n->value_generation = n->perms_generation = n->children_generation = ++t->generation;
    quota_charge(t->quota, perms, cost_of(n), 1);
    attach(t, n, parent);
    hash_insert(&t->nodes, &n->link, hash_bytes(path, len));
    save_node(t->journal, n);
    return 0;
}

int tree_set_value(struct tree *t, struct node *n, const void *bytes, size_t len) {
    uint32_t before = n->value->len;
    struct blob *b = blob_replace(n->value, bytes, len);
    if (!b)
        return -ENOMEM;
    n->value = b;
    n->value_generation = ++t->generation;
    quota_find(t->quota, perms_owner(n->perms))->memory += len - before;
    save_value(t->journal, n);
    return 0;
}

int tree_set_perms(struct tree *t, struct node *n, struct perms *perms) {
    struct perms *before = n->perms;
    size_t cost = cost_of(n);
    if (quota_prepare(t->quota, perms) < 0)
        return -ENOMEM;
    n->perms = perms_get(like_neighbours(n->parent, n->prev, perms));
    n->perms_generation = ++t->generation;
    quota_charge(t->quota, perms, cost_of(n), 1);
    quota_charge(t->quota, before, cost, -1);
    perms_put(before);
    save_perms(t->journal, n);
    return 0;
}

static struct node *deepest_first(struct node *n) {
    while (n->first)
        n = n->first;
    return n;
}

void tree_remove(struct tree *t, struct node *top) {
    save_removal(t->journal, top);
    detach(t, top);
    for (struct node *n = deepest_first(top), *up; n; n = up) {
        up = n == top ? NULL : n->parent;
        if (up) {
            up->first = n->next;
            up = deepest_first(up);
        }
        hash_remove(&t->nodes, &n->link);
        quota_charge(t->quota, n->perms, cost_of(n), -1);
        free_node(n);
    }
}

struct node *tree_next(const struct node *top, const struct node *n) {
    if (n->first)
        return n->first;
    while (n != top && !n->next)
        n = n->parent;
    return n == top ? NULL : n->next;
}

static void forget_in_node(struct tree *t, struct node *n, uint16_t domid) {
    struct perms *p = perms_owner(n->perms) == domid ? perms_with_owner(n->perms, 0) : perms_get(n->perms);
    struct perms *kept = p ? perms_without(p, domid) : NULL;
    if (kept)
        tree_set_perms(t, n, kept);
    perms_put(kept);
    perms_put(p);
}

static void forget_if_named(struct tree *t, struct node *n, uint16_t domid) {
    if (perms_owner(n->perms) == domid || perms_mentions(n->perms, domid))
        forget_in_node(t, n, domid);
}

static void forget_specials(struct tree *t, uint16_t domid) {
    forget_if_named(t, tree_find(t, "@introduceDomain", 16), domid);
    forget_if_named(t, tree_find(t, "@releaseDomain", 14), domid);
    forget_if_named(t, t->root, domid);
}

void tree_forget_domain(struct tree *t, uint16_t domid) {
    if (!quota_find(t->quota, domid))
        return;
    forget_specials(t, domid);
    struct node *n = t->root->first, *next;
    for (; n && quota_find(t->quota, domid); n = next) {
        if (perms_owner(n->perms) != domid) {
            forget_if_named(t, n, domid);
            next = tree_next(t->root, n);
            continue;
        }
        /* What follows the whole subtree, looked up before it goes. */
        const struct node *last = n;
        while (last->last)
            last = last->last;
        next = tree_next(t->root, last);
        tree_remove(t, n);
    }
}

struct recount {
    uint64_t nodes, memory, mentions;
};

static int check_account(const struct tree *t, const struct account *a) {
    struct recount sum = { 0 };
    for (uint32_t i = 0; i <= t->nodes.mask; i++)
        for (struct hash_link *l = t->nodes.slots[i]; l; l = l->next) {
            const struct node *n = hash_entry(l, struct node, link);
            bool owned = perms_owner(n->perms) == a->domid;
            sum.nodes += owned;
            sum.memory += owned ? cost_of(n) : 0;
            sum.mentions += perms_mentions(n->perms, a->domid);
        }
    return sum.nodes == a->nodes && sum.memory == a->memory && sum.mentions == a->mentions ? 0 : -EIO;
}

static int check_node(const struct tree *t, const struct node *n) {
    if (tree_find(t, n->path, n->len) != n || !quota_find(t->quota, perms_owner(n->perms)))
        return -EIO;
    size_t up = path_parent_len(n->path, n->len);
    if (n->parent && (n->parent->len != up || memcmp(n->parent->path, n->path, up) != 0))
        return -EIO;
    return n->first && n->first->prev ? -EIO : 0;
}

int tree_check(const struct tree *t) {
    uint32_t seen = 2; /* the special nodes */
    for (const struct node *n = t->root; n; n = tree_next(t->root, n), seen++)
        if (check_node(t, n) < 0)
            return -EIO;
    if (seen != t->nodes.count)
        return -EIO;
    for (uint32_t i = 0; i <= t->quota->accounts.mask; i++)
        for (struct hash_link *l = t->quota->accounts.slots[i]; l; l = l->next)
            if (check_account(t, hash_entry(l, struct account, link)) < 0)
                return -EIO;
    return 0;
}
