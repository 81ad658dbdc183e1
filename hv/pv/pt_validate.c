/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a frame into a page table: every present entry is checked and takes its references; and the way
 * back.
 *
 * The whole safety of a PV guest: the processor may walk exactly those tables that were checked, and nobody
 * can write them but by hypercalls that check again. An L1 entry holds a reference of the frame that it maps
 * (writable: of its type WRITABLE too); an entry of L2, L3, L4 holds a type reference of the table below,
 * which is validated for it if it was not yet. So everything that can be reached from a root was checked, and
 * stays what it is while it can be reached: a frame that some L1 maps writable has type WRITABLE and cannot
 * become a table; a table cannot be mapped writable.
 *
 * Both ways stop when preemption is due, between entries, at least one entry further; mm/frame.c keeps how
 * far they came. Entries are taken in ascending order and given back in descending, so one number says all.
 */
#include <hv/hypercall.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "pt.h"

/*
 * After each present entry; the first of a call always gets through. Counted for the processor and not for
 * the table, or a tree whose tables have a little less than a batch each would be gone through without a
 * look. At boot nobody waits.
 */
static bool preempt_now(struct pcpu *c)
{
    if (likely(++c->table_entries % PREEMPT_BATCH))
        return false;
    return c->current && !vcpu_is_idle(c->current) && preempt_due(c->current);
}

static bool holds_nothing(enum frame_type t, unsigned i, uint64_t entry)
{
    return !(entry & PTE_P) || (t == TYPE_L4 && l4_slot_reserved(i));
}

/* Most tables are mostly empty: eight entries from i on at once. */
static bool eight_absent(const uint64_t *table, unsigned i)
{
    const uint64_t *e = &table[i];

    return !((e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) & PTE_P);
}

static unsigned skip_up(const uint64_t *table, unsigned i)
{
    while (i % 8 == 0 && i < PT_ENTRIES && eight_absent(table, i))
        i += 8;
    return i;
}

static unsigned skip_down(const uint64_t *table, unsigned i)
{
    while (i % 8 == 0 && i > 0 && eight_absent(table, i - 8))
        i -= 8;
    return i;
}

/* Checks one entry of the table and brings it into its form. The processor does not walk the table yet. */
static int validate_entry(mfn_t m, struct domain *d, enum frame_type t, uint64_t *slot, uint64_t entry)
{
    uint64_t formed = entry;
    int rc = t == TYPE_L1 ? l1_entry_get(d, d->id, &formed) : upper_entry_get(m, d, t, &formed);

    if (rc == 0 && formed != entry)
        __atomic_store_n(slot, formed, __ATOMIC_RELAXED);
    return rc;
}

/*
 * Going on where somebody stopped who may have been taking the table apart: the last entry that counts as
 * holding references may point to a table that is itself half undone. It is validated again for a reference
 * more, which then goes.
 */
static int validate_boundary(mfn_t m, struct domain *d, enum frame_type t, const uint64_t *table,
                             unsigned progress)
{
    uint64_t entry;
    int rc;

    if (progress == 0 || t == TYPE_L1)
        return 0;
    entry = __atomic_load_n(&table[progress - 1], __ATOMIC_RELAXED);
    if (holds_nothing(t, progress - 1, entry))
        return 0;
    rc = upper_entry_get(m, d, t, &entry);
    if (rc == 0)
        BUG_ON(upper_entry_put(m, t, entry) != 0);
    return rc;
}

int pt_validate(mfn_t m, struct domain *d, enum frame_type t, unsigned *progress)
{
    uint64_t *table = frame_map(m);
    struct pcpu *c = this_cpu();
    int rc = validate_boundary(m, d, t, table, *progress);

    while (rc == 0 && (*progress = skip_up(table, *progress)) < PT_ENTRIES) {
        uint64_t entry = __atomic_load_n(&table[*progress], __ATOMIC_RELAXED);

        if (holds_nothing(t, *progress, entry)) {
            ++*progress;
            continue;
        }
        rc = validate_entry(m, d, t, &table[*progress], entry);
        if (rc == 0 && ++*progress < PT_ENTRIES && preempt_now(c))
            rc = -XEN_ERESTART;
    }
    if (rc == 0 && t == TYPE_L4)
        hw_fill_root(table, d->pv.perdomain_l3);
    frame_unmap(table);
    return rc;
}

int pt_invalidate(mfn_t m, enum frame_type t, unsigned *progress)
{
    uint64_t *table = frame_map(m);
    struct pcpu *c = this_cpu();
    int rc = 0;

    while (rc == 0 && (*progress = skip_down(table, *progress)) > 0) {
        unsigned i = *progress - 1;
        uint64_t entry = __atomic_load_n(&table[i], __ATOMIC_RELAXED);

        if (holds_nothing(t, i, entry))
            *progress = i;
        else if (t == TYPE_L1)
            l1_entry_put(entry);
        else
            rc = upper_entry_put(m, t, entry);
        if (*progress == i || rc)
            continue;
        *progress = i;
        if (i > 0 && preempt_now(c))
            rc = -XEN_ERESTART;
    }
    frame_unmap(table);
    return rc;
}
