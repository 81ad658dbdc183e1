/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as a guest sees it: its domain's policy, the few bits that follow the vCPU, and the leaves by which
 * it finds out that it runs under a hypervisor with this interface.
 */
#include <hv/cpuid.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/time.h>
#include <hw/hw.h>

#include <abi/cpufeature.h>

#define VERSION_MAJOR 4u
#define VERSION_MINOR 17u
#define BIT(name) (1u << (XEN_X86_FEATURE_##name % 32))
#define CR4_OSXSAVE (1ull << 18)
#define TSC_SAFE    (1u << 1)       /* leaf 0x40000003, EAX */
#define MSR_BASE    0x40000000u
#define XSTATE_LAST 62u
#define XSAVE_HEADER_END 576u

static void answer(uint32_t out[4], uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}

/* ---- the hypervisor's leaves ---- */
static void time_leaf(const struct domain *d, uint32_t subleaf, uint32_t out[4])
{
    const struct cpu_policy *p = cpuid_policy_of(d);
    struct tsc_scale s;

    switch (subleaf) {
    case 0:
        answer(out, tsc_reliable() ? TSC_SAFE : 0, p->tsc_mode, (uint32_t)tsc_khz(), p->tsc_incarnation);
        return;
    case 1:
        s = tsc_scale_from_khz(tsc_khz());
        answer(out, 0, 0, s.mul, (uint32_t)(int32_t)s.shift);
        return;
    case 2:
        out[0] = (uint32_t)tsc_khz();
        return;
    }
}

static uint32_t machine_address_width(void)
{
    return PAGE_SHIFT + 64u - (uint32_t)__builtin_clzll(frame_count | 1);
}

static void hypervisor_leaf(const struct domain *d, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    switch (leaf - XEN_CPUID_FIRST_LEAF) {
    case 0:
        answer(out, XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES), XEN_CPUID_SIGNATURE_EBX,
               XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX);
        return;
    case 1:
        out[0] = VERSION_MAJOR << 16 | VERSION_MINOR;
        return;
    case 2:
        answer(out, 1, MSR_BASE, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, 0);
        return;
    case 3:
        time_leaf(d, subleaf, out);
        return;
    case 5:
        if (subleaf == 0)
            out[1] = machine_address_width();
        return;
    }
}

/* ---- what follows the vCPU ---- */
/*
 * A guest kernel decides by OSXSAVE whether it may use XSAVE at all, before it sets CR4: it is set for it at
 * once.
 */
static bool osxsave(const struct vcpu *v, uint32_t ecx)
{
    return ecx & BIT(XSAVE) && (v->pv.kernel_mode || v->pv.cr4 & CR4_OSXSAVE);
}

/* Bytes that XSAVE writes with the states that are on now, in the standard form. */
static uint32_t xsave_bytes_now(const struct vcpu *v, const struct cpu_policy *p)
{
    uint32_t size = XSAVE_HEADER_END;

    for (uint32_t s = 2; s <= XSTATE_LAST && v->pv.xcr0 >> s; s++) {
        const struct xen_cpuid_leaf *l = v->pv.xcr0 >> s & 1 ? cpuid_find(p, 0xd, s) : NULL;

        if (l)
            size = MAX(size, l->a + l->b);
    }
    return size;
}

static void dynamic_bits(const struct vcpu *v, const struct cpu_policy *p, uint32_t leaf, uint32_t subleaf,
                         uint32_t out[4])
{
    if (leaf == 1) {
        out[1] = (out[1] & 0x00ffffff) | v->id * 2 << 24;
        if (osxsave(v, out[2]))
            out[2] |= BIT(OSXSAVE);
    } else if (leaf == 0xd && subleaf == 0 && p->xcr0) {
        out[1] = xsave_bytes_now(v, p);
    }
}

void cpuid_for(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    const struct cpu_policy *p = cpuid_policy_of(v->domain);
    const struct xen_cpuid_leaf *l;

    answer(out, 0, 0, 0, 0);
    if (leaf >> 16 == XEN_CPUID_FIRST_LEAF >> 16) {
        hypervisor_leaf(v->domain, leaf, subleaf, out);
        return;
    }
    l = cpuid_find(p, leaf, subleaf);
    if (!l)
        return;
    answer(out, l->a, l->b, l->c, l->d);
    dynamic_bits(v, p, leaf, subleaf, out);
}
