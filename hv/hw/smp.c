/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other processors. Each gets its memory first, then the interrupts that start it (Intel SDM
 * vol. 3, 9.4.4), one after the other, because they share the trampoline. One that does not answer is told to
 * wait again and left out; the machine runs without it.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/vcpu.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

#define MS 1000000ull           /* ns */
#define ANSWER_WITHIN (2000 * MS)
#define NOBODY (~0u)            /* as an APIC id */
#define TRAMPOLINE_ORDER 2      /* code, and three levels of tables */
#define TRAMPOLINE_SIZE (PAGE_SIZE << TRAMPOLINE_ORDER)

extern const uint8_t trampoline_start[], trampoline_end[];
extern const uint64_t trampoline_stack;
extern const uint32_t trampoline_apic_id;
extern uint64_t idle_l4[512];
void smp_main(void);

/* Of a processor that is being started. One that comes when we have ceased to wait stays out for good. */
enum cpu_stage { CPU_STARTING, CPU_ALIVE, CPU_ENTERED, CPU_REFUSED };

static void wait(uint64_t ns)
{
    for (uint64_t t = now_ns(); now_ns() - t < ns; )
        __builtin_ia32_pause();
}

/* ---- the trampoline: the first MiB as it is, and the hypervisor ---- */
static void *trampoline(void) { return page_of_mfn(MFN(TRAMPOLINE >> PAGE_SHIFT)); }

static void trampoline_place(void)
{
    uint8_t *at = trampoline();
    uint64_t *l4 = (uint64_t *)(at + PAGE_SIZE), *l3 = (uint64_t *)(at + 2 * PAGE_SIZE);
    uint64_t *l2 = (uint64_t *)(at + 3 * PAGE_SIZE);

    __builtin_memset(at, 0, TRAMPOLINE_SIZE);
    __builtin_memcpy(at, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    __builtin_memcpy(l4, idle_l4, PAGE_SIZE);
    l4[0] = (TRAMPOLINE + 2 * PAGE_SIZE) | 3;
    l3[0] = (TRAMPOLINE + 3 * PAGE_SIZE) | 3;
    l2[0] = 0x83;
}

/* Where a constant of the trampoline is in the copy that runs. */
static volatile void *placed(const void *constant)
{
    return (uint8_t *)trampoline() + ((const uint8_t *)constant - trampoline_start);
}

static void trampoline_aim(uint32_t apic_id, uint64_t stack)
{
    *(volatile uint64_t *)placed(&trampoline_stack) = stack;
    *(volatile uint32_t *)placed(&trampoline_apic_id) = apic_id;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* ---- one processor ---- */
static struct pcpu *cpu_new(uint32_t apic_id)
{
    _Static_assert(sizeof(struct pcpu) <= PAGE_SIZE && sizeof(struct vcpu) > PAGE_SIZE / 2,
                   "pages: aligned to lines");
    struct pcpu *c = page_alloc(0);
    struct vcpu *idle = kalloc(sizeof *idle);

    if (!c || !idle)
        return NULL;
    frames_init_cpu(c);
    c->id = pcpu_count;
    c->apic_id = apic_id;
    if (!cpu_prepare(c))
        return NULL;
    c->idle = c->current = idle;
    idle->cpu = c;
    timer_heap_init(&c->timers);
    sched_init_cpu(c);
    return c;
}

static bool stage_change(struct pcpu *c, enum cpu_stage from, enum cpu_stage to)
{
    uint32_t now = from;

    return __atomic_compare_exchange_n(&hw_of(c)->stage, &now, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static enum cpu_stage stage_of(struct pcpu *c) { return __atomic_load_n(&hw_of(c)->stage, __ATOMIC_ACQUIRE); }

static bool cpu_begin(struct pcpu *c)
{
    uint64_t since = now_ns();

    trampoline_aim(c->apic_id, hw_of(c)->stack_top);
    lapic_send_startup(c->apic_id, TRAMPOLINE >> PAGE_SHIFT);
    wait(MS / 5);
    if (stage_of(c) == CPU_STARTING)
        /* the first may be missed: the manual's advice */
        lapic_send_startup(c->apic_id, TRAMPOLINE >> PAGE_SHIFT);
    while (stage_of(c) == CPU_STARTING) {
        if (now_ns() - since > ANSWER_WITHIN && stage_change(c, CPU_STARTING, CPU_REFUSED)) {
            trampoline_aim(NOBODY, 0);
            lapic_send_init(c->apic_id);
            return false;
        }
        __builtin_ia32_pause();
    }
    return true;
}

/* On the new processor, on its own stack, with the hypervisor's own root. */
void smp_main(void)
{
    struct pcpu *c = this_cpu();

    while (!stage_change(c, CPU_STARTING, CPU_ALIVE))
        __asm__ volatile("hlt");
    cpu_init(c);
    fpu_init_cpu();
    lapic_init_cpu();
    clock_check_target(c);
    while (stage_of(c) != CPU_ENTERED)
        __builtin_ia32_pause();
    resume_on_fresh_stack(hw_of(c)->stack_top);
}

static bool wanted(const struct acpi_cpu *a, uint32_t self)
{
    unsigned most = machine.options.maxcpus ? MIN(machine.options.maxcpus, MAX_CPUS) : MAX_CPUS;

    return a->enabled && a->apic_id != self && pcpu_count < most;
}

static bool start_one(uint32_t apic_id)
{
    struct pcpu *c = cpu_new(apic_id);

    if (!c)
        panic("no memory for processor %u", pcpu_count);
    if (!cpu_begin(c)) {
        printk(LOG_ERROR, "the processor with APIC id %u does not start; going on without it\n", apic_id);
        return false;
    }
    clock_check_source(c);
    pcpus[c->id] = c;
    __atomic_store_n(&pcpu_count, c->id + 1, __ATOMIC_RELEASE);
    if (timer_reserve(0))
        panic("no memory for the timers of processor %u", c->id);
    __atomic_store_n(&hw_of(c)->stage, CPU_ENTERED, __ATOMIC_RELEASE);
    return true;
}

void smp_start(void)
{
    void *before = page_alloc(TRAMPOLINE_ORDER);
    uint32_t self = this_cpu()->apic_id;
    bool all = true;

    if (!before)
        panic("no memory to start processors");
    __builtin_memcpy(before, trampoline(), TRAMPOLINE_SIZE);
    trampoline_place();
    for (unsigned i = 0; i < machine.acpi.cpus; i++)
        if (wanted(&machine.acpi.cpu[i], self))
            lapic_send_init(machine.acpi.cpu[i].apic_id);
    wait(10 * MS);
    for (unsigned i = 0; i < machine.acpi.cpus; i++)
        if (wanted(&machine.acpi.cpu[i], self))
            all &= start_one(machine.acpi.cpu[i].apic_id);
    if (all)                            /* or one might come late and must find the way to its end */
        __builtin_memcpy(trampoline(), before, TRAMPOLINE_SIZE);
    page_free(before, TRAMPOLINE_ORDER);
    sched_topology();
    printk(LOG_INFO, "%u processors\n", pcpu_count);
}
