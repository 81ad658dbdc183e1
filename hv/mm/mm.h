/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of mm/. */
#ifndef MM_MM_H
#define MM_MM_H

#include <hv/frame.h>

/* Domid in the refs word of frames that are the hypervisor's own: no domain has it. */
#define FRAME_OWNER_HYP DOMID_IDLE

/*
 * 2^order free frames below frame number `limit` (a power of two, or frame_count), out of d's claim if it has
 * one (NULL: the hypervisor's own need); no translation of them is left anywhere, type is 0, refs and list
 * are the caller's to set. MFN_INVALID: none.
 */
mfn_t block_alloc(struct domain *d, unsigned order, uint64_t limit);
void  block_free(mfn_t m, unsigned order);
/* frame_table_init() begins a new machine: forget the old one's (tests have several). */
void owners_init(void);
void heap_init(struct heap *h);
/* The last reference of f is gone: back to its owner's account and to the free frames. */
void frame_release(struct frame *f);

#endif
