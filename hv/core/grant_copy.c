/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying by the hypervisor, between a frame of the caller's and one that was granted to it, or between two
 * granted ones. Nothing is mapped into a guest and nothing needs flushing: for small pieces cheaper than
 * mapping.
 *
 * The last frames used stay in use for the next element of the batch: a network packet in pieces names the
 * same grant again and again.
 */
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <string.h>

#include "grant_table.h"

/* One end of a copy, open for use. */
struct end {
    bool           open, by_ref;
    enum grant_use use;
    uint64_t       name;        /* as the guest gave it: reference or frame */
    domid_t        domid;
    struct domain *owner;       /* by_ref: holds a reference */
    mfn_t          frame;       /* referenced, and writable if it is written */
};

static void end_close(struct end *e)
{
    if (!e->open)
        return;
    if (e->use == GRANT_WRITE)
        frame_put_writable(e->frame);
    else
        frame_put(e->frame);
    if (e->by_ref) {
        grant_use_end(e->owner, (uint32_t)e->name, e->use);
        domain_put(e->owner);
    }
    e->open = false;
}

static bool frame_hold(const struct end *e)
{
    return e->use == GRANT_WRITE ? frame_get_writable(e->frame, e->owner) : frame_get(e->frame, e->owner);
}

static int open_ref(struct vcpu *v, struct end *e)
{
    int status;

    e->owner = domain_get(e->domid == DOMID_SELF ? v->domain->id : e->domid);
    if (!e->owner)
        return GNTST_bad_domain;
    status = domain_dying(e->owner) ? GNTST_bad_domain
             : grant_use_begin(e->owner, (uint32_t)e->name, v->domain->id, e->use, &e->frame);
    if (status == GNTST_okay && !frame_hold(e)) {
        grant_use_end(e->owner, (uint32_t)e->name, e->use);
        status = GNTST_bad_page;
    }
    if (status)
        domain_put(e->owner);
    return status;
}

/* Frames can be named only of the caller's own. */
static int open_frame(struct vcpu *v, struct end *e)
{
    if (e->domid != DOMID_SELF)
        return GNTST_permission_denied;
    e->owner = v->domain;
    e->frame = MFN(e->name);
    return frame_hold(e) ? GNTST_okay : GNTST_bad_page;
}

static int end_open(struct vcpu *v, struct end *e, const struct gnttab_copy_ptr *p, bool by_ref,
                    enum grant_use use)
{
    uint64_t name = by_ref ? p->u.ref : p->u.gmfn;
    int status;

    if (e->open && e->by_ref == by_ref && e->name == name && e->domid == p->domid)
        return GNTST_okay;
    end_close(e);
    *e = (struct end){ .by_ref = by_ref, .use = use, .name = name, .domid = p->domid };
    status = by_ref ? open_ref(v, e) : open_frame(v, e);
    e->open = status == GNTST_okay;
    return status;
}

static bool inside_page(const struct gnttab_copy_ptr *p, uint16_t len)
{
    return p->offset < PAGE_SIZE && p->offset + (uint32_t)len <= PAGE_SIZE;
}

static void move(const struct end *from, const struct end *to, const struct gnttab_copy *op)
{
    const char *src = frame_map(from->frame);
    char *dst = frame_map(to->frame);

    memmove(dst + op->dest.offset, src + op->source.offset, op->len);
    frame_unmap(dst);
    frame_unmap(src);
}

static int copy_one(struct vcpu *v, const struct gnttab_copy *op, struct end *from, struct end *to)
{
    int status;

    if (!inside_page(&op->source, op->len) || !inside_page(&op->dest, op->len))
        return GNTST_bad_copy_arg;
    status = end_open(v, from, &op->source, op->flags & GNTCOPY_source_gref, GRANT_READ);
    if (status == GNTST_okay)
        status = end_open(v, to, &op->dest, op->flags & GNTCOPY_dest_gref, GRANT_WRITE);
    if (status == GNTST_okay)
        move(from, to, op);
    return status;
}

long grant_copy_list(struct vcpu *v, gaddr_t list, uint32_t count)
{
    struct gnttab_copy op[GRANT_BATCH];
    struct end from = { .open = false }, to = { .open = false };
    uint32_t n = MIN(count, GRANT_BATCH);

    if (guest_read(op, list, n * sizeof(*op)))
        return -XEN_EFAULT;
    for (uint32_t i = 0; i < n; i++)
        op[i].status = grant_refuse(v, GNTTABOP_copy, copy_one(v, &op[i], &from, &to), op[i].source.u.gmfn,
                                    op[i].dest.u.gmfn);
    end_close(&from);
    end_close(&to);
    return guest_write(list, op, n * sizeof(*op)) ? -XEN_EFAULT : (long)n;
}
