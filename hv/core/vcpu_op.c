/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op: what a guest does with its virtual processors. The dispatcher has found `target` by number. */
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/ops.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

#define PERIOD_LEAST    1000000ull          /* 1 ms: more would be a way to keep the processor busy */
#define PERIOD_MOST     (1ull << 62)
#define TOO_FAR         (1ull << 50)        /* ns, 13 days */
#define TOO_FAR_MEANS   100000000ull        /* some kernels compute a wrong moment: 100 ms heals it */

int vcpu_op_initialise(struct vcpu *v, struct vcpu *target, struct vcpu_guest_context *arg)
{
    struct domain *d = v->domain;
    int rc;

    spin_lock(&d->lock);
    rc = target->initialised || target->initialising ? -XEN_EEXIST : 0;
    if (!rc)
        target->initialising = true;
    spin_unlock(&d->lock);
    if (rc)
        return rc;
    rc = vcpu_set_context(target, arg);
    target->initialising = false;
    return rc;
}

int vcpu_op_up(struct vcpu *v, struct vcpu *target, no_argument_t *arg)
{
    if (!target->initialised)
        return -XEN_EINVAL;
    vcpu_unpause(target, PAUSE_DOWN);
    return 0;
}

/* The last vCPU that goes takes the domain with it: there is nobody left to wake it. */
int vcpu_op_down(struct vcpu *v, struct vcpu *target, no_argument_t *arg)
{
    struct domain *d = v->domain;
    bool other_up = false;

    spin_lock(&d->lock);
    for_each_vcpu(d, other)
        other_up |= other != target && !(__atomic_load_n(&other->pause_flags, __ATOMIC_RELAXED) & PAUSE_DOWN);
    if (other_up)
        __atomic_fetch_or(&target->pause_flags, PAUSE_DOWN, __ATOMIC_SEQ_CST);
    spin_unlock(&d->lock);
    if (other_up)
        vcpu_sleep_nosync(target);
    else
        domain_shutdown(d, SHUTDOWN_poweroff);
    return 0;
}

int vcpu_op_is_up(struct vcpu *v, struct vcpu *target, no_argument_t *arg)
{
    return !(__atomic_load_n(&target->pause_flags, __ATOMIC_RELAXED) & PAUSE_DOWN);
}

int vcpu_op_get_runstate_info(struct vcpu *v, struct vcpu *target, struct vcpu_runstate_info *arg)
{
    vcpu_runstate_get(target, arg);
    return 0;
}

int vcpu_op_register_runstate_area(struct vcpu *v, struct vcpu *target,
                                   struct vcpu_register_runstate_memory_area *arg)
{
    if (!guest_range_ok(arg->addr.h.va, sizeof(struct vcpu_runstate_info)))
        return -XEN_EFAULT;
    target->runstate_area = arg->addr.h;
    if (v == target)
        vcpu_runstate_update(v);
    return 0;
}

int vcpu_op_register_time_area(struct vcpu *v, struct vcpu *target,
                               struct vcpu_register_time_memory_area *arg)
{
    if (!guest_range_ok(arg->addr.h.va, sizeof(struct vcpu_time_info)))
        return -XEN_EFAULT;
    target->time_area_valid = false;
    target->time_area = arg->addr.h;
    if (v == target)
        vcpu_time_update(v);
    return 0;
}

int vcpu_op_set_periodic_timer(struct vcpu *v, struct vcpu *target, struct vcpu_set_periodic_timer *arg)
{
    if (arg->period_ns < PERIOD_LEAST || arg->period_ns > PERIOD_MOST)
        return -XEN_EINVAL;
    __atomic_store_n(&target->period, arg->period_ns, __ATOMIC_RELAXED);
    __atomic_store_n(&target->tick_held, false, __ATOMIC_RELAXED);
    if (v == target)
        vcpu_timer_set(v, &v->periodic, now_ns() + arg->period_ns);
    else
        timer_set(&target->periodic, now_ns() + arg->period_ns);
    return 0;
}

int vcpu_op_stop_periodic_timer(struct vcpu *v, struct vcpu *target, no_argument_t *arg)
{
    __atomic_store_n(&target->period, 0, __ATOMIC_RELAXED);
    timer_stop(&target->periodic);
    return 0;
}

int vcpu_op_set_singleshot_timer(struct vcpu *v, struct vcpu *target, struct vcpu_set_singleshot_timer *arg)
{
    if (v != target)
        return -XEN_EINVAL;
    if ((arg->flags & VCPU_SSHOTTMR_future) && arg->timeout_abs_ns < now_ns())
        return -XEN_ETIME;
    vcpu_timer_set(v, &v->singleshot, arg->timeout_abs_ns);
    return 0;
}

int vcpu_op_stop_singleshot_timer(struct vcpu *v, struct vcpu *target, no_argument_t *arg)
{
    if (v != target)
        return -XEN_EINVAL;
    timer_stop(&v->singleshot);
    return 0;
}

/* A vCPU whose place is taken already may be running: only it itself, or one that is down, can move. */
int vcpu_op_register_info(struct vcpu *v, struct vcpu *target, struct vcpu_register_vcpu_info *arg)
{
    struct domain *d = v->domain;
    int rc;

    if (v != target && vcpu_op_is_up(v, target, NULL))
        return -XEN_EINVAL;
    spin_lock(&d->lock);
    rc = vcpu_register_info(target, MFN(arg->mfn), arg->offset);
    spin_unlock(&d->lock);
    return rc;
}

int vcpu_op_send_nmi(struct vcpu *v, struct vcpu *target, no_argument_t *arg)
{
    if (!target->pv.nmi_callback && !target->pv.traps[2].address)
        return -XEN_EINVAL;
    __atomic_store_n(&target->pv.nmi_pending, true, __ATOMIC_SEQ_CST);
    vcpu_unpause(target, PAUSE_BLOCKED);
    vcpu_kick(target);
    return 0;
}

/* Only whose vCPUs stay on their processors could learn anything from the answer. */
int vcpu_op_get_physid(struct vcpu *v, struct vcpu *target, struct vcpu_get_physid *arg)
{
    struct cpu_set hard, soft;

    vcpu_affinity_get(target, &hard, &soft);
    if (!v->domain->privileged || cpu_set_count(&hard) != 1)
        return -XEN_EINVAL;
    arg->phys_id = target->cpu->apic_id | (uint64_t)target->cpu->id << 32;
    return 0;
}

long hc_set_timer_op(struct vcpu *v, uint64_t timeout, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    uint64_t now;

    if (!timeout) {
        timer_stop(&v->singleshot);
        return 0;
    }
    now = now_ns();
    if (unlikely((int64_t)timeout < 0 || (timeout > now && timeout - now >= TOO_FAR)))
        timeout = now + TOO_FAR_MEANS;
    vcpu_timer_set(v, &v->singleshot, timeout);
    return 0;
}
