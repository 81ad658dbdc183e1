/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Letting go of a table may mean to take a whole tree apart, which can be preempted after the operation that
 * caused it is done and cannot be repeated (the entry is replaced, the root is switched). The reference then
 * waits with the vCPU, and the vCPU's next operation on page tables finishes it first. Two places are enough:
 * an operation can leave one table behind, and the table that it worked in can lose its last user meanwhile.
 * Grant operations look here once for a few elements; if there is no place then, one is finished at once.
 */
#include <hw/hw.h>

#include "pt.h"

#define UNDO_LINEAR (1ull << 63)

static int undo_put(struct vcpu *v, mfn_t m, uint64_t kind)
{
    int rc;

    do
        rc = kind ? frame_put_linear(m) : frame_put_typed(m);
    while (unlikely(rc) && v->pv.undo_count == ARRAY_LEN(v->pv.undo));
    if (likely(rc == 0))
        return 0;
    v->pv.undo[v->pv.undo_count++] = m.n | kind;
    return -XEN_ERESTART;
}

int pv_put_table(struct vcpu *v, mfn_t m) { return undo_put(v, m, 0); }
int undo_linear(struct vcpu *v, mfn_t m) { return undo_put(v, m, UNDO_LINEAR); }

int pv_undo_pending(struct vcpu *v)
{
    while (unlikely(v->pv.undo_count)) {
        uint64_t undo = v->pv.undo[v->pv.undo_count - 1];
        mfn_t m = MFN(undo & ~UNDO_LINEAR);

        if (undo & UNDO_LINEAR ? frame_put_linear(m) : frame_put_typed(m))
            return -XEN_ERESTART;
        v->pv.undo_count--;
    }
    return 0;
}
