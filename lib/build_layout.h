/* SPDX-License-Identifier: BSD-2-Clause */
/* Where everything lies in a fresh 64-bit PV domain: pure arithmetic on (kernel, sizes), no hypercall.
 *
 * The published contract (xen.h, "start-of-day memory layout"): a contiguous pseudo-physical memory begins at
 * pfn 0, and virtual address virt_base + pfn * 4096 maps pfn. In that map lie, page-aligned and in this
 * order:
 *
 *     kernel | initrd (1) | P2M list (2) | start_info | store ring | console ring | tables | stack | spare
 *
 * The map ends at least 512 KiB after the stack, rounded up to 4 MiB, or where the domain's memory ends.
 * (1) A kernel that says so (MOD_START_PFN) gets its initrd unmapped, behind the stack: fewer page tables.
 * (2) A kernel that names an address of its own (INIT_P2M; Linux does) gets the list there, by page tables of
 * its own, and its pages lie behind all the rest. Without that a list of a 64 GiB domain (128 MiB) would have
 * to fit into the kernel's own 512 MiB window.
 *
 * The page tables have to map themselves, so their number is a fixed point; see build_layout_plan().
 */
#ifndef LIB_BUILD_LAYOUT_H
#define LIB_BUILD_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/xc_err.h"

enum {
    BUILD_PAGE_SHIFT    = 12,
    BUILD_PAGE_SIZE     = 1 << BUILD_PAGE_SHIFT,
    BUILD_TABLE_ENTRIES = 512,
};

#define BUILD_NO_ADDRESS   UINT64_MAX
#define BUILD_MAX_PAGES    (UINT64_C(1) << 34)    /* 64 TiB: keeps sums from wrapping */

/* What the layout depends on. Addresses are guest virtual. */
struct build_request {
    uint64_t virt_base;       /* maps pfn 0; 4 MiB-aligned */
    uint64_t kernel_start;    /* page-aligned range of the loaded kernel, inside the map */
    uint64_t kernel_end;
    uint64_t init_p2m;        /* BUILD_NO_ADDRESS: the list goes into the map */
    uint64_t ramdisk_bytes;   /* 0: none */
    bool     ramdisk_unmapped;
    uint64_t pages;           /* of the domain */
};

/* A run of pseudo-physical frames. */
struct build_run {
    uint64_t pfn;
    uint64_t pages;
};

/* A run of guest virtual pages: va maps pfn, va + 4096 maps pfn + 1 ... */
struct build_map {
    uint64_t va;
    uint64_t pfn;
    uint64_t pages;
};

struct build_layout {
    uint64_t virt_base;
    uint64_t pages;

    struct build_run kernel;
    struct build_run ramdisk;          /* pages 0: none */
    struct build_run p2m;
    struct build_run tables;           /* the top table first */
    uint64_t start_info_pfn, store_pfn, console_pfn, stack_pfn;
    bool ramdisk_mapped;
    uint64_t p2m_va;

    struct build_map maps[2];          /* [0] the main map; [1] the P2M list's own, pages 0: none */
    uint64_t level_tables[5];          /* tables of level 1..4 */
    uint64_t end_pfn;                  /* first pfn with nothing in it */
};

/* Plan the layout. 0, -EINVAL (the kernel's addresses make no sense), -ENOMEM (the domain is too small: the
 * message says by how much). */
int build_layout_plan(const struct build_request *rq, struct build_layout *out, struct fault *f);

/* Guest virtual address of @pfn in the main map. */
static inline uint64_t build_va(const struct build_layout *l, uint64_t pfn)
{
    return l->virt_base + (pfn << BUILD_PAGE_SHIFT);
}

/* Fill the tables: @tables points to l->tables.pages pages in the order of l->tables, @mfns[pfn] is the
 * machine frame of each pfn. Every table page is mapped read-only, all else read-write; upper levels are
 * writable, as the hypervisor's validation wants only the last level read-only. */
void build_tables_fill(const struct build_layout *l, const uint64_t *mfns, uint64_t *tables);

#endif
