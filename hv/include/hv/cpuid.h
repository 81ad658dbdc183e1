/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests see of the processor: a policy per domain, derived from the machine's. See the top of
 * pv/cpuid_policy.c for what is left out and why.
 */
#ifndef HV_CPUID_H
#define HV_CPUID_H

#include <hv/types.h>

#define CPUID_LEAVES   96       /* a policy's room; reading the machine stops there */
#define CPUID_WORDS    19       /* of a feature set, abi/cpufeature.h */
#define CPUID_MSRS     2        /* platform info and architectural capabilities: always 0 */
/* What tools are told to make room for: Xen 4.17 says so, and its tools refuse more. */
#define CPUID_LEAVES_ANSWERED 120

/* Leaves in ascending order, each a line of the ABI's form. */
struct cpu_policy {
    uint32_t count;
    uint32_t tsc_mode;          /* as tools set it: 0, or 2 native; nothing is ever emulated */
    uint32_t tsc_incarnation;
    uint64_t xcr0;              /* extended states that the features need; 0 without XSAVE */
    struct xen_cpuid_leaf leaf[CPUID_LEAVES];
};

enum cpu_policy_kind { POLICY_HOST, POLICY_PV_MAX, POLICY_PV_DEFAULT };

void cpuid_init_boot(void);                 /* reads the machine, derives what PV guests may have */
/*
 * CPUID as v's guest sees it now: its domain's policy and the bits that follow vCPU state (OSXSAVE, APIC id).
 */
void cpuid_for(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
void cpuid_domain_init(struct domain *d);   /* the default policy: dom0's or a domU's */
void cpuid_domain_free(struct domain *d);

/* Never NULL, and good as long as the machine, or the domain. */
const struct cpu_policy *cpuid_policy(enum cpu_policy_kind kind);
const struct cpu_policy *cpuid_policy_of(const struct domain *d);
/* NULL: the policy has no such leaf; CPUID answers zeros there. */
const struct xen_cpuid_leaf *cpuid_find(const struct cpu_policy *p, uint32_t leaf, uint32_t subleaf);
/* Word n (0..CPUID_WORDS-1) of the feature set. */
uint32_t cpuid_word(const struct cpu_policy *p, unsigned n);
/*
 * Gives d (which has not run) the leaves of the list; what the list leaves out stays. 0; -ENOMEM; -EINVAL and
 * *bad is the place in the list of a leaf that asks for more than PV guests may have: nothing is changed.
 */
int  cpuid_policy_set(struct domain *d, const struct xen_cpuid_leaf *list, uint32_t count, uint32_t *bad);
/* Clock mode as leaf 0x40000003 shows it. 0 or -ENOMEM. */
int  cpuid_tsc_set(struct domain *d, uint32_t mode, uint32_t incarnation);

#endif
