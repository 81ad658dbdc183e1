/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of ring.h. Indices run freely and wrap at 2^32, bytes at XENSTORE_RING_SIZE. */
#include "dom0/store/ring.h"

#include <errno.h>
#include <string.h>

static uint32_t load(const uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *p, uint32_t value) {
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static size_t min_size(size_t a, size_t b) {
    return a < b ? a : b;
}

ssize_t ring_read(const struct xenstore_domain_interface *ring, uint32_t cons, void *buf, size_t len) {
    uint32_t prod = load(&ring->req_prod);
    if (prod - cons > XENSTORE_RING_SIZE)
        return -EIO;
    size_t n = min_size(prod - cons, len), at = MASK_XENSTORE_IDX(cons);
    size_t first = min_size(n, XENSTORE_RING_SIZE - at);
    memcpy(buf, ring->req + at, first);
    memcpy((char *)buf + first, ring->req, n - first);
    return (ssize_t)n;
}

ssize_t ring_write(struct xenstore_domain_interface *ring, uint32_t prod, const void *buf, size_t len) {
    uint32_t cons = load(&ring->rsp_cons);
    if (prod - cons > XENSTORE_RING_SIZE)
        return -EIO;
    size_t n = min_size(XENSTORE_RING_SIZE - (prod - cons), len), at = MASK_XENSTORE_IDX(prod);
    size_t first = min_size(n, XENSTORE_RING_SIZE - at);
    memcpy(ring->rsp + at, buf, first);
    memcpy(ring->rsp, (const char *)buf + first, n - first);
    return (ssize_t)n;
}

void ring_publish(struct xenstore_domain_interface *ring, uint32_t cons, uint32_t prod) {
    store(&ring->rsp_prod, prod);
    store(&ring->req_cons, cons);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* what we look at next is not older than this */
}

int ring_has_more(const struct xenstore_domain_interface *ring, uint32_t cons) {
    return load(&ring->req_prod) != cons;
}

int ring_has_room(const struct xenstore_domain_interface *ring, uint32_t prod) {
    return prod - load(&ring->rsp_cons) != XENSTORE_RING_SIZE;
}

void ring_indices(const struct xenstore_domain_interface *ring, uint32_t *cons, uint32_t *prod) {
    *cons = load(&ring->req_cons);
    *prod = load(&ring->rsp_prod);
}

int ring_fits(const struct xenstore_domain_interface *ring, uint32_t cons, uint32_t prod) {
    return load(&ring->req_prod) - cons <= XENSTORE_RING_SIZE &&
           prod - load(&ring->rsp_cons) <= XENSTORE_RING_SIZE;
}

void ring_announce(struct xenstore_domain_interface *ring) {
    store(&ring->server_features, XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
    store(&ring->error, XENSTORE_ERROR_NONE);
}

int ring_wants_reconnect(const struct xenstore_domain_interface *ring) {
    return load(&ring->connection) == XENSTORE_RECONNECT;
}

void ring_reconnect(struct xenstore_domain_interface *ring) {
    store(&ring->req_cons, 0);
    store(&ring->req_prod, 0);
    store(&ring->rsp_cons, 0);
    store(&ring->rsp_prod, 0);
    store(&ring->error, XENSTORE_ERROR_NONE);
    store(&ring->connection, XENSTORE_CONNECTED);
}

void ring_set_error(struct xenstore_domain_interface *ring, uint32_t error) {
    store(&ring->error, error);
}
