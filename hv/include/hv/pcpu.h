/* SPDX-License-Identifier: BSD-2-Clause */
/* One processor of the machine. this_cpu() (hw.h) finds the running one. */
#ifndef HV_PCPU_H
#define HV_PCPU_H

#include <hv/cpu_set.h>
#include <hv/clock.h>
#include <hv/frame.h>
#include <hv/limits.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/types.h>

/* Work to be done before the processor returns to a guest; bits of pcpu.pending. */
enum pending_work {
    PENDING_SCHED = 1u << 0,    /* choose again who runs */
    PENDING_TIMER = 1u << 1,    /* run expired timers */
    PENDING_TASK  = 1u << 2,    /* deferred work, see task.h */
};

struct pcpu {
    unsigned           id;          /* dense, from 0 */
    uint32_t           apic_id;
    void              *hw;          /* hw/: TSS, GDT, stacks, address-space cache */
    struct vcpu       *current;     /* never NULL once the scheduler runs: the idle vCPU else */
    struct vcpu       *idle;
    /* A line of its own: a processor may sleep until somebody writes to it (hw/idle.c). */
    volatile uint32_t  pending __own_line;  /* enum pending_work; set with atomic or by anyone */
    struct runqueue    rq __own_line;
    struct timer_heap  timers __own_line;
    struct clock_rate  tsc_rate;    /* core/time.c, while the TSC is not reliable: what its rate is here, */
    struct timer       renew;       /* and when the running vCPU's clock is set again */
    uint32_t           lock_depth;  /* debug: levels of the locks held, see lock.c */
    uint8_t            lock_held[8];
    uint64_t           idle_ns;     /* time spent in the idle vCPU */
    uint32_t           table_entries;   /* of page tables, checked or given back: pv/pt_validate.c */
    const struct regs *stopped;     /* registers where a crash of another processor stopped it; atomic */
    uint32_t           core_id, socket_id, thread_id;   /* valid once topology_known */
    bool               topology_known;
    struct cpu_set     core_mates;  /* this and its siblings: sched_topology() */
    struct kept_frames kept;        /* free frames; others collect them */
    struct heap        objects;     /* others free objects into it */
};

extern struct pcpu *pcpus[MAX_CPUS];
extern unsigned pcpu_count;

static inline void pcpu_raise(struct pcpu *c, uint32_t work)
{
    __atomic_fetch_or(&c->pending, work, __ATOMIC_SEQ_CST);
}

#endif
