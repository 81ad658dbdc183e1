/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: what must outlive the daemon, as a list of entries in memory that outlives it (a file of a
 * tmpfs, mapped: journal_file.h).
 *
 * Entries come in groups, one group for what one request did. A group is written first and its length last,
 * so a process that is killed leaves either the whole group or nothing: everything behind the last length
 * that is not 0 does not exist. No system call is made for it; a kill loses no store of the processor's. The
 * check sum is for damage of other kinds.
 *
 * When the journal has outgrown what it describes it is written anew, as a snapshot of the store, in another
 * place, which then takes the name. A journal that cannot grow is not kept any further: it is marked, and the
 * store goes on without.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_MAGIC      0x314c4e4a45524f54ull
#define JOURNAL_INCOMPLETE 1 /* something happened that is not in it */

struct journal_header {
    uint64_t magic;
    uint32_t flags;
    uint32_t life; /* how many daemons have kept it, one after the other */
};

struct journal_group {
    uint32_t len; /* of its entries; 0: no group */
    uint32_t sum;
};

struct journal_entry {
    uint16_t type;
    uint16_t id;
    uint32_t len; /* of what follows */
};

struct journal;

/* Where it lies. */
struct journal_ops {
    /* More room: at least `size` bytes at j->base, what was there kept, new bytes 0. -errno or 0. */
    int (*grow)(struct journal *j, size_t size);
    /* Another place, empty, with room for `size` bytes, becomes j's; the old one is kept aside. -errno or
     * 0. */
    int (*renew)(struct journal *j, size_t size);
    /* The new place takes the old one's name; or, with good false, is dropped for the old one. -errno (and
     * then it was dropped) or 0. */
    int (*settle)(struct journal *j, bool good);
    uint64_t (*now)(void *ctx); /* ms; for the next attempt after a failure */
};

struct journal {
    const struct journal_ops *ops;
    void *ctx;
    char *base;
    size_t size; /* room */
    size_t tail; /* end of the last group */
    size_t at;   /* end of the entries of the group being written; tail if there is none */
    size_t bound;
    bool on;     /* entries are taken */
    bool due;    /* outgrown, or failed and worth another attempt: journal_due() */
    bool failed;
    int error; /* why it failed */
    uint64_t retry;
    uint32_t life;
    size_t kept_tail; /* while a new place is being written: what the old one was */
    int kept_error;
    bool kept_failed;
};

/* A piece of an entry. */
struct journal_piece {
    const void *bytes;
    size_t len;
};

/* Adds an entry to the group. Nothing happens while the journal is off. A failure is kept in j->failed. */
void journal_put(struct journal *j, uint16_t type, uint16_t id, const struct journal_piece *pieces,
                 unsigned int count);

/* Ends the group: from here on it survives. */
void journal_commit(struct journal *j);

/* True if journal_start() and a snapshot are due. Only between groups. */
bool journal_due(struct journal *j);

/* Begins the journal anew, elsewhere; the caller then writes a snapshot and calls journal_finish(). -errno:
 * it stays as it was. */
int journal_start(struct journal *j);
int journal_finish(struct journal *j);

/* Calls fn for each entry of the groups that are whole. Returns 0; fn's first error; -EINVAL if this is no
 * journal; -EBADMSG if a group's sum is wrong (those before it were given to fn). */
typedef int journal_fn(void *arg, const struct journal_entry *e, const char *bytes);
int journal_read(const char *base, size_t size, journal_fn *fn, void *arg);

static inline bool journal_is_on(const struct journal *j) {
    return j && j->on;
}

static inline bool journal_pending(const struct journal *j) {
    return j && j->at != j->tail;
}

#endif
