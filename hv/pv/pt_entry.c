/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page-table entry: which a guest may have, and what it holds while it stands.
 *
 * Guest kernel and guest user both run in ring 3, in address spaces of their own, so every guest mapping is a
 * user mapping: the U bit is set for the guest. The global bit is taken away: writing CR3 must drop all guest
 * mappings (mm/tlb.c). Bits that the processor ignores are the guest's. Refused: bits that mean something the
 * hypervisor does not follow (superpages, cache control of tables, protection keys).
 */
#include <hw/hw.h>

#include "pt.h"

#define PTE_KEYS        (0xfull << 59)          /* protection keys: never on for guests */
#define UPPER_REFUSED   (PTE_KEYS | PTE_PWT | PTE_PCD | PTE_PS | PTE_G)

bool l1_entry_form(const struct domain *d, uint64_t *entry)
{
    if (*entry & PTE_KEYS)
        return false;
    /* Memory that is cached differently by two mappings is for those who drive hardware. */
    if (unlikely(*entry & PTE_CACHE) && !d->privileged && !d->pv.io_frames.used && !d->pv.io_ports.used)
        return false;
    *entry = (*entry | PTE_U) & ~PTE_G;
    return true;
}

int l1_entry_get(struct domain *d, domid_t from, uint64_t *entry)
{
    mfn_t m = pte_mfn(*entry);

    if (!(*entry & PTE_P))
        return 0;
    if (!l1_entry_form(d, entry))
        return -XEN_EINVAL;
    if (unlikely(from != d->id) && !__atomic_load_n(&d->foreign_told, __ATOMIC_ACQUIRE))
        tlb_domain_maps_foreign(d);
    if (unlikely(!frame_exists(m)))             /* no RAM: nothing to count, only to permit */
        return (from == d->id || from == DOMID_IO) && ranges_have(&d->pv.io_frames, m.n, m.n) ? 0
                                                                                              : -XEN_EINVAL;
    if (*entry & PTE_RW ? frame_get_simple(m, from, TYPE_WRITABLE) != 0 : !frame_get_from(m, from))
        return -XEN_EINVAL;
    if (unlikely(from != d->id))
        frame_lend(m, *entry & PTE_RW);
    return 0;
}

void l1_entry_put(uint64_t entry)
{
    mfn_t m = pte_mfn(entry);

    if (!(entry & PTE_P) || !frame_exists(m))
        return;
    if (entry & PTE_RW)
        frame_put_writable(m);
    else
        frame_put(m);
}

bool upper_entry_form(uint64_t *entry)
{
    if (*entry & UPPER_REFUSED)
        return false;
    *entry |= PTE_U;
    return true;
}

int upper_entry_get(mfn_t m, struct domain *d, enum frame_type t, uint64_t *entry)
{
    int rc;

    if (!(*entry & PTE_P))
        return 0;
    if (!upper_entry_form(entry))
        return -XEN_EINVAL;
    rc = frame_get_typed(pte_mfn(*entry), d, (enum frame_type)(t - 1));
    if (unlikely(rc == -XEN_EINVAL) && !(*entry & PTE_RW))
        rc = linear_get(m, pte_mfn(*entry), d, t);
    return rc;
}

int upper_entry_put(mfn_t m, enum frame_type t, uint64_t entry)
{
    mfn_t target = pte_mfn(entry);
    int rc;

    if (!(entry & PTE_P) || mfn_eq(target, m))
        return 0;
    /* While the entry stands its target keeps its type, so this tells the two kinds apart. */
    if (likely(type_of(__atomic_load_n(&frame_of(target)->type, __ATOMIC_RELAXED)) != t))
        return frame_put_typed(target);
    rc = frame_put_linear(target);
    if (rc == 0)
        linear_unmark(m);
    return rc;
}
