/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine frames: who owns each, how often it is referenced, and as what it is used.
 *
 * The whole safety of PV rests on one rule: no frame is at once a page table (or descriptor table) and
 * writable by a guest. Every frame therefore has two counts. The *reference* count keeps the frame with its
 * owner; the *type* count says how many users need it to stay what it is now (writable, L1..L4, descriptors).
 * A frame changes type only when its type count is zero. See the top of mm/frame.c.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/lock.h>
#include <hv/types.h>

/* 24 bytes a frame; on a machine of 2 GiB that is the largest thing the hypervisor keeps. */
struct frame {
    uint64_t refs;              /* FRAME_* flags, owner, reference count; one atomic word */
    uint64_t type;              /* TYPE_* flags, progress, type count; one atomic word */
    uint32_t next, prev;        /* of its owner's list or the free frames: frame numbers, FRAME_NIL ends */
};

#define FRAME_NIL        0xffffffffu

/* refs: [63] allocated, [62] belongs to the hypervisor though a domain may map it, [61] free, [60] broken,
 * [59] another than its owner has mapped it since it got it, [58] and writable, since it was last a table;
 * [55:40] owner's domid, [39:0] count. */
#define FRAME_ALLOCATED  (1ull << 63)
#define FRAME_HYP        (1ull << 62)
#define FRAME_FREE       (1ull << 61)
#define FRAME_BROKEN     (1ull << 60)
#define FRAME_LENT       (1ull << 59)
#define FRAME_LENT_WRITABLE (1ull << 58)
#define FRAME_LENDING    (FRAME_LENT | FRAME_LENT_WRITABLE)
#define FRAME_OWNER_SHIFT 40
#define FRAME_OWNER_MASK (0xffffull << FRAME_OWNER_SHIFT)
#define FRAME_COUNT_MASK ((1ull << 40) - 1)

/* type: what it is, and how far. */
enum frame_type {
    TYPE_NONE, TYPE_WRITABLE, TYPE_L1, TYPE_L2, TYPE_L3, TYPE_L4, TYPE_SEGDESC,
};
#define TYPE_FAILED      (1ull << 63)   /* with PARTIAL: an entry was refused; all is being given back */
#define TYPE_SHIFT       60
#define TYPE_MASK        (0x7ull << TYPE_SHIFT)
#define TYPE_VALIDATED   (1ull << 59)   /* entries were checked and hold references */
#define TYPE_PINNED      (1ull << 58)   /* the guest asked to keep it validated: holds both references */
#define TYPE_PARTIAL     (1ull << 57)   /* validation or undoing stopped; PROGRESS entries hold references */
#define TYPE_BUSY        (1ull << 56)   /* a processor is validating or undoing: all others wait */
/*
 * Validation was preempted: the state itself holds a reference and a type reference, which whoever completes
 * the work takes over. (Undoing that was preempted sets PARTIAL alone: the reference is still its holder's.)
 */
#define TYPE_OWN         (1ull << 55)
#define TYPE_PROGRESS_SHIFT 45          /* [54:45] entries done so far, 0..512 */
#define TYPE_PROGRESS_MASK (0x3ffull << TYPE_PROGRESS_SHIFT)
/* [44:32] linear references: entries of this table that point to tables of its own level (HAS_LINEAR set), or
 * entries of other tables of its level that point to it (clear). Never both: see pv/linear.c. */
#define TYPE_HAS_LINEAR  (1ull << 44)
#define TYPE_LINEAR_SHIFT 32
#define TYPE_LINEAR_ONE  (1ull << TYPE_LINEAR_SHIFT)
#define TYPE_LINEAR_MASK (0xfffull << TYPE_LINEAR_SHIFT)
#define TYPE_COUNT_MASK  ((1ull << 32) - 1)     /* [31:0] */
/* While the count is zero, [55:32] hold the stamp of the moment it became so: see mm/tlb.c. */
#define TYPE_STAMP_SHIFT 32
#define TYPE_STAMP_MASK  (0xffffffull << TYPE_STAMP_SHIFT)

static inline enum frame_type type_of(uint64_t word)
{
    return (enum frame_type)((word & TYPE_MASK) >> TYPE_SHIFT);
}
static inline bool type_is_table(enum frame_type t) { return t >= TYPE_L1 && t <= TYPE_L4; }

extern struct frame *frame_table;   /* one per number below frame_count; holes of the memory map are broken */
extern uint64_t      frame_count;
extern uint64_t     *m2p;           /* machine to pseudo-physical, indexed by frame number; guests read it */

#define M2P_INVALID (~0ull)
/* Notes d's own number for m; false: m is not d's (any more), and its entry is somebody else's. */
bool frame_pfn_set(mfn_t m, const struct domain *d, uint64_t pfn);

static inline bool frame_exists(mfn_t m)
{
    return m.n < frame_count && !(__atomic_load_n(&frame_table[m.n].refs, __ATOMIC_RELAXED) & FRAME_BROKEN);
}
static inline struct frame *frame_of(mfn_t m) { return &frame_table[m.n]; }
static inline mfn_t frame_mfn(const struct frame *f) { return MFN((uint64_t)(f - frame_table)); }
static inline domid_t frame_owner_id(const struct frame *f)
{
    return (domid_t)((__atomic_load_n(&f->refs, __ATOMIC_RELAXED) & FRAME_OWNER_MASK) >> FRAME_OWNER_SHIFT);
}

/* A reference to m while d owns it. False: m does not exist, is not d's, or is being freed. */
bool __must_check frame_get(mfn_t m, const struct domain *d);
/* Drops one; the last one frees the frame. */
void frame_put(mfn_t m);

/*
 * A reference plus a type reference. 0; -EINVAL (not d's, or another type is in use); -ERESTART (preempted
 * while validating, progress is in the frame; or while another processor works on it: call again). Only pv/
 * passes L1..L4.
 */
int  __must_check frame_get_typed(mfn_t m, struct domain *d, enum frame_type t);
/*
 * 0, or -ERESTART when undoing a page table was preempted, or waiting for another processor that works on it;
 * then the caller still holds its reference.
 */
int  __must_check frame_put_typed(mfn_t m);
/* For TYPE_WRITABLE and TYPE_SEGDESC, which never need preemption. */
static inline bool frame_get_writable(mfn_t m, struct domain *d)
{
    return frame_get_typed(m, d, TYPE_WRITABLE) == 0;
}
void frame_put_writable(mfn_t m);

/* Another than its owner is going to map it. The caller holds the reference for that, of type if writable. */
void frame_lend(mfn_t m, bool writable);

/* The domid under which a reference is asked for, where no struct domain exists (DOMID_XEN). */
bool __must_check frame_get_from(mfn_t m, domid_t owner);
/* frame_get_typed() from an owner known by number; only TYPE_WRITABLE and TYPE_SEGDESC. */
int  __must_check frame_get_simple(mfn_t m, domid_t owner, enum frame_type t);
/* A reference and a type reference on a frame that is a validated page table of d now, whichever level:
 * its type, or TYPE_NONE (no reference taken). */
enum frame_type __must_check frame_get_table(mfn_t m, const struct domain *d);
/* Drops what linear_get() (pv/linear.c) took of the table that is pointed to: 0 or -ERESTART, as
 * frame_put_typed(). */
int  __must_check frame_put_linear(mfn_t m);
/* Gives back the type reference of WRITABLE and keeps the plain one: an entry that becomes read-only. */
void frame_drop_writable(mfn_t m);
/* Sets and clears TYPE_PINNED: false if it was so before. The caller brings or takes over the references. */
bool __must_check frame_pin(mfn_t m);
bool __must_check frame_unpin(mfn_t m);
/* Undoes a validation that was preempted and not taken up again: 0 (nothing left, or was not so),
 * -ERESTART. */
int  frame_abandon(mfn_t m);

/* ---- stale translations (mm/tlb.c) ---- */
extern uint64_t tlb_clock;
/*
 * On a line of its own, for its processor writes it at every change of address space. space is the number of
 * the domain whose translations the processor may hold, and whether some of them lead to frames of others.
 */
struct tlb_moment { uint64_t at; uint32_t space; } __attribute__((aligned(64)));
#define TLB_SPACE_FOREIGN (1u << 16)
#define TLB_SPACE_TOLD    (1u << 17)    /* so said another processor */
#define TLB_SPACE_ANY     (TLB_SPACE_FOREIGN | 1u << 18)    /* between one and another: of any domain */
#define TLB_NONE_HELD (~0ull)           /* the processor holds no translation of any guest */
extern struct tlb_moment tlb_flushed[]; /* [MAX_CPUS] */
/*
 * A processor that drops all translations of guests (any write of CR3) says so around it. The tick comes
 * first: a mapping that went after the tick may have been read by the processor after its flush.
 */
static inline uint64_t tlb_flush_begins(void) { return __atomic_add_fetch(&tlb_clock, 1, __ATOMIC_SEQ_CST); }
static inline void tlb_flush_ended(unsigned cpu, uint64_t begun)
{
    __atomic_store_n(&tlb_flushed[cpu].at, begun, __ATOMIC_SEQ_CST);
}
/* What a frame gets as its stamp when its last mapping goes; later: makes sure no translation of then is
 * left. */
static inline uint64_t tlb_stamp_now(void)
{
    return (__atomic_load_n(&tlb_clock, __ATOMIC_SEQ_CST) << TYPE_STAMP_SHIFT) & TYPE_STAMP_MASK;
}
/* The stamp of a frame that will be nobody's: whose it was stands below, and whether others mapped it. */
#define TLB_STAMP_LENT (1ull << 16)
static inline uint64_t tlb_stamp_of(domid_t owner, bool lent)
{
    return tlb_stamp_now() | (lent ? TLB_STAMP_LENT : 0) | owner;
}
static inline domid_t tlb_stamp_owner(uint64_t type_word) { return (domid_t)type_word; }
/*
 * owner: whose frame it is or was; no domain's number: everybody is asked. lent: others may hold translations
 * of it too.
 */
void tlb_flush_since(uint64_t type_word, domid_t owner, bool lent);

/* ---- allocation (mm/buddy.c, mm/owner.c) ---- */
/* Free frames that a processor keeps for itself, linked through frame.next. A line each, as the next. */
struct kept_frames {
    uint8_t  lock;
    uint32_t count, first;
} __own_line;
/* Its pages of small objects that have room: mm/heap.c. */
#define HEAP_CLASSES 14
struct heap {
    spinlock_t lock;
    uint32_t   partly_free[HEAP_CLASSES];
} __own_line;
/* Before c, not one of the first, allocates anything. */
void frames_init_cpu(struct pcpu *c);
/* At boot, once, with pcpus[0] set: `count` frames, all broken until frames_add() or frames_reserve() names
 * them. `table` is zeroed memory of count * sizeof(struct frame). m2p must be set before frames_add(). */
void frame_table_init(void *table, uint64_t count);
/* RAM that the hypervisor uses itself (image, frame table, modules): exists, never free, no guest may map
 * it. */
void frames_reserve(uint64_t first, uint64_t count);
/* RAM of the hypervisor that privileged domains may map read-only as DOMID_XEN's (the M2P). */
void frames_share_readonly(uint64_t first, uint64_t count);
#define FRAME_ORDERS 19     /* blocks of up to 2^18 frames, 1 GiB */
enum { ALLOC_ZERO = 1 };
/* 2^order frames for the hypervisor itself (FRAME_HYP, no domain); MFN_INVALID if there are none. */
mfn_t frames_alloc(unsigned order, unsigned flags);
void  frames_free(mfn_t m, unsigned order);
/* 2^order frames for d, counted and on its list, contents zero. MFN_INVALID: no memory, or d's limit
 * reached. */
mfn_t frames_alloc_domain(struct domain *d, unsigned order, unsigned address_bits);
/* The same beyond d's limit, for frames that replace others which d gives up for them. */
mfn_t frames_alloc_exchange(struct domain *d, unsigned order, unsigned address_bits);
/* Lets d map a frame of the hypervisor's (shared info, grant table): owner d, FRAME_HYP, one reference
 * kept by us. */
void  frame_share(mfn_t m, struct domain *d, bool writable);
/* Ends it, mapped or not: the frame goes to the free ones when its last mapping goes. d is dying. */
void  frame_share_end(mfn_t m, struct domain *d);
/* d gives a frame up: it is free when nothing maps or uses it any more. 0, or -EINVAL: not d's, or given
 * up before. */
int   __must_check frame_give_up(mfn_t m, struct domain *d);
/*
 * Takes a frame away from d that only its allocation reference holds: 0, -EINVAL or -EBUSY. Nobody can map it
 * then; it still counts as d's. Whoever detached it either gives it back or frees it.
 */
int   __must_check frame_detach(mfn_t m, struct domain *d);
void  frame_attach(mfn_t m, struct domain *d);
void  frame_detached_free(mfn_t m);
/* Both take LOCK_HEAP, and the second looks at every processor. */
uint64_t frames_free_count(void);
uint64_t frames_free_of_width(unsigned bits);   /* those whose numbers have so many bits, 0 to 64 */
/* Tells the allocator of usable memory at boot. */
void  frames_add(uint64_t first, uint64_t count);
/* All of d's frames lose the reference of their allocation, pins and abandoned validations: 0 or
 * -ERESTART. */
int   frames_relinquish(struct domain *d);
int   frames_claim(struct domain *d, uint64_t frames);
uint64_t frames_claimed(void);

/* ---- small objects (mm/heap.c): zeroed, 16-byte aligned, at most 64 KiB; NULL if there is no memory ---- */
void *kalloc(size_t size);
void  kfree(void *p);
/* Pages by pointer (direct map). */
void *page_alloc(unsigned order);
void  page_free(void *p, unsigned order);

#endif
