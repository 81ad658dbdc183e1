/* SPDX-License-Identifier: BSD-2-Clause */
/* The handle behind xc.h: devices, buffers, mappings of other domains' frames. */
#include <abi/libxen.h>

#include "lib/xc_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct xc {
    xencall_handle          *call;
    xenforeignmemory_handle *fmem;
    void                    *op, *list;
};

enum { LIST_PAGES = XC_LIST_BYTES / 4096 };

int xc_open(struct xc **out, struct fault *f)
{
    struct xc *xc = calloc(1, sizeof(*xc));
    int        rc;

    *out = NULL;
    if (!xc)
        return fault_memory(f);
    xc->call = xencall_open(NULL, 0);
    xc->fmem = xc->call ? xenforeignmemory_open(NULL, 0) : NULL;
    if (xc->fmem) {
        xc->op = xencall_alloc_buffer_pages(xc->call, 1);
        xc->list = xencall_alloc_buffer_pages(xc->call, LIST_PAGES);
    }
    if (!xc->op || !xc->list) {
        rc = fault_errno(f, -errno,
                         "cannot open the hypervisor's control device /dev/xen/privcmd (this must be "
                         "domain 0, "
                         "as root, with module xen-privcmd)");
        xc_close(xc);
        return rc;
    }
    *out = xc;
    return 0;
}

void xc_close(struct xc *xc)
{
    if (!xc)
        return;
    if (xc->op)
        xencall_free_buffer_pages(xc->call, xc->op, 1);
    if (xc->list)
        xencall_free_buffer_pages(xc->call, xc->list, LIST_PAGES);
    if (xc->fmem)
        xenforeignmemory_close(xc->fmem);
    if (xc->call)
        xencall_close(xc->call);
    free(xc);
}

void *xc_op_buffer(struct xc *xc)
{
    return memset(xc->op, 0, 4096);
}

void *xc_list_buffer(struct xc *xc)
{
    return xc->list;
}

/* The library's own "long" variant takes two arguments; no call made here has results beyond an int. */
long xc_call(struct xc *xc, unsigned op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    int rc = xencall4(xc->call, op, a, b, c, d);

    return rc < 0 ? -errno : rc;
}

int xc_refused(struct fault *f, int rc, uint16_t domid, const char *fmt, ...)
{
    char    what[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (rc == -ESRCH)
        return fault_set(f, rc, "%s: that domain is gone; hauch list shows those that are there", what);
    return fault_set(f, rc, "%s: the hypervisor refuses it: %s; hauch dmesg --refusals %u may say why", what,
                     strerror(-rc), domid);
}

void *xc_map(struct xc *xc, uint16_t domid, const uint64_t *mfns, size_t pages, struct fault *f)
{
    void *p = xenforeignmemory_map(xc->fmem, domid, PROT_READ | PROT_WRITE, pages, mfns, NULL);

    if (!p)
        fault_errno(f, -errno, "cannot map %zu pages of domain %u, the first at frame 0x%llx (hauch dmesg "
                               "may say why)", pages, domid,
                    (unsigned long long)mfns[0]);
    return p;
}

const void *xc_map_read(struct xc *xc, uint16_t domid, const uint64_t *mfns, size_t pages, int *errors,
                        struct fault *f)
{
    const void *p = xenforeignmemory_map(xc->fmem, domid, PROT_READ, pages, mfns, errors);

    if (!p)
        fault_errno(f, -errno, "cannot map %zu pages of domain %u, the first at frame 0x%llx (hauch dmesg "
                               "may say why)", pages, domid,
                    (unsigned long long)mfns[0]);
    return p;
}

void xc_unmap(struct xc *xc, void *addr, size_t pages)
{
    if (addr)
        xenforeignmemory_unmap(xc->fmem, addr, pages);
}

int xc_grant_seed(struct xc *xc, uint16_t domid, const struct xc_grant *grants, unsigned count,
                  struct fault *f)
{
    void                             *page = NULL;
    xenforeignmemory_resource_handle *res;
    struct grant_entry_v1            *table;

    res = xenforeignmemory_map_resource(xc->fmem, domid, XENMEM_resource_grant_table,
                                        XENMEM_resource_grant_table_id_shared, 0, 1, &page,
                                        PROT_READ | PROT_WRITE, 0);
    if (!res)
        return fault_errno(f, -errno, "cannot map the grant table of domain %u (hauch dmesg may say "
                                      "why)", domid);
    table = page;
    for (unsigned i = 0; i < count; i++) {
        table[grants[i].ref].domid = 0;
        table[grants[i].ref].frame = grants[i].mfn;
        __atomic_store_n(&table[grants[i].ref].flags, GTF_permit_access, __ATOMIC_RELEASE);
    }
    xenforeignmemory_unmap_resource(xc->fmem, res);
    return 0;
}
