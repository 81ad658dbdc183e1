/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The roots of a vCPU: an L4 table for guest kernel mode and one for guest user mode, each held by a type
 * reference while it is in use. The new root is loaded before the old one is let go, so the processor never
 * walks a table that is nobody's.
 */
#include <hv/pcpu.h>
#include <hw/hw.h>

#include "pt.h"

static void root_put(struct vcpu *v, mfn_t m)
{
    if (mfn_valid_number(m) && m.n != 0)
        pv_put_table(v, m);
}

int pv_root_kernel(struct vcpu *v, mfn_t m)
{
    mfn_t old = v->pv.root_kernel;
    int rc;

    if (mfn_eq(m, old)) {
        tlb_flush_local();              /* a guest that writes CR3 counts on it */
        return 0;
    }
    rc = frame_get_typed(m, v->domain, TYPE_L4);
    if (rc)
        return rc;
    v->pv.root_kernel = m;
    hw_load_root(v);
    root_put(v, old);
    return 0;
}

int pv_root_user(struct vcpu *v, mfn_t m)
{
    mfn_t old = v->pv.root_user;
    int rc;

    if (mfn_eq(m, old))
        return 0;
    rc = mfn_valid_number(m) ? frame_get_typed(m, v->domain, TYPE_L4) : 0;
    if (rc)
        return rc;
    v->pv.root_user = m;
    if (!v->pv.kernel_mode)
        hw_load_root(v);
    root_put(v, old);
    return 0;
}

int pv_roots_set(struct vcpu *v, mfn_t kernel, mfn_t user)
{
    mfn_t old_kernel = v->pv.root_kernel, old_user = v->pv.root_user;
    int rc = pv_undo_pending(v);

    if (rc == 0)
        rc = frame_get_typed(kernel, v->domain, TYPE_L4);
    if (rc)
        return rc;
    if (mfn_valid_number(user) && (rc = frame_get_typed(user, v->domain, TYPE_L4)) != 0) {
        pv_put_table(v, kernel);
        return rc;
    }
    v->pv.root_kernel = kernel;
    v->pv.root_user = user;
    hw_load_root(v);
    root_put(v, old_kernel);
    root_put(v, old_user);
    return 0;
}

int pv_roots_drop(struct vcpu *v)
{
    mfn_t kernel = v->pv.root_kernel, user = v->pv.root_user;
    int rc = pv_undo_pending(v);

    if (rc)
        return rc;
    v->pv.root_kernel = v->pv.root_user = MFN_INVALID;
    root_put(v, kernel);
    root_put(v, user);
    return pv_undo_pending(v);
}
