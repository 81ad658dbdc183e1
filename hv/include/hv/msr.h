/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers as PV guests see them: the few that have a meaning there; the rest is #GP. */
#ifndef HV_MSR_H
#define HV_MSR_H

#include <hv/types.h>

/* By v, which runs. 0 or -EINVAL: #GP. */
int msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
int msr_write(struct vcpu *v, uint32_t msr, uint64_t value);

#endif
