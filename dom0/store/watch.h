/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches, found by the hash of the path they are on. A change at /a/b/c concerns watches on /a/b/c, /a/b, /a
 * and /: one look-up for each, however many watches there are.
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "dom0/store/hash.h"
#include "dom0/store/path.h"

struct conn;

struct watch {
    struct hash_link link;
    struct conn *conn;
    struct watch *prev, *next; /* of the same connection */
    size_t skip;               /* bytes of an event's path that a client with a relative watch does not see */
    size_t len;                /* of path */
    char *token;               /* behind the path, in the same allocation */
    char path[];
};

struct watch_table {
    struct hash by_path;
};

int watch_table_init(struct watch_table *t);
void watch_table_destroy(struct watch_table *t); /* must be empty */

/* NULL: no memory. The caller links it to its connection. */
struct watch *watch_add(struct watch_table *t, struct conn *c, const struct path *p, size_t skip,
                        const char *token);
struct watch *watch_find(const struct watch_table *t, const struct conn *c, const struct path *p,
                         const char *token);
void watch_remove(struct watch_table *t, struct watch *w);

/* Bytes that a watch costs its connection. */
size_t watch_cost(const struct watch *w);

/* Calls fn for every watch that a change at path concerns; exact: only for those on path itself. fn must not
 * add or remove watches. */
typedef void watch_fn(void *arg, struct watch *w);
void watch_for_each(const struct watch_table *t, const char *path, size_t len, bool exact, watch_fn *fn,
                    void *arg);

#endif
