/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each domain holds in the store, and how much it may.
 *
 * Nodes are charged to their owner whoever made them; watches, transactions and unsent messages are charged
 * to the connection (see conn.h). Limits bind unprivileged clients when they make something grow: the
 * toolstack can give a domain more than its limit, but the domain itself cannot then add to it.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dom0/store/hash.h"
#include "dom0/store/perm.h"

struct quota_limits {
    uint64_t nodes;       /* owned by the domain */
    uint64_t node_size;   /* bytes of value and permissions of one node */
    uint64_t permissions; /* entries of one node */
    uint64_t path_max;    /* bytes of one path */
    uint64_t watches;
    uint64_t transactions;      /* open at once */
    uint64_t transaction_nodes; /* touched by one transaction */
    uint64_t outstanding;       /* replies not yet taken before requests are left waiting */
    uint64_t memory;            /* bytes, of all the above and of unsent messages */
    uint64_t rate;              /* requests and events a second, after a second's worth at once */
};

/* What a domain can run into; in the order in which `xenstore-control usage` lists them. */
enum quota_kind {
    QUOTA_NODES,
    QUOTA_NODE_SIZE,
    QUOTA_WATCHES,
    QUOTA_TRANSACTIONS,
    QUOTA_TRANSACTION_NODES,
    QUOTA_OUTSTANDING,
    QUOTA_MEMORY,
    QUOTA_RATE,
    QUOTA_KINDS,
};

const char *quota_kind_name(enum quota_kind kind);
uint64_t quota_kind_limit(const struct quota_limits *limits, enum quota_kind kind);

/* An account exists while any of its figures is not 0. */
struct account {
    struct hash_link link;
    uint16_t domid;
    uint64_t nodes;
    uint64_t memory;   /* bytes of the nodes owned */
    uint64_t mentions; /* permission entries of any node that name the domain, other than as owner */
};

struct quota {
    struct quota_limits guest;      /* unprivileged domains */
    struct quota_limits privileged; /* sockets and dom0: wide, but a limit all the same */
    struct hash accounts;
};

int quota_init(struct quota *q);
void quota_destroy(struct quota *q);

/* NULL if the domain holds nothing. */
struct account *quota_find(const struct quota *q, uint16_t domid);

/* Makes sure that every domain named in p has an account, so that quota_charge() cannot fail. -ENOMEM or 0.
 */
int quota_prepare(struct quota *q, const struct perms *p);
/* Books a node of this many bytes with list p: sign +1 when it comes, -1 when it goes. */
void quota_charge(struct quota *q, const struct perms *p, size_t bytes, int sign);
/* Drops the accounts that quota_prepare() made for p and that stayed empty. */
void quota_tidy(struct quota *q, const struct perms *p);

/* The limit of that name, in the words of `xenstore-control quota`; NULL if there is none. index counts
 * through all. */
uint64_t *quota_limit_by_name(struct quota_limits *limits, const char *name);
uint64_t *quota_limit_by_index(struct quota_limits *limits, unsigned int index, const char **name,
                               const char **what);

#endif
