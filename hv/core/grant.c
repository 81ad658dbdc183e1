/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables: a domain lends single frames to another.
 *
 * The granter writes an entry (who, which frame, read-only or not) into a table it shares with us, at any
 * time and without telling. So an entry is believed once: when its first user comes, all its 8 bytes are
 * read in one load, checked, and the reading or writing flag is set by one compare-exchange of all 8 bytes;
 * what was checked is what was marked. From then on the frame and the user's number are taken from our own
 * record, until the last user has gone. The granter may change its entry meanwhile; it finds the flags gone
 * from a place where it no longer cares, and nothing else.
 *
 * A use is not a reference of the frame. Whoever uses an entry takes a reference of its own before touching
 * the frame: a mapping has the reference of its page-table entry (see hv/pagetable.h), a device mapping one
 * that its handle holds, a copy one as long as it lasts. They are asked for from the granter, by frame
 * number, so a frame that the granter does not own is never lent.
 *
 * One lock a table, held for a few instructions, and never those of two domains.
 */
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "grant_table.h"

#define FRAMES_CAP     4096u        /* of either kind, whatever a configuration asks for */
#define TRIES          8            /* at an entry that its granter keeps changing */

/* An entry as one word; little-endian, as struct grant_entry_v1 lies in memory. */
#define ENTRY_FLAGS(e) ((uint16_t)(e))
#define ENTRY_DOMID(e) ((domid_t)((e) >> 16))
#define ENTRY_FRAME(e) ((uint32_t)((e) >> 32))

/* ---- life ---- */

int grant_table_init(struct domain *d, uint32_t max_frames, uint32_t max_map_frames)
{
    struct grant_table *t = &d->grants;

    spin_init(&t->lock, LOCK_GRANT);
    spin_init(&t->map_lock, LOCK_GRANT);
    t->map_free = NO_HANDLE;
    t->max_frames = max_frames ? max_frames : MAX_GRANT_FRAMES;
    t->max_map_frames = max_map_frames ? max_map_frames : MAX_MAPTRACK_FRAMES;
    if (t->max_frames > FRAMES_CAP || t->max_map_frames > FRAMES_CAP)
        return -XEN_EINVAL;
    t->frame = kalloc(t->max_frames * sizeof(*t->frame));
    t->active = kalloc(t->max_frames * sizeof(*t->active));
    return t->frame && t->active ? 0 : -XEN_ENOMEM;
}

void grant_table_free(struct domain *d)
{
    struct grant_table *t = &d->grants;

    for (uint32_t i = 0; i < t->frames; i++) {
        frame_share_end(t->frame[i], d);
        kfree(t->active[i]);
    }
    for (uint32_t i = 0; i < t->map_frames; i++)
        kfree(t->map[i]);
    kfree(t->frame);
    kfree(t->active);
    kfree(t->map);
    t->frames = t->map_frames = 0;
}

/* Under the lock. */
static int add_frame(struct domain *d, struct grant_table *t)
{
    struct grant_active *active = kalloc(GRANTS_PER_FRAME * sizeof(*active));
    mfn_t m = active ? frames_alloc(0, ALLOC_ZERO) : MFN_INVALID;

    if (!mfn_valid_number(m)) {
        kfree(active);
        return -XEN_ENOMEM;
    }
    frame_share(m, d, true);
    t->frame[t->frames] = m;
    t->active[t->frames] = active;
    t->frames++;
    return 0;
}

int grant_table_grow(struct domain *d, uint32_t frames)
{
    struct grant_table *t = &d->grants;
    int rc = 0;

    if (frames > t->max_frames)
        return -XEN_EINVAL;
    spin_lock(&t->lock);
    while (rc == 0 && t->frames < frames)
        rc = add_frame(d, t);
    spin_unlock(&t->lock);
    return rc;
}

int grant_table_get_frame(struct domain *d, uint32_t idx, mfn_t *out)
{
    int rc = idx >= d->grants.max_frames ? -XEN_EINVAL : grant_table_grow(d, idx + 1);

    if (rc == 0)
        *out = d->grants.frame[idx];
    return rc;
}

/* ---- entries ---- */

static uint64_t *entry_word(const struct grant_table *t, uint32_t ref)
{
    return (uint64_t *)page_of_mfn(t->frame[ref / GRANTS_PER_FRAME]) + ref % GRANTS_PER_FRAME;
}

static struct grant_active *active_of(const struct grant_table *t, uint32_t ref)
{
    return &t->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static bool in_use(const struct grant_active *a) { return a->readers || a->writers; }

static bool permits(uint64_t entry, domid_t user, enum grant_use use)
{
    uint16_t flags = ENTRY_FLAGS(entry);

    return (flags & GTF_type_mask) == GTF_permit_access && ENTRY_DOMID(entry) == user &&
           !(use == GRANT_WRITE && (flags & GTF_readonly));
}

/* Checks and marks the guest's entry in one step; *entry is what was there. */
static int mark(uint64_t *word, domid_t user, enum grant_use use, uint64_t *entry)
{
    uint64_t marks = use == GRANT_WRITE ? GTF_reading | GTF_writing : GTF_reading;
    uint64_t e = __atomic_load_n(word, __ATOMIC_RELAXED);

    for (unsigned i = 0; i < TRIES; i++) {
        if (!permits(e, user, use))
            return GNTST_general_error;
        *entry = e;
        if (__atomic_compare_exchange_n(word, &e, e | marks, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return GNTST_okay;
    }
    return GNTST_general_error;
}

/* Under the lock. */
static int begin(struct grant_table *t, uint32_t ref, domid_t user, enum grant_use use)
{
    struct grant_active *a = active_of(t, ref);
    uint64_t entry;
    int status;

    if (in_use(a) && a->domid != user)
        return GNTST_general_error;
    /* Each reader and writer could be another map call: 4 billion of them take longer than a grant lives. */
    if (a->readers == ~0u || a->writers == ~0u)
        return GNTST_general_error;
    if (!in_use(a) || (use == GRANT_WRITE && !a->writers)) {
        status = mark(entry_word(t, ref), user, use, &entry);
        if (status)
            return status;
        if (!in_use(a))
            *a = (struct grant_active){ .frame = ENTRY_FRAME(entry), .domid = user };
    }
    a->readers += use == GRANT_READ;
    a->writers += use == GRANT_WRITE;
    return GNTST_okay;
}

int grant_use_begin(struct domain *d, uint32_t ref, domid_t user, enum grant_use use, mfn_t *frame)
{
    struct grant_table *t = &d->grants;
    int status = GNTST_bad_gntref;

    spin_lock(&t->lock);
    if (ref < t->frames * GRANTS_PER_FRAME) {
        status = begin(t, ref, user, use);
        *frame = MFN(active_of(t, ref)->frame);
    }
    spin_unlock(&t->lock);
    return status;
}

void grant_use_end(struct domain *d, uint32_t ref, enum grant_use use)
{
    struct grant_table *t = &d->grants;
    struct grant_active *a;
    uint64_t clear;

    spin_lock(&t->lock);
    a = active_of(t, ref);
    BUG_ON(use == GRANT_WRITE ? !a->writers : !a->readers);
    a->readers -= use == GRANT_READ;
    a->writers -= use == GRANT_WRITE;
    clear = (a->writers ? 0 : GTF_writing) | (in_use(a) ? 0 : GTF_reading);
    if (clear)
        __atomic_fetch_and(entry_word(t, ref), ~clear, __ATOMIC_SEQ_CST);
    spin_unlock(&t->lock);
}

/* Stable while the caller's use lasts. */
mfn_t grant_frame_of(struct domain *d, uint32_t ref)
{
    struct grant_table *t = &d->grants;
    uint32_t frame;

    spin_lock(&t->lock);
    frame = active_of(t, ref)->frame;
    spin_unlock(&t->lock);
    return MFN(frame);
}

/* Exchanges two entries that nobody uses. */
int grant_swap(struct domain *d, uint32_t a, uint32_t b)
{
    struct grant_table *t = &d->grants;
    int status = GNTST_okay;
    uint64_t x;

    spin_lock(&t->lock);
    if (a >= t->frames * GRANTS_PER_FRAME || b >= t->frames * GRANTS_PER_FRAME) {
        status = GNTST_bad_gntref;
    } else if (in_use(active_of(t, a)) || in_use(active_of(t, b))) {
        status = GNTST_eagain;
    } else if (a != b) {
        x = __atomic_load_n(entry_word(t, a), __ATOMIC_RELAXED);
        x = __atomic_exchange_n(entry_word(t, b), x, __ATOMIC_SEQ_CST);
        __atomic_store_n(entry_word(t, a), x, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&t->lock);
    return status;
}
