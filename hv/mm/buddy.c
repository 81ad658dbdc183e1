/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free frames: blocks of 2^order frames, aligned to their size, that split and merge with their neighbours.
 *
 * The first frame of a free block carries FRAME_FREE and the order; the others FRAME_FREE and INNER. The
 * lists run through frame.next and prev. Memory is kept in three zones by address, because old devices reach
 * only low memory: a request takes from the highest zone that it may, so low frames are there when someone
 * cannot do with others. Limits are powers of two, and there is a list for each length of numbers: so either
 * the first block of a list is below a limit or none is, and nobody walks a list that a guest made long.
 *
 * Each frame keeps its stamp while it is free, and whoever gets it first makes sure that no processor
 * remembers a translation from before (mm/tlb.c). Claims are promises to a domain that is being built: what
 * is promised is free but not to be had by others.
 *
 * Single frames, the common case, come from a few that each processor keeps for itself, and go back there;
 * the blocks and their lock are asked for many at once. Three rules keep all counts and answers exact:
 *
 *   A processor fills up only from what nobody was promised, so the blocks alone answer for the claims, and
 *   what a processor keeps may go to anybody.
 *   Who would have to say "no memory" first collects what all processors keep, and until he has his answer
 *   they keep nothing new: frames that become free then wait for the lock.
 *   Frames go between a processor and the blocks with both locks held, so that they can be counted.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#include "mm.h"

#define INNER 0x3full

#define KEEP_MOST  32u          /* single frames of a processor */
#define KEEP_ORDER 4u           /* it fills up in blocks of up to that, and gives back as many frames */

enum { ZONE_ISA, ZONE_4G, ZONE_HIGH, ZONES };

static spinlock_t heap_lock = SPINLOCK(LOCK_HEAP);
#define WIDTHS 33u              /* lengths of frame numbers in bits */
/* where the zones begin */
static const uint8_t zone_width[ZONES + 1] = { [ZONE_4G] = 13, [ZONE_HIGH] = 21, [ZONES] = WIDTHS };
static uint32_t   free_head[WIDTHS][FRAME_ORDERS];
static uint64_t   free_frames;          /* in blocks */
static uint64_t   claims;               /* the sum over all domains; atomic, raised under the lock only */
static uint64_t   free_of_width[65];    /* frames in blocks by the length of their numbers */
static unsigned   best_zone;            /* where requests are answered from while it has any */
static bool       collecting;           /* processors are to keep nothing; set under the lock */

/* ---- the table at boot ---- */
void frame_table_init(void *table, uint64_t count)
{
    frame_table = table;
    frame_count = count;
    free_frames = claims = best_zone = 0;
    memset(free_of_width, 0, sizeof(free_of_width));
    owners_init();
    for (unsigned i = 0; i < pcpu_count; i++)
        frames_init_cpu(pcpus[i]);
    for (unsigned w = 0; w < WIDTHS; w++)
        for (unsigned o = 0; o < FRAME_ORDERS; o++)
            free_head[w][o] = FRAME_NIL;
    for (uint64_t i = 0; i < count; i++)
        frame_table[i] = (struct frame){ .refs = FRAME_BROKEN, .next = FRAME_NIL, .prev = FRAME_NIL };
}

void frames_init_cpu(struct pcpu *c)
{
    c->kept = (struct kept_frames){ .first = FRAME_NIL };
    heap_init(&c->objects);
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
    uint32_t *head = &free_head[width_of(n)][order];
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
        free_head[width_of(n)][order] = f->next;
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

/*
 * A block of at least `order` whose low part ends at or below `limit`, a power of two or the number of all
 * frames; FRAME_NIL: none in this zone.
 */
static uint32_t block_find(unsigned zone, unsigned order, uint64_t limit, unsigned *found)
{
    for (*found = order; *found < FRAME_ORDERS; ++*found)
        for (unsigned w = zone_width[zone + 1]; w-- > zone_width[zone];) {
            uint32_t n = free_head[w][*found];

            if (n != FRAME_NIL && n + (1ull << order) <= limit)
                return n;
        }
    return FRAME_NIL;
}

/*
 * Takes a block off the lists: the smallest there is from `order` on, cut down to *most. Its frames are
 * FREE|INNER. Heap lock held.
 */
static uint32_t block_take(unsigned order, uint64_t limit, unsigned *most)
{
    unsigned found = 0;
    uint32_t n = FRAME_NIL;

    for (unsigned z = ZONES; z-- > 0 && n == FRAME_NIL;)
        n = block_find(z, order, limit, &found);
    if (n == FRAME_NIL)
        return n;
    *most = MIN(*most, found);
    list_remove_free(n, found);
    while (found-- > *most)
        list_insert_free(n + (1ull << found), found);
    free_frames -= 1ull << *most;
    return n;
}

static void block_give(uint64_t n, unsigned order)
{
    block_insert(n, order);
    free_frames += 1ull << order;
}

/* ---- what each processor keeps; its lock is held, which is innermost ---- */
static void kept_count(struct kept_frames *k, uint32_t count)
{
    __atomic_store_n(&k->count, count, __ATOMIC_RELAXED);
}

static void kept_push(struct kept_frames *k, uint32_t n)
{
    frame_table[n].next = k->first;
    k->first = n;
    kept_count(k, k->count + 1);
}

static uint32_t kept_pop(struct kept_frames *k)
{
    uint32_t n = k->first;

    k->first = frame_table[n].next;
    frame_table[n].next = FRAME_NIL;
    kept_count(k, k->count - 1);
    return n;
}

/* ---- between the processors and the blocks; heap lock held ---- */
static void give_back(struct kept_frames *k, uint32_t leave)
{
    byte_lock(&k->lock);
    while (k->count > leave)
        block_give(kept_pop(k), 0);
    byte_unlock(&k->lock);
}

static void fill_up(struct kept_frames *k)
{
    uint64_t promised = __atomic_load_n(&claims, __ATOMIC_RELAXED);
    unsigned order = KEEP_ORDER;
    uint32_t n;

    if (free_frames < promised + (1u << KEEP_ORDER))
        return;
    n = block_take(0, frame_count, &order);
    byte_lock(&k->lock);
    if (n != FRAME_NIL)
        for (uint32_t i = 1u << order; i-- > 0;)
            kept_push(k, n + i);
    byte_unlock(&k->lock);
}

/* All that is free is in the blocks then, until heap_unlock(). */
static void collect(void)
{
    __atomic_store_n(&collecting, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < pcpu_count; i++)
        give_back(&pcpus[i]->kept, 0);
}

static void heap_unlock(void)
{
    if (unlikely(collecting))
        __atomic_store_n(&collecting, false, __ATOMIC_RELAXED);
    spin_unlock(&heap_lock);
}

/* ---- giving ---- */

/* Only frames as anybody gets them: the scarce ones at low addresses go back at once. */
static bool keep(uint32_t n)
{
    struct kept_frames *k = &this_cpu()->kept;
    bool room;

    if (zone_of(n) < best_zone)
        return false;
    byte_lock(&k->lock);
    room = k->count < KEEP_MOST && !__atomic_load_n(&collecting, __ATOMIC_RELAXED);
    if (likely(room))
        kept_push(k, n);
    byte_unlock(&k->lock);
    return room;
}

static void mark_free(uint64_t n, unsigned order)
{
    for (uint64_t i = n; i < n + (1ull << order); i++) {
        refs_set(&frame_table[i], FRAME_FREE | INNER);
        frame_table[i].next = frame_table[i].prev = FRAME_NIL;
    }
}

void block_free(mfn_t m, unsigned order)
{
    mark_free(m.n, order);
    if (order == 0 && keep((uint32_t)m.n))
        return;
    spin_lock(&heap_lock);
    block_give(m.n, order);
    give_back(&this_cpu()->kept, KEEP_MOST - (1u << KEEP_ORDER));
    heap_unlock();
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
        mark_free(first, order);
        spin_lock(&heap_lock);
        best_zone = MAX(best_zone, zone_of(first));
        block_give(first, order);
        heap_unlock();
        first += 1ull << order;
        count -= 1ull << order;
    }
}

/* ---- taking ---- */

/* d has got frames: so many less are promised to it. Its own part first: see to_be_had(). */
static void claim_use(struct domain *d, uint64_t frames)
{
    uint64_t had = __atomic_load_n(&d->claimed, __ATOMIC_RELAXED), used;

    if (likely(!had))
        return;
    do
        used = MIN(frames, had);
    while (!__atomic_compare_exchange_n(&d->claimed, &had, had - used, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    __atomic_fetch_sub(&claims, used, __ATOMIC_RELEASE);
}

/*
 * Whether the blocks have so many besides what others were promised; the hypervisor may go into that (d
 * NULL). A claim may be used up meanwhile: read in this order others' look larger then, never smaller.
 */
static bool to_be_had(const struct domain *d, uint64_t frames)
{
    uint64_t promised = __atomic_load_n(&claims, __ATOMIC_ACQUIRE);
    uint64_t mine = d ? __atomic_load_n(&d->claimed, __ATOMIC_RELAXED) : promised;

    return free_frames >= frames + (promised - mine);
}

static uint32_t take_kept(struct domain *d)
{
    struct kept_frames *k = &this_cpu()->kept;
    uint32_t n = FRAME_NIL;

    byte_lock(&k->lock);
    if (k->count) {
        n = kept_pop(k);
        if (d)
            claim_use(d, 1);            /* while whoever collects is kept waiting: he counts both */
    }
    byte_unlock(&k->lock);
    return n;
}

static uint32_t take_block(struct domain *d, unsigned order, uint64_t limit)
{
    unsigned most = order;
    uint32_t n = to_be_had(d, 1ull << order) ? block_take(order, limit, &most) : FRAME_NIL;

    if (n != FRAME_NIL && d)
        claim_use(d, 1ull << order);
    return n;
}

static uint32_t take(struct domain *d, unsigned order, uint64_t limit)
{
    bool single = order == 0 && limit >= frame_count;
    uint32_t n = single ? take_kept(d) : FRAME_NIL;

    if (likely(n != FRAME_NIL))
        return n;
    spin_lock(&heap_lock);
    n = take_block(d, order, limit);
    if (unlikely(n == FRAME_NIL)) {
        collect();
        n = take_block(d, order, limit);
    } else if (single) {
        fill_up(&this_cpu()->kept);
    }
    heap_unlock();
    return n;
}

/* ---- what others call ---- */
mfn_t block_alloc(struct domain *d, unsigned order, uint64_t limit)
{
    uint64_t size = 1ull << order;
    uint32_t n = order < FRAME_ORDERS ? take(d, order, limit) : FRAME_NIL;

    if (n == FRAME_NIL)
        return MFN_INVALID;
    for (uint64_t i = n; i < n + size; i++) {
        uint64_t was = frame_table[i].type;

        tlb_flush_since(was, tlb_stamp_owner(was), was & TLB_STAMP_LENT);
        __atomic_store_n(&frame_table[i].type, 0, __ATOMIC_RELAXED);
    }
    return MFN(n);
}

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
        BUG_ON(__atomic_load_n(&frame_table[i].refs, __ATOMIC_RELAXED) != refs_private(FRAME_OWNER_HYP));
        frame_table[i].type = tlb_stamp_of(FRAME_OWNER_HYP, false);
    }
    block_free(m, order);
}

uint64_t frames_free_count(void)
{
    uint64_t n;

    spin_lock(&heap_lock);
    n = free_frames;
    for (unsigned i = 0; i < pcpu_count; i++)
        n += __atomic_load_n(&pcpus[i]->kept.count, __ATOMIC_RELAXED);
    heap_unlock();
    return n;
}

uint64_t frames_free_of_width(unsigned bits)
{
    uint64_t n;

    spin_lock(&heap_lock);
    collect();
    n = free_of_width[bits];
    heap_unlock();
    return n;
}

uint64_t frames_claimed(void) { return __atomic_load_n(&claims, __ATOMIC_RELAXED); }

/* Raised in the other order than claim_use() lowers: the sum is never less than its parts. */
static int claim(struct domain *d, uint64_t frames)
{
    uint64_t all = frames + __atomic_load_n(&claims, __ATOMIC_ACQUIRE);

    if (free_frames < all) {
        collect();
        all = frames + __atomic_load_n(&claims, __ATOMIC_ACQUIRE);
    }
    if (free_frames < all)
        return -XEN_ENOMEM;
    __atomic_fetch_add(&claims, frames, __ATOMIC_RELAXED);
    __atomic_store_n(&d->claimed, frames, __ATOMIC_RELEASE);
    return 0;
}

int frames_claim(struct domain *d, uint64_t frames)
{
    uint64_t has = __atomic_load_n(&d->frames, __ATOMIC_RELAXED), want = frames > has ? frames - has : 0;
    int rc = 0;

    if (frames && (frames > d->max_frames || frames < has))
        return -XEN_EINVAL;
    spin_lock(&heap_lock);
    if (frames && (__atomic_load_n(&d->claimed, __ATOMIC_RELAXED) || domain_dying(d)))
        rc = -XEN_EINVAL;           /* the old claim is to be given up first; the dead have given theirs up */
    else if (!frames)
        claim_use(d, ~0ull);
    else
        rc = claim(d, want);
    heap_unlock();
    return rc;
}
