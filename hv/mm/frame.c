/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References and types of frames.
 *
 * The refs word counts who needs the frame to stay with its owner: its allocation, each page-table entry that
 * maps it, each pin, each table root in use. At zero the frame is free. The type word counts who needs it to
 * stay what it is: a writable entry needs it WRITABLE, an entry of an L3 needs it L2, a pinned table needs
 * itself. A frame changes its type only while that count is zero, so no frame is ever a table and writable at
 * once. Every type reference comes with a plain reference.
 *
 * Becoming a table means checking 512 entries and everything below, which can take long; so can the way back.
 * Both stop when the processor has better things to do, and leave in the type word how far they came:
 *
 *   validation preempted   PARTIAL|OWN, PROGRESS = n: entries 0..n-1 hold references. The count includes
 *                          one that belongs to the state itself (OWN). The next who wants the type goes on
 *                          from n and takes that reference over. Nobody needs to come: frame_abandon() at
 *                          the owner's end undoes it.
 *   undoing preempted      PARTIAL, PROGRESS = n: as above, but the count is that of the holder who wanted
 *                          to let go and could not; he still holds it and tries again. If somebody wants
 *                          the type meanwhile, it is validated anew from n, with a reference more.
 *   entry refused          PARTIAL|OWN|FAILED while what was taken is given back; whoever asks next helps,
 *                          and is told -EINVAL at the end. So a refusal can be preempted too, and still
 *                          always ends.
 *
 * While a processor works on a table it holds BUSY, and the table is neither VALIDATED nor PINNED. Who wants
 * the same type waits, and who lets go of it; who wants another is refused at once, as it would be a moment
 * later, and so is who asks whether it is a table. So waiting goes only from a level to a lower one, linear
 * entries never wait (pv/linear.c), and there is no circle. The work may take long if nobody wants that
 * processor, so those who wait leave with -ERESTART when somebody wants theirs. A type change takes BUSY
 * first and flushes second: that order closes the window in which a table could be checked while an old
 * translation still writes it.
 */
#include <hv/frame.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "mm.h"

struct frame *frame_table;
uint64_t      frame_count;
uint64_t     *m2p;

static uint64_t load(const uint64_t *w) { return __atomic_load_n(w, __ATOMIC_RELAXED); }

/* On failure *old is what is there now. */
static bool swap(uint64_t *w, uint64_t *old, uint64_t word)
{
    return __atomic_compare_exchange_n(w, old, word, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/*
 * Another processor works on the frame: the type word a moment later, or true if this processor has better
 * things to do than to wait for a table. Other types are ready at once.
 */
static bool wait_or_leave(const struct frame *f, uint64_t *w)
{
    struct vcpu *v = this_cpu()->current;

    if (type_is_table(type_of(*w)) && v && !vcpu_is_idle(v) && preempt_due(v))
        return true;
    hw_relax();
    *w = __atomic_load_n(&f->type, __ATOMIC_ACQUIRE);
    return false;
}

static uint64_t word_of(enum frame_type t) { return (uint64_t)t << TYPE_SHIFT; }

/* ---- plain references ---- */
bool frame_get_from(mfn_t m, domid_t owner)
{
    struct frame *f;
    uint64_t old;

    if (m.n >= frame_count)
        return false;
    f = frame_of(m);
    old = load(&f->refs);
    do {
        if ((old & (FRAME_FREE | FRAME_BROKEN)) || !(old & FRAME_COUNT_MASK) ||
            (old & FRAME_OWNER_MASK) != (uint64_t)owner << FRAME_OWNER_SHIFT)
            return false;
        if (unlikely((old & FRAME_COUNT_MASK) == FRAME_COUNT_MASK))
            return false;
    } while (!swap(&f->refs, &old, old + 1));
    return true;
}

bool frame_get(mfn_t m, const struct domain *d) { return frame_get_from(m, d->id); }

void frame_put(mfn_t m)
{
    struct frame *f = frame_of(m);
    uint64_t old = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);

    BUG_ON(!(old & FRAME_COUNT_MASK));
    if ((old & FRAME_COUNT_MASK) == 1)
        frame_release(f);
}

void frame_lend(mfn_t m, bool writable)
{
    uint64_t marks = FRAME_LENT | (writable ? FRAME_LENT_WRITABLE : 0);

    if (~load(&frame_of(m)->refs) & marks)
        __atomic_fetch_or(&frame_of(m)->refs, marks, __ATOMIC_SEQ_CST);
}

/* ---- work on a table; the caller holds BUSY, and the state owns one reference of each kind (OWN) ---- */

/* Changes the bits of `clear` to those of `set`, and the count; linear references may change at the same
 * time. */
static void word_change(struct frame *f, uint64_t clear, uint64_t set, uint64_t drop)
{
    uint64_t old = load(&f->type);

    while (!swap(&f->type, &old, ((old & ~clear) | set) - drop))
        ;
}

static void stop_at(struct frame *f, uint64_t flags, unsigned progress)
{
    word_change(f, TYPE_BUSY | TYPE_PROGRESS_MASK | TYPE_FAILED | TYPE_OWN,
                TYPE_PARTIAL | flags | (uint64_t)progress << TYPE_PROGRESS_SHIFT, 0);
}

/* Nothing in the table holds references any more, and nobody needs it: its count becomes zero. */
static void become_free_to_change(struct frame *f, enum frame_type t)
{
    __atomic_store_n(&f->type, word_of(t) | tlb_stamp_now(), __ATOMIC_SEQ_CST);
}

/* Gives back what `progress` entries hold and then the state's own reference. */
static int undo_failed(struct frame *f, enum frame_type t, unsigned progress)
{
    mfn_t m = frame_mfn(f);

    if (pt_invalidate(m, t, &progress) == -XEN_ERESTART) {
        stop_at(f, TYPE_OWN | TYPE_FAILED, progress);
        return -XEN_ERESTART;
    }
    if ((load(&f->type) & TYPE_COUNT_MASK) == 1)
        become_free_to_change(f, t);
    else /* somebody's preempted undoing still holds it, with nothing left to undo */
        word_change(f, TYPE_BUSY | TYPE_OWN | TYPE_FAILED | TYPE_PROGRESS_MASK, 0, 1);
    frame_put(m);
    return -XEN_EINVAL;
}

/* Validates from `progress` on. On success the state's own reference is the caller's. */
static int validate_on(struct frame *f, struct domain *d, enum frame_type t, unsigned progress)
{
    int rc = pt_validate(frame_mfn(f), d, t, &progress);

    if (rc == 0) {
        word_change(f, TYPE_BUSY | TYPE_PARTIAL | TYPE_OWN | TYPE_PROGRESS_MASK, TYPE_VALIDATED, 0);
        return 0;
    }
    if (rc == -XEN_ERESTART) {
        stop_at(f, TYPE_OWN, progress);
        return -XEN_ERESTART;
    }
    return undo_failed(f, t, progress);
}

static int make_descriptors(struct frame *f)
{
    if (descriptor_page_validate(frame_mfn(f))) {
        word_change(f, TYPE_BUSY, TYPE_VALIDATED, 0);
        return 0;
    }
    become_free_to_change(f, TYPE_SEGDESC);
    frame_put(frame_mfn(f));
    return -XEN_EINVAL;
}

/*
 * Others than the owner matter where they could write, which is over now: nobody has the type WRITABLE any
 * more, and those who remember it have forgotten.
 */
static void type_flush(struct frame *f, uint64_t was)
{
    bool lent = load(&f->refs) & FRAME_LENT_WRITABLE;

    tlb_flush_since(was, frame_owner_id(f), lent);
    if (unlikely(lent))
        __atomic_fetch_and(&f->refs, ~FRAME_LENT_WRITABLE, __ATOMIC_SEQ_CST);
}

/* The count was zero; the frame is ours, and BUSY. */
static int type_begin(struct frame *f, struct domain *d, enum frame_type t, uint64_t was)
{
    if (type_of(was) != t && type_of(was) != TYPE_NONE)
        type_flush(f, was);
    if (t == TYPE_SEGDESC)
        return make_descriptors(f);
    if (type_is_table(t))
        return validate_on(f, d, t, 0);
    word_change(f, TYPE_BUSY, TYPE_VALIDATED, 0);
    return 0;
}

/* A PARTIAL table, now BUSY by us. `was` is the word before; the caller brings a plain reference. */
static int type_resume(struct frame *f, struct domain *d, enum frame_type t, uint64_t was)
{
    unsigned progress = (unsigned)((was & TYPE_PROGRESS_MASK) >> TYPE_PROGRESS_SHIFT);

    if (was & TYPE_OWN)
        frame_put(frame_mfn(f));                /* the state has one that will do */
    return was & TYPE_FAILED ? undo_failed(f, t, progress) : validate_on(f, d, t, progress);
}

/*
 * A type reference for a caller who has just taken a plain one. The plain one is kept with 0, and otherwise
 * gone: released, or with the preempted state.
 */
static int type_get(struct frame *f, struct domain *d, enum frame_type t)
{
    uint64_t old = load(&f->type);

    for (;;) {
        uint64_t count = old & TYPE_COUNT_MASK;

        if (unlikely(old & TYPE_BUSY) && type_of(old) == t) {
            if (wait_or_leave(f, &old)) {       /* else it may be busy as something else now */
                frame_put(frame_mfn(f));
                return -XEN_ERESTART;
            }
        } else if (count == 0) {
            bool quick = t == TYPE_WRITABLE && (type_of(old) == t || type_of(old) == TYPE_NONE);
            uint64_t own = type_is_table(t) ? TYPE_OWN | TYPE_PARTIAL : 0;

            if (swap(&f->type, &old, word_of(t) | (quick ? TYPE_VALIDATED : TYPE_BUSY | own) | 1))
                return quick ? 0 : type_begin(f, d, t, old);
        } else if (type_of(old) != t || count >= TYPE_COUNT_MASK - 1) {
            frame_put(frame_mfn(f));
            return -XEN_EINVAL;
        } else if (likely(old & TYPE_VALIDATED)) {
            if (swap(&f->type, &old, old + 1))
                return 0;
        } else {
            BUG_ON(!(old & TYPE_PARTIAL));
            if (swap(&f->type, &old, (old | TYPE_BUSY | TYPE_OWN) + (old & TYPE_OWN ? 0 : 1)))
                return type_resume(f, d, t, old);
        }
    }
}

int frame_get_typed(mfn_t m, struct domain *d, enum frame_type t)
{
    return frame_get_from(m, d->id) ? type_get(frame_of(m), d, t) : -XEN_EINVAL;
}

int frame_get_simple(mfn_t m, domid_t owner, enum frame_type t)
{
    BUG_ON(type_is_table(t));
    return frame_get_from(m, owner) ? type_get(frame_of(m), NULL, t) : -XEN_EINVAL;
}

enum frame_type frame_get_table(mfn_t m, const struct domain *d)
{
    struct frame *f;
    uint64_t old;

    if (!frame_get_from(m, d->id))
        return TYPE_NONE;
    f = frame_of(m);
    old = load(&f->type);
    do {
        if (!type_is_table(type_of(old)) || !(old & TYPE_VALIDATED) ||
            (old & TYPE_COUNT_MASK) >= TYPE_COUNT_MASK - 1) {
            frame_put(m);
            return TYPE_NONE;
        }
    } while (!swap(&f->type, &old, old + 1));
    return type_of(old);
}

/* ---- letting go ---- */

/* The last reference of a table: what its entries hold is given back first. */
static int undo_last(struct frame *f, uint64_t was)
{
    enum frame_type t = type_of(was);
    unsigned progress = PT_ENTRIES;

    if (!(was & TYPE_VALIDATED))
        progress = (unsigned)((was & TYPE_PROGRESS_MASK) >> TYPE_PROGRESS_SHIFT);
    if (pt_invalidate(frame_mfn(f), t, &progress) == -XEN_ERESTART) {
        stop_at(f, 0, progress);
        return -XEN_ERESTART;
    }
    become_free_to_change(f, t);
    return 0;
}

/* Drops a type reference, and `linear` too unless the word goes anyway; the plain reference stays with the
 * caller. */
static int type_put(struct frame *f, uint64_t linear)
{
    uint64_t old = load(&f->type);

    for (;;) {
        uint64_t count = old & TYPE_COUNT_MASK;

        if (unlikely(old & TYPE_BUSY)) {
            if (wait_or_leave(f, &old))
                return -XEN_ERESTART;
            continue;
        }
        BUG_ON(count == 0);
        if (count > 1) {
            if (swap(&f->type, &old, old - 1 - linear))
                return 0;
            continue;
        }
        BUG_ON(old & (TYPE_OWN | TYPE_PINNED));
        if (!type_is_table(type_of(old))) {
            if (swap(&f->type, &old, (old & TYPE_MASK) | tlb_stamp_now()))
                return 0;
        } else if (swap(&f->type, &old, (old & ~TYPE_VALIDATED) | TYPE_BUSY | TYPE_PARTIAL)) {
            return undo_last(f, old);
        }
    }
}

int frame_put_typed(mfn_t m)
{
    int rc = type_put(frame_of(m), 0);

    if (rc == 0)
        frame_put(m);
    return rc;
}

int frame_put_linear(mfn_t m)
{
    int rc = type_put(frame_of(m), TYPE_LINEAR_ONE);

    if (rc == 0)
        frame_put(m);
    return rc;
}

void frame_put_writable(mfn_t m)
{
    int rc = frame_put_typed(m);

    BUG_ON(rc != 0);
}

void frame_drop_writable(mfn_t m)
{
    int rc = type_put(frame_of(m), 0);

    BUG_ON(rc != 0);
}

bool frame_pin(mfn_t m)
{
    struct frame *f = frame_of(m);
    uint64_t old = load(&f->type);

    do {
        if (old & TYPE_PINNED)
            return false;
        BUG_ON(!(old & TYPE_VALIDATED));
    } while (!swap(&f->type, &old, old | TYPE_PINNED));
    return true;
}

bool frame_unpin(mfn_t m)
{
    struct frame *f = frame_of(m);
    uint64_t old = load(&f->type);

    do
        if (!(old & TYPE_PINNED) || !(old & TYPE_COUNT_MASK))
            return false;
    while (!swap(&f->type, &old, old & ~TYPE_PINNED));
    return true;
}

int frame_abandon(mfn_t m)
{
    struct frame *f = frame_of(m);
    uint64_t old = load(&f->type);

    do {
        if (!(old & TYPE_COUNT_MASK) || !(old & TYPE_OWN))
            return 0;
        if (old & TYPE_BUSY)
            return -XEN_ERESTART;
    } while (!swap(&f->type, &old, old | TYPE_BUSY));
    return undo_failed(f, type_of(old), (unsigned)((old & TYPE_PROGRESS_MASK) >> TYPE_PROGRESS_SHIFT))
           == -XEN_ERESTART ? -XEN_ERESTART : 0;
}
