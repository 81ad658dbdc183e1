/* SPDX-License-Identifier: BSD-2-Clause */
/* Index of domains: see index.h. */
#include "dom0/hauchd/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned bucket(const char *name)
{
    uint32_t h = 2166136261u;

    while (*name)
        h = (h ^ (unsigned char)*name++) * 16777619u;
    return h % INDEX_BUCKETS;
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._-+", c));
}

bool index_name_valid(const char *name)
{
    size_t n = strlen(name);

    if (!n || n > INDEX_NAME_MAX || name[0] == '-' || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!name_char(name[i]))
            return false;
    return strspn(name, "0123456789") < n;
}

struct index_entry *index_by_name(const struct domain_index *ix, const char *name)
{
    struct index_entry *e = ix->buckets[bucket(name)];

    while (e && strcmp(e->name, name))
        e = e->chain;
    return e;
}

struct index_entry *index_by_id(const struct domain_index *ix, uint16_t id)
{
    struct index_entry **page = id < INDEX_IDS ? ix->ids[id / INDEX_PAGE] : NULL;

    return page ? page[id % INDEX_PAGE] : NULL;
}

static int check_name(const struct domain_index *ix, const char *name)
{
    if (!index_name_valid(name))
        return -EINVAL;
    return index_by_name(ix, name) ? -EEXIST : 0;
}

static void chain_in(struct domain_index *ix, struct index_entry *e, const char *name)
{
    unsigned b = bucket(name);

    memmove(e->name, name, strlen(name) + 1);
    e->chain = ix->buckets[b];
    ix->buckets[b] = e;
}

static void chain_out(struct domain_index *ix, struct index_entry *e)
{
    struct index_entry **p = &ix->buckets[bucket(e->name)];

    while (*p && *p != e)
        p = &(*p)->chain;
    if (*p)
        *p = e->chain;
}

int index_insert(struct domain_index *ix, struct index_entry *e, const char *name)
{
    int rc = check_name(ix, name);

    if (rc)
        return rc;
    memset(e, 0, sizeof(*e));
    e->id = INDEX_NO_ID;
    chain_in(ix, e, name);
    e->prev = ix->last;
    *(ix->last ? &ix->last->next : &ix->first) = e;
    ix->last = e;
    ix->count++;
    return 0;
}

void index_remove(struct domain_index *ix, struct index_entry *e)
{
    index_set_id(ix, e, INDEX_NO_ID);
    chain_out(ix, e);
    *(e->prev ? &e->prev->next : &ix->first) = e->next;
    *(e->next ? &e->next->prev : &ix->last) = e->prev;
    ix->count--;
}

int index_rename(struct domain_index *ix, struct index_entry *e, const char *name)
{
    int rc = check_name(ix, name);

    if (rc)
        return rc;
    chain_out(ix, e);
    chain_in(ix, e, name);
    return 0;
}

int index_set_id(struct domain_index *ix, struct index_entry *e, uint16_t id)
{
    struct index_entry ***page = &ix->ids[id < INDEX_IDS ? id / INDEX_PAGE : 0];

    if (id >= INDEX_IDS && id != INDEX_NO_ID)
        return -EINVAL;
    if (id != INDEX_NO_ID) {
        if (index_by_id(ix, id))
            return index_by_id(ix, id) == e ? 0 : -EEXIST;
        if (!*page)
            *page = calloc(INDEX_PAGE, sizeof(**page));
        if (!*page)
            return -ENOMEM;
    }
    if (e->id != INDEX_NO_ID)
        ix->ids[e->id / INDEX_PAGE][e->id % INDEX_PAGE] = NULL;
    if (id != INDEX_NO_ID)
        (*page)[id % INDEX_PAGE] = e;
    e->id = id;
    return 0;
}

struct index_entry *index_find(const struct domain_index *ix, const char *name_or_id, uint16_t *id)
{
    unsigned long n;
    char         *end;

    *id = INDEX_NO_ID;
    if (!*name_or_id || name_or_id[strspn(name_or_id, "0123456789")])
        return index_by_name(ix, name_or_id);
    n = strtoul(name_or_id, &end, 10);
    if (n >= INDEX_IDS)
        return NULL;
    *id = n;
    return index_by_id(ix, n);
}

void index_free(struct domain_index *ix)
{
    for (unsigned i = 0; i < sizeof(ix->ids) / sizeof(ix->ids[0]); i++)
        free(ix->ids[i]);
    memset(ix, 0, sizeof(*ix));
}
