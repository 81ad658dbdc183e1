/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs. Proportional share by weight with a boost on wake-up; see the top of core/sched.c.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/list.h>
#include <hv/lock.h>
#include <hv/types.h>

#include <abi/vcpu.h>

/* Why a vCPU is not to run; bits of vcpu.pause_flags (0: runnable). */
enum pause_flag {
    PAUSE_DOWN    = 1u << 0,    /* not brought up by its guest */
    PAUSE_BLOCKED = 1u << 1,    /* waits for an event */
    PAUSE_CONTROL = 1u << 2,    /* domain paused by the control interface (domain.pause_count > 0) */
    PAUSE_SHUTDOWN= 1u << 3,    /* domain has shut down */
    PAUSE_POLL    = 1u << 4,    /* SCHEDOP_poll */
    PAUSE_INTERNAL= 1u << 5,    /* short hold by the hypervisor itself */
};

struct runqueue {
    spinlock_t  lock;
    struct list waiting;        /* runnable vCPUs by ascending virtual time; the running one is not on it */
    uint64_t    vtime;          /* virtual time of the queue, weighted ns */
    uint32_t    count;
};

struct sched_vcpu {
    struct list queue;          /* on runqueue.waiting */
    uint64_t    vtime;          /* consumed, weighted ns */
    uint64_t    slice_start;    /* now_ns() when it was put on a processor */
    uint64_t    state_since;    /* runstate bookkeeping, ns */
    uint64_t    time_in[4];     /* RUNSTATE_*: ns */
    uint8_t     state;          /* RUNSTATE_* */
    bool        boosted;
    bool        yielded;
};

#define SCHED_WEIGHT_DEFAULT 256

struct sched_domain { uint16_t weight, cap; };

void sched_init_cpu(struct pcpu *c);
void sched_vcpu_init(struct vcpu *v);
/*
 * v may have become runnable: puts it on a queue and kicks a processor where that is worth it. Safe at any
 * time.
 */
void vcpu_wake(struct vcpu *v);
/* v must not run any more: returns once it does not (vcpu_pause_sync) or asks for it (nosync). */
void vcpu_sleep_nosync(struct vcpu *v);
void vcpu_sleep_sync(struct vcpu *v);
/* Sets/clears pause flags with the wake or sleep that follows from it. */
void vcpu_pause(struct vcpu *v, uint32_t flag, bool sync);
void vcpu_unpause(struct vcpu *v, uint32_t flag);
/*
 * Called on PENDING_SCHED: returns the vCPU that is to run on c now (maybe the same) and sets c's slice
 * timer.
 */
struct vcpu *sched_pick(struct pcpu *c, uint64_t now);
/*
 * The processor has changed from prev to next, and what it held of prev is saved or will not run away (idle
 * keeps it loaded): from now on others may look at prev's state; vcpu_sleep_sync() waits for this.
 */
void sched_switched(struct pcpu *c, struct vcpu *prev, struct vcpu *next);
void vcpu_yield(struct vcpu *v);
/* Current runstate with times up to now, as the ABI wants it. */
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);
uint64_t vcpu_run_time(const struct vcpu *v);

#endif
