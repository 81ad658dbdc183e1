/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vcpu_op(operation, vcpu, argument): a guest's virtual processors, their timers and their shared memory
 * areas.
 */
#ifndef HAUCH_ABI_VCPU_H
#define HAUCH_ABI_VCPU_H

#include <abi/xen.h>

#define VCPUOP_initialise                    0 /* struct vcpu_guest_context; -EEXIST the second time */
#define VCPUOP_up                            1
#define VCPUOP_down                          2
#define VCPUOP_is_up                         3 /* -ENOENT: there is no such vCPU */
#define VCPUOP_get_runstate_info             4
#define VCPUOP_register_runstate_memory_area 5
#define VCPUOP_set_periodic_timer            6
#define VCPUOP_stop_periodic_timer           7
#define VCPUOP_set_singleshot_timer          8
#define VCPUOP_stop_singleshot_timer         9
#define VCPUOP_register_vcpu_info            10
#define VCPUOP_send_nmi                      11
#define VCPUOP_get_physid                    12
#define VCPUOP_register_vcpu_time_memory_area 13

#define RUNSTATE_running  0
#define RUNSTATE_runnable 1
#define RUNSTATE_blocked  2
#define RUNSTATE_offline  3

#define XEN_RUNSTATE_UPDATE (1ULL << 63) /* in state_entry_time during an update, if the guest asked */

#define VCPU_SSHOTTMR_future (1U << 0) /* -ETIME for a moment that is past */

#ifndef __ASSEMBLER__
struct vcpu_runstate_info {
    int32_t state; /* RUNSTATE_* */
    uint64_t state_entry_time; /* system time, ns */
    uint64_t time[4]; /* ns spent in each state */
};
_Static_assert(sizeof(struct vcpu_runstate_info) == 48, "runstate area");

/* An area in the guest that the hypervisor writes whenever the vCPU is put on a processor. */
struct vcpu_register_runstate_memory_area {
    union {
        guest_handle_t h;
        uint64_t p;
    } addr;
};
struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};
struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns; /* system time */
    uint32_t flags;
};
/* Once a vCPU: struct vcpu_info leaves shared_info for a place in the guest's own page. */
struct vcpu_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset;
    uint32_t rsvd;
};
struct vcpu_get_physid {
    uint64_t phys_id; /* APIC id in the low half, ACPI id in the high half */
};
#define xen_vcpu_physid_to_x86_apicid(physid) ((uint32_t)(physid))
#define xen_vcpu_physid_to_x86_acpiid(physid) ((uint32_t)((physid) >> 32))
/* A second copy of struct vcpu_time_info, which the guest maps into its user programs (vDSO clock). */
struct vcpu_register_time_memory_area {
    union {
        guest_handle_t h;
        uint64_t p;
    } addr;
};
#endif /* __ASSEMBLER__ */
#endif
