/* SPDX-License-Identifier: BSD-2-Clause */
/* The permission lists of perm.h. */
#include "dom0/store/perm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = { 'n', 'r', 'w', 'b' };

struct perms *perms_new(uint32_t count) {
    struct perms *p = malloc(sizeof(*p) + count * sizeof(p->entry[0]));
    if (p) {
        p->refs = 1;
        p->count = count;
    }
    return p;
}

struct perms *perms_one(uint16_t owner, uint16_t bits) {
    struct perms *p = perms_new(1);
    if (p)
        p->entry[0] = (struct perm){ .domid = owner, .bits = bits };
    return p;
}

struct perms *perms_get(struct perms *p) {
    p->refs++;
    return p;
}

void perms_put(struct perms *p) {
    if (p && --p->refs == 0)
        free(p);
}

bool perms_equal(const struct perms *a, const struct perms *b) {
    return a->count == b->count && memcmp(a->entry, b->entry, a->count * sizeof(a->entry[0])) == 0;
}

struct perms *perms_with_owner(struct perms *p, uint16_t owner) {
    if (perms_owner(p) == owner)
        return perms_get(p);
    struct perms *copy = perms_new(p->count);
    if (copy) {
        memcpy(copy->entry, p->entry, p->count * sizeof(p->entry[0]));
        copy->entry[0].domid = owner;
    }
    return copy;
}

struct perms *perms_without(const struct perms *p, uint16_t domid) {
    struct perms *copy = perms_new(p->count);
    if (!copy)
        return NULL;
    copy->entry[0] = p->entry[0];
    copy->count = 1;
    for (uint32_t i = 1; i < p->count; i++)
        if (p->entry[i].domid != domid)
            copy->entry[copy->count++] = p->entry[i];
    return copy;
}

unsigned int perms_mentions(const struct perms *p, uint16_t domid) {
    unsigned int n = 0;
    for (uint32_t i = 1; i < p->count; i++)
        n += p->entry[i].domid == domid;
    return n;
}

static bool same_domain(const struct perm_subject *who, uint16_t domid) {
    return who->domid == domid || who->target == domid;
}

unsigned int perms_allowed(const struct perms *p, const struct perm_subject *who) {
    if (who->privileged || same_domain(who, perms_owner(p)))
        return PERM_READ | PERM_WRITE | PERM_OWNER;
    for (uint32_t i = 1; i < p->count; i++)
        if (same_domain(who, p->entry[i].domid))
            return p->entry[i].bits;
    return p->entry[0].bits;
}

int perm_parse_domid(const char *text) {
    int id = 0;
    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        id = id * 10 + (*text - '0');
        if (id >= PERM_DOMID_LIMIT)
            return -EINVAL;
    }
    return id;
}

static int parse_entry(struct perm *out, const char *text) {
    const char *letter = text[0] ? memchr(letters, text[0], sizeof(letters)) : NULL;
    int id = letter ? perm_parse_domid(text + 1) : -EINVAL;
    if (id < 0)
        return id;
    out->domid = (uint16_t)id;
    out->bits = (uint16_t)(letter - letters);
    return 0;
}

static uint32_t count_texts(const char *text, size_t len) {
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text[i] == '\0';
    return n;
}

int perms_parse(struct perms **out, const char *text, size_t len) {
    uint32_t count = count_texts(text, len);
    if (count == 0 || text[len - 1] != '\0')
        return -EINVAL;
    struct perms *p = perms_new(count);
    if (!p)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++, text += strlen(text) + 1) {
        int rc = parse_entry(&p->entry[i], text);
        if (rc < 0) {
            perms_put(p);
            return rc;
        }
    }
    *out = p;
    return 0;
}

int perms_format(const struct perms *p, char *buf, size_t size) {
    size_t used = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        int n = snprintf(buf + used, size - used, "%c%u", letters[p->entry[i].bits & 3], p->entry[i].domid);
        if ((size_t)n >= size - used)
            return -E2BIG;
        used += (size_t)n + 1;
    }
    return (int)used;
}
