/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A performance counter as the watchdog's clock: it counts cycles in which the processor works, and overflows
 * into an NMI about once a second of them. Facts: Intel SDM vol. 3, 20.2 (architectural performance
 * monitoring, CPUID 0Ah); AMD64 APM vol. 2, 13.2 (the four counters every processor since K7 has).
 */
#include <hv/machine.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

#define MSR_INTEL_COUNTER  0xc1
#define MSR_INTEL_SELECT   0x186
#define MSR_INTEL_STATUS   0x38e
#define MSR_INTEL_ENABLE   0x38f
#define MSR_INTEL_CLEAR    0x390
#define MSR_AMD_SELECT     0xc0010000
#define MSR_AMD_COUNTER    0xc0010004
#define EVENT_INTEL        0x3c     /* core cycles, not halted */
#define EVENT_AMD          0x76
/* on, interrupts, in the kernel, in user mode */
#define SELECT             (1u << 22 | 1u << 20 | 1u << 17 | 1u << 16)
#define PERIOD_MAX         0x7fffffffull    /* Intel's counters take 32 bits, sign-extended */

static uint32_t select_msr, counter_msr;
static uint64_t event, sign;        /* sign: the counter's highest bit, clear once it overflowed */
static bool     global;             /* version 2 and later: one more switch for all counters */
static bool     probed;

static bool is_amd(void)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    return (r[1] == 0x68747541 && r[2] == 0x444d4163) || (r[1] == 0x6f677948 && r[2] == 0x656e6975);
}

static void probe_intel(void)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    if (r[0] < 10)
        return;
    cpuid(10, 0, r);
    if (!(r[0] & 0xff) || !(r[0] >> 8 & 0xff) || !(r[0] >> 24) || (r[1] & 1))
        return;
    select_msr = MSR_INTEL_SELECT;
    counter_msr = MSR_INTEL_COUNTER;
    event = EVENT_INTEL;
    sign = 1ull << ((r[0] >> 16 & 0xff) - 1);
    global = (r[0] & 0xff) >= 2;
}

/* A machine in a machine may announce an AMD processor and have no counters: reading back tells. */
static void probe_amd(void)
{
    uint64_t v;

    if (wrmsr_may_fault(MSR_AMD_COUNTER, 0x1234567) || rdmsr_may_fault(MSR_AMD_COUNTER, &v) || v != 0x1234567)
        return;
    select_msr = MSR_AMD_SELECT;
    counter_msr = MSR_AMD_COUNTER;
    event = EVENT_AMD;
    sign = 1ull << 47;
}

bool hw_counter_present(void)
{
    if (!probed && is_amd())
        probe_amd();
    else if (!probed)
        probe_intel();
    probed = true;
    return select_msr;
}

static void arm(void)
{
    uint64_t period = MIN(tsc_khz() * 1000, PERIOD_MAX);

    wrmsr_may_fault(counter_msr, -period & (sign * 2 - 1));
    lapic_counter_nmi();        /* an interrupt masks it */
}

void hw_counter_start(void)
{
    if (!hw_counter_present())
        return;
    wrmsr_may_fault(select_msr, 0);
    arm();
    wrmsr_may_fault(select_msr, event | SELECT);
    if (global)
        wrmsr_may_fault(MSR_INTEL_ENABLE, 1);
}

bool counter_nmi(void)
{
    uint64_t value, on;

    if (!select_msr || rdmsr_may_fault(select_msr, &on) || !(on & 1u << 22) ||
        rdmsr_may_fault(counter_msr, &value) || (value & sign))
        return false;
    if (global)
        wrmsr_may_fault(MSR_INTEL_CLEAR, 1);
    arm();
    return true;
}
