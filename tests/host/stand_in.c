/* SPDX-License-Identifier: BSD-2-Clause */
#include "stand_in.h"

#include <hv/console.h>
#include <hv/cpuid.h>
#include <hv/crash.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/machine.h>
#include <hv/pagetable.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/refusal.h>
#include <hw/hw.h>

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN __attribute__((weak))

PLAIN struct machine machine;
PLAIN struct pcpu *pcpus[MAX_CPUS];
PLAIN unsigned pcpu_count = 1;

uint8_t *host_memory;
uint64_t host_frames;
int      host_mapped_max;
_Thread_local int host_mapped;
_Thread_local struct pcpu *host_cpu;
uint32_t host_guest_fault_in;
void (*host_midway)(void);
_Thread_local bool host_restarted;
_Thread_local uint64_t host_restart_arg[4];
struct timer *host_timer;

void host_frame_check(uint64_t n)
{
    BUG_ON(host_frames && n >= host_frames);
    BUG_ON(host_mapped_max && host_mapped > host_mapped_max);
}

/* ---- chance ---- */
static _Thread_local uint64_t random_state = 1;

void host_random_seed(uint64_t seed) { random_state = seed * 0x9e3779b97f4a7c15ull | 1; }

uint64_t host_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dull >> 11;
}

/* ---- time: it stands still ---- */
PLAIN uint64_t now_ns(void) { return 1000; }
PLAIN uint64_t tsc_now(void) { return 2000; }
PLAIN uint64_t tsc_khz(void) { return 2000000; }
PLAIN bool tsc_reliable(void) { return true; }
PLAIN size_t hw_clock_format(char *buf, size_t len)
{
    return (size_t)snprintf(buf, len, "the clock of a test\n");
}
PLAIN uint64_t hw_rtc_seconds(void) { return 1700000000; }
PLAIN void hw_timer_program(uint64_t deadline) { }

PLAIN int timer_reserve(unsigned n) { return 0; }
PLAIN void timer_init(struct timer *t, void (*fn)(void *, uint64_t), void *arg, unsigned cpu)
{
    *t = (struct timer){ .fn = fn, .arg = arg, .cpu = cpu };
}
PLAIN void timer_set(struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    host_timer = t;
}
PLAIN void timer_stop(struct timer *t) { host_timer = host_timer == t ? NULL : host_timer; }

/* ---- processors ---- */
PLAIN void hw_relax(void) { sched_yield(); }
PLAIN bool hw_irq_window(void) { return false; }
PLAIN void hw_kick(struct pcpu *c) { }
PLAIN bool preempt_due(struct vcpu *v) { return false; }

/* ---- address spaces: nobody remembers a translation ---- */
PLAIN void tlb_flush_local(void) { }
PLAIN void tlb_flush_page_local(uint64_t va) { }
PLAIN void tlb_flush_cpus(const struct cpu_set *who) { }
PLAIN void tlb_flush_domain(struct domain *d, uint64_t va) { }
PLAIN void tlb_flush_vcpus(struct domain *d, uint64_t vcpus, uint64_t va) { }
PLAIN void tlb_domain_maps_foreign(struct domain *d) { d->foreign_told = true; }
PLAIN void hw_load_root(struct vcpu *v) { }
PLAIN void hw_leave_domain(struct domain *d) { }
PLAIN void hw_fill_root(uint64_t *l4, mfn_t perdomain_l3)
{
    for (unsigned i = L4_SLOT_FIRST; i <= L4_SLOT_LAST; i++)
        l4[i] = i == L4_SLOT_PERDOMAIN ? pte_make(perdomain_l3, PTE_P | PTE_RW) : 0;
}

/* ---- vCPU state ---- */
#define FPU_BYTES 832u

PLAIN void hw_vcpu_save(struct vcpu *v) { }
PLAIN void hw_swapgs(void) { }
PLAIN int  hw_load_user_gs(uint32_t selector) { return 0; }
PLAIN void hw_load_ldt(struct vcpu *v) { }
PLAIN mfn_t hw_reserved_gdt_frame(void) { return MFN(0); }
PLAIN uint64_t hw_xcr0(void) { return 7; }
PLAIN void hw_write_xcr0(uint64_t value) { }
PLAIN size_t hw_fpu_size(void) { return FPU_BYTES; }
PLAIN void hw_fpu_init(void *area)
{
    BUG_ON((uintptr_t)area % 64);
    memset(area, 0, FPU_BYTES);
    memcpy(area, &(uint16_t){ 0x37f }, 2);
    memcpy((uint8_t *)area + 24, &(uint32_t){ 0x1f80 }, 4);
}
PLAIN void hw_set_ts(bool ts) { }
PLAIN void hw_set_debugreg(unsigned n, uint64_t value) { }
PLAIN uint64_t hw_debug_status(void) { return 0; }
PLAIN void hw_write_fs_base(uint64_t base) { }
PLAIN void hw_write_gs_base(uint64_t base) { }
PLAIN void hw_write_inactive_gs_base(uint64_t base) { }

/* ---- privileged instructions, devices: nothing is there ---- */
PLAIN void hw_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]) { memset(out, 0, 16); }
PLAIN uint32_t hw_port_in(uint16_t port, unsigned bytes) { return ~0u; }
PLAIN void hw_port_out(uint16_t port, unsigned bytes, uint32_t value) { }
PLAIN int  hw_rdmsr(uint32_t msr, uint64_t *value) { *value = 0; return -XEN_EFAULT; }
PLAIN int  hw_wrmsr(uint32_t msr, uint64_t value) { return -XEN_EFAULT; }
PLAIN void hw_wbinvd(void) { }
PLAIN void hw_wbinvd_all(void) { }
PLAIN uint32_t hw_ioapic_read(unsigned n, uint8_t reg) { return 0; }
PLAIN void hw_ioapic_write(unsigned n, uint8_t reg, uint32_t value) { }
PLAIN void hw_irq_ack(void) { }
PLAIN volatile uint32_t *hw_device_map(uint64_t phys, size_t len) { return NULL; }

/* ---- console and end ---- */
PLAIN void hw_console_setup(const struct cmdline_options *o) { }
PLAIN void hw_console_release_screen(void) { }
PLAIN int  hw_console_input_irq(void) { return -1; }
PLAIN void hw_console_input_irq_on(void) { }
PLAIN int  hw_console_read(void) { return -1; }
PLAIN void hw_console_write(const char *s, size_t len) { }
PLAIN void hw_acpi_sleep(uint16_t a, uint16_t b) { }
PLAIN void hw_stop_others(void) { }
PLAIN bool hw_snapshot(struct pcpu *c, struct cpu_snapshot *out) { return false; }
PLAIN uint32_t hw_nmi_count(const struct pcpu *c) { return c->id; }
PLAIN void hw_nmi_self(void) { }
PLAIN bool hw_counter_present(void) { return false; }
PLAIN void hw_counter_start(void) { }
PLAIN bool hw_accuse(struct pcpu *c) { return false; }
PLAIN unsigned hw_stack(uint64_t sp, const uint64_t **word) { return 0; }
PLAIN size_t hw_build_id(const uint8_t **id) { return 0; }
PLAIN void hw_halt(void) { abort(); }
PLAIN void hw_after_panic(void) { hw_halt(); }
PLAIN void hw_reboot(void) { hw_halt(); }

PLAIN __noreturn void crash(const char *text, const struct regs *r)
{
    fprintf(stderr, "%s\n", text);
    hw_halt();
}

PLAIN void crash_alone(void) { }

/* ---- print.c ---- */
PLAIN void printk(enum log_level level, const char *fmt, ...) { }

PLAIN size_t format(char *buf, size_t len, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, len, fmt, ap);
    va_end(ap);
    return (size_t)n;
}

PLAIN __noreturn void bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: BUG: %s\n", file, line, what);
    abort();
}

/* ---- heap ---- */
PLAIN void *kalloc(size_t size) { return calloc(1, size); }
PLAIN void kfree(void *p) { free(p); }
PLAIN void *page_alloc(unsigned order) { return calloc(PAGE_SIZE, 1ul << order); }
PLAIN void page_free(void *p, unsigned order) { free(p); }

/* ---- guests ---- */
static bool reachable(gaddr_t at, size_t len)
{
    return at.va >= PAGE_SIZE && guest_range_ok(at.va, len) &&
           !(host_guest_fault_in && --host_guest_fault_in == 0);
}

PLAIN int guest_read(void *dst, gaddr_t src, size_t len)
{
    if (!len)
        return 0;
    if (!reachable(src, len))
        return -XEN_EFAULT;
    memcpy(dst, (const void *)src.va, len);
    return 0;
}

PLAIN int guest_write(gaddr_t dst, const void *src, size_t len)
{
    void (*midway)(void) = host_midway;

    if (midway) {
        host_midway = NULL;
        midway();
    }
    if (!len)
        return 0;
    if (!reachable(dst, len))
        return -XEN_EFAULT;
    memcpy((void *)dst.va, src, len);
    return 0;
}

PLAIN int refuse(struct vcpu *v, int error, uint64_t a, uint64_t b) { return error; }

PLAIN long hypercall_restart(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    host_restarted = true;
    host_restart_arg[0] = a1;
    host_restart_arg[1] = a2;
    host_restart_arg[2] = a3;
    host_restart_arg[3] = a4;
    return -XEN_ERESTART;
}
