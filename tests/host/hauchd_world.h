/* SPDX-License-Identifier: BSD-2-Clause */
/* A pretended host for hauchd: hypervisor, store, back ends, consoles, loop devices and links as plain
 * counters and lists, each call able to fail on demand. What hauchd leaves behind can then be counted
 * exactly. */
#ifndef HAUCHD_WORLD_H
#define HAUCHD_WORLD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WORLD_DOMAINS = 64,
    WORLD_NODES = 1024,
    WORLD_LINKS = 32,
    WORLD_CALLS = 512,
    WORLD_CPUS = 4,
    WORLD_VCPUS = 8
};

struct world_domain {
    _Atomic bool exists;        /* the worker ends it */
    bool     paused, off;
    bool     told;              /* its kernel says where its memory is */
    uint8_t  uuid[16];
    unsigned reason;
    uint64_t pages, claim;
    unsigned vcpus, weight, cap;
    uint64_t max_kib;
    uint64_t hard[WORLD_VCPUS], soft[WORLD_VCPUS];      /* 0: anywhere */
    bool     console, introduced;
};

struct world {
    struct world_domain domain[WORLD_DOMAINS];
    uint16_t            next_id;
    struct {
        char path[160], value[160];
    } node[WORLD_NODES];
    unsigned nodes;
    char     link[WORLD_LINKS][16];
    unsigned links;
    int      loops;
    _Atomic int images, mappings;          /* the worker counts these, too, as it does calls */
    int      death_fd, store_fd;
    char     watch[64][2][160];
    unsigned watches;
    unsigned event_head, event_tail;
    char     event[256][160];

    int         early_releases;         /* of domains that still had nodes in the store: dear, see create.c */
    int         lists;                     /* how often all domains were listed */
    _Atomic int calls, fail_at;            /* which call fails; 0: none */
    const char *failed;                    /* its name */
    const char *fail_name;                 /* all of that name fail */
    bool        backends_silent;           /* they never answer */
    bool        store_away, store_hung;
    const char *store_refuses;             /* to write that node */
    int         store_tries;               /* connections to it */
    _Atomic bool hold_kernel, hold_destroy;      /* unpacking one, destroying one takes until this is false */
    int         evtchn_error, virq_error;  /* errno of opening the device, of binding the interrupt */
    bool        console_away, store_lost;
    int         rm_error;                  /* of removing from the store */
    bool        links_late;                /* interfaces neither appear nor go */
    _Atomic bool hold_build, hold_dump;    /* as hold_kernel: filling memory, writing a core file */
    bool        is_hauch;                  /* the hypervisor says it is, and knows the keys */
    bool        crash_cleared;             /* the record of the last crash */
    char        key;                       /* what the log has not shown the effect of yet */
};
extern struct world world;

void        world_reset(void);
/* Count one call; -EIO if it is the one that has to fail. */
int         world_call(const char *name);
/* The domain's guest shuts down for @reason, and the hypervisor says so. */
void        world_guest_ends(uint16_t id, unsigned reason);
const char *world_node(const char *path);  /* value or NULL */
/* Nothing of any domain is left. */
bool        world_empty(void);

#endif
