/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout of a fresh PV domain: see build_layout.h. */
#include "lib/build_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MIB4      (UINT64_C(4) << 20)
#define SPARE     (UINT64_C(512) << 10)

static uint64_t pages_of(uint64_t bytes)
{
    return (bytes + BUILD_PAGE_SIZE - 1) >> BUILD_PAGE_SHIFT;
}

/* First and last table index of a level that a map touches. Level 1 tables cover 2^21 bytes, level 4 all. */
static void index_range(const struct build_map *m, int level, uint64_t *first, uint64_t *last)
{
    int shift = BUILD_PAGE_SHIFT + 9 * level;

    *first = (m->va & ((UINT64_C(1) << 48) - 1)) >> shift;
    *last = ((m->va + ((m->pages - 1) << BUILD_PAGE_SHIFT)) & ((UINT64_C(1) << 48) - 1)) >> shift;
}

/* Tables of @level that both maps need together; a table that serves both counts once. */
static uint64_t tables_needed(const struct build_layout *l, int level)
{
    uint64_t a0, a1, b0, b1, n;

    index_range(&l->maps[0], level, &a0, &a1);
    n = a1 - a0 + 1;
    if (!l->maps[1].pages)
        return n;
    index_range(&l->maps[1], level, &b0, &b1);
    n += b1 - b0 + 1;
    if (b0 <= a1 && a0 <= b1)
        n -= (a1 < b1 ? a1 : b1) - (a0 > b0 ? a0 : b0) + 1;
    return n;
}

static void take(struct build_layout *l, struct build_run *run, uint64_t pages)
{
    run->pfn = l->end_pfn;
    run->pages = pages;
    l->end_pfn += pages;
}

/* Place everything for a given number of page tables; returns how many that placement really needs. */
static uint64_t place(const struct build_request *rq, struct build_layout *l, uint64_t tables)
{
    uint64_t ramdisk = pages_of(rq->ramdisk_bytes), p2m = pages_of(rq->pages * 8), stack_end, need = 0;
    struct build_run one;

    l->end_pfn = (rq->kernel_start - rq->virt_base) >> BUILD_PAGE_SHIFT;
    take(l, &l->kernel, (rq->kernel_end - rq->kernel_start) >> BUILD_PAGE_SHIFT);
    if (l->ramdisk_mapped)
        take(l, &l->ramdisk, ramdisk);
    if (rq->init_p2m == BUILD_NO_ADDRESS)
        take(l, &l->p2m, p2m);
    take(l, &one, 1), l->start_info_pfn = one.pfn;
    take(l, &one, 1), l->store_pfn = one.pfn;
    take(l, &one, 1), l->console_pfn = one.pfn;
    take(l, &l->tables, tables);
    take(l, &one, 1), l->stack_pfn = one.pfn;

    stack_end = ((l->end_pfn << BUILD_PAGE_SHIFT) + SPARE + MIB4 - 1) & ~(MIB4 - 1);
    l->maps[0] = (struct build_map){ rq->virt_base, 0, stack_end >> BUILD_PAGE_SHIFT };
    if (l->maps[0].pages > rq->pages)
        l->maps[0].pages = rq->pages;

    if (!l->ramdisk_mapped)
        take(l, &l->ramdisk, ramdisk);
    l->p2m_va = build_va(l, l->p2m.pfn);
    if (rq->init_p2m != BUILD_NO_ADDRESS) {
        take(l, &l->p2m, p2m);
        l->p2m_va = rq->init_p2m;
        l->maps[1] = (struct build_map){ rq->init_p2m, l->p2m.pfn, p2m };
    }
    for (int level = 1; level <= 4; level++)
        need += l->level_tables[level] = tables_needed(l, level);
    return need;
}

/* Half-open ranges of pages; @end may be the top of the address space, which is 0 after wrapping. */
static bool ranges_meet(uint64_t a, uint64_t a_pages, uint64_t b, uint64_t b_pages)
{
    a >>= BUILD_PAGE_SHIFT;
    b >>= BUILD_PAGE_SHIFT;
    return a < b + b_pages && b < a + a_pages;
}

static int request_check(const struct build_request *rq, struct fault *f)
{
    uint64_t p2m_bytes = rq->pages * 8;

    if (!rq->pages || rq->pages > BUILD_MAX_PAGES || rq->ramdisk_bytes > BUILD_MAX_PAGES << BUILD_PAGE_SHIFT)
        return fault_set(f, -EINVAL, "domain of %" PRIu64 " pages: outside 1 to %" PRIu64, rq->pages,
                         BUILD_MAX_PAGES);
    if (rq->virt_base & (MIB4 - 1))
        return fault_set(f, -EINVAL, "kernel's virtual base 0x%" PRIx64 " is not a multiple of 4 MiB",
                         rq->virt_base);
    if ((rq->kernel_start | rq->kernel_end) & (BUILD_PAGE_SIZE - 1) || rq->kernel_start < rq->virt_base ||
        rq->kernel_end <= rq->kernel_start)
        return fault_set(f, -EINVAL,
                         "kernel range 0x%" PRIx64 "-0x%" PRIx64 " is not whole pages above its base "
                                                                 "0x%" PRIx64,
                         rq->kernel_start, rq->kernel_end, rq->virt_base);
    if (rq->init_p2m == BUILD_NO_ADDRESS)
        return 0;
    if (rq->init_p2m & (BUILD_PAGE_SIZE - 1) || rq->init_p2m + p2m_bytes < rq->init_p2m)
        return fault_set(f, -EINVAL,
                         "kernel wants its P2M list at 0x%" PRIx64 ": not a page-aligned address with "
                         "room for %" PRIu64 " bytes",
                         rq->init_p2m, p2m_bytes);
    return 0;
}

/* Addresses the guest may map: below 2^47, or above the hypervisor's reserved slots 256..271 of the top
 * table. */
static bool va_allowed(uint64_t va, uint64_t pages)
{
    uint64_t last = va + (pages << BUILD_PAGE_SHIFT) - 1;

    if (last < va)
        return false;
    return last < UINT64_C(1) << 47 || va >= UINT64_C(0xffff880000000000);
}

static int layout_check(const struct build_request *rq, const struct build_layout *l, struct fault *f)
{
    for (int i = 0; i < 2; i++)
        if (l->maps[i].pages && !va_allowed(l->maps[i].va, l->maps[i].pages))
            return fault_set(f, -EINVAL,
                             "kernel's %s at 0x%" PRIx64 " (%" PRIu64 " pages) does not fit into the "
                             "address space that a guest may use",
                             i ? "P2M list" : "initial map", l->maps[i].va, l->maps[i].pages);
    if (l->maps[1].pages && ranges_meet(l->maps[0].va, l->maps[0].pages, l->maps[1].va, l->maps[1].pages))
        return fault_set(f, -EINVAL, "kernel's P2M list at 0x%" PRIx64 " overlaps its initial map",
                         l->maps[1].va);
    if (l->end_pfn > rq->pages)
        return fault_set(f, -ENOMEM,
                         "memory of %" PRIu64 " KiB is too small for this kernel and ramdisk: at least "
                         "%" PRIu64 " KiB are needed to start; raise memory=",
                         rq->pages * 4, l->end_pfn * 4);
    return 0;
}

int build_layout_plan(const struct build_request *rq, struct build_layout *out, struct fault *f)
{
    uint64_t tables = 4, need;
    int rc = request_check(rq, f);

    if (rc)
        return rc;
    memset(out, 0, sizeof(*out));
    out->virt_base = rq->virt_base;
    out->pages = rq->pages;
    out->ramdisk_mapped = rq->ramdisk_bytes && !rq->ramdisk_unmapped;
    /* More tables can only push the end up, and each 512 of them need at most two more: this converges
     * quickly. */
    while ((need = place(rq, out, tables)) > tables)
        tables = need;
    /* A placement that needs fewer than it has keeps some spare table pages out of use: give them back if
     * stable. */
    if (need < tables && place(rq, out, need) != need)
        place(rq, out, tables);
    return layout_check(rq, out, f);
}
