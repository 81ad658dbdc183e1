/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Following addresses through a guest's tables by software. Tables reached from a root in use were checked,
 * so the frames exist; but another processor may be changing them, so what a walk returns is a hint until the
 * table it ended in is held by a reference (l1_place_of_va()).
 */
#include <hv/guest.h>
#include <hw/hw.h>

#include "pt.h"

bool pt_walk(mfn_t root, uint64_t va, struct pt_walk *w)
{
    *w = (struct pt_walk){ .level = 4, .table = root, .writable = true };
    if (!guest_range_ok(va, 1) || !frame_exists(root))
        return false;
    for (;;) {
        uint64_t *table = frame_map(w->table);

        w->index = pt_index(va, w->level);
        w->entry = __atomic_load_n(&table[w->index], __ATOMIC_RELAXED);
        frame_unmap(table);
        if (!(w->entry & PTE_P))
            return false;
        w->writable &= (w->entry & PTE_RW) != 0;
        w->noexec |= (w->entry & PTE_NX) != 0;
        if (w->level == 1)
            return true;
        if (!frame_exists(pte_mfn(w->entry)))
            return false;
        w->table = pte_mfn(w->entry);
        w->level--;
    }
}

/*
 * The L1 table that serves va, as pt_walk() finds it, without a look at its entry. Entries of checked tables
 * name RAM; and a table that another vCPU takes out meanwhile is written by nobody before this processor has
 * answered a flush, which it does not do on the way down.
 */
static mfn_t l1_of_va(mfn_t root, uint64_t va)
{
    mfn_t table = root;

    if (unlikely(!guest_range_ok(va, 1) || !frame_exists(root)))
        return MFN_INVALID;
    for (unsigned level = 4; level > 1; level--) {
        uint64_t *entries = frame_map(table), entry;

        entry = __atomic_load_n(&entries[pt_index(va, level)], __ATOMIC_RELAXED);
        frame_unmap(entries);
        if (!(entry & PTE_P) || unlikely(pte_mfn(entry).n >= frame_count))
            return MFN_INVALID;
        table = pte_mfn(entry);
    }
    return table;
}

static int place_take(struct domain *d, mfn_t table, unsigned index, struct l1_place *p)
{
    enum frame_type t = frame_get_table(table, d);

    p->table = table;
    if (t == TYPE_L1) {
        p->slot = (uint64_t *)frame_map(table) + index;
        return 0;
    }
    p->slot = NULL;
    return t == TYPE_NONE ? -XEN_EINVAL : -XEN_EXDEV;
}

int l1_place_of_va(struct vcpu *v, uint64_t va, struct l1_place *p)
{
    mfn_t table = l1_of_va(pv_current_root(&v->pv), va);
    int rc;

    if (!mfn_valid_number(table))
        return -XEN_EINVAL;
    rc = place_take(v->domain, table, pt_index(va, 1), p);
    if (rc == -XEN_EXDEV)               /* reached by a linear entry: a table of a higher level */
        pv_put_table(v, table);
    return rc ? -XEN_EINVAL : 0;
}

int l1_place_of_entry(struct vcpu *v, uint64_t machine_address, struct l1_place *p)
{
    mfn_t table = MFN(machine_address >> PAGE_SHIFT);
    int rc;

    if (machine_address & 7)
        return -XEN_EINVAL;
    rc = place_take(v->domain, table, (machine_address & ~PAGE_MASK) / 8, p);
    if (rc == -XEN_EXDEV)
        pv_put_table(v, table);
    return rc ? -XEN_EINVAL : 0;
}

void l1_place_leave(struct vcpu *v, struct l1_place *p)
{
    frame_unmap((void *)((uintptr_t)p->slot & PAGE_MASK));
    pv_put_table(v, p->table);
}
