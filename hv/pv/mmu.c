/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of page-table entries: mmu_update (by machine address, in lists) and update_va_mapping (by
 * address).
 *
 * Lists are pulled in pieces into hypervisor memory, each element once. Neighbouring elements mostly change
 * the same table, which is therefore held and mapped from one to the next: a run.
 */
#include <hw/hw.h>

#include "mmu.h"

#include <hv/pcpu.h>

#define PIECE 16        /* elements copied at once */

/* ---- whose ---- */
static struct domain *find_domain(struct vcpu *v, domid_t id, int *err)
{
    struct domain *d;

    if (id == DOMID_SELF || id == v->domain->id)
        return v->domain;
    *err = -XEN_EPERM;
    if (!v->domain->privileged)
        return NULL;
    *err = -XEN_ESRCH;
    d = domain_get(id);
    if (d && domain_dying(d)) {
        domain_put(d);
        d = NULL;
    }
    return d;
}

static void leave_domain(struct vcpu *v, struct domain *d)
{
    if (d && d != v->domain)
        domain_put(d);
}

int foreign_find(struct vcpu *v, uint32_t domid, struct foreign *f)
{
    domid_t pages = (domid_t)domid, tables = (domid_t)(domid >> 16);
    int err = 0;

    *f = (struct foreign){ .from = pages, .tables = v->domain };
    if (pages == DOMID_IO || pages == DOMID_XEN) {
        if (!v->domain->privileged)
            return -XEN_EPERM;
    } else {
        f->frames = find_domain(v, pages, &err);
        if (!f->frames)
            return err;
        f->from = f->frames->id;
    }
    if (unlikely(tables)) {
        f->tables = find_domain(v, (domid_t)(tables - 1), &err);
        if (!f->tables) {
            leave_domain(v, f->frames);
            return err;
        }
    }
    return 0;
}

void foreign_leave(struct vcpu *v, struct foreign *f)
{
    leave_domain(v, f->frames);
    leave_domain(v, f->tables);
}

/* ---- lists ---- */
int list_begin(struct list_progress *p, uint64_t list, uint64_t count, uint64_t done_at)
{
    *p =
        (struct list_progress){ .list = list, .count = (uint32_t)count & ~MMU_PREEMPTED, .done_at = done_at };
    if ((count & MMU_PREEMPTED) && done_at)
        return guest_read(&p->before, GADDR(done_at), sizeof p->before);
    return 0;
}

long list_end(struct vcpu *v, struct list_progress *p, int rc, size_t size, uint64_t domid)
{
    uint32_t all = p->before + p->done;

    if (p->done_at && guest_write(GADDR(p->done_at), &all, sizeof all) && rc != -XEN_ERESTART)
        rc = -XEN_EFAULT;
    if (rc != -XEN_ERESTART)
        return rc;
    return hypercall_restart(v, p->list + p->done * size, (p->count - p->done) | MMU_PREEMPTED, p->done_at,
                             domid);
}

/* ---- mmu_update ---- */

/* The table that is held from one element to the next. */
struct run {
    mfn_t           table;      /* MFN_INVALID: none */
    enum frame_type type;
    uint64_t       *entries;
};

static void run_end(struct vcpu *v, struct run *r)
{
    if (!mfn_valid_number(r->table))
        return;
    frame_unmap(r->entries);
    pv_put_table(v, r->table);
    r->table = MFN_INVALID;
}

static bool run_move(struct vcpu *v, struct run *r, mfn_t table, const struct domain *tables)
{
    if (likely(mfn_eq(r->table, table)))
        return true;
    run_end(v, r);
    r->type = frame_get_table(table, tables);
    if (r->type == TYPE_NONE)
        return false;
    r->table = table;
    r->entries = frame_map(table);
    return true;
}

/* The frame is no table now: a guest may use the same call to write into its ordinary memory. */
static int write_plain(const struct foreign *f, uint64_t at, uint64_t value)
{
    mfn_t m = MFN(at >> PAGE_SHIFT);
    uint64_t *page;

    if (!frame_get_writable(m, f->tables))
        return -XEN_EINVAL;
    page = frame_map(m);
    __atomic_store_n(&page[(at & ~PAGE_MASK) / 8], value, __ATOMIC_RELAXED);
    frame_unmap(page);
    frame_put_writable(m);
    return 0;
}

static int update_entry(struct vcpu *v, const struct foreign *f, struct run *r, uint64_t at, uint64_t value,
                        bool keep_ad, bool *done)
{
    unsigned index = (at & ~PAGE_MASK) / 8;

    if (at & 7)
        return -XEN_EINVAL;
    if (!run_move(v, r, MFN(at >> PAGE_SHIFT), f->tables))
        return write_plain(f, at, value);
    if (likely(r->type == TYPE_L1))
        return l1_entry_set(f->tables, &r->entries[index], value, f->from, keep_ad);
    return upper_entry_set(v, f->tables, r->table, r->type, index, r->entries, value, keep_ad, done);
}

static int update_m2p(const struct foreign *f, mfn_t m, uint64_t pfn)
{
    return f->frames && frame_pfn_set(m, f->frames, pfn) ? 0 : -XEN_EINVAL;
}

/* *done: the element took effect, and with -ERESTART is not to be repeated. */
static int update_one(struct vcpu *v, const struct foreign *f, struct run *r, const struct mmu_update *u,
                      bool *done)
{
    uint64_t at = u->ptr & ~3ull;

    *done = false;
    switch (u->ptr & 3) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        return update_entry(v, f, r, at, u->val, false, done);
    case MMU_PT_UPDATE_PRESERVE_AD:
        return update_entry(v, f, r, at, u->val, true, done);
    default:
        return update_m2p(f, MFN(u->ptr >> PAGE_SHIFT), u->val);
    }
}

static int update_list(struct vcpu *v, const struct foreign *f, struct run *r, struct list_progress *p)
{
    struct mmu_update piece[PIECE];
    int rc = 0;

    while (rc == 0 && p->done < p->count) {
        uint32_t i = p->done % PIECE, n = MIN(PIECE - i, p->count - p->done);
        bool done;

        if (guest_read(piece, GADDR(p->list + p->done * sizeof *piece), n * sizeof *piece))
            return -XEN_EFAULT;
        for (i = 0; i < n && rc == 0; i++) {
            rc = v->pv.undo_count ? pv_undo_pending(v) : 0;
            if (rc)
                break;
            rc = update_one(v, f, r, &piece[i], &done);
            if (rc == 0 || done)
                p->done++;
        }
        if (rc == 0 && p->done < p->count && p->done / PREEMPT_BATCH != (p->done - n) / PREEMPT_BATCH &&
            preempt_due(v))
            rc = -XEN_ERESTART;
    }
    return rc ? rc : pv_undo_pending(v);
}

static long update_any(struct vcpu *v, uint64_t list, uint64_t count, uint64_t done_at, uint64_t domid)
{
    struct run run = { .table = MFN_INVALID };
    struct list_progress p;
    struct foreign f;
    int rc = list_begin(&p, list, count, done_at);

    if (rc)
        return rc;
    rc = foreign_find(v, (uint32_t)domid, &f);
    if (rc)
        return rc;
    rc = update_list(v, &f, &run, &p);
    run_end(v, &run);
    foreign_leave(v, &f);
    return list_end(v, &p, rc, sizeof(struct mmu_update), domid);
}

/*
 * The most frequent call of all: one entry of an L1 table of the caller's own. False: it is something else,
 * and nothing has been done.
 */
static bool update_own_l1(struct vcpu *v, uint64_t list, uint64_t done_at, long *result)
{
    struct mmu_update u;
    struct l1_place p;
    uint32_t done;
    int rc;

    if (v->pv.undo_count || guest_read(&u, GADDR(list), sizeof u) || (u.ptr & 5))
        return false;
    if (l1_place_of_entry(v, u.ptr & ~3ull, &p))
        return false;
    rc = l1_entry_set(v->domain, p.slot, u.val, v->domain->id, (u.ptr & 3) == MMU_PT_UPDATE_PRESERVE_AD);
    l1_place_leave(v, &p);
    done = rc == 0;
    if (done_at && guest_write(GADDR(done_at), &done, sizeof done))
        rc = -XEN_EFAULT;
    *result = rc;
    return true;
}

long hc_mmu_update(struct vcpu *v, uint64_t list, uint64_t count, uint64_t done_at, uint64_t domid,
                   uint64_t a5)
{
    long single;

    if (count == 1 && domid == DOMID_SELF && update_own_l1(v, list, done_at, &single))
        return single;
    return update_any(v, list, count, done_at, domid);
}

/* ---- update_va_mapping ---- */

_Static_assert(MAX_VCPUS <= 64, "a set of vCPUs is one word");

/* A flush for several vCPUs names them in a bit map of the guest. */
int mmu_flush_va(struct vcpu *v, uint64_t va, uint64_t flags)
{
    uint64_t who = flags & ~(uint64_t)UVMF_FLUSHTYPE_MASK, vcpus = 0;
    bool page = (flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG;

    if (!(flags & UVMF_FLUSHTYPE_MASK))
        return 0;
    if (page && !guest_range_ok(va, 1))
        return 0;
    if (who == UVMF_LOCAL) {
        page ? tlb_flush_page_local(va) : tlb_flush_local();
        return 0;
    }
    if (!page)
        va = TLB_WHOLE;
    if (who == UVMF_ALL) {
        tlb_flush_domain(v->domain, va);
        return 0;
    }
    if (guest_read(&vcpus, GADDR(who), DIV_ROUND_UP(v->domain->max_vcpus, 8)))
        return -XEN_EFAULT;
    tlb_flush_vcpus(v->domain, vcpus, va);
    return 0;
}

static long update_va(struct vcpu *v, uint64_t va, uint64_t entry, uint64_t flags, domid_t from)
{
    struct l1_place p;
    int rc = l1_place_of_va(v, va, &p);

    if (rc)
        return rc;
    rc = l1_entry_set(v->domain, p.slot, entry, from, false);
    l1_place_leave(v, &p);
    return rc ? rc : mmu_flush_va(v, va, flags);
}

long hc_update_va_mapping(struct vcpu *v, uint64_t va, uint64_t entry, uint64_t flags, uint64_t a4,
                          uint64_t a5)
{
    if (unlikely(v->pv.undo_count) && pv_undo_pending(v))
        return hypercall_restart(v, va, entry, flags, a4);
    return update_va(v, va, entry, flags, v->domain->id);
}

long hc_update_va_mapping_otherdomain(struct vcpu *v, uint64_t va, uint64_t entry, uint64_t flags,
                                      uint64_t domid, uint64_t a5)
{
    struct foreign f;
    long rc;

    if (pv_undo_pending(v))
        return hypercall_restart(v, va, entry, flags, domid);
    rc = foreign_find(v, (domid_t)domid, &f);
    if (rc)
        return rc;
    rc = update_va(v, va, entry, flags, f.from);
    foreign_leave(v, &f);
    return rc;
}
