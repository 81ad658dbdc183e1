/* SPDX-License-Identifier: BSD-2-Clause */
/* What mmu_update and mmuext_op share: whose frames, whose tables. */
#ifndef PV_MMU_H
#define PV_MMU_H

#include <hv/domain.h>
#include <hv/hypercall.h>

#include "pt.h"

/* Bit of the count that says: this is the rest of a call that was interrupted. */
#define MMU_PREEMPTED 0x80000000u

/* The domid argument: frames are looked for with `from`; `frames` is NULL for DOMID_IO and DOMID_XEN. */
struct foreign {
    domid_t        from;
    struct domain *frames;      /* referenced unless it is v's own */
    struct domain *tables;      /* whose page tables are changed; the same */
};

/* 0; -EPERM: not for this caller; -ESRCH: no such domain, or it is dying. */
int  foreign_find(struct vcpu *v, uint32_t domid, struct foreign *f);
void foreign_leave(struct vcpu *v, struct foreign *f);

/* How a list of elements went: what the hypercall returns, progress stored for the guest. */
struct list_progress { uint64_t list; uint32_t count, done, before; uint64_t done_at; };
/* Reads count, and for a continued call how many were done before. 0 or -EFAULT. */
int  list_begin(struct list_progress *p, uint64_t list, uint64_t count, uint64_t done_at);
long list_end(struct vcpu *v, struct list_progress *p, int rc, size_t size, uint64_t domid);

/* Operation of update_va_mapping: what is to be flushed after it. 0 or -EFAULT. */
int  mmu_flush_va(struct vcpu *v, uint64_t va, uint64_t flags);

#endif
