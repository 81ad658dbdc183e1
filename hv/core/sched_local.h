/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the scheduler. "Under the lock" is that of the queue named. */
#ifndef CORE_SCHED_LOCAL_H
#define CORE_SCHED_LOCAL_H

#include <hv/domain.h>
#include <hv/pcpu.h>

#ifndef SCHED_SLICE_NS
#define SCHED_SLICE_NS      10000000ull     /* the longest turn while others wait; also one round of turns */
#endif
#define SCHED_SLICE_LEAST   200000ull   /* turns of those with a small share are that short, not shorter */
#define SCHED_SLICE_SHORT   1000000ull      /* and those of the others this */
#define SCHED_LAG_MOVED     4u              /* rounds that one that comes from another queue may be behind */
#define SCHED_LEAD_NS       40000000ull     /* of its own time: what one that ran alone may be ahead */
#define SCHED_BEHIND_NS     20000000ull     /* and behind */

static inline uint32_t pause_flags(const struct vcpu *v)
{
    return __atomic_load_n(&v->pause_flags, __ATOMIC_SEQ_CST);
}

static inline bool vtime_before(uint64_t a, uint64_t b) { return (int64_t)(a - b) < 0; }
static inline uint64_t vtime_max(uint64_t a, uint64_t b) { return vtime_before(a, b) ? b : a; }
static inline uint64_t vtime_min(uint64_t a, uint64_t b) { return vtime_before(a, b) ? a : b; }

/* ---- sched_state.c: under the lock ---- */
unsigned state_of(uint32_t flags);
void state_set(struct vcpu *v, unsigned state, uint64_t now);
/* Takes the lock of the queue that v belongs to. */
struct runqueue *queue_lock(const struct vcpu *v);

/* ---- sched_queue.c: order and shares; under the lock ---- */
struct vcpu *queue_first(const struct runqueue *q);
/* v, which is nowhere, waits on q from now on; or stops doing so. queue_leave() also ends its weight. */
void queue_add(struct runqueue *q, struct vcpu *v);
void queue_remove(struct runqueue *q, struct vcpu *v);
void queue_leave(struct runqueue *q, struct vcpu *v);
/* Counts v's weight as it is now. */
void queue_weigh(struct runqueue *q, struct vcpu *v);
/* Brings the virtual times of whoever runs, and of the queue, up to now. */
void queue_charge(struct runqueue *q, uint64_t now);
/* v is to arrive on q, or wakes there: what it is behind ref, or ahead of it, is bounded. */
void vtime_bound(const struct runqueue *q, struct vcpu *v, uint64_t ref, bool woken);
/*
 * Somebody waits, somewhere: what one uses that runs alone is taken from others, now and for a while. Needs
 * no lock.
 */
void queue_scarce(uint64_t now);
/* About where the queues are on which somebody waits. */
uint64_t queue_common(void);
/* The virtual time by which arrivals on q, which has been charged up to now, are judged. */
uint64_t queue_ref(const struct runqueue *q, uint64_t now);
/* Somebody is to wait on q, charged up to now: if nobody did of late, q counts from virtual time ref. */
void queue_join(struct runqueue *q, uint64_t ref, uint64_t now);
/* How long v may run on q now that others wait there. */
uint64_t queue_turn(const struct runqueue *q, const struct vcpu *v);
/* Virtual time that passes in one round of turns on a queue of that weight. */
uint64_t queue_round(uint64_t weight);
/* Tells other processors what they may know without the lock; after each change. */
void queue_publish(struct runqueue *q);

/* How far v is behind all that run and wait on q, which have been charged; SCHED_AHEAD_MOST: nobody is
 * there. */
#define SCHED_AHEAD_MOST (1ull << 62)
uint64_t queue_ahead(const struct runqueue *q, const struct vcpu *v);
/* Where one that ran alone stands beside a queue at ref. */
uint64_t vtime_alone(uint64_t vtime, uint64_t ref, uint32_t weight);
/* Virtual time of the last on c, where somebody runs, beside a queue at ref. Without the lock: a guess. */
uint64_t vtime_guess(const struct pcpu *c, uint64_t now, uint64_t ref);

/* ---- sched_place.c: which processor ---- */
/* where a vCPU may run; where it would rather (part of it) */
struct placement { struct cpu_set may, would; };
bool vcpu_may_run_on(const struct vcpu *v, unsigned cpu);
struct placement placement_of(const struct vcpu *v);
/* The processor to wait for, for one that was on `last`. If an idle one is chosen it is claimed by this. */
struct pcpu *place_choose(const struct placement *p, struct pcpu *last);
void place_idle(struct pcpu *c, bool idle);
void place_waiting(struct pcpu *c, bool waiting);
/* c has nothing to do: takes a vCPU that waits elsewhere. False: there is none. No lock held. */
bool place_pull(struct pcpu *c);
/* c has somebody waiting: evens out with other processors. No lock held. */
void place_balance(struct pcpu *c, uint64_t now);
/* Somebody waits on `from` who may run there: wakes one of them that is idle. */
void place_offer(const struct pcpu *from, const struct cpu_set *may);
/* The same for all that wait on c. No lock held. */
void place_offer_all(struct pcpu *c);
/*
 * c runs somebody now. If it was woken to take one from elsewhere, and that one still waits, another is to
 * look.
 */
void place_pass_on(struct pcpu *c);
/* Sends those that may not run on c elsewhere. No lock held. */
void place_strays(struct pcpu *c);

/* ---- sched_cap.c: under the lock ---- */
/* v, taken from its queue, is to run: false if its domain's budget is used up; then it is put aside. */
bool cap_admit(struct vcpu *v, uint64_t now);
/* v stops after that many ns. */
void cap_return(struct vcpu *v, uint64_t ran, uint64_t now);

/* ---- sched.c ---- */
/* c is to choose again, at once. */
void sched_prod(struct pcpu *c);
/* What follows, without locks, from an arrival on c. */
struct arrival { bool better; uint64_t turn; struct cpu_set may; };
void sched_arrived(struct pcpu *c, const struct arrival *a);
/*
 * With c's queue locked: v comes from nowhere, or from a queue where virtual time was ref.
 */
void queue_arrive(struct pcpu *c, struct vcpu *v, uint64_t ref, uint64_t now, struct arrival *a);

#endif
