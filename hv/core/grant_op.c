/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op(operation, list, count): the lists, and the small operations that do not use anybody's
 * frame.
 *
 * Version 1 only. A guest that asks for version 2 is told that there is none and goes on with version 1, as
 * all do.
 */
#include <hv/guest.h>
#include <hv/limits.h>
#include <hv/pagetable.h>
#include <hv/print.h>

#include "grant_table.h"

/* ---- operations on one element: each reads its structure, acts, writes it back ---- */

static int write_frames(struct domain *d, gaddr_t list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        xen_pfn_t frame = d->grants.frame[i].n;

        if (guest_write(gaddr_index(list, i, sizeof(frame)), &frame, sizeof(frame)))
            return GNTST_bad_virt_addr;
    }
    return GNTST_okay;
}

static int setup_table(struct vcpu *v, struct gnttab_setup_table *op)
{
    struct domain *d = target_get(v, op->dom);
    int status = GNTST_general_error;

    if (!d)
        return GNTST_bad_domain;
    if (!domain_dying(d) && grant_table_grow(d, op->nr_frames) == 0)
        status = write_frames(d, op->frame_list, op->nr_frames);
    target_put(v, d);
    return status;
}

static long setup_table_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_setup_table op;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    op.status = grant_refuse(v, GNTTABOP_setup_table, setup_table(v, &op), op.nr_frames, op.dom);
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

static long query_size_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_query_size op;
    struct domain *d;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    d = target_get(v, op.dom);
    op.status = grant_refuse(v, GNTTABOP_query_size, d ? GNTST_okay : GNTST_bad_domain, op.dom, 0);
    if (d) {
        op.nr_frames = d->grants.frames;
        op.max_nr_frames = d->grants.max_frames;
        target_put(v, d);
    }
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

static long set_version_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_set_version op;
    uint32_t wanted;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    wanted = op.version;
    op.version = 1;
    if (guest_write(at, &op, sizeof(op)))
        return -XEN_EFAULT;
    return wanted == 1 ? 1 : wanted == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
}

static long get_version_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_get_version op;
    struct domain *d;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    d = target_get(v, op.dom);
    if (!d)
        return refuse(v, -XEN_ESRCH, op.dom, 0);
    target_put(v, d);
    op.version = 1;
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

static long swap_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_swap_grant_ref op;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    op.status = grant_refuse(v, GNTTABOP_swap_grant_ref, grant_swap(v->domain, op.ref_a, op.ref_b), op.ref_a,
                             op.ref_b);
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

/* ---- what Hauch leaves out: each element says so ---- */

static long transfer_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_transfer op;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    op.status = grant_refuse(v, GNTTABOP_transfer, GNTST_permission_denied, op.ref, op.domid);
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

static long dump_table_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_dump_table op;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    op.status = grant_refuse(v, GNTTABOP_dump_table, GNTST_permission_denied, op.dom, 0);
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

static long status_frames_list(struct vcpu *v, gaddr_t at, uint32_t count)
{
    struct gnttab_get_status_frames op;

    if (guest_read(&op, at, sizeof(op)))
        return -XEN_EFAULT;
    op.status = grant_refuse(v, GNTTABOP_get_status_frames, GNTST_general_error, op.dom, op.nr_frames);
    return guest_write(at, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

/* ---- the call ---- */

static long run(struct vcpu *v, uint32_t cmd, gaddr_t at, uint32_t count, size_t *size)
{
    switch (cmd) {
#define ELEMENT(op, fn, type) case op: *size = sizeof(struct type); return fn(v, at, count);
    ELEMENT(GNTTABOP_map_grant_ref,     grant_map_list,     gnttab_map_grant_ref)
    ELEMENT(GNTTABOP_unmap_grant_ref,   grant_unmap_list,   gnttab_unmap_grant_ref)
    ELEMENT(GNTTABOP_unmap_and_replace, grant_replace_list, gnttab_unmap_and_replace)
    ELEMENT(GNTTABOP_copy,              grant_copy_list,    gnttab_copy)
    ELEMENT(GNTTABOP_swap_grant_ref,    swap_list,          gnttab_swap_grant_ref)
    ELEMENT(GNTTABOP_transfer,          transfer_list,      gnttab_transfer)
    ELEMENT(GNTTABOP_setup_table,       setup_table_list,   gnttab_setup_table)
    ELEMENT(GNTTABOP_query_size,        query_size_list,    gnttab_query_size)
    ELEMENT(GNTTABOP_set_version,       set_version_list,   gnttab_set_version)
    ELEMENT(GNTTABOP_get_version,       get_version_list,   gnttab_get_version)
    ELEMENT(GNTTABOP_get_status_frames, status_frames_list, gnttab_get_status_frames)
    ELEMENT(GNTTABOP_dump_table,        dump_table_list,    gnttab_dump_table)
#undef ELEMENT
    case GNTTABOP_cache_flush:
        return -XEN_EOPNOTSUPP;         /* caches of PCs are coherent */
    }
    return -XEN_ENOSYS;
}

/* These take exactly one element; a longer list is a mistake of the guest's. */
static bool single(uint32_t cmd)
{
    return cmd == GNTTABOP_setup_table || cmd == GNTTABOP_query_size || cmd == GNTTABOP_set_version ||
           cmd == GNTTABOP_get_version || cmd == GNTTABOP_get_status_frames || cmd == GNTTABOP_dump_table;
}

long hc_grant_table_op(struct vcpu *v, uint64_t cmd, uint64_t list, uint64_t count, uint64_t a4, uint64_t a5)
{
    uint32_t left = (uint32_t)count;
    size_t size = 0;
    long done;

    if (left > INT32_MAX || (single((uint32_t)cmd) && left != 1))
        return refuse(v, -XEN_EINVAL, cmd, left);
    while (left) {
        if (pv_undo_pending(v))
            return hypercall_restart(v, cmd, list, left, a4);
        done = run(v, (uint32_t)cmd, GADDR(list), left, &size);
        if (done < 0)
            return refuse(v, (int)done, cmd, left);
        list += (uint64_t)done * size;
        left -= (uint32_t)done;
        if (left && preempt_due(v))
            return hypercall_restart(v, cmd, list, left, a4);
    }
    return 0;
}
