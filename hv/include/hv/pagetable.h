/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of PV guests. The guest writes real page tables; every entry is checked before the processor
 * can see it. See docs/design/memory.md, and the top of pv/pt_validate.c for the whole idea.
 *
 * THE RULE OF REFERENCES, which everybody who installs or removes an entry must know: *the entry owns its
 * reference.* A present L1 entry that maps RAM holds one reference of the frame it maps, and if it is
 * writable one TYPE_WRITABLE type reference too, whoever owns the frame and by whatever way the entry came
 * there (mmu_update, foreign mapping by dom0, grant). Whatever replaces the entry, by whatever way, releases
 * what the entry that it took out held. So a grant mapping that its guest clears by mmu_update, or that goes
 * down with the table it stands in, has given back the frame; the grant code then only forgets its handle and
 * must not release the frame a second time. Entries of memory that is not RAM hold nothing.
 */
#ifndef HV_PAGETABLE_H
#define HV_PAGETABLE_H

#include <hv/frame.h>
#include <hv/types.h>

#define PTE_P     (1ull << 0)
#define PTE_RW    (1ull << 1)
#define PTE_U     (1ull << 2)
#define PTE_PWT   (1ull << 3)
#define PTE_PCD   (1ull << 4)
#define PTE_A     (1ull << 5)
#define PTE_D     (1ull << 6)
#define PTE_PS    (1ull << 7)      /* L2, L3: superpage */
#define PTE_PAT   (1ull << 7)      /* L1 */
#define PTE_G     (1ull << 8)
#define PTE_NX    (1ull << 63)
#define PTE_FRAME 0x000ffffffffff000ull
#define PTE_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)

static inline mfn_t pte_mfn(uint64_t pte) { return MFN((pte & PTE_FRAME) >> PAGE_SHIFT); }
static inline uint64_t pte_make(mfn_t m, uint64_t flags) { return (m.n << PAGE_SHIFT) | flags; }

#define PT_ENTRIES 512
static inline unsigned pt_index(uint64_t va, unsigned level)
{
    return (va >> (3 + 9 * level)) & (PT_ENTRIES - 1);
}

/* ---- looking up (pv/pt_walk.c) ---- */

/* Where a walk ended. level 1: l1_table and index say where the entry stands; else the level that was not
 * present. */
struct pt_walk {
    unsigned level;
    mfn_t    table;     /* frame of the table of that level */
    unsigned index;
    uint64_t entry;     /* as read */
    bool     writable;  /* RW in all levels above and in this one */
    bool     noexec;
};
/* Follows va from the root. True if an L1 entry was reached and is present. va in the hypervisor's part:
 * false. */
bool pt_walk(mfn_t root, uint64_t va, struct pt_walk *w);

/* ---- grants (pv/pt_grant.c). host_addr: a virtual address of v's current address space, or, with is_pte,
 * the machine address of an L1 entry in a validated L1 table of v's domain, 8-byte aligned. ---- */

/*
 * Maps frame m of domain `owner` there. flags: PTE bits without P and U (PTE_RW, PTE_NX, PTE_A, PTE_D,
 * available bits 9-11); takes the reference (and the writable type) from the owner on behalf of the entry and
 * releases what stood there before. 0; -EINVAL: no such place, or not an L1 table of v's domain; -EPERM: m is
 * not the owner's or cannot be had writable now (in use as page table). No flush: a new mapping needs none;
 * the old one's frame is protected by its stamp (see mm/tlb.c), so correctness of others never depends on a
 * flush by the caller.
 */
int __must_check pt_grant_map(struct vcpu *v, uint64_t host_addr, bool is_pte, mfn_t m,
                              const struct domain *owner, uint64_t flags);
/*
 * Clears the entry there if it still maps frame m, and releases what the entry held. 0; -EINVAL: no such
 * place; -ENOENT: it maps something else now (the guest replaced it: nothing is released, and nothing is
 * owed).
 */
int __must_check pt_grant_unmap(struct vcpu *v, uint64_t host_addr, bool is_pte, mfn_t m);
/* unmap_and_replace: as unmap, but what maps new_va moves to host_addr; new_va is cleared. new_va 0: plain
 * unmap. */
int __must_check pt_grant_replace(struct vcpu *v, uint64_t host_va, mfn_t m, uint64_t new_va);

/* ---- roots (pv/pt_root.c) ---- */

/*
 * Gives v new roots: takes them as L4 of its domain (-EINVAL, -ERESTART: call again), releases the old. user
 * MFN_INVALID: none. Used by setvcpucontext; the hot ways are NEW_BASEPTR and NEW_USER_BASEPTR.
 */
int  __must_check pv_roots_set(struct vcpu *v, mfn_t kernel, mfn_t user);
/* A table lost its last user but taking it apart was preempted: it waits with v. 0 or -ERESTART. */
int  __must_check pv_undo_pending(struct vcpu *v);
/* Releases a typed reference on behalf of v; what is left to do waits with v. 0 or -ERESTART (done, but call
 * pv_undo_pending() before the next operation on page tables). */
int  pv_put_table(struct vcpu *v, mfn_t m);

/* ---- descriptor windows (pv/descriptor.c): per-domain area at PERDOMAIN, 32 pages a vCPU: pages 0..13
 * the guest's GDT, 14 and 15 the hypervisor's, 16..31 its LDT. ---- */
#define WINDOW_PAGES     32
#define WINDOW_LDT_PAGE  16
#define WINDOW_VA(vcpu_id) (PERDOMAIN + (uint64_t)(vcpu_id) * WINDOW_PAGES * PAGE_SIZE)

int  perdomain_init(struct domain *d);          /* sets d->pv.perdomain_l3; 0 or -ENOMEM */
int  perdomain_add_vcpu(struct vcpu *v);        /* sets v->pv.gdt_window; 0 or -ENOMEM */
void perdomain_free(struct domain *d);          /* and what else hangs on pv_domain: the memory map */
/* Replaces v's GDT: frames[0..DIV_ROUND_UP(entries, 512)) become SEGDESC of its domain. 0, -EINVAL. */
int  __must_check pv_gdt_set(struct vcpu *v, const uint64_t *frames, unsigned entries);
void pv_gdt_release(struct vcpu *v);
/* Sets base (page-aligned virtual address) and size; pages come in by faults. 0 or -EINVAL. */
int  __must_check pv_ldt_set(struct vcpu *v, uint64_t base, unsigned entries);
void pv_ldt_release(struct vcpu *v);            /* unmaps its pages, keeps base and size */
/* A fault in v's LDT window: true if the page is there now (or an exception was injected). */
bool pv_ldt_fault(struct vcpu *v, uint64_t cr2, uint32_t error);

/* ---- between mm/frame.c and pv/: making frames into tables and back ---- */

/*
 * Checks entries from *progress on, each taking its references. 0; -EINVAL at entry *progress; -ERESTART:
 * preempted before entry *progress. The caller holds TYPE_BUSY of the frame.
 */
int pt_validate(mfn_t m, struct domain *d, enum frame_type t, unsigned *progress);
/* Releases what entries below *progress hold, from the last to the first. 0 or -ERESTART. */
int pt_invalidate(mfn_t m, enum frame_type t, unsigned *progress);
bool descriptor_page_validate(mfn_t m);

#endif
