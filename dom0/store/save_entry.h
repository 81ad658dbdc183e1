/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of the store's journal: written by save.c, read by save_restore.c. Between daemons of one
 * version only; a change of any of this wants another JOURNAL_MAGIC. */
#ifndef STORE_SAVE_ENTRY_H
#define STORE_SAVE_ENTRY_H

#include <stdint.h>

enum save_type {
    SAVE_NODE = 1, /* head, permissions, path, value */
    SAVE_VALUE,    /* head, path, value */
    SAVE_PERMS,    /* head, permissions, path */
    SAVE_REMOVAL,  /* head, path */
    SAVE_LIMIT,    /* u64, name */
    /* these with a domain's id */
    SAVE_DOMAIN,  /* u32 its port */
    SAVE_GONE,    /* nothing */
    SAVE_TARGET,  /* i32 */
    SAVE_WATCH,   /* head, path, token */
    SAVE_UNWATCH, /* the same */
    SAVE_TXN,     /* u32 number */
    SAVE_TXN_END, /* the same */
    SAVE_UNSENT,  /* u32 bytes sent already, message */
    SAVE_INPUT,   /* bytes */
    SAVE_RESET,   /* nothing */
    SAVE_FAULT,   /* u32 */
    SAVE_RING,    /* struct save_ring_state */
};

struct save_node_head {
    uint16_t path_len, perm_count;
};

struct save_watch_head {
    uint16_t path_len, skip;
};

struct save_ring_state {
    uint32_t cons;   /* requests up to here are done */
    uint32_t prod;   /* messages up to here are in the ring */
    uint32_t unsent; /* bytes that wait behind them */
    uint32_t held;   /* bytes of an unfinished request that are no more in the ring */
};

#endif
