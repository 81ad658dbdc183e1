/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding a domain by name or number without looking at the others. */
#ifndef HAUCHD_INDEX_H
#define HAUCHD_INDEX_H

#include <stdbool.h>
#include <stdint.h>

enum {
    INDEX_NAME_MAX = 127,
    INDEX_IDS = 0x7ff0,
    INDEX_NO_ID = 0xffff,
    INDEX_BUCKETS = 1024,
    INDEX_PAGE = 256
};

/* Embedded in what is indexed. */
struct index_entry {
    struct index_entry *chain;             /* same bucket */
    struct index_entry *next, *prev;       /* all entries, in order of insertion */
    char                name[INDEX_NAME_MAX + 1];
    uint16_t            id;                /* INDEX_NO_ID: none yet */
};

struct domain_index {
    struct index_entry  *buckets[INDEX_BUCKETS];
    struct index_entry **ids[INDEX_IDS / INDEX_PAGE + 1];   /* pages of 256, made when needed */
    struct index_entry  *first, *last;
    unsigned             count;
};

/* A name that can be told from a number and printed anywhere: 1 to 127 bytes of letters, digits and . _ - + ,
 * not all digits. */
bool index_name_valid(const char *name);

/* -EEXIST if the name is taken, -EINVAL if it is not a valid one; the entry then stays out. */
int  index_insert(struct domain_index *ix, struct index_entry *e, const char *name);
void index_remove(struct domain_index *ix, struct index_entry *e);
int  index_rename(struct domain_index *ix, struct index_entry *e, const char *name);
/* Give the entry a number, or take it away with INDEX_NO_ID. -EEXIST, -EINVAL, -ENOMEM. */
int  index_set_id(struct domain_index *ix, struct index_entry *e, uint16_t id);

struct index_entry *index_by_name(const struct domain_index *ix, const char *name);
struct index_entry *index_by_id(const struct domain_index *ix, uint16_t id);

/* A number (decimal) or a name, as people type them; @id gets the number if it is one, else INDEX_NO_ID. */
struct index_entry *index_find(const struct domain_index *ix, const char *name_or_id, uint16_t *id);

void index_free(struct domain_index *ix);      /* of the tables; the entries belong to their owner */

#endif
