/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping and unmapping grants.
 *
 * To undo a mapping its entry is cleared, then the mapper's stale translations are flushed, and only then
 * is the granter told (by its flags) that the frame is its own again. The flush is the costly part, so a
 * batch of elements shares one: first all entries, then one flush, then all the rest.
 */
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/pagetable.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "grant_table.h"

#define FLUSH_SINGLY 8u

int16_t grant_refuse(struct vcpu *v, unsigned op, int status, uint64_t a, uint64_t b)
{
    if (status)
        refusal_note(v->domain, __HYPERVISOR_grant_table_op, (uint16_t)op, status, a, b);
    return (int16_t)status;
}

/* A further reference even where it is the caller's own domain: the handle keeps it. */
static struct domain *granter_get(struct vcpu *v, domid_t id)
{
    struct domain *d = domain_get(id == DOMID_SELF ? v->domain->id : id);

    if (d && domain_dying(d)) {
        domain_put(d);
        return NULL;
    }
    return d;
}

/* ---- map ---- */

static uint64_t pte_flags(const struct gnttab_map_grant_ref *op)
{
    /* Available bits 9-11 of the entry are the guest's, and come in the flags from bit 16 on. */
    uint64_t f = PTE_A | ((uint64_t)(op->flags & GNTMAP_guest_avail_mask) >> 16 << 9 & 0xe00);

    return op->flags & GNTMAP_readonly ? f : f | PTE_RW | PTE_D;
}

static int map_host(struct vcpu *v, const struct gnttab_map_grant_ref *op, const struct grant_map *m,
                    mfn_t *frame)
{
    enum grant_use use = m->readonly ? GRANT_READ : GRANT_WRITE;
    int status = grant_use_begin(m->granter, m->ref, v->domain->id, use, frame);
    int rc;

    if (status)
        return status;
    rc = pt_grant_map(v, op->host_addr, m->is_pte, *frame, m->granter, pte_flags(op));
    if (rc == 0)
        return GNTST_okay;
    grant_use_end(m->granter, m->ref, use);
    return rc == -XEN_EPERM ? GNTST_bad_page : GNTST_general_error;
}

static int map_device(struct vcpu *v, const struct grant_map *m, mfn_t *frame)
{
    enum grant_use use = m->readonly ? GRANT_READ : GRANT_WRITE;
    int status = grant_use_begin(m->granter, m->ref, v->domain->id, use, frame);
    bool held;

    if (status)
        return status;
    held = m->readonly ? frame_get(*frame, m->granter) : frame_get_writable(*frame, m->granter);
    if (held)
        return GNTST_okay;
    grant_use_end(m->granter, m->ref, use);
    return GNTST_bad_page;
}

static void unmap_device(const struct grant_map *m, mfn_t frame)
{
    grant_use_end(m->granter, m->ref, m->readonly ? GRANT_READ : GRANT_WRITE);
    if (m->readonly)
        frame_put(frame);
    else
        frame_put_writable(frame);
}

/* Device first: it can be undone without a flush. */
static int map_kinds(struct vcpu *v, const struct gnttab_map_grant_ref *op, const struct grant_map *m,
                     mfn_t *frame)
{
    int status = GNTST_okay;

    if (op->flags & GNTMAP_device_map)
        status = map_device(v, m, frame);
    if (status == GNTST_okay && (op->flags & GNTMAP_host_map)) {
        status = map_host(v, op, m, frame);
        if (status && (op->flags & GNTMAP_device_map))
            unmap_device(m, *frame);
    }
    return status;
}

static int map_one(struct vcpu *v, struct gnttab_map_grant_ref *op)
{
    const uint8_t kinds = op->flags & (GNTMAP_host_map | GNTMAP_device_map);
    struct grant_map m = {
        .ref = op->ref,
        .claims = 1,
        .readonly = op->flags & GNTMAP_readonly,
        .is_pte = op->flags & GNTMAP_contains_pte,
    };
    uint32_t handle;
    mfn_t frame;
    int status;

    if (!kinds)
        return GNTST_bad_gntref;
    m.granter = granter_get(v, op->dom);
    if (!m.granter)
        return GNTST_bad_domain;
    handle = grant_handle_new(v->domain, &m);
    if (handle == NO_HANDLE) {
        domain_put(m.granter);
        return GNTST_no_device_space;
    }
    status = map_kinds(v, op, &m, &frame);
    if (status) {
        grant_handle_done(v->domain, handle);
        domain_put(m.granter);
        return status;
    }
    op->handle = handle;
    /* asked for or not: Linux takes the frame's number from here */
    op->dev_bus_addr = frame.n << PAGE_SHIFT;
    grant_handle_restore(v->domain, handle, kinds);
    return GNTST_okay;
}

long grant_map_list(struct vcpu *v, gaddr_t list, uint32_t count)
{
    struct gnttab_map_grant_ref op[GRANT_BATCH];
    uint32_t n = MIN(count, GRANT_BATCH);

    if (guest_read(op, list, n * sizeof(*op)))
        return -XEN_EFAULT;
    for (uint32_t i = 0; i < n; i++)
        op[i].status = grant_refuse(v, GNTTABOP_map_grant_ref, map_one(v, &op[i]), op[i].ref, op[i].dom);
    return guest_write(list, op, n * sizeof(*op)) ? -XEN_EFAULT : (long)n;
}

/* ---- unmap ---- */

struct unmapping {
    struct grant_map was;
    mfn_t    frame;
    uint64_t host_addr;
    uint32_t handle;
    uint8_t  kinds;             /* of the uses that end; 0: nothing to finish */
};

static int host_status(int rc)
{
    switch (rc) {
    case 0:
        return GNTST_okay;
    case -XEN_EINVAL:
        return GNTST_bad_virt_addr;
    }
    return GNTST_general_error;         /* something else is mapped there now */
}

/* Takes over what is to be undone: the handle's uses and the frame. */
static int unmap_claim(struct vcpu *v, uint32_t handle, uint8_t kinds, struct unmapping *u)
{
    if (!grant_handle_claim(v->domain, handle, kinds, &u->was))
        return GNTST_bad_handle;
    u->handle = handle;
    u->kinds = kinds;
    u->frame = grant_frame_of(u->was.granter, u->was.ref);
    return GNTST_okay;
}

static int unmap_give_up(struct vcpu *v, struct unmapping *u, int status)
{
    grant_handle_restore(v->domain, u->handle, u->kinds);
    u->kinds = 0;
    return status;
}

/* Up to the flush. */
static int unmap_begin(struct vcpu *v, const struct gnttab_unmap_grant_ref *op, struct unmapping *u)
{
    uint8_t kinds = (op->host_addr ? GNTMAP_host_map : 0) | (op->dev_bus_addr ? GNTMAP_device_map : 0);
    int status;

    u->kinds = 0;
    if (!kinds)
        return GNTST_bad_handle;
    status = unmap_claim(v, op->handle, kinds, u);
    if (status)
        return status;
    if (op->dev_bus_addr && op->dev_bus_addr >> PAGE_SHIFT != u->frame.n)
        return unmap_give_up(v, u, GNTST_bad_dev_addr);
    u->host_addr = op->host_addr;
    if (op->host_addr)
        status = host_status(pt_grant_unmap(v, op->host_addr, u->was.is_pte, u->frame));
    return status ? unmap_give_up(v, u, status) : GNTST_okay;
}

/* After it. */
static void unmap_end(struct vcpu *v, const struct unmapping *u)
{
    const struct grant_map *m = &u->was;

    if (!u->kinds)
        return;
    if (u->kinds & GNTMAP_host_map)
        grant_use_end(m->granter, m->ref, m->readonly ? GRANT_READ : GRANT_WRITE);
    if (u->kinds & GNTMAP_device_map)
        unmap_device(m, u->frame);
    if (grant_handle_done(v->domain, u->handle))
        domain_put(m->granter);
}

static bool others_hold(const struct domain *d)
{
    struct cpu_set on = cpu_set_copy(&d->on_cpus);

    for_each_cpu_in(&on, cpu)
        if (cpu != this_cpu()->id)
            return true;
    return false;
}

/*
 * Everything is dropped, once. A table may serve several ranges of addresses: who wants to keep what he gives
 * back remembers it under the one that he does not name. dom0 does not do that: its few addresses are flushed
 * one by one, as long as no other processor must be asked.
 */
static void unmap_flush(struct vcpu *v, const struct unmapping *u, uint32_t n)
{
    uint32_t pages = 0;
    bool all = !v->domain->privileged;

    for (uint32_t i = 0; i < n; i++)
        if (u[i].kinds & GNTMAP_host_map) {
            pages++;
            all |= u[i].was.is_pte;
        }
    if (!pages)
        return;
    if (all || pages > FLUSH_SINGLY || (pages > 1 && others_hold(v->domain))) {
        tlb_flush_domain(v->domain, TLB_WHOLE);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (u[i].kinds & GNTMAP_host_map)
            tlb_flush_domain(v->domain, u[i].host_addr);
}

static void unmap_finish(struct vcpu *v, const struct unmapping *u, uint32_t n)
{
    unmap_flush(v, u, n);
    for (uint32_t i = 0; i < n; i++)
        unmap_end(v, &u[i]);
}

long grant_unmap_list(struct vcpu *v, gaddr_t list, uint32_t count)
{
    struct gnttab_unmap_grant_ref op[GRANT_BATCH];
    struct unmapping u[GRANT_BATCH];
    uint32_t n = MIN(count, GRANT_BATCH);

    if (guest_read(op, list, n * sizeof(*op)))
        return -XEN_EFAULT;
    for (uint32_t i = 0; i < n; i++)
        op[i].status = grant_refuse(v, GNTTABOP_unmap_grant_ref, unmap_begin(v, &op[i], &u[i]), op[i].handle,
                                    op[i].host_addr);
    unmap_finish(v, u, n);
    return guest_write(list, op, n * sizeof(*op)) ? -XEN_EFAULT : (long)n;
}

/* ---- unmap and replace: another mapping of the guest's moves to where the grant was ---- */

static int replace_begin(struct vcpu *v, const struct gnttab_unmap_and_replace *op, struct unmapping *u)
{
    int status;

    u->kinds = 0;
    status = unmap_claim(v, op->handle, GNTMAP_host_map, u);
    if (status)
        return status;
    if (u->was.is_pte)
        return unmap_give_up(v, u, GNTST_general_error);
    u->host_addr = op->host_addr;
    status = host_status(pt_grant_replace(v, op->host_addr, u->frame, op->new_addr));
    return status ? unmap_give_up(v, u, status) : GNTST_okay;
}

long grant_replace_list(struct vcpu *v, gaddr_t list, uint32_t count)
{
    struct gnttab_unmap_and_replace op[GRANT_BATCH];
    struct unmapping u[GRANT_BATCH];
    uint32_t n = MIN(count, GRANT_BATCH);

    if (guest_read(op, list, n * sizeof(*op)))
        return -XEN_EFAULT;
    for (uint32_t i = 0; i < n; i++)
        op[i].status = grant_refuse(v, GNTTABOP_unmap_and_replace, replace_begin(v, &op[i], &u[i]),
                                    op[i].handle, op[i].host_addr);
    unmap_finish(v, u, n);
    return guest_write(list, op, n * sizeof(*op)) ? -XEN_EFAULT : (long)n;
}
