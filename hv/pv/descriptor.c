/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables of PV guests.
 *
 * The processor reads descriptors with its own rights, so the frames that hold them are typed SEGDESC: every
 * entry was checked, and only update_descriptor writes to them. Allowed are code and data for ring 3; guests
 * write ring 0 into theirs, so the privilege is raised for them. Gates and other system descriptors are not.
 *
 * Each vCPU sees its tables through a window at a fixed address in the per-domain slot of the top level, so
 * the processor's registers need not change when the guest changes tables, and switching vCPUs costs no
 * copying. GDT pages that the guest does not use show a page of zeros: a selector there is refused by the
 * processor itself. LDT pages come in when they are first touched, because a guest names its LDT by virtual
 * address.
 */
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#include "pt.h"

#define ENTRIES_PER_PAGE 512
#define WINDOWS_PER_L1   (PT_ENTRIES / WINDOW_PAGES)
#define WINDOW_ENTRY     (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)
#define WINDOW_TABLE     (PTE_P | PTE_RW | PTE_A)

#define DESC_PRESENT   (1ull << 47)
#define DESC_DPL       (3ull << 45)
#define DESC_S         (1ull << 44)     /* code or data; clear: system */
#define DESC_TYPE      (15ull << 40)

static mfn_t zero_frame;

/* ---- checks ---- */
/* Whether a guest may have this descriptor; DPL is raised to 3 in place. */
static bool descriptor_check(uint64_t *desc)
{
    if (!(*desc & DESC_PRESENT))
        return true;
    if (!(*desc & DESC_S) && (*desc & DESC_TYPE))
        return false;
    *desc |= DESC_DPL;
    return true;
}

bool descriptor_page_validate(mfn_t m)
{
    uint64_t *page = frame_map(m);
    bool ok = true;

    for (unsigned i = 0; ok && i < ENTRIES_PER_PAGE; i++) {
        uint64_t desc = page[i];

        ok = descriptor_check(&desc);
        if (ok && desc != page[i])
            page[i] = desc;
    }
    frame_unmap(page);
    return ok;
}

/* ---- the per-domain area ---- */
static uint64_t *next_table(uint64_t *slot)
{
    void *page;

    if (*slot & PTE_P)
        return page_of_mfn(pte_mfn(*slot));
    page = page_alloc(0);
    if (page)
        *slot = pte_make(mfn_of_page(page), WINDOW_TABLE);
    return page;
}

/* One for all domains, made with the first; two processors may be at it. */
static int zero_ready(void)
{
    uint64_t none = 0;
    void *zero;

    if (__atomic_load_n(&zero_frame.n, __ATOMIC_ACQUIRE))
        return 0;
    zero = page_alloc(0);
    if (!zero)
        return -XEN_ENOMEM;
    if (!__atomic_compare_exchange_n(&zero_frame.n, &none, mfn_of_page(zero).n, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        page_free(zero, 0);
    return 0;
}

int perdomain_init(struct domain *d)
{
    void *l3;

    if (zero_ready())
        return -XEN_ENOMEM;
    l3 = page_alloc(0);
    if (!l3)
        return -XEN_ENOMEM;
    d->pv.perdomain_l3 = mfn_of_page(l3);
    return 0;
}

int perdomain_add_vcpu(struct vcpu *v)
{
    uint64_t *l3 = page_of_mfn(v->domain->pv.perdomain_l3), *l2, *l1;

    l2 = next_table(&l3[0]);
    l1 = l2 ? next_table(&l2[v->id / WINDOWS_PER_L1]) : NULL;
    if (!l1)
        return -XEN_ENOMEM;
    v->pv.gdt_window = l1 + v->id % WINDOWS_PER_L1 * WINDOW_PAGES;
    for (unsigned i = 0; i < PV_GDT_FRAMES; i++)
        v->pv.gdt_window[i] = pte_make(zero_frame, PTE_P | PTE_A | PTE_NX);
    return 0;
}

void perdomain_free(struct domain *d)
{
    uint64_t *l3, *l2;

    kfree(d->pv.memory_map);
    d->pv.memory_map = NULL;
    if (!d->pv.perdomain_l3.n)
        return;
    l3 = page_of_mfn(d->pv.perdomain_l3);
    if (l3[0] & PTE_P) {
        l2 = page_of_mfn(pte_mfn(l3[0]));
        for (unsigned i = 0; i < PT_ENTRIES; i++)
            if (l2[i] & PTE_P)
                page_free(page_of_mfn(pte_mfn(l2[i])), 0);
        page_free(l2, 0);
    }
    page_free(l3, 0);
    d->pv.perdomain_l3 = MFN(0);
}

/* ---- windows ---- */

/*
 * A page of the window of the vCPU that runs here is forgotten here: when it moves, the processor that it
 * comes to drops what it remembers. One that does not run may come back to where it ran, in an address space
 * that was not left meanwhile because its sisters run in it.
 */
static void window_set(struct vcpu *v, unsigned page, uint64_t entry)
{
    if (v->pv.gdt_window[page] == entry)
        return;
    __atomic_store_n(&v->pv.gdt_window[page], entry, __ATOMIC_RELEASE);
    if (likely(this_cpu()->current == v))
        tlb_flush_page_local(WINDOW_VA(v->id) + page * PAGE_SIZE);
    else
        tlb_flush_domain(v->domain, WINDOW_VA(v->id) + page * PAGE_SIZE);
}

void pv_window_bind(struct vcpu *v)
{
    window_set(v, PV_GDT_FRAMES, pte_make(hw_reserved_gdt_frame(), WINDOW_ENTRY));
}

static void descriptors_put(mfn_t m)
{
    int rc = frame_put_typed(m);

    BUG_ON(rc != 0);            /* not a page table: never preempted */
}

/* ---- GDT ---- */
static void gdt_put(const uint64_t *frames, unsigned pages)
{
    while (pages-- > 0)
        descriptors_put(MFN(frames[pages]));
}

void pv_gdt_release(struct vcpu *v)
{
    unsigned pages = DIV_ROUND_UP(v->pv.gdt_entries, ENTRIES_PER_PAGE);

    for (unsigned i = 0; i < pages; i++) {
        window_set(v, i, pte_make(zero_frame, PTE_P | PTE_A | PTE_NX));
        descriptors_put(v->pv.gdt_frame[i]);
        v->pv.gdt_frame[i] = MFN_INVALID;
    }
    v->pv.gdt_entries = 0;
}

int pv_gdt_set(struct vcpu *v, const uint64_t *frames, unsigned entries)
{
    unsigned pages = DIV_ROUND_UP(entries, ENTRIES_PER_PAGE);

    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -XEN_EINVAL;
    for (unsigned i = 0; i < pages; i++)
        if (frame_get_simple(MFN(frames[i]), v->domain->id, TYPE_SEGDESC)) {
            gdt_put(frames, i);
            return -XEN_EINVAL;
        }
    pv_gdt_release(v);
    for (unsigned i = 0; i < pages; i++) {
        v->pv.gdt_frame[i] = MFN(frames[i]);
        window_set(v, i, pte_make(MFN(frames[i]), WINDOW_ENTRY));
    }
    v->pv.gdt_entries = entries;
    return 0;
}

long hc_set_gdt(struct vcpu *v, uint64_t list, uint64_t entries, uint64_t a3, uint64_t a4, uint64_t a5)
{
    uint64_t frames[PV_GDT_FRAMES];

    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return refuse(v, -XEN_EINVAL, entries, FIRST_RESERVED_GDT_ENTRY);
    if (guest_read(frames, GADDR(list), DIV_ROUND_UP(entries, ENTRIES_PER_PAGE) * sizeof *frames))
        return -XEN_EFAULT;
    return pv_gdt_set(v, frames, (unsigned)entries);
}

/* ---- LDT ---- */
void pv_ldt_release(struct vcpu *v)
{
    for (unsigned i = 0; v->pv.ldt_mapped >> i; i++) {
        uint64_t entry = v->pv.gdt_window[WINDOW_LDT_PAGE + i];

        if (!(v->pv.ldt_mapped >> i & 1))
            continue;
        window_set(v, WINDOW_LDT_PAGE + i, 0);
        descriptors_put(pte_mfn(entry));
    }
    v->pv.ldt_mapped = 0;
}

int pv_ldt_set(struct vcpu *v, uint64_t base, unsigned entries)
{
    if (entries > PV_LDT_ENTRIES || (entries && (base & ~PAGE_MASK)) || !guest_range_ok(base, entries * 8ull))
        return -XEN_EINVAL;
    if (v->pv.ldt_base == base && v->pv.ldt_entries == entries)
        return 0;
    pv_ldt_release(v);
    v->pv.ldt_base = base;
    v->pv.ldt_entries = entries;
    if (this_cpu()->current == v)
        hw_load_ldt(v);
    return 0;
}

/* The table is the guest kernel's, whoever named a selector: user mode has another root, without it. */
bool pv_ldt_fault(struct vcpu *v, uint64_t cr2, uint32_t error)
{
    uint64_t start = WINDOW_VA(v->id) + WINDOW_LDT_PAGE * PAGE_SIZE, va;
    unsigned page = (unsigned)((cr2 - start) >> PAGE_SHIFT);
    struct pt_walk w;
    mfn_t m;

    if (cr2 < start || page >= WINDOW_PAGES - WINDOW_LDT_PAGE || page * ENTRIES_PER_PAGE >= v->pv.ldt_entries)
        return false;
    va = v->pv.ldt_base + (cr2 - start);
    m = pt_walk(v->pv.root_kernel, va, &w) ? pte_mfn(w.entry) : MFN_INVALID;
    if (!mfn_valid_number(m) || frame_get_simple(m, v->domain->id, TYPE_SEGDESC)) {
        pv_inject_page_fault(v, va, error & ~4u);
        return true;
    }
    if (v->pv.ldt_mapped >> page & 1) {
        descriptors_put(m);
        return true;
    }
    v->pv.ldt_mapped |= 1ull << page;
    window_set(v, WINDOW_LDT_PAGE + page, pte_make(m, WINDOW_ENTRY));
    return true;
}

/* ---- one descriptor ---- */
long hc_update_descriptor(struct vcpu *v, uint64_t at, uint64_t desc, uint64_t a3, uint64_t a4, uint64_t a5)
{
    mfn_t m = MFN(at >> PAGE_SHIFT);
    enum frame_type now;
    uint64_t *page;
    int rc;

    if ((at & 7) || !descriptor_check(&desc))
        return refuse(v, -XEN_EINVAL, at, desc);
    if (!frame_exists(m))
        return refuse(v, -XEN_EINVAL, at, desc);
    /* What it is now, it stays: a table in use, or ordinary memory. */
    now = type_of(__atomic_load_n(&frame_of(m)->type, __ATOMIC_RELAXED));
    rc = frame_get_simple(m, v->domain->id, now == TYPE_SEGDESC ? TYPE_SEGDESC : TYPE_WRITABLE);
    if (rc)
        return refuse(v, rc, at, desc);
    page = frame_map(m);
    __atomic_store_n(&page[(at & ~PAGE_MASK) / 8], desc, __ATOMIC_RELAXED);
    frame_unmap(page);
    descriptors_put(m);
    return 0;
}
