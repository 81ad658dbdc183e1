/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free frames: blocks of 2^order frames, aligned to their size, that split and merge with their neighbours.
 *
 * The first frame of a free block carries FRAME_FREE and the order; the others FRAME_FREE and INNER. The
 * lists run through frame.next and prev. Memory is kept in three zones by address, because old devices reach
 * only low memory: a request takes from the highest zone that it may, so low frames are there when someone
 * cannot do with others.
 *
 * Each frame keeps its stamp while it is free, and whoever gets it first makes sure that no processor
 * remembers a translation from before (mm/tlb.c). Claims are promises to a domain that is being built: what
 * is promised is free but not to be had by others.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#include "mm.h"

#define INNER 0x3full

enum { ZONE_ISA, ZONE_4G, ZONE_HIGH, ZONES };

static spinlock_t heap_lock = SPINLOCK(LOCK_HEAP);
static uint32_t   free_head[ZONES][FRAME_ORDERS];
static uint64_t   free_frames, claims;
static uint64_t   free_of_width[65];    /* free frames by the length of their numbers in bits */

/* ---- the table at boot ---- */
void frame_table_init(void *table, uint64_t count)
{
    frame_table = table;
    frame_count = count;
    free_frames = claims = 0;
    memset(free_of_width, 0, sizeof(free_of_width));
    owners_init();
    heap_init();
    for (unsigned z = 0; z < ZONES; z++)
        for (unsigned o = 0; o < FRAME_ORDERS; o++)
            free_head[z][o] = FRAME_NIL;
    for (uint64_t i = 0; i < count; i++)
        frame_table[i] = (struct frame){ .refs = FRAME_BROKEN, .next = FRAME_NIL, .prev = FRAME_NIL };
}

static uint64_t refs_private(domid_t owner)
{
    return FRAME_ALLOCATED | FRAME_HYP | (uint64_t)owner << FRAME_OWNER_SHIFT | 1;
}

static void reserve(uint64_t first, uint64_t count, domid_t owner)
{
    for (uint64_t n = first; n < first + count && n < frame_count; n++) {
        frame_table[n].refs = refs_private(owner);
        frame_table[n].type = (uint64_t)TYPE_NONE << TYPE_SHIFT | 1;
    }
}

void frames_reserve(uint64_t first, uint64_t count) { reserve(first, count, FRAME_OWNER_HYP); }
void frames_share_readonly(uint64_t first, uint64_t count) { reserve(first, count, DOMID_XEN); }

/* Guests name any frame number at any time, so somebody may always be looking. */
static void refs_set(struct frame *f, uint64_t refs) { __atomic_store_n(&f->refs, refs, __ATOMIC_RELAXED); }

/* ---- lists ---- */
/* A block is aligned to its size, so only one that begins at frame 0 has numbers of several lengths. */
static unsigned width_of(uint64_t n) { return n ? 64 - (unsigned)__builtin_clzll(n) : 0; }

static unsigned zone_of(uint64_t n)
{
    return n < (1u << 12) ? ZONE_ISA : n < (1u << 20) ? ZONE_4G : ZONE_HIGH;
}

static void list_insert_free(uint64_t n, unsigned order)
{
    uint32_t *head = &free_head[zone_of(n)][order];
    struct frame *f = &frame_table[n];

    free_of_width[width_of(n)] += 1ull << order;
    refs_set(f, FRAME_FREE | order);
    f->prev = FRAME_NIL;
    f->next = *head;
    if (*head != FRAME_NIL)
        frame_table[*head].prev = (uint32_t)n;
    *head = (uint32_t)n;
}

static void list_remove_free(uint64_t n, unsigned order)
{
    struct frame *f = &frame_table[n];

    free_of_width[width_of(n)] -= 1ull << order;
    if (f->prev == FRAME_NIL)
        free_head[zone_of(n)][order] = f->next;
    else
        frame_table[f->prev].next = f->next;
    if (f->next != FRAME_NIL)
        frame_table[f->next].prev = f->prev;
    refs_set(f, FRAME_FREE | INNER);
    f->next = f->prev = FRAME_NIL;
}

/* All frames of the block are FREE|INNER. */
static void block_insert(uint64_t n, unsigned order)
{
    for (; order < FRAME_ORDERS - 1; order++) {
        uint64_t buddy = n ^ (1ull << order);

        if (buddy + (1ull << order) > frame_count || zone_of(buddy) != zone_of(n) ||
            __atomic_load_n(&frame_table[buddy].refs, __ATOMIC_RELAXED) != (FRAME_FREE | order))
            break;
        list_remove_free(buddy, order);
        n = MIN(n, buddy);
    }
    list_insert_free(n, order);
}

/* A block of at least `order` whose low part ends at or below `limit`; FRAME_NIL: none in this zone. */
static uint32_t block_find(unsigned zone, unsigned order, uint64_t limit, unsigned *found)
{
    for (*found = order; *found < FRAME_ORDERS; ++*found)
        for (uint32_t n = free_head[zone][*found]; n != FRAME_NIL; n = frame_table[n].next)
            if (n + (1ull << order) <= limit)
                return n;
    return FRAME_NIL;
}

/* Takes a block off the lists; its frames are FREE|INNER. Heap lock held. */
static uint32_t block_take(unsigned order, uint64_t limit)
{
    unsigned found = 0;
    uint32_t n = FRAME_NIL;

    for (unsigned z = ZONES; z-- > 0 && n == FRAME_NIL;)
        n = block_find(z, order, limit, &found);
    if (n == FRAME_NIL)
        return n;
    list_remove_free(n, found);
    while (found-- > order)
        list_insert_free(n + (1ull << found), found);
    free_frames -= 1ull << order;
    return n;
}

static void block_give(uint64_t n, unsigned order)
{
    for (uint64_t i = n; i < n + (1ull << order); i++) {
        refs_set(&frame_table[i], FRAME_FREE | INNER);
        frame_table[i].next = frame_table[i].prev = FRAME_NIL;
    }
    spin_lock(&heap_lock);
    block_insert(n, order);
    free_frames += 1ull << order;
    spin_unlock(&heap_lock);
}

void frames_add(uint64_t first, uint64_t count)
{
    while (count) {
        unsigned order = 0;

        while (order < FRAME_ORDERS - 1 && !(first & ((2ull << order) - 1)) && (2ull << order) <= count &&
               zone_of(first) == zone_of(first + (2ull << order) - 1))
            order++;
        for (uint64_t i = first; m2p && i < first + (1ull << order); i++)
            m2p[i] = M2P_INVALID;
        block_give(first, order);
        first += 1ull << order;
        count -= 1ull << order;
    }
}

/* ---- what others call ---- */
mfn_t block_alloc(struct domain *d, unsigned order, uint64_t limit)
{
    uint64_t size = 1ull << order, mine, n;

    if (order >= FRAME_ORDERS)
        return MFN_INVALID;
    spin_lock(&heap_lock);
    mine =
        d ? d->claimed : claims; /* the hypervisor may go into what is promised; a domain only into its own */
    n = free_frames >= size + (claims - mine) ? block_take(order, limit) : FRAME_NIL;
    if (n != FRAME_NIL && d && d->claimed) {
        uint64_t used = MIN(size, d->claimed);

        d->claimed -= used;
        claims -= used;
    }
    spin_unlock(&heap_lock);
    if (n == FRAME_NIL)
        return MFN_INVALID;
    for (uint64_t i = n; i < n + size; i++) {
        tlb_flush_since(frame_table[i].type, tlb_stamp_owner(frame_table[i].type));
        __atomic_store_n(&frame_table[i].type, 0, __ATOMIC_RELAXED);
    }
    return MFN(n);
}

void block_free(mfn_t m, unsigned order) { block_give(m.n, order); }

mfn_t frames_alloc(unsigned order, unsigned flags)
{
    mfn_t m = block_alloc(NULL, order, frame_count);

    if (!mfn_valid_number(m))
        return m;
    for (uint64_t i = m.n; i < m.n + (1ull << order); i++)
        refs_set(&frame_table[i], refs_private(FRAME_OWNER_HYP));
    if (flags & ALLOC_ZERO)
        memset(page_of_mfn(m), 0, PAGE_SIZE << order);
    return m;
}

void frames_free(mfn_t m, unsigned order)
{
    for (uint64_t i = m.n; i < m.n + (1ull << order); i++) {
        BUG_ON(frame_table[i].refs != refs_private(FRAME_OWNER_HYP));
        frame_table[i].type = tlb_stamp_of(FRAME_OWNER_HYP);
    }
    block_give(m.n, order);
}

uint64_t frames_free_count(void) { return __atomic_load_n(&free_frames, __ATOMIC_RELAXED); }
uint64_t frames_free_of_width(unsigned bits) { return __atomic_load_n(&free_of_width[bits], __ATOMIC_RELAXED); }
uint64_t frames_claimed(void) { return __atomic_load_n(&claims, __ATOMIC_RELAXED); }

int frames_claim(struct domain *d, uint64_t frames)
{
    uint64_t has = __atomic_load_n(&d->frames, __ATOMIC_RELAXED), want = frames > has ? frames - has : 0;
    int rc = 0;

    if (frames && (frames > d->max_frames || frames < has))
        return -XEN_EINVAL;
    spin_lock(&heap_lock);
    if (frames && (d->claimed || domain_dying(d))) {
        rc = -XEN_EINVAL;               /* the old claim is to be given up first; the dead have given theirs up */
    } else if (free_frames < want + (claims - d->claimed)) {
        rc = -XEN_ENOMEM;
    } else {
        claims += want - d->claimed;
        d->claimed = want;
    }
    spin_unlock(&heap_lock);
    return rc;
}
