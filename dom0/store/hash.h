/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of objects that carry their own link: no allocation per entry, so insertion cannot fail.
 *
 * Paths are hashed left to right with a running state, so that the hashes of all prefixes of a path (which is
 * what finding its watches takes) cost one pass: hash_step() a piece at a time, hash_finish() wherever a
 * value is wanted.
 */
#ifndef STORE_HASH_H
#define STORE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_link {
    struct hash_link *next;
    uint32_t value;
};

struct hash {
    struct hash_link **slots;
    uint32_t mask;
    uint32_t count;
};

/* -ENOMEM or 0. */
int hash_init(struct hash *h);
/* Frees the slots, not the objects. */
void hash_destroy(struct hash *h);

void hash_insert(struct hash *h, struct hash_link *link, uint32_t value);
/* link must be in the table. */
void hash_remove(struct hash *h, struct hash_link *link);

/* All entries with this value: hash_first(), then hash_next() until NULL. */
struct hash_link *hash_first(const struct hash *h, uint32_t value);
struct hash_link *hash_next(const struct hash_link *link);

/* Any entry, or NULL if the table is empty: for taking a table down. */
struct hash_link *hash_any(const struct hash *h);

/* Sets the start value of all hashes, so that a client cannot choose colliding names. Before the first use.
 */
void hash_seed(uint32_t seed);
uint32_t hash_start(void);
uint32_t hash_step(uint32_t state, const void *bytes, size_t len);
uint32_t hash_finish(uint32_t state);
uint32_t hash_bytes(const void *bytes, size_t len);

#define hash_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

#endif
