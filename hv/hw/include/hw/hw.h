/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam. Everything outside hv/hw/ reaches the machine only through this header, and tests/host/
 * implements it a second time, so that the rest of the hypervisor compiles and runs on a developer's Linux
 * under sanitizers.
 */
#ifndef HW_HW_H
#define HW_HW_H

#include <hv/cpu_set.h>
#include <hv/types.h>
/* frame_map(), frame_unmap(), this_cpu(): inline; one version here, one for the host */
#include <hw/inline.h>

/* ---- time ---- */
uint64_t now_ns(void);              /* system time, monotonic, the same on all processors */
uint64_t tsc_now(void);
uint64_t tsc_khz(void);
bool     tsc_reliable(void);    /* constant and the same on all processors; settled before dom0 is built */
void     hw_timer_program(uint64_t deadline_ns);    /* ~0: none; in the past: at once */
size_t   hw_clock_format(char *buf, size_t len);    /* what system time comes from, a line */
uint64_t hw_rtc_seconds(void);      /* battery clock, seconds since 1970 */

/* ---- processors ---- */
void hw_relax(void);                /* one turn of a waiting loop; answers requests of other processors */
bool hw_irq_window(void);           /* takes interrupts that are pending; true if any was taken */
void hw_kick(struct pcpu *c);       /* makes c look at its pending word soon */
void hw_idle(void);                 /* waits for an interrupt unless work is pending */

/* ---- address spaces ---- */
/*
 * Flushes act on this processor unless said otherwise; those of others are done when the function returns.
 * Meanwhile this processor answers requests: no guest memory may be half read or written.
 */
#define TLB_WHOLE (~0ull)                   /* as a va: not one page but all */
void tlb_flush_local(void);
void tlb_flush_page_local(uint64_t va);
void tlb_flush_cpus(const struct cpu_set *who);
/* One page or TLB_WHOLE, on every processor that may hold translations of d. */
void tlb_flush_domain(struct domain *d, uint64_t va);
/* The same, for the vCPUs of d whose bits are set. */
void tlb_flush_vcpus(struct domain *d, uint64_t vcpus, uint64_t va);
/* d is about to map a frame that is not its own, and d->foreign_told is not set. */
void tlb_domain_maps_foreign(struct domain *d);
/* Loads v's current root (kernel or user), unless the processor has it already and nothing needs flushing. */
void hw_load_root(struct vcpu *v);
/* Fills the hypervisor's slots (256..271) of a guest L4 table. l3_perdomain is the domain's own slot. */
void hw_fill_root(uint64_t *l4, mfn_t perdomain_l3);

/* ---- vCPU state in the processor ---- */
/*
 * Brings segments and FPU of v, which does not run and will not meanwhile, into memory, wherever a processor
 * still holds them; the next one to run v loads all anew, its address space too.
 */
void hw_vcpu_save(struct vcpu *v);
void hw_swapgs(void);                       /* exchanges the two GS bases: guest kernel <-> guest user */
int  hw_load_user_gs(uint32_t selector);    /* 1: refused, null was loaded */
void hw_load_ldt(struct vcpu *v);
mfn_t hw_reserved_gdt_frame(void);          /* page 14 of every GDT on this processor */
/* Makes this processor run `next` from now on (maybe the idle vCPU); saves and loads what that needs. */
void hw_switch(struct pcpu *c, struct vcpu *next);
/* d is being torn down, by a vCPU of another: no processor keeps its tables or registers loaded. */
void hw_leave_domain(struct domain *d);
uint64_t hw_xcr0(void);                     /* the extended states that are saved; 0 without XSAVE */
void hw_write_xcr0(uint64_t value);         /* for the running vCPU; the value was checked */
size_t hw_fpu_size(void);
void hw_fpu_init(void *area);
void hw_set_ts(bool ts);                    /* CR0.TS as the guest wants it */
void hw_set_debugreg(unsigned n, uint64_t value);    /* pv.debugreg[n] of the running vCPU has changed */
uint64_t hw_debug_status(void);             /* reads and clears DR6 */
void hw_write_fs_base(uint64_t base);
void hw_write_gs_base(uint64_t base);               /* the active one */
void hw_write_inactive_gs_base(uint64_t base);

/* ---- instructions that need privilege, for emulation on behalf of dom0 ---- */
uint32_t hw_port_in(uint16_t port, unsigned bytes);
void     hw_port_out(uint16_t port, unsigned bytes, uint32_t value);
void     hw_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]);
int      hw_rdmsr(uint32_t msr, uint64_t *value);       /* 0 or -EFAULT */
int      hw_wrmsr(uint32_t msr, uint64_t value);
void     hw_wbinvd(void);
void     hw_wbinvd_all(void);       /* on every processor */

/* ---- devices: interrupt controllers, memory of PCI devices ---- */
/* n: index into machine.acpi.ioapic; reg: its register number */
uint32_t hw_ioapic_read(unsigned n, uint8_t reg);
void     hw_ioapic_write(unsigned n, uint8_t reg, uint32_t value);
void     hw_irq_ack(void);                          /* end of interrupt, at the local APIC */
/* Registers of a device, uncached, for good; phys and len in bytes. NULL: out of reach, or memory. */
volatile uint32_t *hw_device_map(uint64_t phys, size_t len);

/* ---- the machine ---- */
struct cmdline_options;
void hw_console_setup(const struct cmdline_options *o);     /* which devices, and how; may be called again */
void hw_console_release_screen(void);                       /* dom0 owns the screen from now on */
int  hw_console_input_irq(void);                /* ISA interrupt of the input device; -1: it must be polled */
void hw_console_input_irq_on(void);                         /* its line is connected: let it interrupt */
void hw_console_write(const char *s, size_t len);       /* serial and VGA as configured */
int  hw_console_read(void);                             /* a byte, or -1 */
__noreturn void hw_halt(void);
/*
 * For hv/core/crash.c. Stops all other processors for good, by NMI, and waits some tenths of a second until
 * each has said so in pcpu.stopped. hw_stack(): how many words lie from sp to the end of that stack, 0 where
 * sp is none of ours.
 */
void hw_stop_others(void);
unsigned hw_stack(uint64_t sp, const uint64_t **word);
size_t hw_build_id(const uint8_t **id);     /* of the image that runs, bytes */
/* The registers and clocks of another processor, as an NMI finds them; false: no answer, or somebody else is
 * asking. */
struct cpu_snapshot;
bool hw_snapshot(struct pcpu *c, struct cpu_snapshot *out);
uint32_t hw_nmi_count(const struct pcpu *c);    /* NMIs that nobody asked for, since boot */
void hw_nmi_self(void);                         /* sends one, for trying */
/*
 * For hv/core/watchdog.c. A counter of this processor's work, whose NMIs go to watchdog_nmi(). hw_accuse(): c
 * hangs; it crashes and stops us, or this returns false after some tenths of a second.
 */
bool hw_counter_present(void);
void hw_counter_start(void);
bool hw_accuse(struct pcpu *c);
__noreturn void hw_after_panic(void);       /* restarts after some seconds, or with noreboot stops */
__noreturn void hw_reboot(void);
void hw_acpi_sleep(uint16_t pm1a_value, uint16_t pm1b_value);  /* writes the control registers */

#endif
