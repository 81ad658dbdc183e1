/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of pv/ that deal with page tables. */
#ifndef PV_PT_H
#define PV_PT_H

#include <hv/domain.h>
#include <hv/pagetable.h>

/* ---- entries and the references they own (pv/pt_entry.c) ---- */

/*
 * Checks an L1 entry that is to stand in a table of d and to map a frame of domid `from` (d's own number,
 * another domain's, DOMID_IO, DOMID_XEN; whether d may is the caller's business), brings it into the form in
 * which it may be installed, and takes its references. 0 or -EINVAL.
 */
int  l1_entry_get(struct domain *d, domid_t from, uint64_t *entry);
void l1_entry_put(uint64_t entry);
/* Whether the flags are ones that d may use, and the form in which the entry is installed. */
bool l1_entry_form(const struct domain *d, uint64_t *entry);

/* The same for an entry of table `m`, of type t, L2 to L4. 0, -EINVAL, -ERESTART (nothing taken: again). */
int  upper_entry_get(mfn_t m, struct domain *d, enum frame_type t, uint64_t *entry);
/* 0, or -ERESTART: not put yet, again. */
int  upper_entry_put(mfn_t m, enum frame_type t, uint64_t entry);
bool upper_entry_form(uint64_t *entry);

/* Slots of an L4 that belong to the hypervisor. */
static inline bool l4_slot_reserved(unsigned index) { return index >= 256 && index <= 271; }

/* ---- linear entries (pv/linear.c) ---- */
int  linear_get(mfn_t table, mfn_t target, const struct domain *d, enum frame_type t);  /* 0 or -EINVAL */
/* What `table` keeps of an entry to `target`; what target keeps goes by frame_put_linear(). */
void linear_unmark(mfn_t table);

/* ---- replacing one entry (pv/pt_update.c) ---- */

/*
 * Replaces *slot of a validated L1 table of d, of which the caller holds a type reference. keep_ad: accessed
 * and dirty of the old entry survive. 0 or -EINVAL.
 */
int  l1_entry_set(struct domain *d, uint64_t *slot, uint64_t entry, domid_t from, bool keep_ad);
/* The same by d for a frame of its own, if the entry is still `expected`: else -EAGAIN and nothing done. */
int  l1_entry_replace(struct domain *d, uint64_t *slot, uint64_t expected, uint64_t entry);
/* The same for L2 to L4. -ERESTART with *done false: again; with *done true: v has something to undo
 * first. */
int  upper_entry_set(struct vcpu *v, struct domain *d, mfn_t m, enum frame_type t, unsigned index,
                     uint64_t *table, uint64_t entry, bool keep_ad, bool *done);

/* ---- what could not be finished (pv/pt_undo.c) ---- */
int  undo_linear(struct vcpu *v, mfn_t m);

/* An L1 table found for an address or an entry's machine address, held by a type reference and mapped. */
struct l1_place { mfn_t table; uint64_t *slot; };
/* 0, or -EINVAL: va has no validated L1 table of v's domain. */
int  l1_place_of_va(struct vcpu *v, uint64_t va, struct l1_place *p);
int  l1_place_of_entry(struct vcpu *v, uint64_t machine_address, struct l1_place *p);
void l1_place_leave(struct vcpu *v, struct l1_place *p);

/* ---- roots (pv/pt_root.c): 0, -EINVAL, -ERESTART (again) ---- */
int  pv_root_kernel(struct vcpu *v, mfn_t m);
int  pv_root_user(struct vcpu *v, mfn_t m);     /* MFN_INVALID: none */
int  pv_roots_drop(struct vcpu *v);

#endif
