/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a PV domain's memory. First what its vCPUs hold (roots, descriptor tables, tables half taken
 * apart), then frame by frame: the pin, a validation that was never finished, the reference of the
 * allocation. There is no order to keep among frames: what one table still holds goes when that table goes,
 * and linear entries cannot form circles (pv/linear.c). What is left at the end is what other domains have
 * mapped; it goes when they let go.
 */
#include <hw/hw.h>

#include "pt.h"

int pv_domain_relinquish(struct domain *d)
{
    hw_leave_domain(d);
    for_each_vcpu(d, v) {
        pv_gdt_release(v);
        pv_ldt_release(v);
        v->pv.ldt_entries = 0;
        if (pv_roots_drop(v))
            return -XEN_ERESTART;
    }
    return frames_relinquish(d);
}
