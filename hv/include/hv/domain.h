/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: memory, ports, grants and vCPUs that belong together. Each part's state is a struct of its own,
 * defined by that part's header. A domain lives as long as somebody holds a reference; frames and foreign
 * mappings count.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <hv/cpu_set.h>
#include <hv/event.h>
#include <hv/grant.h>
#include <hv/irq.h>
#include <hv/list.h>
#include <hv/lock.h>
#include <hv/pv.h>
#include <hv/refusal.h>
#include <hv/sched.h>
#include <hv/task.h>
#include <hv/types.h>
#include <hv/vcpu.h>

#include <abi/domctl.h>

#define DOMAIN_WATCHDOGS 2
#define SHUTDOWN_NONE    255u       /* never shut down, and shutdown_code has not been told */

enum domain_dying { DOMAIN_ALIVE, DOMAIN_DYING, DOMAIN_DEAD };

struct domain {
    domid_t         id;
    bool            privileged;         /* dom0 */
    uint8_t         dying;              /* enum domain_dying */
    uint8_t         teardown_step;      /* progress of domain_kill() */
    bool            being_killed;       /* a processor is in domain_kill() */
    bool            shut_down, shutting_down;
    uint32_t        shutdown_reason;    /* SHUTDOWN_*; SHUTDOWN_NONE */
    struct domain  *hash_next;          /* in core/domain.c; LOCK_DOMLIST */
    struct task     free_task;          /* queued when the last reference went */
    uint8_t         handle[16];
    uint32_t        create_flags;       /* XEN_DOMCTL_CDF_* */
    uint32_t        ssidref;
    struct timer    watchdog[DOMAIN_WATCHDOGS];
    uint8_t         watchdogs;          /* bit n: watchdog n is in use */

    struct cpu_set  on_cpus;            /* hw/: processors that may hold translations of it */
    bool            maps_foreign;       /* it has, or had, entries that lead to others' frames; atomic */
    bool            foreign_told;       /* and all processors in its space know; atomic */
    struct vcpu    *vcpu[MAX_VCPUS];
    uint32_t        max_vcpus;          /* how many vcpu[] may be used */

    /* What others' operations on it write; what its vCPUs read all the time stands above. */
    uint32_t        refs __own_line;    /* atomic */
    uint32_t        pause_count;        /* by the control interface; read by anybody */
    spinlock_t      lock;               /* life cycle */
    bool            controlled;         /* a processor is in a domctl on it; atomic */

    spinlock_t      frames_lock __own_line;
    uint32_t        frames_head;        /* its frames, FRAME_NIL ends */
    uint64_t        frames, max_frames, claimed;
    uint64_t        shared_frames;      /* FRAME_HYP frames it may map */

    struct shared_info *shared_info __own_line;     /* hypervisor's pointer to the frame below */
    mfn_t           shared_info_mfn;
    bool            tsc_stable;
    int64_t         time_offset_seconds;

    struct event_table  events __own_line;
    struct grant_table  grants __own_line;
    struct domain_irqs  irqs __own_line;
    struct sched_domain sched;
    struct pv_domain    pv;
    struct refusals     refusals;
    uint64_t            hypercalls_missing; /* calls answered -ENOSYS */
};

extern struct domain *dom0;

/* Nothing new may be given to it or begun with it. */
static inline bool domain_dying(const struct domain *d)
{
    return __atomic_load_n(&d->dying, __ATOMIC_SEQ_CST);
}

/* Creates a domain, paused and without vCPUs. Returns NULL and *err = -errno. */
struct domain *domain_create(domid_t id, const struct xen_domctl_createdomain *config, bool privileged,
                             int *err);
/* Makes vCPU n exist; 0 or -errno. Only while the domain has never run. */
int  domain_add_vcpu(struct domain *d, unsigned n);
/* Reference by number, or NULL: a lock and a short chain. DOMID_SELF is not understood here. */
struct domain *domain_get(domid_t id);
/* First domain with number >= id, with a reference; NULL at the end. Costs the same however many there
 * are. */
struct domain *domain_get_from(domid_t id);
/* Whether some domain, dead ones included, has the number now. */
bool domain_id_used(domid_t id);
bool domain_get_again(struct domain *d);
void domain_put(struct domain *d);
/* Stops it and gives back all it has; -ERESTART until done. Idempotent. */
int  domain_kill(struct domain *d);
/* The guest's or the system's word that it is finished: SHUTDOWN_*; raises VIRQ_DOM_EXC. */
void domain_shutdown(struct domain *d, uint32_t reason);
/* Undoes a shutdown (domctl resumedomain): the vCPUs go on. 0, or -EINVAL if it has not shut down. */
int  domain_resume(struct domain *d);
/* The guest cannot go on: says why, shuts it down as crashed. Never returns an error, never harms others. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);
void domain_pause(struct domain *d, bool sync);     /* counted; sync: returns when no vCPU runs any more */
void domain_unpause(struct domain *d);
void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *out);

/* vCPU n of d, or NULL: n may be any number. One that is there stays for as long as the domain. */
static inline struct vcpu *domain_vcpu(const struct domain *d, uint32_t n)
{
    return n < d->max_vcpus ? __atomic_load_n(&d->vcpu[n], __ATOMIC_ACQUIRE) : NULL;
}

/* For each existing vCPU. */
#define for_each_vcpu(d, v) \
    for (unsigned v##_i = 0; v##_i < (d)->max_vcpus; v##_i++) \
        for (struct vcpu *v = domain_vcpu((d), v##_i); v; v = NULL)

#endif
