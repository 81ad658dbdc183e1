/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection: a stream of requests in, a stream of replies and watch events out, and what the client holds
 * meanwhile (watches, transactions, unsent messages). Where the bytes come from is the transport's affair: a
 * socket, a ring in a guest's page, or a test's memory.
 *
 * Who may have how much: a client that does not take its replies is not served further until it does
 * (`outstanding`); one whose unsent watch events outgrow its memory is cut off. Watch events that are already
 * waiting to be sent are not queued twice: the second would tell nothing new.
 *
 * A client that breaks the protocol is cut off by conn_fail(): only marked at once, since this may happen
 * while others are being served, and taken down by store_reap().
 */
#ifndef STORE_CONN_H
#define STORE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/xs_wire.h"
#include "dom0/store/hash.h"
#include "dom0/store/perm.h"
#include "dom0/store/quota.h"
#include "dom0/store/txn.h"
#include "dom0/store/watch.h"

struct store;
struct conn;

/* Requests served from one client before others have their turn. */
#define CONN_BURST 16

struct xs_message {
    struct xsd_sockmsg header;
    char payload[XENSTORE_PAYLOAD_MAX];
};

struct conn_transport {
    /* Bytes moved; fewer than asked, or 0, if there is no more (no room) now; negative errno if the peer is
     * gone. */
    ssize_t (*read)(struct conn *c, void *buf, size_t len);
    ssize_t (*write)(struct conn *c, const void *buf, size_t len);
    /* Output was queued: conn_wake() when there is room. May be NULL. */
    void (*blocked)(struct conn *c);
    /* May a request be served now? If not, the transport wakes c later. May be NULL: always. */
    bool (*allowed)(struct conn *c);
    /* A request was taken from c->in, or the beginning of one lies there and no more came. May be NULL. */
    void (*taken)(struct conn *c);
    void (*unfinished)(struct conn *c);
    /* The connection was taken down because of c->fault; it may be freed here. */
    void (*failed)(struct conn *c);
};

struct outgoing {
    struct outgoing *next;
    struct hash_link link; /* among the events of all connections that wait unsent */
    struct conn *conn;
    size_t len, sent;
    bool is_event; /* while linked */
    char bytes[];
};

struct conn {
    struct store *store;
    const struct conn_transport *transport;
    struct conn *prev, *next; /* all connections */
    struct conn *next_run;    /* those with something to do */
    bool runnable, drained;
    int fault; /* 0, or XENSTORE_ERROR_*: cut off, and why */
    struct perm_subject who;
    bool is_socket; /* acts for domain 0 like its kernel, but there are many */
    bool read_only; /* came by the socket for readers */
    bool lasting;   /* outlives the daemon: what it holds is kept in the journal (save.h) */
    const struct quota_limits *limits;
    uint64_t memory; /* of watches and unsent messages; transactions have their own count */
    struct watch *watches;
    uint64_t watch_count;
    struct txn *txns;
    uint64_t txn_count;
    uint32_t last_txn;
    struct outgoing *out, **out_tail;
    uint64_t replies;   /* unsent messages that are no events */
    uint64_t out_bytes; /* of unsent messages, still to be sent */
    size_t in_start, in_end;
    uint32_t held; /* bytes at in_start that the journal has, since they are no more in the ring */
    char *in; /* room for one message, while there are bytes of one; conn_make_room() */
};

/* Domain 0, which includes all that come by a socket, is privileged. */
void conn_init(struct conn *c, struct store *s, const struct conn_transport *t, uint16_t domid);
/* Forgets all that the client holds; the connection is then as new. */
void conn_reset(struct conn *c);
/* conn_reset(), and out of the store's lists. */
void conn_destroy(struct conn *c);

/* There may be something to read, or room to write: the store will run it. */
void conn_wake(struct conn *c);
/* To be run again for what it has already received. */
void conn_requeue(struct conn *c);
/* Sends what is queued, then serves requests, at most CONN_BURST. True: there may be more. */
bool conn_run(struct conn *c);

/* Sends at once what the transport takes and queues the rest. m->header.len counts the payload. */
void conn_send(struct conn *c, const struct xs_message *m);
/* path as the client shall see it. */
void conn_send_event(struct conn *c, const char *path, const char *token);

void conn_fail(struct conn *c, int fault);

struct txn *conn_find_txn(const struct conn *c, uint32_t id);
/* NULL: no memory. */
struct txn *conn_add_txn(struct conn *c, uint32_t id);
struct watch *conn_add_watch(struct conn *c, const struct path *p, size_t skip, const char *token);
/* A message as it was when it was queued, for a connection made again from the journal. -ENOMEM or 0. */
int conn_restore_unsent(struct conn *c, const void *message, size_t len, size_t sent);
/* The transport took n more of the unsent bytes. */
void conn_restore_sent(struct conn *c, uint64_t n);
void conn_drop_txn(struct conn *c, struct txn *x);
void conn_drop_watch(struct conn *c, struct watch *w);

/* Makes sure of c->in. -ENOMEM or 0. */
int conn_make_room(struct conn *c);

/* All bytes held for the client other than its nodes. */
uint64_t conn_memory(const struct conn *c);

#endif
