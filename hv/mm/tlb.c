/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stale translations, and why hardly any flush is needed.
 *
 * Processors remember translations after the entry is gone. Three things must therefore not happen before
 * every processor has forgotten: a frame that a guest could write becomes a page table or descriptor table; a
 * page table becomes something a guest can write (the walker remembers upper levels too); a frame goes to
 * another owner.
 *
 * So there is a clock, which ticks whenever a processor drops all translations of guests (any write of CR3:
 * guest mappings are never global). A frame whose last mapping goes is stamped with the clock; when it is to
 * become something else, a flush is needed only if some processor has not flushed since. Guests write CR3 at
 * every system call, so that is rare. The orders that make it right: entry removed, then stamp taken, then
 * reference given up; and the clock ticks before a flush, whose time is that tick.
 *
 * Most processors have nothing to do with the frame at all: they run another domain, which maps no memory but
 * its own. tlb_flushed[].space says so; it is "any" while a processor changes from one to another. Those that
 * do map frames of others (dom0's are among them) are asked only if the frame was lent to anybody: else a
 * guest that keeps making tables and taking them apart would interrupt dom0 each time.
 *
 * A processor that has gone to the hypervisor's own root holds nothing of any guest and says so by
 * TLB_NONE_HELD. Before it loads a guest's root it announces a moment again: either we see that, and ask it
 * to flush, or it sees that the entry is gone.
 *
 * The stamp has 24 bits and stands where the count of types would, while that is zero. Reading it back we
 * assume the latest moment it can mean. An old stamp may thus look younger than it is and cost a flush too
 * many, never one too few.
 */
#include <hv/frame.h>
#include <hv/limits.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

uint64_t tlb_clock __attribute__((aligned(64)));
struct tlb_moment tlb_flushed[MAX_CPUS];

static bool may_hold(const struct tlb_moment *m, domid_t owner, bool lent)
{
    uint32_t space = __atomic_load_n(&m->space, __ATOMIC_SEQ_CST);

    return (domid_t)space == owner || (space & TLB_SPACE_ANY) == TLB_SPACE_ANY ||
           (lent && space & TLB_SPACE_FOREIGN) || owner >= DOMID_FIRST_RESERVED;
}

static void not_flushed_since(uint64_t moment, domid_t owner, bool lent, struct cpu_set *who)
{
    for (unsigned i = 0; i < pcpu_count; i++)
        if (__atomic_load_n(&tlb_flushed[i].at, __ATOMIC_SEQ_CST) <= moment &&
            may_hold(&tlb_flushed[i], owner, lent))
            cpu_set_add(who, i);
}

void tlb_flush_since(uint64_t type_word, domid_t owner, bool lent)
{
    uint64_t now = __atomic_load_n(&tlb_clock, __ATOMIC_SEQ_CST);
    uint64_t stamp = (type_word & TYPE_STAMP_MASK) >> TYPE_STAMP_SHIFT;
    uint64_t age = (now - stamp) & (TYPE_STAMP_MASK >> TYPE_STAMP_SHIFT);
    struct cpu_set who = { 0 };

    not_flushed_since(now - age, owner, lent, &who);
    if (unlikely(!cpu_set_empty(&who)))
        tlb_flush_cpus(&who);
}
