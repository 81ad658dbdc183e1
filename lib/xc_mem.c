/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of domains: see xc.h. */
#include <abi/memory.h>

#include "lib/xc_internal.h"

#include <errno.h>
#include <string.h>

enum {
    ORDER_LARGE = 9,
    LIST_FRAMES = XC_LIST_BYTES / sizeof(uint64_t),
    E820_RAM    = 1,
};

struct e820_entry {
    uint64_t start, size;
    uint32_t type;
} __attribute__((packed));

static uint64_t free_mib(struct xc *xc)
{
    struct xen_sysctl_physinfo info;

    if (xc_host_physinfo(xc, &info, NULL))
        return 0;
    return (info.free_pages - info.outstanding_pages) >> 8;
}

static int too_little(struct xc *xc, uint16_t domid, uint64_t pages, struct fault *f)
{
    return fault_set(f, -ENOMEM,
                     "not enough memory for domain %u: it needs %llu MiB, the hypervisor has %llu MiB free; "
                     "lower memory=, destroy a domain, or boot with a smaller dom0_mem=",
                     domid, (unsigned long long)(pages + 255) >> 8, (unsigned long long)free_mib(xc));
}

int xc_mem_claim(struct xc *xc, uint16_t domid, uint64_t pages, struct fault *f)
{
    struct xen_memory_reservation *op = xc_op_buffer(xc);
    int                            rc;

    op->domid = domid;
    op->nr_extents = pages;
    rc = xc_call(xc, __HYPERVISOR_memory_op, XENMEM_claim_pages, (uintptr_t)op, 0, 0);
    if (rc == -ENOMEM)
        return too_little(xc, domid, pages, f);
    return rc < 0 ? xc_refused(f, rc, domid, "claim of %llu pages for domain "
                                             "%u", (unsigned long long)pages, domid)
                  : 0;
}

/* One call: extents of 2^order pages from pfn on; returns how many came. Their first frames are left in the
 * list. */
static long populate_some(struct xc *xc, uint16_t domid, unsigned order, uint64_t pfn, uint64_t count)
{
    struct xen_memory_reservation *op = xc_op_buffer(xc);
    uint64_t                      *list = xc_list_buffer(xc);

    for (uint64_t i = 0; i < count; i++)
        list[i] = pfn + (i << order);
    op->extent_start.va = (uintptr_t)list;
    op->nr_extents = count;
    op->extent_order = order;
    op->domid = domid;
    return xc_call(xc, __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)op, 0, 0);
}

int xc_mem_populate(struct xc *xc, uint16_t domid, uint64_t pages, uint64_t *mfns, struct fault *f)
{
    const uint64_t *list = xc_list_buffer(xc);
    unsigned        order = ORDER_LARGE;
    uint64_t        pfn = 0;

    while (pfn < pages) {
        uint64_t count = (pages - pfn) >> order;
        long     got;

        if (!count) {
            order = 0;
            continue;
        }
        if (count > LIST_FRAMES)
            count = LIST_FRAMES;
        got = populate_some(xc, domid, order, pfn, count);
        if (got < 0 && got != -ENOMEM)
            return xc_refused(f, got, domid, "populate_physmap of domain %u at page %llu", domid,
                               (unsigned long long)pfn);
        for (long i = 0; i < got; i++)
            for (uint64_t j = 0; j < UINT64_C(1) << order; j++)
                mfns[pfn++] = list[i] + j;
        if (got == (long)count)
            continue;
        if (!order)
            return too_little(xc, domid, pages, f);
        order = 0;            /* memory is in pieces smaller than 2 MiB */
    }
    return 0;
}

int xc_mem_set_map(struct xc *xc, uint16_t domid, uint64_t kib, struct fault *f)
{
    struct xen_foreign_memory_map *op = xc_op_buffer(xc);
    struct e820_entry             *map = xc_list_buffer(xc);
    int                            rc;

    *map = (struct e820_entry){ 0, kib << 10, E820_RAM };
    op->domid = domid;
    op->map.nr_entries = 1;
    op->map.buffer.va = (uintptr_t)map;
    rc = xc_call(xc, __HYPERVISOR_memory_op, XENMEM_set_memory_map, (uintptr_t)op, 0, 0);
    return rc < 0
               ? xc_refused(f, rc, domid, "set_memory_map of domain %u to %llu "
                                          "KiB", domid, (unsigned long long)kib)
               : 0;
}

int xc_mem_pin_l4(struct xc *xc, uint16_t domid, uint64_t mfn, struct fault *f)
{
    struct mmuext_op *op = xc_op_buffer(xc);
    int               rc;

    op->cmd = MMUEXT_PIN_L4_TABLE;
    op->arg1.mfn = mfn;
    rc = xc_call(xc, __HYPERVISOR_mmuext_op, (uintptr_t)op, 1, 0, domid);
    return rc < 0 ? xc_refused(f, rc, domid, "pinning the page tables of domain %u (top table at frame "
                                             "0x%llx)",
                                domid, (unsigned long long)mfn)
                  : 0;
}
