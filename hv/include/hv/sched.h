/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs. Proportional share by weight with a boost on wake-up; see the top of core/sched.c.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/cpu_set.h>
#include <hv/list.h>
#include <hv/lock.h>
#include <hv/timer.h>
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

/*
 * Virtual times are compared by the sign of their difference: they only ever are near each other.
 * peek: what other processors may look at without the lock, atomically; a guess, checked again with it.
 */
struct runqueue {
    spinlock_t   lock;
    struct list  waiting;       /* runnable vCPUs by ascending virtual time; the running one is not on it */
    struct list  strays;        /* runnable ones that may not run here: on their way to another processor */
    struct vcpu *running;       /* NULL: idle */
    uint64_t     vtime;         /* virtual time of the queue; holds while somebody waits */
    uint64_t     shared_until;  /* ns: it counts as shared a round longer than anybody waits */
    uint64_t     shared_weight; /* and this was `weight` then */
    uint64_t     weight;        /* sum over those that wait or run */
    uint32_t     count;         /* how many wait */
    uint32_t     offered;       /* woken for somebody who waits there: processor + 1; atomic */
    uint32_t     probe;         /* where balancing looks next */
    uint64_t     balanced;      /* when it last looked, ns */
    struct {
        uint64_t first, running;    /* virtual times: of the first that waits; of who runs, at `since` */
        uint64_t since, total;      /* ns; weight of all */
        /* how many wait for another than the next turn; weight of who runs, 0: idle */
        uint32_t waiting, weight;
        bool     strays;
    } peek __own_line;
};

struct sched_vcpu {
    struct list queue;          /* on runqueue.waiting or .strays */
    uint64_t    vtime;          /* consumed, weighted ns */
    uint64_t    slice_start;    /* now_ns() up to which it has been charged */
    uint64_t    state_since;    /* runstate bookkeeping, ns */
    uint64_t    time_in[4];     /* RUNSTATE_*: ns */
    uint32_t    weight;         /* its part of the domain's, as its queue has counted it; 0: not counted */
    uint8_t     state;          /* RUNSTATE_* */
    bool        stray;          /* on runqueue.strays */
    bool        yielded;
    struct cpu_set hard, soft;  /* where it may run; where it would rather: under the queue's lock */
    uint64_t    allowed;        /* part of the domain's budget it has taken for this turn, ns; 0: no cap */
    uint64_t    turn_start;     /* when it was put on a processor */
    bool        parked;         /* waits for the next budget, on no queue */
    uint32_t    override;       /* SCHEDOP_pin_override: the only processor for now; ~0: none */
};

#define SCHED_WEIGHT_DEFAULT 256

struct sched_domain {
    uint16_t weight;            /* 1 to 65535; atomic, as all of these */
    uint16_t cap;               /* percent of a processor; 0: none */
    uint64_t vtime;             /* what all its vCPUs have used, by the whole weight; if there are more */
    uint32_t runnable;          /* vCPUs that run or wait for a processor: they share the weight */
    int64_t  budget;            /* of this period, ns; below 0: overdrawn */
    uint64_t period_begun;      /* ns */
    uint64_t parked;            /* vCPUs that wait for the next budget */
    struct timer refill;
};

/* Before c runs anything; its idle vCPU and timers are there. */
void sched_init_cpu(struct pcpu *c);
int  __must_check sched_domain_init(struct domain *d);  /* 0 or -ENOMEM */
void sched_domain_free(struct domain *d);               /* no vCPU of d can run any more */
/* Weight 1 to 65535, shared by the domain's vCPUs; cap in percent of a processor, may exceed 100, 0: none. */
void sched_domain_set(struct domain *d, uint32_t weight, uint32_t cap);
/* The core and socket numbers of all processors are known (again): which share a core. */
void sched_topology(void);
void sched_vcpu_init(struct vcpu *v);
/*
 * v may have become runnable: puts it on a queue and kicks a processor where that is worth it. Safe at any
 * time.
 */
void vcpu_wake(struct vcpu *v);
/* v must not run any more: returns once it does not (sync) or asks for it (nosync). */
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
/*
 * Where v may run (NULL: as before), and where it would rather, if that is a part of it. 0, -EINVAL: no
 * processor of hard exists; -EBUSY: v is held on one (pin_override) and force is not given, which ends that.
 */
int  vcpu_affinity_set(struct vcpu *v, const struct cpu_set *hard, const struct cpu_set *soft, bool force);
void vcpu_affinity_get(const struct vcpu *v, struct cpu_set *hard, struct cpu_set *soft);
/* Holds v on processor cpu until it is called with ~0. */
void vcpu_pin_override(struct vcpu *v, uint32_t cpu);
/* Current runstate with times up to now, as the ABI wants it. */
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);
/* The same with the times up to the last change of state, which is what a guest finds in its memory. */
void vcpu_runstate_record(const struct vcpu *v, struct vcpu_runstate_info *out);
uint64_t vcpu_run_time(const struct vcpu *v);

#endif
