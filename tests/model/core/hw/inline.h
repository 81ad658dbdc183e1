/* SPDX-License-Identifier: BSD-2-Clause */
/* The seam's inline part for the models of core: frames are pages of one array, a processor is a thread. */
#ifndef HW_INLINE_H
#define HW_INLINE_H

#include <hv/types.h>

extern uint8_t *fake_memory;
extern _Thread_local struct pcpu *fake_cpu;

static inline void *frame_map(mfn_t m) { return fake_memory + (m.n << PAGE_SHIFT); }
static inline void frame_unmap(const void *p) { (void)p; }
static inline mfn_t mfn_of_page(const void *p)
{
    return MFN((uint64_t)((const uint8_t *)p - fake_memory) >> PAGE_SHIFT);
}
static inline void *page_of_mfn(mfn_t m) { return fake_memory + (m.n << PAGE_SHIFT); }
static inline struct pcpu *this_cpu(void) { return fake_cpu; }

#endif
