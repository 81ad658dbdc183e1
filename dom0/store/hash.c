/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table of hash.h: chained, power-of-two slots, doubled when full. */
#include "dom0/store/hash.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SLOTS 16

static uint32_t start = 2166136261u;

int hash_init(struct hash *h) {
    h->slots = calloc(FIRST_SLOTS, sizeof(h->slots[0]));
    h->mask = FIRST_SLOTS - 1;
    h->count = 0;
    return h->slots ? 0 : -ENOMEM;
}

void hash_destroy(struct hash *h) {
    free(h->slots);
    h->slots = NULL;
    h->count = 0;
}

/* Failing to grow only makes chains longer. */
static void grow(struct hash *h) {
    uint32_t slots = (h->mask + 1) * 2;
    struct hash_link **grown = slots ? calloc(slots, sizeof(grown[0])) : NULL;
    if (!grown)
        return;
    for (uint32_t i = 0; i <= h->mask; i++) {
        struct hash_link *link = h->slots[i];
        while (link) {
            struct hash_link *next = link->next;
            struct hash_link **slot = &grown[link->value & (slots - 1)];
            link->next = *slot;
            *slot = link;
            link = next;
        }
    }
    free(h->slots);
    h->slots = grown;
    h->mask = slots - 1;
}

void hash_insert(struct hash *h, struct hash_link *link, uint32_t value) {
    if (h->count > h->mask)
        grow(h);
    struct hash_link **slot = &h->slots[value & h->mask];
    link->value = value;
    link->next = *slot;
    *slot = link;
    h->count++;
}

void hash_remove(struct hash *h, struct hash_link *link) {
    struct hash_link **at = &h->slots[link->value & h->mask];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    h->count--;
}

static struct hash_link *skip_to(struct hash_link *link, uint32_t value) {
    while (link && link->value != value)
        link = link->next;
    return link;
}

struct hash_link *hash_first(const struct hash *h, uint32_t value) {
    return skip_to(h->slots[value & h->mask], value);
}

struct hash_link *hash_next(const struct hash_link *link) {
    return skip_to(link->next, link->value);
}

struct hash_link *hash_any(const struct hash *h) {
    for (uint32_t i = 0; h->count && i <= h->mask; i++)
        if (h->slots[i])
            return h->slots[i];
    return NULL;
}

void hash_seed(uint32_t seed) {
    start = seed;
}

uint32_t hash_start(void) {
    return start;
}

/* FNV-1a: short keys, one multiplication a byte, and states of prefixes come for nothing. */
uint32_t hash_step(uint32_t state, const void *bytes, size_t len) {
    const unsigned char *b = bytes;
    for (size_t i = 0; i < len; i++)
        state = (state ^ b[i]) * 16777619u;
    return state;
}

/* The low bits of FNV alone are weak, and they choose the slot. */
uint32_t hash_finish(uint32_t state) {
    state ^= state >> 16;
    state *= 0x85ebca6bu;
    return state ^ (state >> 13);
}

uint32_t hash_bytes(const void *bytes, size_t len) {
    return hash_finish(hash_step(start, bytes, len));
}
