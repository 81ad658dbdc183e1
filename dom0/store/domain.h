/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that are connected by a ring: INTRODUCE maps the ring and binds the event channel, RELEASE undoes
 * it.
 *
 * The page is mapped by the grant that the builder reserves for the store, never as a foreign frame: this
 * daemon does not hold the right to map other domains' memory. It does not see domains die either; who builds
 * them says so, by RELEASE.
 */
#ifndef STORE_DOMAIN_H
#define STORE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/xs_wire.h"
#include "dom0/store/conn.h"
#include "dom0/store/usage.h"

struct store;

/* The way to guests. Errors are negative errnos. */
struct domain_ops {
    struct xenstore_domain_interface *(*map)(void *ctx, uint16_t domid); /* NULL: errno says why */
    void (*unmap)(void *ctx, struct xenstore_domain_interface *ring);
    int (*bind)(void *ctx, uint16_t domid, uint32_t remote_port); /* the local port */
    void (*unbind)(void *ctx, uint32_t port);
    void (*notify)(void *ctx, uint32_t port);
    void (*unmask)(void *ctx, uint32_t port); /* its next event may come; NULL: it comes anyway */
};

struct domain {
    struct hash_link by_domid, by_port;
    struct domain *next_notify, *next_moved;
    struct domain *next_parked;
    bool notify, moved, parked; /* on the store's lists */
    bool masked;                /* its events do not come until they are unmasked */
    struct usage usage;
    bool mapped;        /* ring to be unmapped on release; not that of domain 0 */
    bool begin_anew;    /* the ring is to be emptied when it is published */
    uint32_t port;      /* local */
    uint32_t remote_port;
    /* How far the ring has been read and written; the guest sees what was published. */
    uint32_t cons, prod, published_cons, published_prod;
    struct xenstore_domain_interface *ring; /* NULL: known from the journal, not connected yet */
    struct conn conn;
};

static inline struct domain *domain_of(const struct conn *c) {
    return (struct domain *)((const char *)c - offsetof(struct domain, conn));
}

/* Requests up to this index of the ring are done, or the journal has what was taken of them. */
static inline uint32_t domain_handled(const struct domain *d) {
    return d->cons - (uint32_t)(d->conn.in_end - d->conn.in_start - d->conn.held);
}

struct domain *domain_find(const struct store *s, uint16_t domid);

/* Connects domid. A domain that is connected already begins anew, with the new port. */
int domain_introduce(struct store *s, uint16_t domid, uint32_t remote_port);
/* Connects the domain that this daemon runs in, whose ring the kernel has mapped for it. */
int domain_introduce_self(struct store *s, struct xenstore_domain_interface *ring, uint32_t remote_port);

/* A domain as the journal has it, without ring and port. NULL: no memory. */
struct domain *domain_restore(struct store *s, uint16_t domid);
/* Connects the domains of the journal, other than domain 0, to their rings. What is no more there is
 * released. */
void domain_reconnect_all(struct store *s);

/* Some domain shut down or died: releases those that are no more, and fires @releaseDomain in any case, since
 * one that shut down cannot be told from one that runs. */
void domain_look_for_deaths(struct store *s);

/* Disconnects the domain and drops its nodes and all permissions that name it. -ENOENT if nothing is known of
 * it. */
int domain_release(struct store *s, uint16_t domid);
void domain_release_all(struct store *s);

/* A guest (or domain 0) has kicked this local port, which is masked until we unmask it. */
void domain_event(struct store *s, uint32_t port);

/* Wakes the guests that had no credit left, if it is time. */
void domain_unpark(struct store *s);

/* Puts the state of the rings that moved into the journal; lets their guests see it. Between the two the
 * group of entries ends: store_commit(). */
void domain_save_moved(struct store *s);
void domain_publish(struct store *s);

/* Notifies every guest whose ring moved. */
void domain_notify(struct store *s);

#endif
