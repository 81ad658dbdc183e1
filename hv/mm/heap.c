/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects of the hypervisor. A page holds objects of one size; which, how many are free, and where the
 * first free one is stand in the type word of its frame, which nobody else uses for the hypervisor's own
 * frames, so objects need no header. Pages with free objects are on a list for their size. Larger objects are
 * whole pages.
 */
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#include "mm.h"

static const uint16_t class_size[] = { 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 672, 1008, 1360, 2048 };

#define CLASSES ARRAY_LEN(class_size)
#define KMALLOC_MAX_ORDER 4     /* 64 KiB */

/* The type word of a page of objects, and of the first page of a large object. */
#define HEAP_SLAB        (1ull << 40)
#define HEAP_LARGE       (1ull << 41)
#define HEAP_CLASS(w)    (((w) >> 32) & 0xff)       /* slab: class; large: order */
#define HEAP_USED(w)     (((w) >> 16) & 0xffff)
#define HEAP_FIRST(w)    ((w) & 0xffff)             /* offset of the first free object; NONE: full */
#define HEAP_NONE        0xffffull

static spinlock_t heap_lock = SPINLOCK(LOCK_SLAB);
static uint32_t   partly_free[CLASSES];

void heap_init(void)
{
    for (unsigned c = 0; c < CLASSES; c++)
        partly_free[c] = FRAME_NIL;
}

static uint64_t slab_word(unsigned class, uint64_t used, uint64_t first)
{
    return HEAP_SLAB | (uint64_t)class << 32 | used << 16 | first;
}

static void partly_add(unsigned class, uint32_t n)
{
    struct frame *f = &frame_table[n];

    f->prev = FRAME_NIL;
    f->next = partly_free[class];
    if (f->next != FRAME_NIL)
        frame_table[f->next].prev = n;
    partly_free[class] = n;
}

static void partly_remove(unsigned class, uint32_t n)
{
    struct frame *f = &frame_table[n];

    if (f->prev == FRAME_NIL)
        partly_free[class] = f->next;
    else
        frame_table[f->prev].next = f->next;
    if (f->next != FRAME_NIL)
        frame_table[f->next].prev = f->prev;
}

/* A fresh page, all of its objects chained by their first two bytes. Lock held. */
static bool slab_grow(unsigned class)
{
    mfn_t m = frames_alloc(0, 0);
    uint8_t *page;
    uint64_t size = class_size[class];

    if (!mfn_valid_number(m))
        return false;
    page = page_of_mfn(m);
    for (uint64_t at = 0; at + size <= PAGE_SIZE; at += size)
        *(uint16_t *)(page + at) = (uint16_t)(at + 2 * size <= PAGE_SIZE ? at + size : HEAP_NONE);
    frame_of(m)->type = slab_word(class, 0, 0);
    partly_add(class, (uint32_t)m.n);
    return true;
}

static void *slab_alloc(unsigned class)
{
    struct frame *f;
    uint8_t *object = NULL;

    spin_lock(&heap_lock);
    if (partly_free[class] != FRAME_NIL || slab_grow(class)) {
        f = &frame_table[partly_free[class]];
        object = (uint8_t *)page_of_mfn(frame_mfn(f)) + HEAP_FIRST(f->type);
        f->type = slab_word(class, HEAP_USED(f->type) + 1, *(uint16_t *)object);
        if (HEAP_FIRST(f->type) == HEAP_NONE)
            partly_remove(class, (uint32_t)frame_mfn(f).n);
    }
    spin_unlock(&heap_lock);
    return object;
}

/* Returns true if the page is empty now and off its list, for the caller to free. */
static bool slab_free(struct frame *f, void *object)
{
    uint64_t w = f->type;
    unsigned class = (unsigned)HEAP_CLASS(w);
    uint64_t used = HEAP_USED(w) - 1;
    bool was_full = HEAP_FIRST(w) == HEAP_NONE;

    BUG_ON(HEAP_USED(w) == 0 || ((uintptr_t)object & (PAGE_SIZE - 1)) % class_size[class]);
    *(uint16_t *)object = (uint16_t)HEAP_FIRST(w);
    f->type = slab_word(class, used, (uintptr_t)object & (PAGE_SIZE - 1));
    if (used == 0) {
        if (!was_full)
            partly_remove(class, (uint32_t)frame_mfn(f).n);
        return true;
    }
    if (was_full)
        partly_add(class, (uint32_t)frame_mfn(f).n);
    return false;
}

void *kalloc(size_t size)
{
    unsigned class = 0, order = 0;
    void *p;

    while (class < CLASSES && class_size[class] < size)
        class++;
    if (class < CLASSES) {
        p = slab_alloc(class);
        return p ? memset(p, 0, class_size[class]) : NULL;
    }
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
    bool empty;

    if (!p)
        return;
    f = frame_of(mfn_of_page(p));
    if (f->type & HEAP_LARGE) {
        page_free(p, (unsigned)HEAP_CLASS(f->type));
        return;
    }
    BUG_ON(!(f->type & HEAP_SLAB));
    spin_lock(&heap_lock);
    empty = slab_free(f, p);
    spin_unlock(&heap_lock);
    if (empty)
        frames_free(frame_mfn(f), 0);
}

void *page_alloc(unsigned order)
{
    mfn_t m = frames_alloc(order, ALLOC_ZERO);

    return mfn_valid_number(m) ? page_of_mfn(m) : NULL;
}

void page_free(void *p, unsigned order) { if (p) frames_free(mfn_of_page(p), order); }
