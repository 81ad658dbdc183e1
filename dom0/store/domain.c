/* SPDX-License-Identifier: BSD-2-Clause */
/* Connected domains, domain.h. */
#include "dom0/store/domain.h"

#include <errno.h>
#include <stdlib.h>

#include "dom0/store/ring.h"
#include "dom0/store/save.h"
#include "dom0/store/store.h"

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

/* ---- the ring as a transport ----
 *
 * What was read is not given back to the guest, and what was written not shown, until the journal has what
 * came of it. A request stays in the ring until it is done, or until nothing but its beginning is there: then
 * the journal holds that.
 */

static void ring_moved(struct conn *c) {
    struct domain *d = domain_of(c);
    struct store *s = c->store;
    if (d->moved)
        return;
    d->moved = true;
    d->next_moved = s->moved;
    s->moved = d;
}

static ssize_t check(struct conn *c, ssize_t n) {
    if (n >= 0)
        return n;
    conn_fail(c, XENSTORE_ERROR_RINGIDX);
    return 0;
}

static ssize_t read_ring(struct conn *c, void *buf, size_t len) {
    struct domain *d = domain_of(c);
    ssize_t n = d->ring ? check(c, ring_read(d->ring, d->cons, buf, len)) : 0;
    d->cons += (uint32_t)n;
    return n;
}

static ssize_t write_ring(struct conn *c, const void *buf, size_t len) {
    struct domain *d = domain_of(c);
    ssize_t n = d->ring ? check(c, ring_write(d->ring, d->prod, buf, len)) : 0;
    d->prod += (uint32_t)n;
    if (n > 0)
        ring_moved(c);
    return n;
}

/* The rest comes later, and with an event only if the beginning is taken out (a guest's kernel sends an event
 * when it writes into an empty ring). */
static void ring_unfinished(struct conn *c) {
    size_t have = c->in_end - c->in_start;
    if (have == c->held)
        return;
    save_input(c, c->in + c->in_start + c->held, have - c->held);
    c->held = (uint32_t)have;
    ring_moved(c);
}

static void park(struct domain *d) {
    struct store *s = d->conn.store;
    if (d->parked)
        return;
    if (!s->parked)
        s->unpark_at = s->clock() + STORE_PARK_MS;
    d->parked = true;
    d->next_parked = s->parked;
    s->parked = d;
}

static bool ring_allowed(struct conn *c) {
    struct domain *d = domain_of(c);
    if (!d->parked && usage_spend(c))
        return true;
    park(d);
    return false;
}

static void unmask(struct domain *d) {
    struct store *s = d->conn.store;
    if (d->masked && s->domain_ops->unmask)
        s->domain_ops->unmask(s->domain_ctx, d->port);
    d->masked = false;
}

void domain_unpark(struct store *s) {
    if (s->clock() < s->unpark_at)
        return;
    while (s->parked) {
        struct domain *d = s->parked;
        s->parked = d->next_parked;
        d->parked = false;
        if (d->ring)
            unmask(d);
        if (!d->conn.fault)
            conn_wake(&d->conn);
    }
}

void domain_save_moved(struct store *s) {
    for (const struct domain *d = s->moved; d; d = d->next_moved)
        save_ring(d);
}

/* While our indices were not to be seen the guest took the ring for full or not empty, and sent no event for
 * what it wrote or for the room it made. */
static void look_again(struct domain *d) {
    if (ring_has_more(d->ring, d->cons) || (d->conn.out && ring_has_room(d->ring, d->prod)))
        conn_wake(&d->conn);
}

static void publish(struct domain *d) {
    uint32_t cons = domain_handled(d);
    if (!d->ring || (cons == d->published_cons && d->prod == d->published_prod && !d->begin_anew))
        return;
    if (d->begin_anew)
        ring_reconnect(d->ring);
    else
        ring_publish(d->ring, cons, d->prod);
    d->begin_anew = false;
    d->published_cons = cons;
    d->published_prod = d->prod;
    want_notify(d);
    look_again(d);
}

void domain_publish(struct store *s) {
    while (s->moved) {
        struct domain *d = s->moved;
        s->moved = d->next_moved;
        d->moved = false;
        publish(d);
    }
}

/* Ignored from now on, until introduced again or until it asks to reconnect; others go on. */
static void ring_failed(struct conn *c) {
    store_logf(c->store, "domain %u is cut off from the store: %s; it is heard again when it "
                         "restarts", c->who.domid,
               c->fault == XENSTORE_ERROR_RINGIDX ? "impossible ring index"
               : c->fault == XENSTORE_ERROR_PROTO ? "message longer than 4096 bytes"
                                                  : "does not take its messages");
    save_fault(c);
    if (!domain_of(c)->ring)
        return;
    ring_set_error(domain_of(c)->ring, (uint32_t)c->fault);
    want_notify(domain_of(c));
}

/* No `blocked`: a guest that makes room in its ring says so by an event. */
static const struct conn_transport ring_transport = { .read = read_ring,
                                                      .write = write_ring,
                                                      .allowed = ring_allowed,
                                                      .taken = ring_moved,
                                                      .unfinished = ring_unfinished,
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

struct domain *domain_restore(struct store *s, uint16_t domid) {
    struct domain *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    conn_init(&d->conn, s, &ring_transport, domid);
    d->conn.lasting = true;
    hash_insert(&s->domains, &d->by_domid, hash_bytes(&domid, sizeof(domid)));
    return d;
}

static void set_port(struct store *s, struct domain *d, int port, uint32_t remote_port) {
    d->port = (uint32_t)port;
    d->remote_port = remote_port;
    hash_insert(&s->ports, &d->by_port, hash_bytes(&d->port, sizeof(d->port)));
    save_domain(d);
}

static void take_indices(struct domain *d) {
    ring_indices(d->ring, &d->cons, &d->prod);
    conn_restore_sent(&d->conn, d->conn.out_bytes);
    d->conn.in_start = d->conn.in_end = 0;
    d->conn.held = 0;
    d->published_cons = d->cons;
    d->published_prod = d->prod;
}

/* d gets its ring and its port. */
static void connect_ring(struct store *s, struct domain *d, struct xenstore_domain_interface *ring, int port,
                         uint32_t remote_port) {
    d->ring = ring;
    set_port(s, d, port, remote_port);
    ring_announce(ring);
    if (d->conn.fault)
        ring_set_error(ring, (uint32_t)d->conn.fault);
    else
        conn_wake(&d->conn); /* there may be requests already */
}

static int attach(struct store *s, uint16_t domid, struct xenstore_domain_interface *ring, bool mapped,
                  uint32_t remote_port) {
    int port = s->domain_ops->bind(s->domain_ctx, domid, remote_port);
    if (port < 0)
        return port;
    struct domain *d = domain_restore(s, domid);
    if (!d) {
        s->domain_ops->unbind(s->domain_ctx, (uint32_t)port);
        return -ENOMEM;
    }
    d->mapped = mapped;
    connect_ring(s, d, ring, port, remote_port);
    take_indices(d);
    save_ring(d);
    if (d->conn.who.domid == 0)
        want_notify(d); /* dom0's kernel waits for this; another's may have no handler for events yet */
    return 0;
}

static void begin_anew(struct domain *d) {
    conn_reset(&d->conn);
    d->conn.fault = 0;
    save_fault(&d->conn);
    d->cons = d->prod = 0;
    d->begin_anew = true;
    ring_moved(&d->conn);
}

static int introduce_again(struct store *s, struct domain *d, uint32_t remote_port) {
    int port = s->domain_ops->bind(s->domain_ctx, d->conn.who.domid, remote_port);
    if (port < 0)
        return port;
    s->domain_ops->unbind(s->domain_ctx, d->port);
    hash_remove(&s->ports, &d->by_port);
    set_port(s, d, port, remote_port);
    begin_anew(d);
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

/* The ring of a domain that the journal knows. A message that its reader has seen is not sent again, since
 * the journal's indices say how far the daemon was; if they are impossible now, the guest's page decides. */
static int reattach(struct store *s, struct domain *d, struct xenstore_domain_interface *ring, bool mapped,
                    uint32_t remote_port) {
    int port = s->domain_ops->bind(s->domain_ctx, d->conn.who.domid, remote_port);
    if (port < 0)
        return port;
    d->mapped = mapped;
    connect_ring(s, d, ring, port, remote_port);
    if (s->distrust || !ring_fits(ring, d->cons, d->prod))
        take_indices(d);
    ring_publish(ring, d->cons, d->prod);
    d->published_cons = d->cons;
    d->published_prod = d->prod;
    if (ring_wants_reconnect(ring))
        begin_anew(d);
    ring_moved(&d->conn);
    want_notify(d);
    return 0;
}

/* Without a hypervisor there are no domains any more. */
static int remap(struct store *s, struct domain *d) {
    uint16_t domid = d->conn.who.domid;
    struct xenstore_domain_interface *ring = s->domain_ops ? s->domain_ops->map(s->domain_ctx, domid) : NULL;
    if (!ring)
        return -ESRCH;
    int rc = reattach(s, d, ring, true, d->remote_port);
    if (rc < 0)
        s->domain_ops->unmap(s->domain_ctx, ring);
    return rc;
}

int domain_introduce_self(struct store *s, struct xenstore_domain_interface *ring, uint32_t remote_port) {
    struct domain *d = domain_find(s, 0);
    return d ? reattach(s, d, ring, false, remote_port) : attach(s, 0, ring, false, remote_port);
}

static void leave_notify_list(struct store *s, struct domain *d) {
    struct domain **at = &s->notify;
    if (!d->notify)
        return;
    while (*at != d)
        at = &(*at)->next_notify;
    *at = d->next_notify;
}

static void leave_parked_list(struct store *s, struct domain *d) {
    struct domain **at = &s->parked;
    if (!d->parked)
        return;
    while (*at != d)
        at = &(*at)->next_parked;
    *at = d->next_parked;
}

static void leave_moved_list(struct store *s, struct domain *d) {
    struct domain **at = &s->moved;
    if (!d->moved)
        return;
    while (*at != d)
        at = &(*at)->next_moved;
    *at = d->next_moved;
}

static void detach(struct store *s, struct domain *d) {
    conn_destroy(&d->conn);
    save_gone(d);
    leave_notify_list(s, d);
    leave_moved_list(s, d);
    leave_parked_list(s, d);
    hash_remove(&s->domains, &d->by_domid);
    if (d->ring) {
        hash_remove(&s->ports, &d->by_port);
        if (d->port)
            s->domain_ops->unbind(s->domain_ctx, d->port);
    }
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

static void reconnect_or_release(struct store *s, struct domain *d) {
    uint16_t domid = d->conn.who.domid;
    if (remap(s, d) == 0)
        return;
    store_logf(s, "domain %u is no more, or does not let its ring be mapped: it is released", domid);
    domain_release(s, domid);
}

void domain_reconnect_all(struct store *s) {
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->lasting && c->who.domid != 0)
            reconnect_or_release(s, domain_of(c));
    }
    store_commit(s);
}

/*
 * Is the domain still there? Without the right to ask the hypervisor, its event channel tells: the port of a
 * domain that is being torn down is closed, and cannot be bound to. What the guest sent while ours was
 * unbound is looked for.
 */
static bool bind_again(struct store *s, struct domain *d) {
    s->domain_ops->unbind(s->domain_ctx, d->port);
    hash_remove(&s->ports, &d->by_port);
    int port = s->domain_ops->bind(s->domain_ctx, d->conn.who.domid, d->remote_port);
    d->port = port < 0 ? 0 : (uint32_t)port;
    hash_insert(&s->ports, &d->by_port, hash_bytes(&d->port, sizeof(d->port)));
    d->masked = false;
    if (port >= 0 && !d->conn.fault)
        conn_wake(&d->conn);
    return port >= 0;
}

void domain_look_for_deaths(struct store *s) {
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->lasting && c->who.domid != 0 && domain_of(c)->ring && !bind_again(s, domain_of(c)))
            domain_release(s, c->who.domid);
    }
    store_fire_special(s, "@releaseDomain");
    store_commit(s);
}

void domain_release_all(struct store *s) {
    struct hash_link *l;
    while ((l = hash_any(&s->domains)))
        detach(s, hash_entry(l, struct domain, by_domid));
}

void domain_event(struct store *s, uint32_t port) {
    struct domain *d = find_port(s, port);
    if (!d)
        return;
    d->masked = true;
    if (!ring_allowed(&d->conn))
        return;
    unmask(d); /* before the ring is looked at: what the guest writes from here on raises it again */
    if (ring_wants_reconnect(d->ring))
        begin_anew(d);
    if (!d->conn.fault)
        conn_wake(&d->conn);
    store_commit(s);
}
