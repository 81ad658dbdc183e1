/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of nodes: bytes with a reference count, so that a transaction keeps what it read without copying. */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct blob {
    uint32_t refs;
    uint32_t len;
    uint32_t room;
    char bytes[];
};

static inline struct blob *blob_get(struct blob *b) {
    b->refs++;
    return b;
}

/* Half of a domain's nodes have no value: they share this one, which is not counted (room 0) and stays. */
extern struct blob *const blob_empty;

/* NULL: no memory. */
static inline struct blob *blob_new(const void *bytes, size_t len) {
    if (len == 0)
        return blob_empty;
    struct blob *b = malloc(offsetof(struct blob, bytes) + len);
    if (!b)
        return NULL;
    b->refs = 1;
    b->len = b->room = (uint32_t)len;
    memcpy(b->bytes, bytes, len);
    return b;
}

static inline void blob_put(struct blob *b) {
    if (b && b->room && --b->refs == 0)
        free(b);
}

/* A blob with these bytes instead of old, whose reference is taken over: in place if nobody else holds it and
 * it has the room. NULL: no memory, and old is untouched. */
static inline struct blob *blob_replace(struct blob *old, const void *bytes, size_t len) {
    if (old->refs == 1 && len <= old->room) {
        if (len)
            memcpy(old->bytes, bytes, len);
        old->len = (uint32_t)len;
        return old;
    }
    struct blob *b = blob_new(bytes, len);
    if (b)
        blob_put(old);
    return b;
}

#endif
