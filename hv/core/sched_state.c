/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU's time went into. Every nanosecond since it was made belongs to exactly one of the four states,
 * so their sum is the time that has passed; what a guest calls stolen is the time it was runnable and waited.
 */
#include "sched_local.h"

#include <hw/hw.h>

#include <string.h>

unsigned state_of(uint32_t flags)
{
    if (!flags)
        return RUNSTATE_runnable;
    return flags & ~(uint32_t)(PAUSE_BLOCKED | PAUSE_POLL) ? RUNSTATE_offline : RUNSTATE_blocked;
}

static bool competes(unsigned state) { return state == RUNSTATE_running || state == RUNSTATE_runnable; }

void state_set(struct vcpu *v, unsigned state, uint64_t now)
{
    struct sched_vcpu *s = &v->sched;

    if (s->state == state)
        return;
    if (competes(state) && !competes(s->state))
        __atomic_fetch_add(&v->domain->sched.runnable, 1, __ATOMIC_RELAXED);
    else if (!competes(state) && competes(s->state))
        __atomic_fetch_sub(&v->domain->sched.runnable, 1, __ATOMIC_RELAXED);
    s->time_in[s->state] += now > s->state_since ? now - s->state_since : 0;
    s->state_since = MAX(now, s->state_since);
    s->state = (uint8_t)state;
}

struct runqueue *queue_lock(const struct vcpu *v)
{
    for (;;) {
        struct pcpu *c = __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE);

        spin_lock(&c->rq.lock);
        if (__atomic_load_n(&v->cpu, __ATOMIC_RELAXED) == c)
            return &c->rq;
        spin_unlock(&c->rq.lock);
    }
}

void vcpu_runstate_record(const struct vcpu *v, struct vcpu_runstate_info *out)
{
    const struct sched_vcpu *s = &v->sched;
    struct runqueue *q = queue_lock(v);

    memset(out, 0, sizeof(*out));       /* it goes to the guest, with the gap behind the state */
    out->state = s->state;
    out->state_entry_time = s->state_since;
    for (unsigned i = 0; i < 4; i++)
        out->time[i] = s->time_in[i];
    spin_unlock(&q->lock);
}

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out)
{
    uint64_t now;

    vcpu_runstate_record(v, out);
    now = now_ns();
    out->time[out->state] += now > out->state_entry_time ? now - out->state_entry_time : 0;
}

uint64_t vcpu_run_time(const struct vcpu *v)
{
    struct vcpu_runstate_info info;

    vcpu_runstate_get(v, &info);
    return info.time[RUNSTATE_running];
}
