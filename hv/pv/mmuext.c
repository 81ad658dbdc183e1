/* SPDX-License-Identifier: BSD-2-Clause */
/* mmuext_op: pins, roots, flushes, the LDT, and clearing and copying of frames. */
#include <hv/pcpu.h>
#include <hw/hw.h>

#include <string.h>

#include "mmu.h"

/* A pin is a type reference and a plain one, which the mark in the type word stands for. */
static int pin(struct vcpu *v, struct domain *d, mfn_t m, enum frame_type t)
{
    int rc = frame_get_typed(m, d, t);

    if (rc)
        return rc;
    /* Marked first and looked second: whoever ends the domain takes off the marks that it finds. */
    if (frame_pin(m) && (!domain_dying(d) || !frame_unpin(m)))
        return 0;
    pv_put_table(v, m);
    return -XEN_EINVAL;
}

/* Whether the frame is d's is asked by a reference, which also keeps it while we look. */
static int unpin(struct vcpu *v, struct domain *d, mfn_t m, bool *done)
{
    int rc = -XEN_EINVAL;

    if (!frame_get(m, d))
        return rc;
    if (frame_unpin(m)) {
        *done = true;
        rc = pv_put_table(v, m);
    }
    frame_put(m);
    return rc;
}

static int clear_page(struct domain *d, mfn_t m)
{
    void *page;

    if (!frame_get_writable(m, d))
        return -XEN_EINVAL;
    page = frame_map(m);
    memset(page, 0, PAGE_SIZE);
    frame_unmap(page);
    frame_put_writable(m);
    return 0;
}

static int copy_page(struct domain *d, mfn_t to, mfn_t from)
{
    void *dst, *src;

    if (!frame_get(from, d))
        return -XEN_EINVAL;
    if (!frame_get_writable(to, d)) {
        frame_put(from);
        return -XEN_EINVAL;
    }
    dst = frame_map(to);
    src = frame_map(from);
    memmove(dst, src, PAGE_SIZE);
    frame_unmap(src);
    frame_unmap(dst);
    frame_put_writable(to);
    frame_put(from);
    return 0;
}

static int flush_cache(const struct domain *d, void (*flush)(void))
{
    if (!d->privileged && !d->pv.io_frames.used && !d->pv.io_ports.used)
        return -XEN_EACCES;
    flush();
    return 0;
}

/* Operations that act on this vCPU or its domain, and on nobody else's. */
static int own_op(struct vcpu *v, const struct mmuext_op *op)
{
    uint64_t va = op->arg1.linear_addr, mask = op->arg2.vcpumask.va;

    switch (op->cmd) {
    case MMUEXT_NEW_BASEPTR:
        return pv_root_kernel(v, MFN(op->arg1.mfn));
    case MMUEXT_NEW_USER_BASEPTR:
        return pv_root_user(v, op->arg1.mfn ? MFN(op->arg1.mfn) : MFN_INVALID);
    case MMUEXT_TLB_FLUSH_LOCAL:
        return mmu_flush_va(v, 0, UVMF_TLB_FLUSH | UVMF_LOCAL);
    case MMUEXT_INVLPG_LOCAL:
        return mmu_flush_va(v, va, UVMF_INVLPG | UVMF_LOCAL);
    case MMUEXT_TLB_FLUSH_MULTI:
        return mmu_flush_va(v, 0, UVMF_TLB_FLUSH | (mask & ~3ull));
    case MMUEXT_INVLPG_MULTI:
        return mmu_flush_va(v, va, UVMF_INVLPG | (mask & ~3ull));
    case MMUEXT_TLB_FLUSH_ALL:
        return mmu_flush_va(v, 0, UVMF_TLB_FLUSH | UVMF_ALL);
    case MMUEXT_INVLPG_ALL:
        return mmu_flush_va(v, va, UVMF_INVLPG | UVMF_ALL);
    case MMUEXT_FLUSH_CACHE:
        return flush_cache(v->domain, hw_wbinvd);
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        return flush_cache(v->domain, hw_wbinvd_all);
    case MMUEXT_SET_LDT:
        return pv_ldt_set(v, va, op->arg2.nr_ents);
    default:
        return -XEN_ENOSYS;     /* among them (UN)MARK_SUPER: no superpages */
    }
}

static int ext_one(struct vcpu *v, struct domain *d, const struct mmuext_op *op, bool *done)
{
    *done = false;
    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
        return pin(v, d, MFN(op->arg1.mfn), TYPE_L1 + (op->cmd - MMUEXT_PIN_L1_TABLE));
    case MMUEXT_UNPIN_TABLE:
        return unpin(v, d, MFN(op->arg1.mfn), done);
    case MMUEXT_CLEAR_PAGE:
        return clear_page(d, MFN(op->arg1.mfn));
    case MMUEXT_COPY_PAGE:
        return copy_page(d, MFN(op->arg1.mfn), MFN(op->arg2.src_mfn));
    default:
        return d == v->domain ? own_op(v, op) : -XEN_EPERM;
    }
}

static int ext_list(struct vcpu *v, struct domain *d, struct list_progress *p)
{
    struct mmuext_op op;
    bool done;
    int rc;

    for (; p->done < p->count; p->done++) {
        rc = pv_undo_pending(v);
        if (rc)
            return rc;
        if (p->done && p->done % PREEMPT_BATCH == 0 && preempt_due(v))
            return -XEN_ERESTART;
        if (guest_read(&op, GADDR(p->list + p->done * sizeof op), sizeof op))
            return -XEN_EFAULT;
        rc = ext_one(v, d, &op, &done);
        if (rc) {
            p->done += done;
            return rc;
        }
    }
    return pv_undo_pending(v);
}

long hc_mmuext_op(struct vcpu *v, uint64_t list, uint64_t count, uint64_t done_at, uint64_t domid,
                  uint64_t a5)
{
    struct list_progress p;
    struct foreign f;
    int rc = list_begin(&p, list, count, done_at);

    if (rc)
        return rc;
    rc = foreign_find(v, (domid_t)domid, &f);
    if (rc)
        return rc;
    rc = f.frames ? ext_list(v, f.frames, &p) : -XEN_EPERM;
    foreign_leave(v, &f);
    return list_end(v, &p, rc, sizeof(struct mmuext_op), domid);
}
