/* SPDX-License-Identifier: BSD-2-Clause */
#include "domctl_machine.h"

#include <hv/boot/cmdline.h>
#include <hv/console.h>
#include <hv/cpuid.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESERVED 16u            /* frames that are nobody's */
#define FPU_BYTES 832u

struct machine machine;
struct pcpu *pcpus[MAX_CPUS];
unsigned pcpu_count;
uint8_t *host_memory;
uint64_t host_frames;
_Thread_local int host_mapped;
_Thread_local struct pcpu *host_cpu;

const struct machine_cpuid *machine_cpuid;
unsigned machine_cpuid_count, machine_preempt_every, machine_restarts;
uint64_t machine_xcr0 = 7;
bool machine_tsc_reliable = true;
void (*machine_midway)(void);

static struct pcpu cpu[MACHINE_CPUS];
static struct vcpu idle[MACHINE_CPUS];
static uint64_t clock_ns;
static unsigned preempt_asked;

/* ---- hw.h: time and processors ---- */
uint64_t now_ns(void) { return clock_ns += 100; }
uint64_t tsc_now(void) { return clock_ns * 2; }
uint64_t tsc_khz(void) { return 2000000; }
size_t hw_clock_format(char *buf, size_t len) { return format(buf, len, "the clock of a test\n"); }
bool tsc_reliable(void) { return machine_tsc_reliable; }
uint64_t hw_rtc_seconds(void) { return 1700000000; }
void hw_timer_program(uint64_t deadline) { }
void hw_relax(void) { }
void hw_kick(struct pcpu *c) { }
void hw_irq_ack(void) { }

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
void tlb_flush_page_local(uint64_t va) { }
void tlb_domain_maps_foreign(struct domain *d) { d->foreign_told = true; }
void tlb_flush_cpus(const struct cpu_set *who) { tlb_flush_all(); }
void tlb_flush_domain(struct domain *d, uint64_t va) { }
void tlb_flush_vcpus(struct domain *d, uint64_t vcpus, uint64_t va) { }
void hw_load_root(struct vcpu *v) { tlb_flush_all(); }
void hw_leave_domain(struct domain *d) { tlb_flush_all(); }
void hw_load_ldt(struct vcpu *v) { }
mfn_t hw_reserved_gdt_frame(void) { return MFN(1); }
void hw_fill_root(uint64_t *l4, mfn_t perdomain_l3)
{
    for (unsigned i = L4_SLOT_FIRST; i <= L4_SLOT_LAST; i++)
        l4[i] = 0;
}

void host_frame_check(uint64_t n)
{
    BUG_ON(n >= host_frames);
    BUG_ON(host_mapped > 64);           /* vcpu_info and event pages stay mapped */
}

/* ---- vCPU state ---- */
void hw_vcpu_save(struct vcpu *v) { }
void hw_swapgs(void) { }
int  hw_load_user_gs(uint32_t selector) { return 0; }
uint64_t hw_xcr0(void) { return machine_xcr0; }
void hw_write_xcr0(uint64_t value) { }
size_t hw_fpu_size(void) { return FPU_BYTES; }
void hw_fpu_init(void *area)
{
    BUG_ON((uintptr_t)area % 64);
    memset(area, 0, FPU_BYTES);
    memcpy(area, &(uint16_t){ 0x37f }, 2);
    memcpy((uint8_t *)area + 24, &(uint32_t){ 0x1f80 }, 4);
}
void hw_set_ts(bool ts) { }
void hw_set_debugreg(unsigned n, uint64_t value) { }
uint64_t hw_debug_status(void) { return 0; }
void hw_write_fs_base(uint64_t base) { }
void hw_write_gs_base(uint64_t base) { }
void hw_write_inactive_gs_base(uint64_t base) { }

/* ---- privileged instructions, devices ---- */
void hw_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 16);
    for (unsigned i = 0; i < machine_cpuid_count; i++)
        if (machine_cpuid[i].leaf == leaf && machine_cpuid[i].subleaf == sub)
            memcpy(out, machine_cpuid[i].r, 16);
}
uint32_t hw_port_in(uint16_t port, unsigned bytes) { return ~0u; }
void hw_port_out(uint16_t port, unsigned bytes, uint32_t value) { }
int  hw_rdmsr(uint32_t msr, uint64_t *value) { *value = 0; return -XEN_EFAULT; }
int  hw_wrmsr(uint32_t msr, uint64_t value) { return -XEN_EFAULT; }
void hw_wbinvd(void) { }
void hw_wbinvd_all(void) { }
uint32_t hw_ioapic_read(unsigned n, uint8_t reg) { return 0; }
void hw_ioapic_write(unsigned n, uint8_t reg, uint32_t value) { }
volatile uint32_t *hw_device_map(uint64_t phys, size_t len) { return NULL; }

/* ---- console and end ---- */
void (*machine_end_hook)(enum machine_end what);
static void machine_end_say(enum machine_end what);

void hw_console_setup(const struct cmdline_options *o) { }
void hw_console_release_screen(void) { }
int  hw_console_input_irq(void) { return -1; }
void hw_console_input_irq_on(void) { }
int  hw_console_read(void) { return -1; }
void hw_console_write(const char *s, size_t len) { }
void hw_acpi_sleep(uint16_t a, uint16_t b) { machine_end_say(MACHINE_OFF); }
void hw_after_panic(void) { hw_halt(); }
void hw_stop_others(void) { machine_end_say(MACHINE_STOP_OTHERS); }
bool hw_snapshot(struct pcpu *c, struct cpu_snapshot *out) { return false; }
uint32_t hw_nmi_count(const struct pcpu *c) { return c->id; }
void hw_nmi_self(void) { }
bool hw_counter_present(void) { return false; }
void hw_counter_start(void) { }
bool hw_accuse(struct pcpu *c) { return false; }
unsigned hw_stack(uint64_t sp, const uint64_t **word) { return 0; }
size_t hw_build_id(const uint8_t **id) { return 0; }
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

/* ---- guest memory ---- */
int guest_read(void *dst, gaddr_t src, size_t len)
{
    if (!len)
        return 0;
    if (src.va < PAGE_SIZE || !guest_range_ok(src.va, len))
        return -XEN_EFAULT;
    memcpy(dst, (const void *)src.va, len);
    return 0;
}

int guest_write(gaddr_t dst, const void *src, size_t len)
{
    void (*midway)(void) = machine_midway;

    machine_midway = NULL;
    if (midway)
        midway();
    if (!len)
        return 0;
    if (dst.va < PAGE_SIZE || !guest_range_ok(dst.va, len))
        return -XEN_EFAULT;
    memcpy((void *)dst.va, src, len);
    return 0;
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
