/* SPDX-License-Identifier: BSD-2-Clause */
/* The accounts and limits of quota.h. */
#include "dom0/store/quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct quota_limits guest_defaults = {
    .nodes = 1000,
    .node_size = 2048,
    .permissions = 5,
    .path_max = 3072,
    .watches = 128,
    .transactions = 10,
    .transaction_nodes = 1024,
    .outstanding = 20,
    .memory = 2 << 20,
    .rate = 4000,
};

static const struct quota_limits privileged_defaults = {
    .nodes = UINT64_MAX,
    .node_size = UINT64_MAX,
    .permissions = 4096,
    .path_max = 3072,
    .watches = 65536,
    .transactions = 1024,
    .transaction_nodes = 1 << 20,
    .outstanding = 1024,
    .memory = 256 << 20,
    .rate = UINT64_MAX,
};

static const struct {
    const char *name, *what;
    size_t offset;
} names[] = {
    { "nodes", "nodes owned by a domain", offsetof(struct quota_limits, nodes) },
    { "node-size", "bytes of one node", offsetof(struct quota_limits, node_size) },
    { "permissions", "permission entries of one node", offsetof(struct quota_limits, permissions) },
    { "path-max", "bytes of one path", offsetof(struct quota_limits, path_max) },
    { "watches", "watches of a domain", offsetof(struct quota_limits, watches) },
    { "transactions", "open transactions of a domain", offsetof(struct quota_limits, transactions) },
    { "transaction-nodes", "nodes touched by one transaction",
      offsetof(struct quota_limits, transaction_nodes) },
    { "outstanding", "replies not yet taken", offsetof(struct quota_limits, outstanding) },
    { "memory", "bytes held for a domain", offsetof(struct quota_limits, memory) },
    { "rate", "requests and events a second", offsetof(struct quota_limits, rate) },
};

int quota_init(struct quota *q) {
    q->guest = guest_defaults;
    q->privileged = privileged_defaults;
    return hash_init(&q->accounts);
}

void quota_destroy(struct quota *q) {
    struct hash_link *link;
    while ((link = hash_any(&q->accounts))) {
        hash_remove(&q->accounts, link);
        free(hash_entry(link, struct account, link));
    }
    hash_destroy(&q->accounts);
}

struct account *quota_find(const struct quota *q, uint16_t domid) {
    struct hash_link *link = hash_first(&q->accounts, hash_bytes(&domid, sizeof(domid)));
    for (; link; link = hash_next(link)) {
        struct account *a = hash_entry(link, struct account, link);
        if (a->domid == domid)
            return a;
    }
    return NULL;
}

static int make_account(struct quota *q, uint16_t domid) {
    if (quota_find(q, domid))
        return 0;
    struct account *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->domid = domid;
    hash_insert(&q->accounts, &a->link, hash_bytes(&domid, sizeof(domid)));
    return 0;
}

static void drop_if_empty(struct quota *q, uint16_t domid) {
    struct account *a = quota_find(q, domid);
    if (!a || a->nodes || a->memory || a->mentions)
        return;
    hash_remove(&q->accounts, &a->link);
    free(a);
}

int quota_prepare(struct quota *q, const struct perms *p) {
    for (uint32_t i = 0; i < p->count; i++)
        if (make_account(q, p->entry[i].domid) < 0) {
            quota_tidy(q, p);
            return -ENOMEM;
        }
    return 0;
}

void quota_tidy(struct quota *q, const struct perms *p) {
    for (uint32_t i = 0; i < p->count; i++)
        drop_if_empty(q, p->entry[i].domid);
}

void quota_charge(struct quota *q, const struct perms *p, size_t bytes, int sign) {
    struct account *owner = quota_find(q, perms_owner(p));
    owner->nodes += (uint64_t)(int64_t)sign;
    owner->memory += (uint64_t)((int64_t)bytes * sign);
    for (uint32_t i = 1; i < p->count; i++)
        quota_find(q, p->entry[i].domid)->mentions += (uint64_t)(int64_t)sign;
    if (sign < 0)
        quota_tidy(q, p);
}

uint64_t *quota_limit_by_index(struct quota_limits *limits, unsigned int index, const char **name,
                               const char **what) {
    if (index >= sizeof(names) / sizeof(names[0]))
        return NULL;
    *name = names[index].name;
    *what = names[index].what;
    return (uint64_t *)((char *)limits + names[index].offset);
}

uint64_t *quota_limit_by_name(struct quota_limits *limits, const char *name) {
    const char *found, *what;
    uint64_t *limit;
    for (unsigned int i = 0; (limit = quota_limit_by_index(limits, i, &found, &what)); i++)
        if (strcmp(found, name) == 0)
            return limit;
    return NULL;
}

const char *quota_kind_name(enum quota_kind kind) {
    static const char *const kinds[QUOTA_KINDS] = {
        [QUOTA_NODES] = "nodes",
        [QUOTA_NODE_SIZE] = "node-size",
        [QUOTA_WATCHES] = "watches",
        [QUOTA_TRANSACTIONS] = "transactions",
        [QUOTA_TRANSACTION_NODES] = "transaction-nodes",
        [QUOTA_OUTSTANDING] = "outstanding",
        [QUOTA_MEMORY] = "memory",
        [QUOTA_RATE] = "rate",
    };
    return kinds[kind];
}

uint64_t quota_kind_limit(const struct quota_limits *limits, enum quota_kind kind) {
    return *quota_limit_by_name((struct quota_limits *)limits, quota_kind_name(kind));
}
