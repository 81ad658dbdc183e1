/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine checks: what the processor found broken stands in banks of registers. What was corrected, or can be
 * restarted from, is told; anything else ends the machine before wrong data spread. Facts: Intel SDM vol. 3,
 * chapter 16; AMD64 APM vol. 2, chapter 9.
 */
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

#define MSR_MCG_CAP     0x179
#define MSR_MCG_STATUS  0x17a
#define MSR_MCG_CTL     0x17b
#define MSR_BANK(n, r)  (0x400 + 4 * (n) + (r))
enum bank_register { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC };

#define BANKS_MAX       32u
#define CAP_COUNT       0xffu
#define CAP_CTL         (1u << 8)
#define MCG_RIPV        1u
#define STATUS_VALID    (1ull << 63)
#define STATUS_UC       (1ull << 61)
#define STATUS_MISC     (1ull << 59)
#define STATUS_ADDR     (1ull << 58)
#define STATUS_PCC      (1ull << 57)
#define CPUID_MCE       (1u << 7)
#define CPUID_MCA       (1u << 14)
#define CR4_MCE         (1ul << 6)

static unsigned banks;

void machine_check_init_cpu(void)
{
    uint32_t f[4];
    uint64_t cap = 0;

    cpuid(1, 0, f);
    if (!(f[3] & CPUID_MCE))
        return;
    if ((f[3] & CPUID_MCA) && !rdmsr_may_fault(MSR_MCG_CAP, &cap)) {
        banks = MIN((unsigned)(cap & CAP_COUNT), BANKS_MAX);
        if (cap & CAP_CTL)
            wrmsr_may_fault(MSR_MCG_CTL, ~0ull);
        for (unsigned n = 0; n < banks; n++)
            wrmsr_may_fault(MSR_BANK(n, BANK_CTL), ~0ull);
    }
    write_cr4(read_cr4() | CR4_MCE);
}

/* What a bank has, told and cleared; true: it cannot be lived with. */
static bool bank_tell(unsigned n)
{
    uint64_t status = 0, addr = 0, misc = 0;

    if (rdmsr_may_fault(MSR_BANK(n, BANK_STATUS), &status) || !(status & STATUS_VALID))
        return false;
    if (status & STATUS_ADDR)
        (void)rdmsr_may_fault(MSR_BANK(n, BANK_ADDR), &addr);
    if (status & STATUS_MISC)
        (void)rdmsr_may_fault(MSR_BANK(n, BANK_MISC), &misc);
    printk(LOG_NONE, "machine check: CPU %u bank %u status %lx address %lx misc %lx: %s\n", this_cpu()->id, n,
           status, addr, misc, status & STATUS_UC ? "not corrected" : "corrected");
    wrmsr_may_fault(MSR_BANK(n, BANK_STATUS), 0);
    return status & (STATUS_UC | STATUS_PCC);
}

bool machine_check_tell(void)
{
    uint64_t status = 0;
    bool bad = rdmsr_may_fault(MSR_MCG_STATUS, &status) || !(status & MCG_RIPV);

    printk(LOG_NONE, "\nmachine check: CPU %u status %lx\n", this_cpu()->id, status);
    for (unsigned n = 0; n < banks; n++)
        bad |= bank_tell(n);
    if (!bad)
        wrmsr_may_fault(MSR_MCG_STATUS, 0);     /* another one may come */
    return bad;
}
