/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A crash, as far as it is the machine's: stopping the other processors, and stacks.
 *
 * An NMI reaches a processor that spins with interrupts off. Its registers stay where the NMI put them, on a
 * stack that nothing uses any more, and pcpu.stopped points there.
 */
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

#define STOP_TURNS 20000000u    /* of a PAUSE each: some tenths of a second */

extern const uint8_t image_start[], image_end[], build_id_start[], build_id_end[];

static uint32_t stopping;       /* number + 1 of the processor that stops all others */

bool crash_stops_us(void)
{
    uint32_t by = __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);

    return by && by != this_cpu()->id + 1;
}

void crash_stop(const struct regs *r)
{
    __atomic_store_n(&this_cpu()->stopped, r, __ATOMIC_RELEASE);
    hw_halt();
}

static unsigned still_running(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < pcpu_count; i++)
        n += pcpus[i] != this_cpu() && !__atomic_load_n(&pcpus[i]->stopped, __ATOMIC_ACQUIRE);
    return n;
}

void hw_stop_others(void)
{
    __atomic_store_n(&stopping, this_cpu()->id + 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < pcpu_count; i++)
        if (pcpus[i] != this_cpu())
            lapic_send_nmi(pcpus[i]->apic_id);
    for (unsigned n = 0; n < STOP_TURNS && still_running(); n++)
        __builtin_ia32_pause();
}

static bool is_memory_of_ours(uint64_t va)
{
    return (va >= (uint64_t)image_start && va < (uint64_t)image_end) ||
           (va >= DIRECT_MAP && va < DIRECT_MAP + (machine.max_frame << PAGE_SHIFT));
}

unsigned hw_stack(uint64_t sp, const uint64_t **word)
{
    if ((sp & 7) || !is_memory_of_ours(sp))
        return 0;
    *word = (const uint64_t *)sp;
    return (unsigned)((STACK_SIZE - (sp & (STACK_SIZE - 1))) / 8);
}

#define NOTE_HEAD 16    /* of an ELF note: three sizes and the name "GNU" */

size_t hw_build_id(const uint8_t **id)
{
    size_t n = (size_t)(build_id_end - build_id_start);

    *id = build_id_start + NOTE_HEAD;
    return n > NOTE_HEAD ? n - NOTE_HEAD : 0;
}
