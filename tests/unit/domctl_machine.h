/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole hypervisor but hw/ on the host, for tests that go in by the front door: a hypercall of dom0's or
 * of a guest's. Guest virtual addresses are addresses of the test program. One machine a program: domains
 * come and go.
 */
#ifndef DOMCTL_MACHINE_H
#define DOMCTL_MACHINE_H

#include <hv/domain.h>
#include <hv/hypercall.h>

#include <abi/sysctl.h>

#include "../host/stand_in.h"

#define MACHINE_FRAMES 2048u
#define MACHINE_CPUS   2u

/* 512 MiB it is not, but a machine: memory, two processors, dom0 with one vCPU. Call once. */
void machine_start(void);

/* What hw_cpuid() answers; without an entry zeros. Read by cpuid_init_boot(), which machine_start() calls. */
struct machine_cpuid { uint32_t leaf, subleaf, r[4]; };
extern const struct machine_cpuid *machine_cpuid;
extern unsigned machine_cpuid_count;
extern uint64_t machine_xcr0;
extern bool     machine_tsc_reliable;

/* Told of what ends the machine, in order; may jump away. */
enum machine_end { MACHINE_STOP_OTHERS, MACHINE_OFF, MACHINE_REBOOT, MACHINE_HALT };
extern void (*machine_end_hook)(enum machine_end what);

/* preempt_due() finds work every n-th time; 0: never. */
extern unsigned machine_preempt_every;

/* A hypercall of v until it is done, then the work it left behind. restarts: how often it was preempted. */
long machine_call(struct vcpu *v, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
extern unsigned machine_restarts;

/* By dom0: fills in version and command. */
long control(uint32_t cmd, domid_t id, struct xen_domctl *op);
long system_call(uint32_t cmd, struct xen_sysctl *op);

/* A domU with as many frames and vCPUs; stops the test if it cannot be made. */
domid_t machine_domain(unsigned vcpus, unsigned frames);
/* One more frame for it, zeroed; the caller's copy of its number. */
uint64_t machine_frame(domid_t id);
void machine_destroy(domid_t id);

#endif
