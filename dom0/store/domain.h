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

struct store;

/* The way to guests. Errors are negative errnos. */
struct domain_ops {
    struct xenstore_domain_interface *(*map)(void *ctx, uint16_t domid); /* NULL: errno says why */
    void (*unmap)(void *ctx, struct xenstore_domain_interface *ring);
    int (*bind)(void *ctx, uint16_t domid, uint32_t remote_port); /* the local port */
    void (*unbind)(void *ctx, uint32_t port);
    void (*notify)(void *ctx, uint32_t port);
};

struct domain {
    struct hash_link by_domid, by_port;
    struct domain *next_notify;
    bool notify;   /* on the store's list */
    bool mapped;   /* ring to be unmapped on release; not that of domain 0 */
    uint32_t port; /* local */
    struct xenstore_domain_interface *ring;
    struct conn conn;
};

struct domain *domain_find(const struct store *s, uint16_t domid);

/* Connects domid. A domain that is connected already begins anew, with the new port. */
int domain_introduce(struct store *s, uint16_t domid, uint32_t remote_port);
/* Connects the domain that this daemon runs in, whose ring the kernel has mapped for it. */
int domain_introduce_self(struct store *s, struct xenstore_domain_interface *ring, uint32_t remote_port);

/* Disconnects the domain and drops its nodes and all permissions that name it. -ENOENT if nothing is known of
 * it. */
int domain_release(struct store *s, uint16_t domid);
void domain_release_all(struct store *s);

/* A guest (or domain 0) has kicked this local port. */
void domain_event(struct store *s, uint32_t port);

/* Notifies every guest whose ring moved. */
void domain_notify(struct store *s);

#endif
