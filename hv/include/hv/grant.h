/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant tables, version 1: how a domain lends frames to another. See the top of core/grant.c. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <hv/lock.h>
#include <hv/types.h>

#include <abi/grant.h>

struct grant_active;    /* what is in use of an entry that the guest wrote */
struct grant_map;       /* one mapping that a domain holds of another's grants */

struct grant_table {
    spinlock_t            lock;
    uint32_t              frames, max_frames;       /* of the shared table, 512 entries each */
    mfn_t                *frame;                    /* [max_frames] */
    struct grant_active **active;                   /* parallel to frame[] */
    uint32_t              map_frames, max_map_frames;
    struct grant_map    **map;                      /* handles, in pages */
    uint32_t              map_free;                 /* first free handle; ~0 none */
    uint32_t              maps_in_use;
};

/* Limits come from createdomain; 0 frames means the default. */
int  grant_table_init(struct domain *d, uint32_t max_frames, uint32_t max_map_frames);
/* Drops every mapping that d holds of others. Preemptible: -ERESTART until done. */
int  grant_table_release(struct domain *d);
void grant_table_free(struct domain *d);
/* acquire_resource: the frame behind shared table page idx, growing the table if needed; 0 or -errno. */
int  grant_table_get_frame(struct domain *d, uint32_t idx, mfn_t *out);

#endif
