/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See msr.h. Facts: AMD64 APM vol. 2 appendix A; Intel SDM vol. 4. A guest never reaches a real register but
 * the segment bases; dom0 may read the few that its drivers look at.
 */
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/msr.h>
#include <hw/hw.h>

enum { MSR_TSC = 0x10, MSR_APIC_BASE = 0x1b, MSR_BIOS_SIGN = 0x8b, MSR_MISC_ENABLE = 0x1a0, MSR_PAT = 0x277,
       MSR_PLATFORM_INFO = 0xce, MSR_MISC_FEATURES = 0x140, MSR_MCG_CAP = 0x179, MSR_MCG_STATUS = 0x17a };
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_SFMASK         0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX        0xc0000103u
#define MSR_HWCR           0xc0010015u

#define EFER_SHOWN   0xd01ull       /* NX LMA LME SCE */
#define PAT_ABI      0x050100070406ull

int msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    *value = 0;
    switch (msr) {
    case MSR_EFER:
        *value = EFER_SHOWN;
        return 0;
    case MSR_PAT:
        *value = PAT_ABI;
        return 0;
    case MSR_TSC:
        *value = tsc_now();
        return 0;
    case MSR_FS_BASE: case MSR_GS_BASE: case MSR_KERNEL_GS_BASE: case MSR_TSC_AUX:
        return hw_rdmsr(msr, value) ? -XEN_EINVAL : 0;
    case MSR_APIC_BASE:
        if (!v->domain->privileged)
            return -XEN_EINVAL;
        return hw_rdmsr(msr, value) ? -XEN_EINVAL : 0;
    case MSR_BIOS_SIGN: case MSR_MISC_ENABLE: case MSR_HWCR:
        hw_rdmsr(msr, value);
        return 0;
    case MSR_PLATFORM_INFO: case MSR_MISC_FEATURES:
    case MSR_MCG_CAP: case MSR_MCG_STATUS:      /* machine checks: a machine with no banks */
        return 0;
    }
    return -XEN_EINVAL;
}

static bool base_ok(uint64_t va) { return va + (1ull << 47) < (1ull << 48); }

int msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    switch (msr) {
    case MSR_FS_BASE: case MSR_GS_BASE: case MSR_KERNEL_GS_BASE:
        if (!base_ok(value))
            return -XEN_EINVAL;
        return hw_wrmsr(msr, value) ? -XEN_EINVAL : 0;
    case MSR_EFER:
        return (value & ~0x500ull) == (EFER_SHOWN & ~0x500ull) ? 0 : -XEN_EINVAL;
    case MSR_PAT:
        return value == PAT_ABI ? 0 : -XEN_EINVAL;
    case MSR_STAR: case MSR_STAR + 1: case MSR_STAR + 2: case MSR_SFMASK:
        return 0;           /* system calls are the hypervisor's; kernels that try are left in peace */
    case MSR_MCG_STATUS:
        return 0;
    case MSR_BIOS_SIGN: case MSR_MISC_ENABLE: case MSR_HWCR:
        return v->domain->privileged ? 0 : -XEN_EINVAL;
    }
    return -XEN_EINVAL;
}
