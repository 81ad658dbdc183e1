/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine frames: who owns each, how often it is referenced, and as what it is used.
 *
 * The whole safety of PV rests on one rule: no frame is at once a page table (or descriptor table) and writable by a
 * guest. Every frame therefore has two counts. The *reference* count keeps the frame with its owner; the *type*
 * count says how many users need it to stay what it is now (writable, L1..L4, descriptors). A frame changes type
 * only when its type count is zero. See the top of mm/frame.c.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/lock.h>
#include <hv/types.h>

/* 24 bytes a frame; on a machine of 2 GiB that is the largest thing the hypervisor keeps. */
struct frame {
    uint64_t refs;              /* FRAME_* flags, owner, reference count; one atomic word */
    uint64_t type;              /* TYPE_* flags, progress, type count; one atomic word */
    uint32_t next, prev;        /* its owner's list, or the list of free frames: frame numbers, FRAME_NIL ends */
};

#define FRAME_NIL        0xffffffffu

/* refs: [63] allocated, [62] belongs to the hypervisor though a domain may map it, [61] free, [60] broken,
 * [55:40] owner's domid, [39:0] count. */
#define FRAME_ALLOCATED  (1ull << 63)
#define FRAME_HYP        (1ull << 62)
#define FRAME_FREE       (1ull << 61)
#define FRAME_BROKEN     (1ull << 60)
#define FRAME_OWNER_SHIFT 40
#define FRAME_OWNER_MASK (0xffffull << FRAME_OWNER_SHIFT)
#define FRAME_COUNT_MASK ((1ull << 40) - 1)

/* type: what it is, and how far. */
enum frame_type {
    TYPE_NONE, TYPE_WRITABLE, TYPE_L1, TYPE_L2, TYPE_L3, TYPE_L4, TYPE_SEGDESC,
};
#define TYPE_SHIFT       60
#define TYPE_MASK        (0xfull << TYPE_SHIFT)
#define TYPE_VALIDATED   (1ull << 59)   /* entries were checked and hold references */
#define TYPE_PINNED      (1ull << 58)   /* the guest asked to keep it validated */
#define TYPE_PARTIAL     (1ull << 57)   /* validation or its undoing stopped midway; holds one reference */
#define TYPE_BUSY        (1ull << 56)   /* a processor is validating or undoing */
#define TYPE_PROGRESS_SHIFT 46          /* [55:46] entries done so far */
#define TYPE_PROGRESS_MASK (0x3ffull << TYPE_PROGRESS_SHIFT)
#define TYPE_COUNT_MASK  ((1ull << 32) - 1)     /* [31:0]; [45:32] linear references, see pv/linear.c */

extern struct frame *frame_table;   /* one per frame number below frame_count; holes of the memory map are broken */
extern uint64_t      frame_count;
extern uint64_t     *m2p;           /* machine to pseudo-physical, indexed by frame number; guests read it */

#define M2P_INVALID (~0ull)

static inline bool frame_exists(mfn_t m) { return m.n < frame_count && !(frame_table[m.n].refs & FRAME_BROKEN); }
static inline struct frame *frame_of(mfn_t m) { return &frame_table[m.n]; }
static inline mfn_t frame_mfn(const struct frame *f) { return MFN((uint64_t)(f - frame_table)); }
static inline domid_t frame_owner_id(const struct frame *f)
{
    return (domid_t)((__atomic_load_n(&f->refs, __ATOMIC_RELAXED) & FRAME_OWNER_MASK) >> FRAME_OWNER_SHIFT);
}

/* A reference to m while d owns it. False: m does not exist, is not d's, or is being freed. */
bool __must_check frame_get(mfn_t m, const struct domain *d);
/* A further reference by somebody who holds one; false on overflow. */
bool __must_check frame_get_again(mfn_t m);
/* Drops one; the last one frees the frame. */
void frame_put(mfn_t m);

/*
 * A reference plus a type reference. 0; -EINVAL (not d's, or another type is in use); -ERESTART (preempted while
 * validating; progress is in the frame: call again); -EINTR is never returned. Only pv/ passes L1..L4.
 */
int  __must_check frame_get_typed(mfn_t m, struct domain *d, enum frame_type t);
/* 0 or -ERESTART when undoing a page table was preempted; then the caller still holds its reference. */
int  __must_check frame_put_typed(mfn_t m);
/* For TYPE_WRITABLE and TYPE_SEGDESC, which never need preemption. */
static inline bool frame_get_writable(mfn_t m, struct domain *d) { return frame_get_typed(m, d, TYPE_WRITABLE) == 0; }
void frame_put_writable(mfn_t m);

/* ---- allocation (mm/alloc.c) ---- */
enum { ALLOC_ZERO = 1, ALLOC_NO_OWNER_ACCOUNT = 2 };
/* 2^order frames for the hypervisor itself (FRAME_HYP, no domain); MFN_INVALID if there are none. */
mfn_t frames_alloc(unsigned order, unsigned flags);
void  frames_free(mfn_t m, unsigned order);
/* 2^order frames for d, counted and on its list, contents zero. MFN_INVALID: no memory, or d's limit reached. */
mfn_t frames_alloc_domain(struct domain *d, unsigned order, unsigned address_bits);
/* Lets d map a frame of the hypervisor's (shared info, grant table): owner d, FRAME_HYP, one reference kept by us. */
void  frame_share(mfn_t m, struct domain *d, bool writable);
/* Ends it: 0, or -EBUSY while d still maps the frame. */
int   frame_unshare(mfn_t m, struct domain *d);
/* Takes a frame away from d that only its allocation reference holds (exchange, decrease): 0 or -EINVAL/-EBUSY. */
int   __must_check frame_take(mfn_t m, struct domain *d);
uint64_t frames_free_count(void);
/* Tells the allocator of usable memory at boot. */
void  frames_add(uint64_t first, uint64_t count);
int   frames_claim(struct domain *d, uint64_t frames);
uint64_t frames_claimed(void);

/* ---- small objects of the hypervisor (mm/heap.c): zeroed, 16-byte aligned, at most 64 KiB; NULL if none ---- */
void *kalloc(size_t size);
void  kfree(void *p);
/* Pages by pointer (direct map). */
void *page_alloc(unsigned order);
void  page_free(void *p, unsigned order);

#endif
