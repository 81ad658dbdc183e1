/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replacing one entry of a table in use. No lock: whoever puts an entry into the slot by compare-exchange
 * brought its references, and whoever took one out owns those of what he took out. The processor may set
 * accessed and dirty at any time, and other vCPUs may replace the entry at the same time; the
 * compare-exchange sees both.
 *
 * Most changes touch flags only, clear an entry, or set one to the domain's own memory. If the frame and the
 * right to write stay the same, references stay where they are. Exactly that is asked for, and not a list of
 * harmless flags: a flag forgotten in such a list has been the end of isolation more than once.
 *
 * The frame of an entry that was taken out may still be in the processor's memory of translations: see
 * mm/tlb.c for why that harms nobody.
 */
#include <hw/hw.h>

#include "pt.h"

#define PTE_AD (PTE_A | PTE_D)

static uint64_t load(const uint64_t *slot) { return __atomic_load_n(slot, __ATOMIC_RELAXED); }

static bool swap(uint64_t *slot, uint64_t *old, uint64_t entry)
{
    return __atomic_compare_exchange_n(slot, old, entry, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* Puts the entry in and returns what it replaced. */
static uint64_t exchange(uint64_t *slot, uint64_t entry, bool keep_ad)
{
    uint64_t old = load(slot);

    while (!swap(slot, &old, keep_ad && (entry & PTE_P) ? entry | (old & PTE_AD) : entry))
        ;
    return old;
}

static bool same_frame(uint64_t a, uint64_t b) { return (a & b & PTE_P) && !((a ^ b) & PTE_FRAME); }

/* Same frame, same right to write: true if replaced. */
static bool replace_flags(uint64_t *slot, uint64_t entry, bool keep_ad)
{
    uint64_t old = load(slot);

    while (same_frame(old, entry) && !((old ^ entry) & PTE_RW))
        if (swap(slot, &old, keep_ad ? entry | (old & PTE_AD) : entry))
            return true;
    return false;
}

/* The entry keeps its frame, and its right to write or gives that up: true if replaced. */
static bool replace_same(uint64_t *slot, uint64_t entry, bool keep_ad)
{
    uint64_t old = load(slot);

    while (same_frame(old, entry) && !(entry & ~old & PTE_RW))
        if (swap(slot, &old, keep_ad ? entry | (old & PTE_AD) : entry)) {
            if ((old & ~entry & PTE_RW) && frame_exists(pte_mfn(entry)))
                frame_drop_writable(pte_mfn(entry));
            return true;
        }
    return false;
}

int l1_entry_set(struct domain *d, uint64_t *slot, uint64_t entry, domid_t from, bool keep_ad)
{
    if (entry & PTE_P) {
        uint64_t formed = entry;

        if (!l1_entry_form(d, &formed))
            return -XEN_EINVAL;
        if (replace_same(slot, formed, keep_ad))
            return 0;
        if (l1_entry_get(d, from, &entry))
            return -XEN_EINVAL;
    }
    l1_entry_put(exchange(slot, entry, keep_ad));
    return 0;
}

/* Flags alone need no references, nor does giving up the right to write; anything else brings its own. */
int l1_entry_replace(struct domain *d, uint64_t *slot, uint64_t expected, uint64_t entry)
{
    uint64_t formed = entry;
    bool same = same_frame(expected, entry), gains = (entry & ~expected & PTE_RW) != 0;
    bool keeps = same && !gains;

    if (keeps ? !l1_entry_form(d, &formed) : l1_entry_get(d, d->id, &formed) != 0)
        return -XEN_EINVAL;
    if (!swap(slot, &expected, formed)) {
        if (!keeps)
            l1_entry_put(formed);
        return -XEN_EAGAIN;
    }
    if (!keeps)
        l1_entry_put(expected);
    else if ((expected & ~formed & PTE_RW) && frame_exists(pte_mfn(formed)))
        frame_drop_writable(pte_mfn(formed));
    return 0;
}

/* Releases what an entry held that is out of its table already. */
static int upper_entry_drop(struct vcpu *v, mfn_t m, enum frame_type t, uint64_t entry)
{
    mfn_t target = pte_mfn(entry);

    if (!(entry & PTE_P) || mfn_eq(target, m))
        return 0;
    if (likely(type_of(__atomic_load_n(&frame_of(target)->type, __ATOMIC_RELAXED)) != t))
        return pv_put_table(v, target);
    linear_unmark(m);
    return undo_linear(v, target);
}

int upper_entry_set(struct vcpu *v, struct domain *d, mfn_t m, enum frame_type t, unsigned index,
                    uint64_t *table, uint64_t entry, bool keep_ad, bool *done)
{
    uint64_t formed = entry;
    int rc;

    *done = false;
    if (t == TYPE_L4 && l4_slot_reserved(index))
        return -XEN_EINVAL;
    if ((entry & PTE_P) && upper_entry_form(&formed) && replace_flags(&table[index], formed, keep_ad))
        return 0;
    rc = upper_entry_get(m, d, t, &entry);
    if (rc)
        return rc;
    *done = true;
    return upper_entry_drop(v, m, t, exchange(&table[index], entry, keep_ad));
}
