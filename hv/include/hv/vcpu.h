/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual processor. Its registers live here, not on a stack: the processor's entry path pushes the
 * guest's frame straight into vcpu.regs (the task segment's stack pointer points behind it), so switching
 * vCPUs copies nothing and a vCPU that does not run keeps no stack.
 */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/types.h>

#include <abi/vcpu.h>

/* In the order in which hw/entry.S pushes them; offsets are asserted there. */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector;                /* exception or interrupt number; VECTOR_SYSCALL */
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

#define VECTOR_SYSCALL 0x100

struct vcpu {
    struct regs     regs __attribute__((aligned(16)));
    struct pcpu    *cpu;            /* where it runs or ran last; hw/entry.S reads it right behind regs */
    struct domain  *domain;
    uint64_t        stack;          /* top of the stack of the processor it runs on; hw/entry.S */
    void           *entry_block;    /* what hw/entry.S needs of that processor */
    struct vcpu_info *info;         /* in guest memory, permanently mapped */
    uint64_t        entry_reserved;
    struct pv_vcpu  pv;             /* its first words belong to hw/entry.S as well */

    unsigned        id;
    /* From here to its runstate: what other processors change. */
    uint32_t        pause_flags __own_line; /* enum pause_flag, atomic */
    bool            initialised, initialising;  /* has a context; is getting one (domain.lock) */
    bool            running;        /* chosen by the scheduler; under its queue's lock */
    bool            on_cpu;         /* some processor may still hold its registers; atomic */
    /* hw/: the processor that holds its segments and FPU; NULL: memory does; atomic */
    struct pcpu    *loaded;
    struct pcpu    *ran_on;         /* hw/: where it ran last; NULL: it never ran; atomic */
    evtchn_port_t   poll_port;      /* the one port it polls; ~0: any of several */
    struct sched_vcpu sched;

    mfn_t           info_mfn __own_line;    /* MFN_INVALID: still inside shared_info */
    gaddr_t         runstate_area;  /* registered virtual address, va 0: none */
    gaddr_t         time_area;      /* registered, as above; time_version is even between updates */
    uint32_t        time_version;
    bool            time_area_valid;    /* holds the machine's numbers, which never change (tsc_stable) */

    struct timer    singleshot, periodic, poll;
    uint64_t        period;         /* ns, 0: no periodic timer */
    bool            tick_held;      /* its periodic timer went off and goes on when it runs again; atomic */
    uint32_t        virq_port[NR_VIRQS];    /* ports of VIRQs bound here; 0: none; atomic */

    struct multicall_entry *multicall;  /* the entry being executed, in hypervisor memory; NULL outside */
    bool            restart;        /* the hypercall under way asked to be called again */
    uint64_t        extent;         /* memory_op: first extent to do; a handler stores here how far it came
                                     * before it returns -XEN_ERESTART */
    uint64_t        refusal_a, refusal_b;   /* the two values refuse() was told */
    uint16_t        refusal_op;             /* the operation it belongs to */
};

/* The idle vCPU belongs to no domain. */
static inline bool vcpu_is_idle(const struct vcpu *v) { return v->domain == NULL; }

/* True if v has an unmasked upcall to take. */
static inline bool event_upcall_due(const struct vcpu *v)
{
    const struct vcpu_info *info = v->info;

    return __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST) &&
           !__atomic_load_n(&info->evtchn_upcall_mask, __ATOMIC_RELAXED);
}

/* v runs on another processor now? Then that one is to look again at what is due for it. */
void vcpu_kick(struct vcpu *v);
/* Memory and lists of a vCPU; called by domain_add_vcpu() and at the end of the domain. */
struct vcpu *vcpu_create(struct domain *d, unsigned n);     /* NULL: no memory */
void vcpu_stop_timers(struct vcpu *v);  /* and waits for those that are going off */
/* Sets one of v's timers, on the processor where v is. v is the running vCPU. */
void vcpu_timer_set(struct vcpu *v, struct timer *t, uint64_t deadline);
/* v runs on that processor from now on. No locks held. */
void vcpu_timers_migrate(struct vcpu *v, unsigned cpu);
/* v starts to run here: its timers come along, and the periodic one goes on if it was held. */
void vcpu_timers_resume(struct vcpu *v);
void vcpu_free(struct vcpu *v);
/*
 * Gives v its first registers (VCPUOP_initialise, domctl setvcpucontext; v does not run) and brings it up
 * or down as VGCF_online says: 0, -EINVAL, or what pv_vcpu_set_context() returned.
 */
int  vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c);
/* Brings vcpu_info to a page of the guest's own (VCPUOP_register_vcpu_info): 0 or -errno. */
int  vcpu_register_info(struct vcpu *v, mfn_t frame, uint32_t offset);
void vcpu_release_info(struct vcpu *v);
/*
 * Write system time and runstate where the guest registered them. Called on v's processor when v starts to
 * run and its address space is loaded. Both return at once where nothing is to be written. The first also
 * calls vcpu_timers_resume().
 */
void vcpu_time_update(struct vcpu *v);
void vcpu_runstate_update(struct vcpu *v);

#endif
