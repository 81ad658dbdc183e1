/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU policies: lists of CPUID leaves.
 *
 * The machine's own leaves (HOST) pass a sieve and become what a PV guest may have at most (PV_MAX); less
 * what only dom0, which never moves to another machine, gets without asking, that is PV_DEFAULT. Features are
 * let through by name; everything else is dropped, so a feature of tomorrow's processor stays invisible until
 * somebody has thought about it. Left out on purpose, because the hypervisor would have to do something for
 * it and does not:
 *
 *   what needs a bit in CR4 or an MSR of the guest's own: FSGSBASE, PCID, SMEP, SMAP, UMIP, PKU, CET, RDTSCP
 *     and RDPID (TSC_AUX), SYSENTER, x2APIC, TSC deadline, speculation controls, performance counters;
 *   large pages (PSE, PSE36, 1 GiB), global pages, MTRRs: not in a PV guest's page tables;
 *   MWAIT, thermal control, SVM and VMX; topology: every vCPU is a package of its own;
 *   transactional memory: it only ever made trouble.
 *
 * Numbers of leaves and bits: AMD64 APM vol. 3 appendix E, Intel SDM vol. 2 CPUID.
 */
#include <hv/cpuid.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hw/hw.h>

#include <abi/cpufeature.h>

#define BASIC_MAX    0xdu
#define EXTENDED     0x80000000u
#define EXTENDED_MAX 0x80000021u
#define NO_SUB       XEN_CPUID_NO_SUBLEAF
#define LINEAR_BITS  48u
#define XSTATE_FIRST 2u             /* the first state with a sub-leaf of its own */
#define XSTATE_LAST  62u
#define XSAVE_HEADER_END 576u       /* legacy area and header */

#define BIT(name) (1u << (XEN_X86_FEATURE_##name % 32))

enum reg { EAX, EBX, ECX, EDX, NOWHERE };

/*
 * Where each word of a feature set stands, what of it a PV guest may have, and what of that only on request.
 */
struct word { uint32_t leaf, subleaf; enum reg reg; uint32_t may, asked; };

static const struct word words[CPUID_WORDS] = {
    [0] = { 1, NO_SUB, EDX,
            BIT(FPU) | BIT(DE) | BIT(TSC) | BIT(MSR) | BIT(PAE) | BIT(MCE) | BIT(CX8) | BIT(APIC) | BIT(MCA) |
            BIT(CMOV) | BIT(PAT) | BIT(CLFLUSH) | BIT(MMX) | BIT(FXSR) | BIT(SSE) | BIT(SSE2) | BIT(SS), 0 },
    [1] = { 1, NO_SUB, ECX,
            BIT(SSE3) | BIT(PCLMULQDQ) | BIT(SSSE3) | BIT(FMA) | BIT(CX16) | BIT(SSE4_1) | BIT(SSE4_2) |
            BIT(MOVBE) | BIT(POPCNT) | BIT(AESNI) | BIT(XSAVE) | BIT(AVX) | BIT(F16C) | BIT(RDRAND) |
            BIT(HYPERVISOR), 0 },
    [2] = { EXTENDED + 1, NO_SUB, EDX,
            BIT(SYSCALL) | BIT(NX) | BIT(MMXEXT) | BIT(LM) | BIT(3DNOWEXT) | BIT(3DNOW), 0 },
    [3] = { EXTENDED + 1, NO_SUB, ECX,
            BIT(LAHF_LM) | BIT(ABM) | BIT(SSE4A) | BIT(MISALIGNSSE) | BIT(3DNOWPREFETCH) | BIT(XOP) |
            BIT(FMA4) | BIT(TBM), 0 },
    [4] = { 0xd, 1, EAX, BIT(XSAVEOPT) | BIT(XSAVEC) | BIT(XGETBV1), 0 },
    [5] = { 7, 0, EBX,
            BIT(BMI1) | BIT(AVX2) | BIT(FDP_EXCP_ONLY) | BIT(BMI2) | BIT(ERMS) | BIT(NO_FPU_SEL) |
            BIT(AVX512F) | BIT(AVX512DQ) | BIT(RDSEED) | BIT(ADX) | BIT(AVX512_IFMA) | BIT(CLFLUSHOPT) |
            BIT(CLWB) | BIT(AVX512PF) | BIT(AVX512ER) | BIT(AVX512CD) | BIT(SHA) | BIT(AVX512BW) |
            BIT(AVX512VL), 0 },
    [6] = { 7, 0, ECX,
            BIT(PREFETCHWT1) | BIT(AVX512_VBMI) | BIT(AVX512_VBMI2) | BIT(GFNI) | BIT(VAES) |
            BIT(VPCLMULQDQ) | BIT(AVX512_VNNI) | BIT(AVX512_BITALG) | BIT(AVX512_VPOPCNTDQ) | BIT(MOVDIRI) |
            BIT(MOVDIR64B),
            BIT(MOVDIRI) | BIT(MOVDIR64B) },
    [7] = { EXTENDED + 7, NO_SUB, EDX, BIT(ITSC), BIT(ITSC) },
    [8] = { EXTENDED + 8, NO_SUB, EBX, BIT(CLZERO) | BIT(RSTR_FP_ERR_PTRS) | BIT(SSB_NO) | BIT(BTC_NO), 0 },
    [9] = { 7, 0, EDX,
            BIT(AVX512_4VNNIW) | BIT(AVX512_4FMAPS) | BIT(FSRM) | BIT(AVX512_VP2INTERSECT) | BIT(MD_CLEAR) |
            BIT(SERIALIZE) | BIT(AVX512_FP16), BIT(AVX512_VP2INTERSECT) },
    [10] = { 7, 1, EAX, BIT(AVX_VNNI) | BIT(AVX512_BF16) | BIT(FZRM) | BIT(FSRS) | BIT(FSRCS), 0 },
    [11] = { EXTENDED + 0x21, NO_SUB, EAX, BIT(LFENCE_DISPATCH) | BIT(NSCB) | BIT(SRSO_NO), 0 },
    [12] = { 7, 1, EBX, 0, 0 },
    [13] = { 7, 2, EDX, BIT(MCDT_NO), 0 },
    [14] = { 7, 1, ECX, 0, 0 },
    [15] = { 7, 1, EDX, 0, 0 },
    [16] = { 0, 0, NOWHERE, 0, 0 },         /* an MSR that guests do not have */
    [17] = { 0, 0, NOWHERE, 0, 0 },
    [18] = { EXTENDED + 0x21, NO_SUB, ECX, BIT(TSA_SQ_NO) | BIT(TSA_L1_NO), 0 },
};

/* What is of no use without a larger one. */
struct need { uint8_t word; uint32_t bits; };
static const struct need need_avx512[] = {
    { 5, BIT(AVX512F) | BIT(AVX512DQ) | BIT(AVX512_IFMA) | BIT(AVX512PF) | BIT(AVX512ER) | BIT(AVX512CD) |
         BIT(AVX512BW) | BIT(AVX512VL) },
    { 6, BIT(AVX512_VBMI) | BIT(AVX512_VBMI2) | BIT(AVX512_VNNI) | BIT(AVX512_BITALG) |
         BIT(AVX512_VPOPCNTDQ) },
    { 9, BIT(AVX512_4VNNIW) | BIT(AVX512_4FMAPS) | BIT(AVX512_VP2INTERSECT) | BIT(AVX512_FP16) },
    { 10, BIT(AVX512_BF16) },
};
static const struct need need_avx[] = {
    { 1, BIT(AVX) | BIT(FMA) | BIT(F16C) }, { 3, BIT(XOP) | BIT(FMA4) }, { 5, BIT(AVX2) },
    { 6, BIT(VAES) | BIT(VPCLMULQDQ) }, { 10, BIT(AVX_VNNI) },
};
/* Linux takes the first for a promise of ERMS: its memmove() goes wrong */
static const struct need need_erms[] = {
    { 9, BIT(FSRM) }, { 10, BIT(FZRM) | BIT(FSRS) | BIT(FSRCS) },
};
static const struct need need_xsave[] = {
    { 1, BIT(XSAVE) }, { 4, BIT(XSAVEOPT) | BIT(XSAVEC) | BIT(XGETBV1) },
};

static struct cpu_policy policies[3];

const struct cpu_policy *cpuid_policy(enum cpu_policy_kind kind) { return &policies[kind]; }

const struct cpu_policy *cpuid_policy_of(const struct domain *d)
{
    if (d->pv.cpuid)
        return d->pv.cpuid;
    return &policies[d->privileged ? POLICY_PV_MAX : POLICY_PV_DEFAULT];
}

/* ---- looking up ---- */
const struct xen_cpuid_leaf *cpuid_find(const struct cpu_policy *p, uint32_t leaf, uint32_t subleaf)
{
    for (uint32_t i = 0; i < p->count; i++) {
        const struct xen_cpuid_leaf *l = &p->leaf[i];

        if (l->leaf == leaf && (l->subleaf == NO_SUB || l->subleaf == subleaf))
            return l;
    }
    return NULL;
}

static uint32_t *reg_of(struct xen_cpuid_leaf *l, enum reg r)
{
    return r == EAX ? &l->a : r == EBX ? &l->b : r == ECX ? &l->c : &l->d;
}

/* NULL if the policy has no such leaf: all its bits are 0 then. */
static uint32_t *word_at(struct cpu_policy *p, unsigned n)
{
    const struct xen_cpuid_leaf *l = NULL;

    if (words[n].reg != NOWHERE)
        l = cpuid_find(p, words[n].leaf, words[n].subleaf);
    return l ? reg_of(&p->leaf[l - p->leaf], words[n].reg) : NULL;
}

uint32_t cpuid_word(const struct cpu_policy *p, unsigned n)
{
    const uint32_t *w = word_at((struct cpu_policy *)(uintptr_t)p, n);

    return w ? *w : 0;
}

static bool has(const struct cpu_policy *p, unsigned feature)
{
    return cpuid_word(p, feature / 32) >> feature % 32 & 1;
}

static void drop(struct cpu_policy *p, const struct need *need, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t *w = word_at(p, need[i].word);

        if (w)
            *w &= ~need[i].bits;
    }
}

/* ---- reading the machine ---- */
static bool host_add(struct cpu_policy *p, uint32_t leaf, uint32_t subleaf)
{
    struct xen_cpuid_leaf *l = &p->leaf[p->count];
    uint32_t r[4];

    if (p->count == CPUID_LEAVES)
        return false;
    hw_cpuid(leaf, subleaf == NO_SUB ? 0 : subleaf, r);
    *l = (struct xen_cpuid_leaf){ leaf, subleaf, r[0], r[1], r[2], r[3] };
    p->count++;
    return r[0] | r[1] | r[2] | r[3];
}

static void host_xstates(struct cpu_policy *p)
{
    uint64_t states;

    host_add(p, 0xd, 0);
    states = p->leaf[p->count - 1].a | (uint64_t)p->leaf[p->count - 1].d << 32;
    host_add(p, 0xd, 1);
    for (uint32_t s = XSTATE_FIRST; s <= XSTATE_LAST; s++)
        if (states >> s & 1)
            host_add(p, 0xd, s);
}

static void host_basic(struct cpu_policy *p, uint32_t leaf)
{
    uint32_t most;

    switch (leaf) {
    case 4:                             /* caches, until one of no kind */
        for (uint32_t sub = 0; sub < 8 && host_add(p, leaf, sub) && p->leaf[p->count - 1].a & 0x1f; sub++)
            ;
        return;
    case 7:
        host_add(p, leaf, 0);
        most = MIN(p->leaf[p->count - 1].a, 2u);
        for (uint32_t sub = 1; sub <= most; sub++)
            host_add(p, leaf, sub);
        return;
    case 0xb:                           /* topology: never shown */
        return;
    case 0xd:
        host_xstates(p);
        return;
    }
    host_add(p, leaf, NO_SUB);
}

static void host_read(struct cpu_policy *p)
{
    uint32_t r[4];

    hw_cpuid(0, 0, r);
    for (uint32_t leaf = 0; leaf <= MIN(r[0], BASIC_MAX); leaf++)
        host_basic(p, leaf);
    hw_cpuid(EXTENDED, 0, r);
    if (r[0] < EXTENDED)
        return;
    for (uint32_t leaf = EXTENDED; leaf <= MIN(r[0], EXTENDED_MAX); leaf++)
        if (!host_add(p, leaf, NO_SUB) && leaf > EXTENDED + 8)
            p->count--;                 /* a gap of empty leaves takes no room */
    p->xcr0 = hw_xcr0();
}

/* ---- the sieve ---- */
static void only(struct xen_cpuid_leaf *l, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    l->a &= a;
    l->b &= b;
    l->c &= c;
    l->d &= d;
}

/*
 * What is not features: identity, caches and sizes may be seen; counts of cores, performance and power may
 * not.
 */
static void leaf_sieve(struct xen_cpuid_leaf *l)
{
    const uint32_t all = ~0u;

    switch (l->leaf) {
    case 0:
        l->a = MIN(l->a, BASIC_MAX);
        return;
    case 1:
        only(l, all, 0xff00, all, all);     /* EBX: size of CLFLUSH */
        return;
    case 2: case EXTENDED + 2: case EXTENDED + 3: case EXTENDED + 4: case EXTENDED + 5: case EXTENDED + 6:
        return;
    case 4:
        only(l, 0x3fff, all, all, all);     /* shared by one */
        return;
    case 7:
        if (l->subleaf == 0)
            l->a = MIN(l->a, 2u);
        return;
    case 0xd:
        return;                             /* made anew */
    case EXTENDED:
        l->a = MIN(l->a, EXTENDED_MAX);
        return;
    case EXTENDED + 1:
        only(l, all, 0, all, all);
        return;
    case EXTENDED + 7:
        only(l, 0, 0, 0, all);
        return;
    case EXTENDED + 8:
        only(l, 0xffff, all, 0, 0);         /* EAX: address sizes; there are no tables of five levels */
        l->a = (l->a & 0xff) | MIN(l->a >> 8, LINEAR_BITS) << 8;
        return;
    case EXTENDED + 0x21:
        only(l, all, 0, all, 0);
        return;
    }
    only(l, 0, 0, 0, 0);
}

/* Registers that are feature words keep only what is in `most`'s. */
static void features_limit(struct cpu_policy *p, const uint32_t most[CPUID_WORDS])
{
    for (unsigned n = 0; n < CPUID_WORDS; n++) {
        uint32_t *w = word_at(p, n);

        if (w)
            *w &= most[n];
    }
}

static void dependencies(struct cpu_policy *p)
{
    uint64_t states = hw_xcr0();

    if (!has(p, XEN_X86_FEATURE_XSAVE) || !states) {
        drop(p, need_xsave, ARRAY_LEN(need_xsave));
        states = 0;
    }
    if (!(states & 4) || !has(p, XEN_X86_FEATURE_AVX)) {
        drop(p, need_avx, ARRAY_LEN(need_avx));
        states &= 3;
    }
    if ((states & 0xe0) != 0xe0 || !has(p, XEN_X86_FEATURE_AVX512F)) {
        drop(p, need_avx512, ARRAY_LEN(need_avx512));
        states &= 7;
    }
    if (!has(p, XEN_X86_FEATURE_ERMS))
        drop(p, need_erms, ARRAY_LEN(need_erms));
    p->xcr0 = states;
}

/* ---- leaf 0xd from the features: sizes come from the machine, which lays the states out ---- */
static uint32_t xsave_size(const struct cpu_policy *host, uint64_t states, bool compacted)
{
    uint32_t size = XSAVE_HEADER_END;

    for (uint32_t s = XSTATE_FIRST; s <= XSTATE_LAST; s++) {
        const struct xen_cpuid_leaf *l = states >> s & 1 ? cpuid_find(host, 0xd, s) : NULL;

        if (!l)
            continue;
        if (!compacted)
            size = MAX(size, l->a + l->b);
        else
            size = (l->c & 2 ? ALIGN_UP(size, 64u) : size) + l->a;
    }
    return size;
}

static void xstate_leaf(struct xen_cpuid_leaf *l, uint64_t states)
{
    const struct cpu_policy *host = &policies[POLICY_HOST];

    if (l->subleaf == 0 && states) {
        l->a = (uint32_t)states;
        l->d = (uint32_t)(states >> 32);
        l->b = l->c = xsave_size(host, states, false);
    } else if (l->subleaf == 1 && states) {
        l->b = l->a & BIT(XSAVEC) ? xsave_size(host, states, true) : 0;
        l->c = l->d = 0;
    } else if (!(states >> (l->subleaf & 63) & 1) || l->subleaf < XSTATE_FIRST) {
        l->a = l->b = l->c = l->d = 0;
    } else {
        const struct xen_cpuid_leaf *h = cpuid_find(host, 0xd, l->subleaf);

        *l = *h;
    }
}

static void finish(struct cpu_policy *p)
{
    dependencies(p);
    for (uint32_t i = 0; i < p->count; i++)
        if (p->leaf[i].leaf == 0xd)
            xstate_leaf(&p->leaf[i], p->xcr0);
}

static void derive(struct cpu_policy *to, const struct cpu_policy *from, bool without_asked)
{
    uint32_t most[CPUID_WORDS];

    for (unsigned n = 0; n < CPUID_WORDS; n++)
        most[n] = words[n].may & (without_asked ? ~words[n].asked : ~0u);
    if (!tsc_reliable())
        most[7] &= ~BIT(ITSC);
    *to = *from;
    for (uint32_t i = 0; i < to->count; i++) {
        leaf_sieve(&to->leaf[i]);
        if (to->leaf[i].leaf == 1)
            to->leaf[i].c |= BIT(HYPERVISOR);
    }
    features_limit(to, most);
    finish(to);
}

void cpuid_init_boot(void)
{
    __builtin_memset(policies, 0, sizeof policies);
    host_read(&policies[POLICY_HOST]);
    derive(&policies[POLICY_PV_MAX], &policies[POLICY_HOST], false);
    derive(&policies[POLICY_PV_DEFAULT], &policies[POLICY_HOST], true);
}

/* ---- a domain's own ---- */
void cpuid_domain_init(struct domain *d) { d->pv.cpuid = NULL; }

void cpuid_domain_free(struct domain *d)
{
    kfree(d->pv.cpuid);
    d->pv.cpuid = NULL;
}

/*
 * Tools show a PV guest the machine's hyper-threading bits whatever we say; these two, and what follows the
 * state of a vCPU, are not worth an error.
 */
static uint32_t forgiven(unsigned word)
{
    switch (word) {
    case 0:
        return BIT(HTT);
    case 1:
        return BIT(OSXSAVE);
    case 3:
        return BIT(CMP_LEGACY);
    case 6:
        return BIT(OSPKE);
    }
    return 0;
}

static bool features_fit(const struct xen_cpuid_leaf *l, const struct cpu_policy *max)
{
    struct xen_cpuid_leaf copy = *l;

    for (unsigned n = 0; n < CPUID_WORDS; n++) {
        const struct word *w = &words[n];

        if (w->reg == NOWHERE || w->leaf != l->leaf || (w->subleaf != NO_SUB && w->subleaf != l->subleaf))
            continue;
        if (*reg_of(&copy, w->reg) & ~(cpuid_word(max, n) | forgiven(n)))
            return false;
    }
    return true;
}

static bool is_empty(const struct xen_cpuid_leaf *l) { return !(l->a | l->b | l->c | l->d); }
static bool is_hypervisor(uint32_t leaf) { return leaf >> 16 == XEN_CPUID_FIRST_LEAF >> 16; }

/* A leaf of the list against what may be: where nothing may be, only nothing may be asked for. */
static bool leaf_fits(const struct xen_cpuid_leaf *l, const struct cpu_policy *max)
{
    const struct xen_cpuid_leaf *m = cpuid_find(max, l->leaf, l->subleaf == NO_SUB ? 0 : l->subleaf);

    if (is_hypervisor(l->leaf) || is_empty(l))
        return true;
    if (!m || m->subleaf != l->subleaf)
        return false;
    if ((l->leaf == 0 || l->leaf == EXTENDED || (l->leaf == 7 && l->subleaf == 0)) && l->a > m->a)
        return false;
    return features_fit(l, max);
}

static void leaf_take(struct cpu_policy *p, const struct xen_cpuid_leaf *l)
{
    const struct xen_cpuid_leaf *old = cpuid_find(p, l->leaf, l->subleaf == NO_SUB ? 0 : l->subleaf);

    if (!old || old->subleaf != l->subleaf || is_hypervisor(l->leaf))
        return;
    p->leaf[old - p->leaf] = *l;
    leaf_sieve(&p->leaf[old - p->leaf]);
}

static struct cpu_policy *own_copy(const struct domain *d)
{
    struct cpu_policy *p = kalloc(sizeof *p);

    if (p)
        *p = *cpuid_policy_of(d);
    return p;
}

static void replace(struct domain *d, struct cpu_policy *p)
{
    struct cpu_policy *old = d->pv.cpuid;

    d->pv.cpuid = p;
    kfree(old);
}

int cpuid_policy_set(struct domain *d, const struct xen_cpuid_leaf *list, uint32_t count, uint32_t *bad)
{
    const struct cpu_policy *max = &policies[POLICY_PV_MAX];
    uint32_t most[CPUID_WORDS];
    struct cpu_policy *p;

    for (uint32_t i = 0; i < count; i++) {
        if (!leaf_fits(&list[i], max)) {
            *bad = i;
            return -XEN_EINVAL;
        }
    }
    p = own_copy(d);
    if (!p)
        return -XEN_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        leaf_take(p, &list[i]);
    for (unsigned n = 0; n < CPUID_WORDS; n++)
        most[n] = cpuid_word(max, n);
    features_limit(p, most);
    finish(p);
    replace(d, p);
    return 0;
}

int cpuid_tsc_set(struct domain *d, uint32_t mode, uint32_t incarnation)
{
    struct cpu_policy *p;

    if (!d->pv.cpuid && !mode && !incarnation)
        return 0;
    p = d->pv.cpuid ? d->pv.cpuid : own_copy(d);
    if (!p)
        return -XEN_ENOMEM;
    p->tsc_mode = mode;
    p->tsc_incarnation = incarnation;
    d->pv.cpuid = p;
    return 0;
}
