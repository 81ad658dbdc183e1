/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects of the hypervisor. A page holds objects of one size; which, how many are free, and where the
 * first free one is stand in the type word of its frame, which nobody else uses for the hypervisor's own
 * frames, so objects need no header. Larger objects are whole pages.
 *
 * Each processor has pages of its own, and the type word says whose a page is. Those with free objects are on
 * a list for their size, under the processor's lock, which others take only to free what it allocated, and to
 * look for room when no frame is free. A page goes back when it is empty, so no memory stays behind anywhere.
 */
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#include "mm.h"

static const uint16_t class_size[] = { 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 672, 1008, 1360, 2048 };

_Static_assert(ARRAY_LEN(class_size) == HEAP_CLASSES, "a list for every size");
#define KMALLOC_MAX_ORDER 4     /* 64 KiB */

/* The type word of a page of objects, and of the first page of a large object. */
#define HEAP_SLAB        (1ull << 40)
#define HEAP_LARGE       (1ull << 41)
#define HEAP_CPU_SHIFT   48                         /* slab: whose page it is */
#define HEAP_CPU(w)      ((w) >> HEAP_CPU_SHIFT)
#define HEAP_CLASS(w)    (((w) >> 32) & 0xff)       /* slab: class; large: order */
#define HEAP_USED(w)     (((w) >> 16) & 0xffff)
#define HEAP_FIRST(w)    ((w) & 0xffff)             /* offset of the first free object; NONE: full */
#define HEAP_NONE        0xffffull

void heap_init(struct heap *h)
{
    spin_init(&h->lock, LOCK_SLAB);
    for (unsigned c = 0; c < HEAP_CLASSES; c++)
        h->partly_free[c] = FRAME_NIL;
}

/* Whoever frees an object looks at it to see whose lock to take. */
static uint64_t slab_word(const struct frame *f) { return __atomic_load_n(&f->type, __ATOMIC_RELAXED); }

static void slab_set(struct frame *f, uint64_t same, uint64_t used, uint64_t first)
{
    __atomic_store_n(&f->type, (same & ~0xffffffffull) | used << 16 | first, __ATOMIC_RELAXED);
}

static void partly_add(uint32_t *list, uint32_t n)
{
    struct frame *f = &frame_table[n];

    f->prev = FRAME_NIL;
    f->next = *list;
    if (f->next != FRAME_NIL)
        frame_table[f->next].prev = n;
    *list = n;
}

static void partly_remove(uint32_t *list, uint32_t n)
{
    struct frame *f = &frame_table[n];

    if (f->prev == FRAME_NIL)
        *list = f->next;
    else
        frame_table[f->prev].next = f->next;
    if (f->next != FRAME_NIL)
        frame_table[f->next].prev = f->prev;
}

/* A fresh page, all of its objects chained by their first two bytes. Lock held. */
static bool slab_grow(struct pcpu *c, unsigned class)
{
    mfn_t m = frames_alloc(0, 0);
    uint8_t *page;
    uint64_t size = class_size[class];

    if (!mfn_valid_number(m))
        return false;
    page = page_of_mfn(m);
    for (uint64_t at = 0; at + size <= PAGE_SIZE; at += size)
        *(uint16_t *)(page + at) = (uint16_t)(at + 2 * size <= PAGE_SIZE ? at + size : HEAP_NONE);
    slab_set(frame_of(m), (uint64_t)c->id << HEAP_CPU_SHIFT | HEAP_SLAB | (uint64_t)class << 32, 0, 0);
    partly_add(&c->objects.partly_free[class], (uint32_t)m.n);
    return true;
}

/* From c's pages. NULL: they are full; grow: and there is no memory for one more. */
static void *slab_alloc(struct pcpu *c, unsigned class, bool grow)
{
    struct heap *h = &c->objects;
    uint32_t *list = &h->partly_free[class];
    uint8_t *object = NULL;

    spin_lock(&h->lock);
    if (*list != FRAME_NIL || (grow && slab_grow(c, class))) {
        struct frame *f = &frame_table[*list];
        uint64_t w = slab_word(f), next;

        object = (uint8_t *)page_of_mfn(frame_mfn(f)) + HEAP_FIRST(w);
        next = *(uint16_t *)object;
        slab_set(f, w, HEAP_USED(w) + 1, next);
        if (next == HEAP_NONE)
            partly_remove(list, (uint32_t)frame_mfn(f).n);
    }
    spin_unlock(&h->lock);
    return object;
}

/* Returns true if the page is empty now and off its list, for the caller to free. Lock held. */
static bool slab_free(struct heap *h, struct frame *f, void *object)
{
    uint64_t w = slab_word(f);
    unsigned class = (unsigned)HEAP_CLASS(w);
    uint64_t used = HEAP_USED(w) - 1;
    bool was_full = HEAP_FIRST(w) == HEAP_NONE;

    BUG_ON(HEAP_USED(w) == 0 || ((uintptr_t)object & (PAGE_SIZE - 1)) % class_size[class]);
    *(uint16_t *)object = (uint16_t)HEAP_FIRST(w);
    slab_set(f, w, used, (uintptr_t)object & (PAGE_SIZE - 1));
    if (used == 0) {
        if (!was_full)
            partly_remove(&h->partly_free[class], (uint32_t)frame_mfn(f).n);
        return true;
    }
    if (was_full)
        partly_add(&h->partly_free[class], (uint32_t)frame_mfn(f).n);
    return false;
}

static void *object_alloc(unsigned class)
{
    void *p = slab_alloc(this_cpu(), class, true);

    for (unsigned i = 0; unlikely(!p) && i < pcpu_count; i++)
        p = slab_alloc(pcpus[i], class, false);
    return p ? memset(p, 0, class_size[class]) : NULL;
}

void *kalloc(size_t size)
{
    unsigned class = 0, order = 0;
    void *p;

    while (class < HEAP_CLASSES && class_size[class] < size)
        class++;
    if (class < HEAP_CLASSES)
        return object_alloc(class);
    while ((PAGE_SIZE << order) < size && order <= KMALLOC_MAX_ORDER)
        order++;
    p = order <= KMALLOC_MAX_ORDER ? page_alloc(order) : NULL;
    if (p)
        frame_of(mfn_of_page(p))->type = HEAP_LARGE | (uint64_t)order << 32;
    return p;
}

void kfree(void *p)
{
    struct frame *f;
    struct heap *h;
    uint64_t w;
    bool empty;

    if (!p)
        return;
    f = frame_of(mfn_of_page(p));
    w = slab_word(f);
    if (w & HEAP_LARGE) {
        page_free(p, (unsigned)HEAP_CLASS(w));
        return;
    }
    BUG_ON(!(w & HEAP_SLAB));
    h = &pcpus[HEAP_CPU(w)]->objects;
    spin_lock(&h->lock);
    empty = slab_free(h, f, p);
    spin_unlock(&h->lock);
    if (empty)
        frames_free(frame_mfn(f), 0);
}

void *page_alloc(unsigned order)
{
    mfn_t m = frames_alloc(order, ALLOC_ZERO);

    return mfn_valid_number(m) ? page_of_mfn(m) : NULL;
}

void page_free(void *p, unsigned order) { if (p) frames_free(mfn_of_page(p), order); }
