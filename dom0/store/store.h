/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store as a whole: the tree, who is connected, what they watch. One object, no globals, no file
 * descriptors: the daemon and the tests give it transports (conn.h) and, under a hypervisor, the means to
 * reach guests (domain.h).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "dom0/store/conn.h"
#include "dom0/store/quota.h"
#include "dom0/store/tree.h"
#include "dom0/store/view.h"
#include "dom0/store/watch.h"

struct domain;
struct domain_ops;
struct journal;

struct store {
    struct quota quota;
    struct tree tree;
    struct watch_table watches;
    struct hash events; /* watch events waiting to be sent: to drop doubles */
    struct conn *conns;
    struct conn *run, **run_tail; /* those awake */
    uint32_t run_count;
    bool any_failed;
    bool trace; /* log each request */
    void (*log)(const char *line);
    uint64_t (*clock)(void);             /* ms, for limits of rate; NULL: there are none */
    struct domain *parked;               /* without credit */
    uint64_t unpark_at;
    struct hash domains;                 /* introduced, by domid */
    struct hash ports;                   /* the same, by local event channel port */
    struct domain *moved;                /* whose rings were read or written and not published yet */
    struct domain *notify;               /* whose rings moved since store_run() began */
    struct journal *journal;             /* NULL: nothing outlives the daemon; store_keep() sets it */
    const char *journal_place;           /* for messages */
    bool distrust;                      /* the journal was not complete: rings know better how far they are */
    bool journal_reported;               /* that it failed */
    const struct domain_ops *domain_ops; /* NULL: no hypervisor */
    void *domain_ctx;
    struct xs_message reply, event; /* being built */
};

/* -ENOMEM or 0. log gets lines without newline. */
int store_init(struct store *s, void (*log)(const char *line));
/* Connections must be destroyed before; domains are released here. */
void store_destroy(struct store *s);

/* Creates path with that value, and missing parents, as domain 0; for what exists from the start. */
int store_put(struct store *s, const char *path, const char *value);

#define STORE_PARK_MS 10 /* who has no credit left waits that long, then looks again */

/* Serves every connection that is awake, once, and then notifies guests. True: call again without waiting;
 * while s->parked is set, after STORE_PARK_MS at the latest. */
bool store_run(struct store *s);

/* All that was done up to here survives a kill, and guests may see it. At the end of each request, and before
 * a client of the socket hears of it. */
void store_commit(struct store *s);

/* From here on the store is kept in j. A failure is logged, and now and then tried again. NULL: no more. */
void store_keep(struct store *s, struct journal *j, const char *place);

/* Takes down the connections that conn_fail() marked. store_run() does it too. */
void store_reap(struct store *s);

/* A view of the store for a request; txn may be NULL. */
struct view store_view(struct store *s, struct txn *x);

/* Sends the events of a special path ("@releaseDomain") to those who may see it. */
void store_fire_special(struct store *s, const char *path);

void store_logf(struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0 if all links and accounts agree with a recount, else -EIO. */
int store_check(const struct store *s);

#endif
