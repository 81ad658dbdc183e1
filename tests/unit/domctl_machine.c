/* SPDX-License-Identifier: BSD-2-Clause */
#include "domctl_machine.h"

#include <hv/boot/cmdline.h>
#include <hv/console.h>
#include <hv/cpuid.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESERVED 16u            /* frames that are nobody's */

const struct machine_cpuid *machine_cpuid;
unsigned machine_cpuid_count, machine_preempt_every, machine_restarts;
uint64_t machine_xcr0 = 7;
bool machine_tsc_reliable = true;

static struct pcpu cpu[MACHINE_CPUS];
static struct vcpu idle[MACHINE_CPUS];
static uint64_t clock_ns;
static unsigned preempt_asked;

/* ---- hw.h: time and processors ---- */
uint64_t now_ns(void) { return clock_ns += 100; }
uint64_t tsc_now(void) { return clock_ns * 2; }
bool tsc_reliable(void) { return machine_tsc_reliable; }

/* Where the processor would take interrupts: now and then one comes and has work. */
bool hw_irq_window(void)
{
    if (!machine_preempt_every || ++preempt_asked % machine_preempt_every)
        return false;
    pcpu_raise(this_cpu(), PENDING_SCHED);
    return true;
}

/* ---- address spaces ---- */
static void tlb_flush_all(void)
{
    for (unsigned i = 0; i < pcpu_count; i++)
        tlb_flush_ended(i, tlb_flush_begins());
}
void tlb_flush_local(void) { tlb_flush_all(); }
void tlb_flush_cpus(const struct cpu_set *who) { tlb_flush_all(); }
void hw_load_root(struct vcpu *v) { tlb_flush_all(); }
void hw_leave_domain(struct domain *d) { tlb_flush_all(); }

/* ---- the processor ---- */
uint64_t hw_xcr0(void) { return machine_xcr0; }
void hw_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 16);
    for (unsigned i = 0; i < machine_cpuid_count; i++)
        if (machine_cpuid[i].leaf == leaf && machine_cpuid[i].subleaf == sub)
            memcpy(out, machine_cpuid[i].r, 16);
}

/* ---- its end ---- */
void (*machine_end_hook)(enum machine_end what);
static void machine_end_say(enum machine_end what);

void hw_acpi_sleep(uint16_t a, uint16_t b) { machine_end_say(MACHINE_OFF); }
void hw_stop_others(void) { machine_end_say(MACHINE_STOP_OTHERS); }
const uint8_t image_start[1];
const uint32_t symbol_table[2];

static void machine_end_say(enum machine_end what)
{
    if (machine_end_hook)
        machine_end_hook(what);
}

void hw_halt(void)
{
    uint32_t index = 0;
    char text[4096];
    size_t n = console_read_ring(text, sizeof text, &index, false);

    machine_end_say(MACHINE_HALT);
    fprintf(stderr, "the machine has halted; its log:\n%.*s\n", (int)n, text);
    abort();
}

void hw_reboot(void)
{
    machine_end_say(MACHINE_REBOOT);
    hw_halt();
}

/* ---- the machine ---- */
static void processors(void)
{
    for (unsigned i = 0; i < MACHINE_CPUS; i++) {
        cpu[i].id = i;
        cpu[i].idle = cpu[i].current = &idle[i];
        idle[i].cpu = &cpu[i];
        pcpus[i] = &cpu[i];
    }
    pcpu_count = MACHINE_CPUS;
    host_cpu = &cpu[0];
}

static void memory(void)
{
    host_frames = MACHINE_FRAMES;
    host_mapped_max = 64;               /* vcpu_info and event pages stay mapped */
    host_memory = aligned_alloc(PAGE_SIZE, host_frames << PAGE_SHIFT);
    m2p = calloc(host_frames, sizeof *m2p);
    memset(host_memory, 0xa5, host_frames << PAGE_SHIFT);
    frame_table_init(calloc(host_frames, sizeof(struct frame)), host_frames);
    frames_reserve(0, RESERVED);
    frames_add(RESERVED, host_frames - RESERVED);
    machine.ram_frames = host_frames;
    machine.max_frame = host_frames - 1;
}

static void first_domain(void)
{
    struct xen_domctl_createdomain c = { .max_vcpus = 1, .max_evtchn_port = 1023, .grant_opts = 1 };
    int error;

    dom0 = domain_create(0, &c, true, &error);
    BUG_ON(!dom0 || domain_add_vcpu(dom0, 0));
    BUG_ON(ranges_add(&dom0->pv.io_ports, 0, 0xffff) || ranges_add(&dom0->pv.irqs, 0, 255) ||
           ranges_add(&dom0->pv.io_frames, 0x1000, 0x1fff));
    domain_unpause(dom0);
    cpu[0].current = dom0->vcpu[0];
    dom0->vcpu[0]->running = true;
}

void machine_start(void)
{
    static const struct cmdline_report quiet;

    parse_cmdline("", &quiet, &machine.options);
    processors();
    memory();
    for (unsigned i = 0; i < MACHINE_CPUS; i++) {
        timer_heap_init(&cpu[i].timers);
        sched_init_cpu(&cpu[i]);
    }
    wallclock_set(hw_rtc_seconds(), 0, now_ns());
    cpuid_init_boot();
    first_domain();
}

/* ---- going in ---- */
static void work_left(void)
{
    struct pcpu *c = this_cpu();

    while (__atomic_fetch_and(&c->pending, ~PENDING_TASK, __ATOMIC_SEQ_CST) & PENDING_TASK)
        task_run(c);
    c->pending = 0;
}

long machine_call(struct vcpu *v, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    uint64_t rip = v->regs.rip;

    machine_restarts = 0;
    v->regs.rdi = a1;
    v->regs.rsi = a2;
    v->regs.rdx = a3;
    v->regs.r10 = a4;
    for (;;) {
        v->regs.rax = nr;
        hypercall(v);
        work_left();
        if (!v->restart)
            return (long)v->regs.rax;
        v->regs.rip = rip;
        BUG_ON(++machine_restarts > 100000);
    }
}

long control(uint32_t cmd, domid_t id, struct xen_domctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = id;
    return machine_call(dom0->vcpu[0], __HYPERVISOR_domctl, (uint64_t)op, 0, 0, 0);
}

long system_call(uint32_t cmd, struct xen_sysctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return machine_call(dom0->vcpu[0], __HYPERVISOR_sysctl, (uint64_t)op, 0, 0, 0);
}

/* ---- domains ---- */
uint64_t machine_frame(domid_t id)
{
    uint64_t frame = 0;
    struct xen_memory_reservation r = { .extent_start = GADDR((uint64_t)&frame),
                                        .nr_extents = 1,
                                        .domid = id };

    BUG_ON(machine_call(dom0->vcpu[0], __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uint64_t)&r, 0, 0) !=
           1);
    return frame;
}

domid_t machine_domain(unsigned vcpus, unsigned frames)
{
    struct xen_domctl op = { .u.createdomain = { .max_vcpus = vcpus, .max_evtchn_port = 1023, .grant_opts = 1,
                                                 .max_grant_frames = -1, .max_maptrack_frames = -1 } };
    domid_t id;

    BUG_ON(control(XEN_DOMCTL_createdomain, 0, &op));
    id = op.domain;
    op = (struct xen_domctl){ .u.max_vcpus.max = vcpus };
    BUG_ON(control(XEN_DOMCTL_max_vcpus, id, &op));
    op = (struct xen_domctl){ .u.max_mem.max_memkb = 4096 };
    BUG_ON(control(XEN_DOMCTL_max_mem, id, &op));
    for (unsigned i = 0; i < frames; i++)
        machine_frame(id);
    return id;
}

void machine_destroy(domid_t id)
{
    struct xen_domctl op = { 0 };

    BUG_ON(control(XEN_DOMCTL_destroydomain, id, &op));
}
