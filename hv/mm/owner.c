/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of domains: allocation, the list and count of each domain's frames, sharing of the hypervisor's
 * frames, and the end of all that.
 *
 * A frame is on its owner's list from allocation until its last reference goes, which may be long after the
 * owner died, if another domain maps it. The owner stays as long: having frames is a reference to the domain,
 * and the table below finds the domain by its number without any lock, because it is asked with all kinds of
 * locks held. Its pages are never freed, and an entry is set before the first frame is there and cleared
 * after the last is gone.
 *
 * The list ends with FRAME_NIL; prev of its head is its tail.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#include "mm.h"

#define PER_PAGE (PAGE_SIZE / sizeof(struct domain *))

static struct domain **owner_page[DOMID_FIRST_RESERVED / PER_PAGE + 1];

void owners_init(void) { memset(owner_page, 0, sizeof owner_page); }

static struct domain *owner_of(const struct frame *f)
{
    domid_t id = frame_owner_id(f);

    BUG_ON(id >= DOMID_FIRST_RESERVED);
    return __atomic_load_n(&owner_page[id / PER_PAGE][id % PER_PAGE], __ATOMIC_ACQUIRE);
}

/* Room for the number; two processors may try at once. */
static bool owner_room(domid_t id)
{
    struct domain ***at = &owner_page[id / PER_PAGE], **expected = NULL, **page;

    if (__atomic_load_n(at, __ATOMIC_ACQUIRE))
        return true;
    page = page_alloc(0);
    if (!page)
        return false;
    if (!__atomic_compare_exchange_n(at, &expected, page, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        page_free(page, 0);
    return true;
}

/* d has its first frame, or none any more; under its frames lock. */
static void owner_set(domid_t id, struct domain *d)
{
    __atomic_store_n(&owner_page[id / PER_PAGE][id % PER_PAGE], d, __ATOMIC_RELEASE);
}

/* ---- the list of a domain ---- */
static void list_append(struct domain *d, uint32_t n)
{
    struct frame *f = &frame_table[n], *head;

    f->next = FRAME_NIL;
    f->prev = n;
    if (d->frames_head == FRAME_NIL) {
        d->frames_head = n;
        return;
    }
    head = &frame_table[d->frames_head];
    f->prev = head->prev;
    frame_table[f->prev].next = n;
    head->prev = n;
}

static void list_unlink(struct domain *d, uint32_t n)
{
    struct frame *f = &frame_table[n];

    if (d->frames_head == n)
        d->frames_head = f->next;
    else
        frame_table[f->prev].next = f->next;
    if (f->next != FRAME_NIL)
        frame_table[f->next].prev = f->prev;
    else if (d->frames_head != FRAME_NIL)
        frame_table[d->frames_head].prev = f->prev;
}

/* ---- allocation ---- */

/* Under the frames lock; others read the count without. */
static void frames_count(struct domain *d, uint64_t frames)
{
    __atomic_store_n(&d->frames, frames, __ATOMIC_RELAXED);
}

static bool account(struct domain *d, uint64_t size, bool beyond_max)
{
    bool ok;

    if (!owner_room(d->id))
        return false;
    spin_lock(&d->frames_lock);
    ok = !domain_dying(d) && (beyond_max || d->frames + size <= d->max_frames);
    if (ok && d->frames == 0)
        ok = domain_get_again(d);
    if (ok) {
        if (d->frames == 0)
            owner_set(d->id, d);
        frames_count(d, d->frames + size);
    }
    spin_unlock(&d->frames_lock);
    return ok;
}

static void unaccount(struct domain *d, uint64_t size)
{
    bool last;

    spin_lock(&d->frames_lock);
    frames_count(d, d->frames - size);
    last = d->frames == 0;
    if (last)
        owner_set(d->id, NULL);
    spin_unlock(&d->frames_lock);
    if (last)
        domain_put(d);
}

/* Hands the frames of a block to d; contents are cleared before anybody can reach them. */
static void hand_over(struct domain *d, mfn_t m, unsigned order)
{
    uint64_t refs = FRAME_ALLOCATED | (uint64_t)d->id << FRAME_OWNER_SHIFT | 1;

    for (uint64_t n = m.n; n < m.n + (1ull << order); n++) {
        void *p = frame_map(MFN(n));

        memset(p, 0, PAGE_SIZE);
        frame_unmap(p);
    }
    spin_lock(&d->frames_lock);
    for (uint64_t n = m.n; n < m.n + (1ull << order); n++) {
        list_append(d, (uint32_t)n);
        __atomic_store_n(&frame_table[n].refs, refs, __ATOMIC_RELEASE);
    }
    spin_unlock(&d->frames_lock);
}

/*
 * d began to die while it got frames: its end may have gone through its list before they were on it. Those
 * that it did find are not ours to give up.
 */
static mfn_t taken_back(struct domain *d, mfn_t m, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        (void)!frame_give_up(MFN(m.n + i), d);
    return MFN_INVALID;
}

static mfn_t alloc(struct domain *d, unsigned order, unsigned address_bits, bool beyond_max)
{
    uint64_t limit = frame_count;
    mfn_t m;

    if (order >= FRAME_ORDERS)
        return MFN_INVALID;
    if (address_bits && address_bits < 64)
        limit = address_bits <= PAGE_SHIFT ? 0 : MIN(limit, 1ull << (address_bits - PAGE_SHIFT));
    if (!account(d, 1ull << order, beyond_max))
        return MFN_INVALID;
    m = block_alloc(d, order, limit);
    if (!mfn_valid_number(m)) {
        unaccount(d, 1ull << order);
        return m;
    }
    hand_over(d, m, order);
    return unlikely(domain_dying(d)) ? taken_back(d, m, order) : m;
}

mfn_t frames_alloc_domain(struct domain *d, unsigned order, unsigned address_bits)
{
    return alloc(d, order, address_bits, false);
}

mfn_t frames_alloc_exchange(struct domain *d, unsigned order, unsigned address_bits)
{
    return alloc(d, order, address_bits, true);
}

void frame_release(struct frame *f)
{
    mfn_t m = frame_mfn(f);
    struct domain *d;

    BUG_ON(f->type & TYPE_COUNT_MASK);
    f->type = tlb_stamp_of(frame_owner_id(f), __atomic_load_n(&f->refs, __ATOMIC_RELAXED) & FRAME_LENT);
    if (__atomic_load_n(&f->refs, __ATOMIC_RELAXED) & FRAME_HYP) {      /* others may still look */
        block_free(m, 0);
        return;
    }
    d = owner_of(f);
    spin_lock(&d->frames_lock);
    list_unlink(d, (uint32_t)m.n);
    spin_unlock(&d->frames_lock);
    __atomic_store_n(&m2p[m.n], M2P_INVALID, __ATOMIC_RELAXED);
    block_free(m, 0);
    unaccount(d, 1);
}

/* The reference keeps the frame d's while its entry is written: numbers can be guessed, and frames freed
 * meanwhile. */
bool frame_pfn_set(mfn_t m, const struct domain *d, uint64_t pfn)
{
    if (!frame_get(m, d))
        return false;
    __atomic_store_n(&m2p[m.n], pfn, __ATOMIC_RELAXED);
    frame_put(m);
    return true;
}

/* Takes the allocation's reference off, whoever comes first; false if it is gone already. */
static bool allocation_drop(struct frame *f)
{
    return __atomic_fetch_and(&f->refs, ~FRAME_ALLOCATED, __ATOMIC_ACQ_REL) & FRAME_ALLOCATED;
}

int frame_give_up(mfn_t m, struct domain *d)
{
    struct frame *f;
    int rc = -XEN_EINVAL;

    if (!frame_get(m, d))
        return rc;
    f = frame_of(m);
    if (!(__atomic_load_n(&f->refs, __ATOMIC_RELAXED) & FRAME_HYP) && allocation_drop(f)) {
        frame_put(m);
        rc = 0;
    }
    frame_put(m);
    return rc;
}

/*
 * Exactly one reference, the allocation's: it becomes nobody's in one step, so nobody can take a further one
 * between the look and the act. Mapped frames are busy: their guest unmaps them first.
 */
int frame_detach(mfn_t m, struct domain *d)
{
    uint64_t owned = (uint64_t)d->id << FRAME_OWNER_SHIFT, old;

    if (!frame_exists(m))
        return -XEN_EINVAL;
    old = __atomic_load_n(&frame_of(m)->refs, __ATOMIC_RELAXED);
    do
        if ((old & ~FRAME_LENDING) != (FRAME_ALLOCATED | owned | 1))
            return (old & FRAME_OWNER_MASK) == owned && (old & FRAME_ALLOCATED) && !(old & FRAME_HYP)
                   ? -XEN_EBUSY : -XEN_EINVAL;
    while (!__atomic_compare_exchange_n(&frame_of(m)->refs, &old, owned | (old & FRAME_LENDING), false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return 0;
}

/* A domain that began to die meanwhile may have been through its frames, and passed this one over. */
void frame_attach(mfn_t m, struct domain *d)
{
    __atomic_fetch_add(&frame_of(m)->refs, FRAME_ALLOCATED | 1, __ATOMIC_SEQ_CST);
    if (unlikely(domain_dying(d)))
        (void)!frame_give_up(m, d);
}

void frame_detached_free(mfn_t m) { frame_release(frame_of(m)); }

/* ---- frames of the hypervisor that a domain may map ---- */
void frame_share(mfn_t m, struct domain *d, bool writable)
{
    struct frame *f = frame_of(m);

    BUG_ON(frame_owner_id(f) != FRAME_OWNER_HYP);
    f->type = (uint64_t)(writable ? TYPE_WRITABLE : TYPE_NONE) << TYPE_SHIFT | TYPE_VALIDATED | 1;
    __atomic_store_n(&f->refs, FRAME_ALLOCATED | FRAME_HYP | (uint64_t)d->id << FRAME_OWNER_SHIFT | 1,
                     __ATOMIC_RELEASE);
    __atomic_fetch_add(&d->shared_frames, 1, __ATOMIC_RELAXED);
}

/* No new mapping from here on. */
static void share_close(struct frame *f, struct domain *d)
{
    uint64_t old = __atomic_load_n(&f->refs, __ATOMIC_RELAXED);

    BUG_ON(frame_owner_id(f) != d->id || !(old & FRAME_HYP));
    while (!__atomic_compare_exchange_n(&f->refs, &old, old | FRAME_OWNER_MASK, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
}

void frame_share_end(mfn_t m, struct domain *d)
{
    struct frame *f = frame_of(m);

    share_close(f, d);
    frame_drop_writable(m);
    __atomic_fetch_sub(&d->shared_frames, 1, __ATOMIC_RELAXED);
    frame_put(m);
}

/* ---- the end ---- */

/*
 * The list is gone through once, by moving its head to its end as many times as there were frames at the
 * start: frames that nobody looked at yet always stand before those that somebody did, whatever is freed
 * meanwhile.
 */
static uint32_t relinquish_next(struct domain *d)
{
    uint32_t n;

    spin_lock(&d->frames_lock);
    n = d->frames_head;
    if (d->pv.relinquish_left == 0)
        n = FRAME_NIL;
    if (n != FRAME_NIL) {
        d->pv.relinquish_left--;
        list_unlink(d, n);
        list_append(d, n);
    }
    spin_unlock(&d->frames_lock);
    return n;
}

enum { STEP_BEGIN, STEP_NEXT, STEP_PIN, STEP_UNPINNED, STEP_ABANDON };

/* The frame under the cursor: its pin, its abandoned validation, its allocation. -ERESTART: the same
 * again. */
static int relinquish_one(struct domain *d, uint32_t n)
{
    int rc = 0;

    if (d->pv.relinquish_step == STEP_PIN)
        d->pv.relinquish_step = frame_unpin(MFN(n)) ? STEP_UNPINNED : STEP_ABANDON;
    if (d->pv.relinquish_step == STEP_UNPINNED) {
        rc = frame_put_typed(MFN(n));
        if (rc)
            return rc;
        d->pv.relinquish_step = STEP_ABANDON;
    }
    rc = frame_abandon(MFN(n));
    if (rc == 0) {
        d->pv.relinquish_step = STEP_NEXT;
        frame_put(MFN(n));                      /* the cursor's */
    }
    return rc;
}

/* Takes the next frame under the cursor, with a reference, and drops its allocation's. False at the end. */
static bool relinquish_step(struct domain *d)
{
    uint32_t n = d->pv.relinquish_cursor = relinquish_next(d);

    if (n == FRAME_NIL)
        return false;
    if (!frame_get(MFN(n), d))                  /* on its way to the free frames */
        return true;
    d->pv.relinquish_step = STEP_PIN;
    if (allocation_drop(&frame_table[n]))
        frame_put(MFN(n));
    return true;
}

static bool preempt_now(unsigned done)
{
    struct vcpu *v = this_cpu()->current;

    return done % PREEMPT_BATCH == 0 && v && !vcpu_is_idle(v) && preempt_due(v);
}

int frames_relinquish(struct domain *d)
{
    if (d->pv.relinquish_step == STEP_BEGIN) {
        (void)frames_claim(d, 0);               /* giving up a claim cannot fail */
        d->pv.relinquish_left = __atomic_load_n(&d->frames, __ATOMIC_RELAXED);
        d->pv.relinquish_step = STEP_NEXT;
    }
    for (unsigned done = 1;; done++) {
        if (d->pv.relinquish_step == STEP_NEXT && !relinquish_step(d))
            return 0;
        if (d->pv.relinquish_step != STEP_NEXT && relinquish_one(d, d->pv.relinquish_cursor) == -XEN_ERESTART)
            return -XEN_ERESTART;
        if (preempt_now(done))
            return -XEN_ERESTART;
    }
}
