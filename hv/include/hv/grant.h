/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant tables, version 1: how a domain lends frames to another. See the top of core/grant.c. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <hv/lock.h>
#include <hv/types.h>

#include <abi/grant.h>

/*
 * What is in use of an entry that the guest wrote: taken over when the first user came, valid while there are
 * any.
 */
struct grant_active {
    uint32_t frame;
    domid_t  domid;             /* who uses it */
    uint16_t unused;
    uint32_t readers, writers;
};
_Static_assert(sizeof(struct grant_active) == 16, "512 for each page of the table");

/* One mapping that a domain holds of another's grants. Free ones are linked through ref. */
struct grant_map {
    struct domain *granter;     /* the handle holds a reference */
    uint32_t ref;               /* of the granting domain; free: handle of the next free one */
    /* GNTMAP_device_map and _host_map as far as they still hold; 0: free, or not ready */
    uint8_t  flags;
    bool     readonly;
    bool     is_pte;            /* GNTMAP_contains_pte */
    uint8_t  claims;            /* who is at work on it: making it, or ending a use */
};
_Static_assert(sizeof(struct grant_map) == 16, "256 in a page");

#define GRANTS_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define MAPS_PER_FRAME   (PAGE_SIZE / sizeof(struct grant_map))
#define NO_HANDLE        (~0u)

struct grant_table {
    spinlock_t            lock;                     /* shared table and active entries */
    uint32_t              frames, max_frames;       /* of the shared table, GRANTS_PER_FRAME entries each */
    mfn_t                *frame;                    /* [max_frames] */
    struct grant_active **active;                   /* [max_frames], two pages each */
    spinlock_t            map_lock;                 /* the rest; never held together with lock */
    uint32_t              map_frames, max_map_frames;
    /* [max_map_frames] pages of handles; NULL before the first */
    struct grant_map    **map;
    uint32_t              map_free;                 /* first free handle, NO_HANDLE: none */
    uint32_t              maps_in_use;
    uint32_t              release_next;             /* progress of grant_table_release() */
};

/* Limits come from createdomain; 0 means the default. 0, -EINVAL (beyond what can be built in), -ENOMEM. */
int  grant_table_init(struct domain *d, uint32_t max_frames, uint32_t max_map_frames);
/* Drops every mapping that d, which runs no more, holds of others. Preemptible: -ERESTART until done. */
int  grant_table_release(struct domain *d);
/* Memory. Only when no reference to d is left; all right after a failed init. */
void grant_table_free(struct domain *d);
/*
 * acquire_resource: the frame behind shared table page idx, growing the table if needed; 0, -EINVAL, -ENOMEM.
 */
int  grant_table_get_frame(struct domain *d, uint32_t idx, mfn_t *out);

#endif
