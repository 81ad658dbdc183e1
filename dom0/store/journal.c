/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of journal.h. */
#include "dom0/store/journal.h"

#include <errno.h>
#include <string.h>

#define GROW     (64u << 10)  /* the room grows by this much */
#define SLACK    (192u << 10) /* beyond twice a snapshot's size it is written anew */
#define RETRY_MS 1000

static uint32_t sum_table[256];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        sum_table[i] = c;
    }
}

/* CRC-32 as in Ethernet. */
static uint32_t sum_of(const char *bytes, size_t len) {
    uint32_t c = ~0u;
    if (!sum_table[1])
        make_table();
    for (size_t i = 0; i < len; i++)
        c = c >> 8 ^ sum_table[(c ^ (unsigned char)bytes[i]) & 255];
    return ~c;
}

static struct journal_header *header_of(struct journal *j) {
    return (struct journal_header *)j->base;
}

static void fail(struct journal *j, int error) {
    j->failed = true;
    j->on = false;
    j->error = error;
    j->at = j->tail;
    if (j->base)
        header_of(j)->flags |= JOURNAL_INCOMPLETE;
    j->retry = j->ops->now(j->ctx) + RETRY_MS;
}

static int make_room(struct journal *j, size_t len) {
    size_t need = j->at + len + sizeof(struct journal_group);
    if (need <= j->size)
        return 0;
    return j->ops->grow(j, (need + GROW - 1) / GROW * GROW);
}

static size_t padded(size_t len) {
    return (len + 3) & ~(size_t)3;
}

void journal_put(struct journal *j, uint16_t type, uint16_t id, const struct journal_piece *pieces,
                 unsigned int count) {
    struct journal_entry e = { type, id, 0 };
    if (!journal_is_on(j))
        return;
    for (unsigned int i = 0; i < count; i++)
        e.len += (uint32_t)pieces[i].len;
    int rc = make_room(j, sizeof(struct journal_group) + sizeof(e) + padded(e.len));
    if (rc < 0) {
        fail(j, rc);
        return;
    }
    if (j->at == j->tail)
        j->at += sizeof(struct journal_group);
    char *to = j->base + j->at;
    memcpy(to, &e, sizeof(e));
    to += sizeof(e);
    for (unsigned int i = 0; i < count; to += pieces[i++].len)
        if (pieces[i].len)
            memcpy(to, pieces[i].bytes, pieces[i].len);
    j->at += sizeof(e) + padded(e.len);
}

void journal_commit(struct journal *j) {
    if (!journal_pending(j))
        return;
    struct journal_group *g = (struct journal_group *)(j->base + j->tail);
    uint32_t len = (uint32_t)(j->at - j->tail - sizeof(*g));
    g->sum = sum_of((const char *)(g + 1), len);
    __atomic_store_n(&g->len, len, __ATOMIC_RELEASE);
    j->tail = j->at;
    if (j->tail > j->bound)
        j->due = true;
}

bool journal_due(struct journal *j) {
    if (j && j->failed)
        return j->ops->now(j->ctx) >= j->retry;
    return j && j->due;
}

static void postpone(struct journal *j) {
    j->due = false;
    j->bound = j->tail + SLACK;
    j->retry = j->ops->now(j->ctx) + RETRY_MS;
}

/* Entries go to the new place from here on, which is not yet the one that a successor reads. */
int journal_start(struct journal *j) {
    j->kept_tail = j->tail;
    j->kept_failed = j->failed || !j->tail;
    j->kept_error = j->error;
    int rc = j->ops->renew(j, GROW);
    if (rc < 0) {
        j->failed = j->kept_failed;
        j->error = j->failed ? rc : 0;
        postpone(j);
        return rc;
    }
    j->on = true;
    j->failed = false;
    *header_of(j) = (struct journal_header){ JOURNAL_MAGIC, 0, j->life };
    j->tail = j->at = sizeof(struct journal_header);
    return 0;
}

int journal_finish(struct journal *j) {
    int rc = j->failed ? j->error : 0;
    if (rc == 0)
        journal_commit(j);
    int settled = j->ops->settle(j, rc == 0);
    rc = rc ? rc : settled;
    if (rc < 0) {
        j->tail = j->at = j->kept_tail;
        j->failed = j->kept_failed;
        j->error = j->failed ? rc : 0;
        j->on = !j->failed;
        postpone(j);
        return rc;
    }
    j->error = 0;
    j->due = false;
    j->bound = 2 * j->tail + SLACK;
    return 0;
}

static int read_group(const char *at, uint32_t len, journal_fn *fn, void *arg) {
    struct journal_entry e;
    for (const char *end = at + len; (size_t)(end - at) >= sizeof(e); at += sizeof(e) + padded(e.len)) {
        memcpy(&e, at, sizeof(e));
        if (e.len > (size_t)(end - at) - sizeof(e) || padded(e.len) > (size_t)(end - at) - sizeof(e))
            return -EBADMSG;
        int rc = fn(arg, &e, at + sizeof(e));
        if (rc < 0)
            return rc;
    }
    return 0;
}

int journal_read(const char *base, size_t size, journal_fn *fn, void *arg) {
    struct journal_header h;
    struct journal_group g;
    size_t at = sizeof(h);
    if (size < sizeof(h))
        return -EINVAL;
    memcpy(&h, base, sizeof(h));
    if (h.magic != JOURNAL_MAGIC)
        return -EINVAL;
    while (size - at >= sizeof(g)) {
        memcpy(&g, base + at, sizeof(g));
        at += sizeof(g);
        if (g.len == 0)
            return 0;
        if (g.len > size - at || sum_of(base + at, g.len) != g.sum)
            return -EBADMSG;
        int rc = read_group(base + at, g.len, fn, arg);
        if (rc < 0)
            return rc;
        at += g.len;
    }
    return 0;
}
