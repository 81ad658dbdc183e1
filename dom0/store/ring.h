/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's end of the ring in a guest's page. The guest can write anything there at any time: each index
 * is read once per call, checked, and only bytes are copied.
 */
#ifndef STORE_RING_H
#define STORE_RING_H

#include <stddef.h>
#include <sys/types.h>

#include "abi/xs_wire.h"

/* Bytes copied from the request at index cons on, or to the response at index prod on; possibly 0; -EIO if
 * the guest's indices are impossible. The guest knows nothing of it until ring_publish(). */
ssize_t ring_read(const struct xenstore_domain_interface *ring, uint32_t cons, void *buf, size_t len);
ssize_t ring_write(struct xenstore_domain_interface *ring, uint32_t prod, const void *buf, size_t len);
void ring_publish(struct xenstore_domain_interface *ring, uint32_t cons, uint32_t prod);

/* Is there a request behind cons, room for a response behind prod? True also for impossible indices. Sees all
 * that the guest did before it saw what we published last. */
int ring_has_more(const struct xenstore_domain_interface *ring, uint32_t cons);
int ring_has_room(const struct xenstore_domain_interface *ring, uint32_t prod);

/* Our indices, as they stand in the page. */
void ring_indices(const struct xenstore_domain_interface *ring, uint32_t *cons, uint32_t *prod);
/* Could the ring be at these indices of ours? */
int ring_fits(const struct xenstore_domain_interface *ring, uint32_t cons, uint32_t prod);

/* Says what this end can do; keeps what may already be in the ring. */
void ring_announce(struct xenstore_domain_interface *ring);

/* True if the guest asked to begin anew. */
int ring_wants_reconnect(const struct xenstore_domain_interface *ring);
/* Empties both directions and tells the guest that it is connected. */
void ring_reconnect(struct xenstore_domain_interface *ring);

/* Tells the guest that it is cut off: XENSTORE_ERROR_*. */
void ring_set_error(struct xenstore_domain_interface *ring, uint32_t error);

#endif
