/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only two doors to guest memory by virtual address. They refuse addresses in the hypervisor's part and
 * survive any fault. Each byte is read once: callers work on their copy.
 */
#ifndef HV_GUEST_H
#define HV_GUEST_H

#include <hv/types.h>

/* True if [va, va+len) lies wholly in guest-usable canonical space. */
static inline bool guest_range_ok(uint64_t va, uint64_t len)
{
    uint64_t end = va + len;

    if (end < va)
        return false;
    if (va < (1ull << 47))
        return end <= (1ull << 47);
    return va >= HYPERVISOR_VIRT_END;
}

/* 0 or -EFAULT. Partial copies may have happened on failure. The current vCPU's address space is used. */
int __must_check guest_read(void *dst, gaddr_t src, size_t len);
int __must_check guest_write(gaddr_t dst, const void *src, size_t len);

static inline gaddr_t gaddr_index(gaddr_t base, uint64_t index, size_t size)
{
    return GADDR(base.va + index * size);
}

#endif
