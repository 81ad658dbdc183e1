/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's version of the seam's inline part: machine memory is an array, a processor is a thread.
 * frame_map() counts how many frames are mapped at once, so a mapping that is never undone is found by the
 * test that made it.
 */
#ifndef HW_INLINE_H
#define HW_INLINE_H

#include <hv/types.h>
#include <hw/layout.h>

extern uint8_t *host_memory;
extern uint64_t host_frames;
extern _Thread_local int host_mapped;           /* frames mapped by this processor now */
extern _Thread_local struct pcpu *host_cpu;

/* Stops the test if there is no such frame, or too many are mapped: tests/host/stand_in.h says when. */
void host_frame_check(uint64_t n);

static inline void *frame_map(mfn_t m)
{
    host_mapped++;
    host_frame_check(m.n);
    return host_memory + (m.n << PAGE_SHIFT);
}
static inline void frame_unmap(const void *p)
{
    (void)p;
    host_mapped--;
}

static inline mfn_t mfn_of_page(const void *p)
{
    return MFN((uint64_t)((const uint8_t *)p - host_memory) >> PAGE_SHIFT);
}
static inline void *page_of_mfn(mfn_t m) { return host_memory + (m.n << PAGE_SHIFT); }
static inline struct pcpu *this_cpu(void) { return host_cpu; }

#endif
