/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files grant*.c: taking an entry into use and giving it back; handles. */
#ifndef CORE_GRANT_TABLE_H
#define CORE_GRANT_TABLE_H

#include <hv/domain.h>
#include <hv/grant.h>
#include <hv/hypercall.h>

#define GRANT_BATCH 16u     /* elements read, done and written back together; one TLB flush for each batch */

enum grant_use { GRANT_READ, GRANT_WRITE };

/*
 * Domain `user` begins to use entry ref of d: GNTST_okay and the frame, or why not. The frame is not
 * referenced: as long as the use lasts the caller must hold a reference of its own, taken before it relies
 * on the frame.
 */
int  grant_use_begin(struct domain *d, uint32_t ref, domid_t user, enum grant_use use, mfn_t *frame);
void grant_use_end(struct domain *d, uint32_t ref, enum grant_use use);
/* The frame of an entry in use. */
mfn_t grant_frame_of(struct domain *d, uint32_t ref);

/* Exchanges two entries that nobody uses: a status. */
int  grant_swap(struct domain *d, uint32_t a, uint32_t b);

/* Takes n pages into the shared table: 0, -EINVAL (limit), -ENOMEM. */
int  grant_table_grow(struct domain *d, uint32_t frames);

/*
 * A handle of d with m's contents (flags 0, claims 1): nobody can make use of it until
 * grant_handle_restore() puts its flags on. Each claim ends with a restore or with a done. NO_HANDLE: limit
 * reached, or no memory.
 */
uint32_t grant_handle_new(struct domain *d, const struct grant_map *m);
/*
 * Takes `flags` off the handle in one step, so that nobody else ends the same use: false if it has not all of
 * them.
 */
bool grant_handle_claim(struct domain *d, uint32_t handle, uint8_t flags, struct grant_map *was);
/* Puts them (back) on. */
void grant_handle_restore(struct domain *d, uint32_t handle, uint8_t flags);
/*
 * The uses that were claimed have ended: the handle is free again if nothing is left of it. True if so; then
 * the reference to the granter is the caller's.
 */
bool grant_handle_done(struct domain *d, uint32_t handle);

/* Notes why an element was refused, for dom0 to read. Returns status. */
int16_t grant_refuse(struct vcpu *v, unsigned op, int status, uint64_t a, uint64_t b);

/* The lists of elements: how many were done (less than count: preempted), or -EFAULT. */
long grant_map_list(struct vcpu *v, gaddr_t list, uint32_t count);
long grant_unmap_list(struct vcpu *v, gaddr_t list, uint32_t count);
long grant_replace_list(struct vcpu *v, gaddr_t list, uint32_t count);
long grant_copy_list(struct vcpu *v, gaddr_t list, uint32_t count);

#endif
