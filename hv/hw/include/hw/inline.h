/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's version of the seam's inline part: memory by the direct map, the processor by its stack. */
#ifndef HW_INLINE_H
#define HW_INLINE_H

#include <hv/types.h>
#include <hw/layout.h>

/* Guest-owned frames are reached only between these two; at most four at a time, never across a
 * preemption. */
static inline void *frame_map(mfn_t m) { return (void *)(DIRECT_MAP + (m.n << PAGE_SHIFT)); }
static inline void frame_unmap(const void *p) { (void)p; }

/* Pointers of the hypervisor's own pages. */
static inline mfn_t mfn_of_page(const void *p) { return MFN(((uint64_t)p - DIRECT_MAP) >> PAGE_SHIFT); }
static inline void *page_of_mfn(mfn_t m) { return (void *)(DIRECT_MAP + (m.n << PAGE_SHIFT)); }

/* Each processor's stack is STACK_SIZE aligned; its lowest word points to the processor. */
static inline struct pcpu *this_cpu(void)
{
    struct pcpu **base;
    __asm__("movq %%rsp, %0" : "=r"(base));
    return *(struct pcpu **)((uint64_t)base & ~(STACK_SIZE - 1));
}

#endif
