/* SPDX-License-Identifier: BSD-2-Clause */
/* Builder of 64-bit PV domains: see build_pv.h. */
#define _GNU_SOURCE
#include "lib/build_pv.h"

#include <abi/arch.h>
#include <abi/grant.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(BUILD_NO_ADDRESS == IMAGE_NONE, "the loader's 'not said' is the layout's");

enum { CHUNK_PAGES = 4096 };      /* mapped at once: bounds dom0's address space and page tables, 16 MiB */

int build_pv_plan(struct build_pv *b, struct fault *f)
{
    struct build_request rq = {
        .virt_base = b->image->virt_base,
        .kernel_start = b->image->v_start,
        .kernel_end = b->image->v_end,
        .init_p2m = b->image->init_p2m,
        .ramdisk_bytes = b->ramdisk_bytes,
        .ramdisk_unmapped = b->image->mod_start_pfn,
        .pages = b->pages,
    };

    if (strlen(b->cmdline) >= MAX_GUEST_CMDLINE)
        return fault_set(f, -E2BIG,
                         "kernel command line of %zu bytes: a PV kernel takes at most %d; shorten cmdline=, "
                         "extra= or root=",
                         strlen(b->cmdline), MAX_GUEST_CMDLINE - 1);
    return build_layout_plan(&rq, &b->layout, f);
}

/* Work on a run of pages, mapped a chunk at a time. @fill gets the memory, and which page of the run it
 * starts at. */
typedef int (*fill_fn)(const struct build_pv *b, void *mem, uint64_t page, uint64_t pages, struct fault *f);

static int run_fill(struct xc *xc, const struct build_pv *b, const uint64_t *mfns,
                    const struct build_run *run, fill_fn fill, struct fault *f)
{
    for (uint64_t done = 0; done < run->pages; done += CHUNK_PAGES) {
        uint64_t n = run->pages - done < CHUNK_PAGES ? run->pages - done : CHUNK_PAGES;
        void    *mem = xc_map(xc, b->domid, mfns + run->pfn + done, n, f);
        int      rc;

        if (!mem)
            return f ? f->code : -EIO;
        rc = fill(b, mem, done, n, f);
        xc_unmap(xc, mem, n);
        if (rc)
            return rc;
    }
    return 0;
}

static int fill_kernel(const struct build_pv *b, void *mem, uint64_t page, uint64_t pages, struct fault *f)
{
    image_copy(b->image, b->image->v_start + (page << BUILD_PAGE_SHIFT), mem, pages << BUILD_PAGE_SHIFT);
    return 0;
}

static int fill_ramdisk(const struct build_pv *b, void *mem, uint64_t page, uint64_t pages, struct fault *f)
{
    uint64_t at = page << BUILD_PAGE_SHIFT, want = pages << BUILD_PAGE_SHIFT, got = 0;

    if (want > b->ramdisk_bytes - at) {
        memset((char *)mem + (b->ramdisk_bytes - at), 0, want - (b->ramdisk_bytes - at));
        want = b->ramdisk_bytes - at;
    }
    while (got < want) {
        ssize_t n = pread(b->ramdisk_fd, (char *)mem + got, want - got, at + got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_errno(f, -errno, "cannot read ramdisk %s (copy it again)", b->ramdisk_name);
        if (!n)
            return fault_set(f, -EIO, "ramdisk %s became shorter than "
                                      "%" PRIu64 " bytes while it was read; try again when "
                             "it is written", b->ramdisk_name, b->ramdisk_bytes);
        got += n;
    }
    return 0;
}

/* The list is copied out of the one that was built while populating; the last page's rest says "no frame". */
static int p2m_fill(struct xc *xc, const struct build_pv *b, const uint64_t *mfns, struct fault *f)
{
    const struct build_run *run = &b->layout.p2m;

    for (uint64_t done = 0; done < run->pages; done += CHUNK_PAGES) {
        uint64_t n = run->pages - done < CHUNK_PAGES ? run->pages - done : CHUNK_PAGES;
        uint64_t first = done * BUILD_TABLE_ENTRIES, room = n * BUILD_TABLE_ENTRIES;
        uint64_t have = b->pages - first < room ? b->pages - first : room;
        uint64_t *mem = xc_map(xc, b->domid, mfns + run->pfn + done, n, f);

        if (!mem)
            return f ? f->code : -EIO;
        memcpy(mem, mfns + first, have * sizeof(*mem));
        memset(mem + have, 0xff, (room - have) * sizeof(*mem));
        xc_unmap(xc, mem, n);
    }
    return 0;
}

static void start_info_fill(const struct build_pv *b, const uint64_t *mfns, struct start_info *si)
{
    const struct build_layout *l = &b->layout;

    memset(si, 0, BUILD_PAGE_SIZE);
    snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
    si->nr_pages = b->pages;
    si->shared_info = b->shared_info_mfn << BUILD_PAGE_SHIFT;
    si->store_mfn = mfns[l->store_pfn];
    si->store_evtchn = b->store_port;
    si->console.domU.mfn = mfns[l->console_pfn];
    si->console.domU.evtchn = b->console_port;
    si->pt_base = build_va(l, l->tables.pfn);
    si->nr_pt_frames = l->tables.pages;
    si->mfn_list = l->p2m_va;
    if (l->maps[1].pages) {
        si->first_p2m_pfn = l->p2m.pfn;
        si->nr_p2m_frames = l->p2m.pages;
    }
    if (b->ramdisk_bytes) {
        si->mod_start = l->ramdisk_mapped ? build_va(l, l->ramdisk.pfn) : l->ramdisk.pfn;
        si->mod_len = b->ramdisk_bytes;
        si->flags |= l->ramdisk_mapped ? 0 : SIF_MOD_START_PFN;
    }
    snprintf((char *)si->cmd_line, sizeof(si->cmd_line), "%s", b->cmdline);
}

/* start_info, both rings, page tables, stack: neighbours in the layout, so one mapping serves all. */
static int boot_pages_fill(struct xc *xc, const struct build_pv *b, const uint64_t *mfns, struct fault *f)
{
    const struct build_layout *l = &b->layout;
    uint64_t                   first = l->start_info_pfn, pages = l->stack_pfn - first + 1;
    char                      *mem = xc_map(xc, b->domid, mfns + first, pages, f);

    if (!mem)
        return f ? f->code : -EIO;
    memset(mem, 0, pages << BUILD_PAGE_SHIFT);
    start_info_fill(b, mfns, (struct start_info *)mem);
    build_tables_fill(l, mfns, (uint64_t *)(mem + ((l->tables.pfn - first) << BUILD_PAGE_SHIFT)));
    xc_unmap(xc, mem, pages);
    return 0;
}

/* The kernel starts with events masked on every vCPU: it has no handlers yet. */
static int shared_info_fill(struct xc *xc, const struct build_pv *b, struct fault *f)
{
    struct shared_info *si = xc_map(xc, b->domid, &b->shared_info_mfn, 1, f);

    if (!si)
        return f ? f->code : -EIO;
    for (int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        si->vcpu_info[i].evtchn_upcall_mask = 1;
    xc_unmap(xc, si, 1);
    return 0;
}

static int vcpu0_set(struct xc *xc, const struct build_pv *b, const uint64_t *mfns, struct fault *f)
{
    const struct build_layout *l = &b->layout;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c));
    int                        rc;

    if (!c)
        return fault_memory(f);
    c->flags = VGCF_in_kernel | VGCF_online;
    c->user_regs.rip = b->image->entry;
    c->user_regs.rsp = build_va(l, l->stack_pfn + 1);
    c->user_regs.rsi = build_va(l, l->start_info_pfn);
    c->user_regs.rflags = 1 << 9;
    c->user_regs.cs = FLAT_KERNEL_CS;
    c->user_regs.ss = FLAT_KERNEL_SS;
    c->user_regs.ds = c->user_regs.es = c->user_regs.fs = c->user_regs.gs = FLAT_KERNEL_DS;
    c->kernel_ss = c->user_regs.ss;
    c->kernel_sp = c->user_regs.rsp;
    c->ctrlreg[3] = xen_pfn_to_cr3(mfns[l->tables.pfn]);
    rc = xc_vcpu_set_context(xc, b->domid, 0, c, f);
    free(c);
    return rc;
}

static int hypercall_page_fill(struct xc *xc, const struct build_pv *b, const uint64_t *mfns, struct fault *f)
{
    if (b->image->hypercall_page == IMAGE_NONE)
        return 0;
    return xc_domain_hypercall_page(xc, b->domid, mfns[(b->image->hypercall_page - b->layout.virt_base)
                                                       >> BUILD_PAGE_SHIFT], f);
}

static int contents_fill(struct xc *xc, const struct build_pv *b, const uint64_t *mfns, struct fault *f)
{
    int rc = run_fill(xc, b, mfns, &b->layout.kernel, fill_kernel, f);

    rc = rc ? rc : run_fill(xc, b, mfns, &b->layout.ramdisk, fill_ramdisk, f);
    rc = rc ? rc : p2m_fill(xc, b, mfns, f);
    rc = rc ? rc : boot_pages_fill(xc, b, mfns, f);
    rc = rc ? rc : hypercall_page_fill(xc, b, mfns, f);
    return rc ? rc : shared_info_fill(xc, b, f);
}

static int rings_grant(struct xc *xc, const struct build_pv *b, struct fault *f)
{
    const struct xc_grant seeds[] = {
        { GNTTAB_RESERVED_CONSOLE, b->console_mfn },
        { GNTTAB_RESERVED_XENSTORE, b->store_mfn },
    };

    return xc_grant_seed(xc, b->domid, seeds, 2, f);
}

int build_pv(struct xc *xc, struct build_pv *b, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    uint64_t                       *mfns;
    int                             rc = build_pv_plan(b, f);

    if (rc || (rc = xc_domain_info(xc, b->domid, &info, f)))
        return rc;
    b->shared_info_mfn = info.shared_info_frame;
    mfns = malloc(b->pages * sizeof(*mfns));
    if (!mfns)
        return fault_memory(f);
    rc = xc_mem_set_map(xc, b->domid, b->max_kib, f);
    rc = rc ? rc : xc_mem_populate(xc, b->domid, b->pages, mfns, f);
    rc = rc ? rc : contents_fill(xc, b, mfns, f);
    if (!rc) {
        b->store_mfn = mfns[b->layout.store_pfn];
        b->console_mfn = mfns[b->layout.console_pfn];
        rc = xc_mem_pin_l4(xc, b->domid, mfns[b->layout.tables.pfn], f);
    }
    rc = rc ? rc : vcpu0_set(xc, b, mfns, f);
    rc = rc ? rc : rings_grant(xc, b, f);
    free(mfns);
    return rc;
}
