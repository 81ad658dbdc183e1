/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries that map frames of another domain's grants: the rule of references stands in <hv/pagetable.h>. */
#include <hw/hw.h>

#include "pt.h"

static int place_of(struct vcpu *v, uint64_t host_addr, bool is_pte, struct l1_place *p)
{
    return is_pte ? l1_place_of_entry(v, host_addr, p) : l1_place_of_va(v, host_addr, p);
}

/* The entry is RAM of the owner's, or nothing is installed: device memory cannot be granted. */
int pt_grant_map(struct vcpu *v, uint64_t host_addr, bool is_pte, mfn_t m, const struct domain *owner,
                 uint64_t flags)
{
    uint64_t entry = pte_make(m, (flags & ~(PTE_FRAME | PTE_CACHE)) | PTE_P);
    struct l1_place p;
    int rc;

    if (!frame_exists(m))
        return -XEN_EPERM;
    rc = place_of(v, host_addr, is_pte, &p);
    if (rc)
        return rc;
    rc = l1_entry_get(v->domain, owner->id, &entry) ? -XEN_EPERM : 0;
    if (rc == 0)
        l1_entry_put(__atomic_exchange_n(p.slot, entry, __ATOMIC_SEQ_CST));
    l1_place_leave(v, &p);
    return rc;
}

/* Puts `entry` in the place of whatever maps m there. */
static int replace_if_maps(uint64_t *slot, mfn_t m, uint64_t entry)
{
    uint64_t old = __atomic_load_n(slot, __ATOMIC_RELAXED);

    do
        if (!(old & PTE_P) || !mfn_eq(pte_mfn(old), m))
            return -XEN_ENOENT;
    while (!__atomic_compare_exchange_n(slot, &old, entry, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    l1_entry_put(old);
    return 0;
}

int pt_grant_unmap(struct vcpu *v, uint64_t host_addr, bool is_pte, mfn_t m)
{
    struct l1_place p;
    int rc = place_of(v, host_addr, is_pte, &p);

    if (rc)
        return rc;
    rc = replace_if_maps(p.slot, m, 0);
    l1_place_leave(v, &p);
    return rc;
}

/* The moved entry keeps its references on the way: for a moment they are ours. */
int pt_grant_replace(struct vcpu *v, uint64_t host_va, mfn_t m, uint64_t new_va)
{
    struct l1_place at, source;
    uint64_t moved;
    int rc;

    if (!new_va)
        return pt_grant_unmap(v, host_va, false, m);
    rc = l1_place_of_va(v, host_va, &at);
    if (rc)
        return rc;
    rc = l1_place_of_va(v, new_va, &source);
    if (rc == 0) {
        moved = __atomic_exchange_n(source.slot, 0, __ATOMIC_SEQ_CST);
        tlb_flush_domain(v->domain, new_va);
        rc = replace_if_maps(at.slot, m, moved);
        if (rc)
            l1_entry_put(__atomic_exchange_n(source.slot, moved, __ATOMIC_SEQ_CST));
        l1_place_leave(v, &source);
    }
    l1_place_leave(v, &at);
    return rc;
}
