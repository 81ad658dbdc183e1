/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a paravirtual domain and its vCPUs start with, and what is left to free when nobody refers to them any
 * more.
 */
#include <hv/cpuid.h>
#include <hv/domain.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#define CR4_START  0x660ull         /* OSXMMEXCPT OSFXSR MCE PAE: what goes with the policy */
#define DR6_START  0xffff0ff0ull
#define DR7_START  0x400ull
#define FPU_ALIGN  64               /* XSAVE demands it */

int pv_domain_init(struct domain *d)
{
    int r = perdomain_init(d);

    if (r == 0)
        cpuid_domain_init(d);
    return r;
}

void pv_domain_free(struct domain *d)
{
    cpuid_domain_free(d);
    ranges_free(&d->pv.io_ports);
    ranges_free(&d->pv.io_frames);
    ranges_free(&d->pv.irqs);
    perdomain_free(d);
}

/*
 * kalloc() aligns to 16 bytes: the block's own address stands in the gap that aligning to 64 leaves in front.
 */
static void *fpu_alloc(void)
{
    uint8_t *block = kalloc(hw_fpu_size() + FPU_ALIGN);
    void **area;

    if (!block)
        return NULL;
    area = (void **)(((uintptr_t)block + FPU_ALIGN) & ~(uintptr_t)(FPU_ALIGN - 1));
    area[-1] = block;
    hw_fpu_init(area);
    return area;
}

static void fpu_free(void *area)
{
    if (area)
        kfree(((void **)area)[-1]);
}

int pv_vcpu_init(struct vcpu *v)
{
    struct pv_vcpu *p = &v->pv;
    int r = perdomain_add_vcpu(v);

    if (r)
        return r;
    p->fpu = fpu_alloc();
    if (!p->fpu)
        return -XEN_ENOMEM;
    p->xcr0 = hw_xcr0();
    p->root_kernel = p->root_user = MFN_INVALID;
    p->kernel_mode = true;
    p->cr4 = CR4_START;
    p->debugreg[6] = DR6_START;
    p->debugreg[7] = DR7_START;
    return 0;
}

void pv_vcpu_free(struct vcpu *v)
{
    fpu_free(v->pv.fpu);
    v->pv.fpu = NULL;
}
