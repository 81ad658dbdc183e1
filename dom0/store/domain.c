/* SPDX-License-Identifier: BSD-2-Clause */
/* Connected domains, domain.h. */
#include "dom0/store/domain.h"

#include <errno.h>
#include <stdlib.h>

#include "dom0/store/ring.h"
#include "dom0/store/store.h"

static struct domain *of_conn(struct conn *c) {
    return hash_entry(c, struct domain, conn);
}

static void want_notify(struct domain *d) {
    struct store *s = d->conn.store;
    if (d->notify)
        return;
    d->notify = true;
    d->next_notify = s->notify;
    s->notify = d;
}

void domain_notify(struct store *s) {
    while (s->notify) {
        struct domain *d = s->notify;
        s->notify = d->next_notify;
        d->notify = false;
        s->domain_ops->notify(s->domain_ctx, d->port);
    }
}

static ssize_t moved(struct conn *c, ssize_t n) {
    if (n > 0)
        want_notify(of_conn(c));
    if (n < 0) {
        conn_fail(c, XENSTORE_ERROR_RINGIDX);
        return 0;
    }
    return n;
}

static ssize_t read_ring(struct conn *c, void *buf, size_t len) {
    return moved(c, ring_read(of_conn(c)->ring, buf, len));
}

static ssize_t write_ring(struct conn *c, const void *buf, size_t len) {
    return moved(c, ring_write(of_conn(c)->ring, buf, len));
}

/* Ignored from now on, until introduced again or until it asks to reconnect; others go on. */
static void ring_failed(struct conn *c) {
    store_logf(c->store, "domain %u: cut off, %s", c->who.domid,
               c->fault == XENSTORE_ERROR_RINGIDX ? "impossible ring index"
               : c->fault == XENSTORE_ERROR_PROTO ? "message longer than 4096 bytes"
                                                  : "does not take its messages");
    ring_set_error(of_conn(c)->ring, (uint32_t)c->fault);
    want_notify(of_conn(c));
}

/* No `blocked`: a guest that makes room in its ring says so by an event. */
static const struct conn_transport ring_transport = { .read = read_ring,
                                                      .write = write_ring,
                                                      .failed = ring_failed };

struct domain *domain_find(const struct store *s, uint16_t domid) {
    struct hash_link *l = hash_first(&s->domains, hash_bytes(&domid, sizeof(domid)));
    for (; l; l = hash_next(l))
        if (hash_entry(l, struct domain, by_domid)->conn.who.domid == domid)
            return hash_entry(l, struct domain, by_domid);
    return NULL;
}

static struct domain *find_port(const struct store *s, uint32_t port) {
    struct hash_link *l = hash_first(&s->ports, hash_bytes(&port, sizeof(port)));
    for (; l; l = hash_next(l))
        if (hash_entry(l, struct domain, by_port)->port == port)
            return hash_entry(l, struct domain, by_port);
    return NULL;
}

static int attach(struct store *s, uint16_t domid, struct xenstore_domain_interface *ring, bool mapped,
                  uint32_t remote_port) {
    int port = s->domain_ops->bind(s->domain_ctx, domid, remote_port);
    if (port < 0)
        return port;
    struct domain *d = calloc(1, sizeof(*d));
    if (!d) {
        s->domain_ops->unbind(s->domain_ctx, (uint32_t)port);
        return -ENOMEM;
    }
    d->port = (uint32_t)port;
    d->ring = ring;
    d->mapped = mapped;
    conn_init(&d->conn, s, &ring_transport, domid);
    hash_insert(&s->domains, &d->by_domid, hash_bytes(&domid, sizeof(domid)));
    hash_insert(&s->ports, &d->by_port, hash_bytes(&d->port, sizeof(d->port)));
    ring_announce(ring);
    conn_wake(&d->conn); /* there may be requests already */
    if (d->conn.who.domid == 0)
        want_notify(d); /* dom0's kernel waits for this; another's may have no handler for events yet */
    return 0;
}

static int introduce_again(struct store *s, struct domain *d, uint32_t remote_port) {
    int port = s->domain_ops->bind(s->domain_ctx, d->conn.who.domid, remote_port);
    if (port < 0)
        return port;
    s->domain_ops->unbind(s->domain_ctx, d->port);
    hash_remove(&s->ports, &d->by_port);
    d->port = (uint32_t)port;
    hash_insert(&s->ports, &d->by_port, hash_bytes(&d->port, sizeof(d->port)));
    conn_reset(&d->conn);
    d->conn.fault = 0;
    ring_reconnect(d->ring);
    want_notify(d);
    return 0;
}

int domain_introduce(struct store *s, uint16_t domid, uint32_t remote_port) {
    struct domain *d = domain_find(s, domid);
    if (!s->domain_ops)
        return -ENOSYS;
    if (d)
        return introduce_again(s, d, remote_port);
    struct xenstore_domain_interface *ring = s->domain_ops->map(s->domain_ctx, domid);
    if (!ring)
        return errno == ENOMEM ? -ENOMEM : -EINVAL;
    int rc = attach(s, domid, ring, true, remote_port);
    if (rc < 0) {
        s->domain_ops->unmap(s->domain_ctx, ring);
        return rc;
    }
    store_fire_special(s, "@introduceDomain");
    return 0;
}

int domain_introduce_self(struct store *s, struct xenstore_domain_interface *ring, uint32_t remote_port) {
    return attach(s, 0, ring, false, remote_port);
}

static void leave_notify_list(struct store *s, struct domain *d) {
    struct domain **at = &s->notify;
    if (!d->notify)
        return;
    while (*at != d)
        at = &(*at)->next_notify;
    *at = d->next_notify;
}

static void detach(struct store *s, struct domain *d) {
    conn_destroy(&d->conn);
    leave_notify_list(s, d);
    hash_remove(&s->domains, &d->by_domid);
    hash_remove(&s->ports, &d->by_port);
    s->domain_ops->unbind(s->domain_ctx, d->port);
    if (d->mapped)
        s->domain_ops->unmap(s->domain_ctx, d->ring);
    free(d);
}

static void drop_target(struct store *s, uint16_t domid) {
    for (struct conn *c = s->conns; c; c = c->next)
        if (c->who.target == domid)
            c->who.target = PERM_NO_TARGET;
}

int domain_release(struct store *s, uint16_t domid) {
    struct domain *d = domain_find(s, domid);
    if (!d && !quota_find(&s->quota, domid))
        return -ENOENT;
    if (d)
        detach(s, d);
    drop_target(s, domid);
    tree_forget_domain(&s->tree, domid);
    store_fire_special(s, "@releaseDomain");
    return 0;
}

void domain_release_all(struct store *s) {
    struct hash_link *l;
    while ((l = hash_any(&s->domains)))
        detach(s, hash_entry(l, struct domain, by_domid));
}

static void reconnect(struct domain *d) {
    conn_reset(&d->conn);
    d->conn.fault = 0;
    ring_reconnect(d->ring);
    want_notify(d);
}

void domain_event(struct store *s, uint32_t port) {
    struct domain *d = find_port(s, port);
    if (!d)
        return;
    if (ring_wants_reconnect(d->ring))
        reconnect(d);
    if (!d->conn.fault)
        conn_wake(&d->conn);
}
