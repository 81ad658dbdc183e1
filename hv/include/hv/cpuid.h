/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of the processor: a policy per domain, derived from the machine's. */
#ifndef HV_CPUID_H
#define HV_CPUID_H

#include <hv/types.h>

void cpuid_init_boot(void);                 /* reads the machine, derives what PV guests may have */
/* CPUID as v's guest sees it now: its domain's policy and the bits that follow vCPU state (OSXSAVE, APIC id). */
void cpuid_for(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
void cpuid_domain_init(struct domain *d);   /* the default policy: dom0's or a domU's */
void cpuid_domain_free(struct domain *d);

#endif
