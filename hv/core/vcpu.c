/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual processor: its creation and end, and the pieces of guest memory that belong to it.
 *
 * vcpu_info stands in the domain's shared page until the guest names a place of its own, once. That place
 * is referenced as writable and stays mapped until the domain ends. vCPUs beyond the shared page's 32 have
 * none before: theirs is a dummy, written but never read, and they cannot be brought up without a place of
 * their own.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/pcpu.h>
#include <hv/time.h>
#include <hw/hw.h>

#include <string.h>

#define VCPU_TIMERS 3

static struct vcpu_info dummy_info;

/* ---- timers ---- */

static void singleshot_fired(void *arg, uint64_t now)
{
    event_raise_virq(arg, VIRQ_TIMER);
}

/* The next tick comes where it would if none had ever been late. */
static void tick_on(struct vcpu *v)
{
    uint64_t period = __atomic_load_n(&v->period, __ATOMIC_RELAXED), due = v->periodic.deadline,
             now = now_ns();

    if (period)
        timer_set(&v->periodic, due + period > now ? due + period : now + period - (now - due) % period);
}

static void vcpu_tick_on(struct vcpu *v)
{
    if (__atomic_exchange_n(&v->tick_held, false, __ATOMIC_SEQ_CST))
        tick_on(v);
}

/*
 * A vCPU that does not run gets one tick, which wakes it if it waits for events, and none more until it has
 * run: they would be for nobody. So a thousand domains that are paused cost nothing, whatever they have set.
 */
static void periodic_fired(void *arg, uint64_t now)
{
    struct vcpu *v = arg;

    event_raise_virq(v, VIRQ_TIMER);
    __atomic_store_n(&v->tick_held, true, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&v->on_cpu, __ATOMIC_SEQ_CST))
        vcpu_tick_on(v);
}

static void poll_over(void *arg, uint64_t now)
{
    event_poll_end(arg);
}

/*
 * Where the vCPU is, its timers are: one that it sets again and again disturbs nobody else. They are looked
 * after when it starts to run, and again when it sets one.
 */
void vcpu_timers_migrate(struct vcpu *v, unsigned cpu)
{
    timer_migrate(&v->singleshot, cpu);
    timer_migrate(&v->periodic, cpu);
    timer_migrate(&v->poll, cpu);
}

void vcpu_timers_resume(struct vcpu *v)
{
    unsigned cpu = this_cpu()->id;

    if (unlikely(__atomic_load_n(&v->singleshot.cpu, __ATOMIC_RELAXED) != cpu))
        vcpu_timers_migrate(v, cpu);
    if (unlikely(__atomic_load_n(&v->tick_held, __ATOMIC_SEQ_CST)))
        vcpu_tick_on(v);
}

void vcpu_timer_set(struct vcpu *v, struct timer *t, uint64_t deadline)
{
    unsigned cpu = v->cpu->id;

    if (unlikely(__atomic_load_n(&t->cpu, __ATOMIC_RELAXED) != cpu))
        timer_migrate(t, cpu);
    timer_set(t, deadline);
}

void vcpu_stop_timers(struct vcpu *v)
{
    __atomic_store_n(&v->period, 0, __ATOMIC_RELAXED);
    timer_stop_sync(&v->singleshot);
    timer_stop_sync(&v->periodic);
    timer_stop_sync(&v->poll);
}

/* ---- creation and end ---- */

struct vcpu *vcpu_create(struct domain *d, unsigned n)
{
    struct vcpu *v = kalloc(sizeof(*v));

    if (!v)
        return NULL;
    v->domain = d;
    v->id = n;
    v->cpu = pcpus[(d->id + n) % pcpu_count];
    v->pause_flags = PAUSE_DOWN;
    v->info = n < XEN_LEGACY_MAX_VCPUS ? &d->shared_info->vcpu_info[n] : &dummy_info;
    v->info_mfn = MFN_INVALID;
    if (timer_reserve(VCPU_TIMERS)) {
        kfree(v);
        return NULL;
    }
    timer_init(&v->singleshot, singleshot_fired, v, v->cpu->id);
    timer_init(&v->periodic, periodic_fired, v, v->cpu->id);
    timer_init(&v->poll, poll_over, v, v->cpu->id);
    sched_vcpu_init(v);
    if (pv_vcpu_init(v)) {
        timer_unreserve(VCPU_TIMERS);
        kfree(v);
        return NULL;
    }
    return v;
}

void vcpu_free(struct vcpu *v)
{
    vcpu_stop_timers(v);
    timer_unreserve(VCPU_TIMERS);
    pv_vcpu_free(v);
    kfree(v);
}

int vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int rc;

    if (v->info == &dummy_info)
        return -XEN_EINVAL;
    rc = pv_vcpu_set_context(v, c);
    if (rc)
        return rc;
    v->initialised = true;
    if (c->flags & VGCF_online)
        vcpu_unpause(v, PAUSE_DOWN);
    else
        vcpu_pause(v, PAUSE_DOWN, false);
    return 0;
}

/* ---- vcpu_info ---- */

int vcpu_register_info(struct vcpu *v, mfn_t frame, uint32_t offset)
{
    struct vcpu_info *fresh;

    if (offset > PAGE_SIZE - sizeof(*fresh) || offset % 8 || mfn_valid_number(v->info_mfn))
        return -XEN_EINVAL;
    if (!frame_get_writable(frame, v->domain))
        return -XEN_EINVAL;
    /* kept mapped until vcpu_release_info() */
    fresh = (struct vcpu_info *)((char *)frame_map(frame) + offset);
    memcpy(fresh, v->info, sizeof(*fresh));
    v->info_mfn = frame;
    __atomic_store_n(&v->info, fresh, __ATOMIC_SEQ_CST);
    /* A bit that was set in the old place meanwhile would be lost: let the guest look at everything once. */
    __atomic_store_n(&fresh->evtchn_pending_sel, ~0ull, __ATOMIC_RELAXED);
    event_notify_vcpu(v);
    return 0;
}

void vcpu_release_info(struct vcpu *v)
{
    mfn_t frame = v->info_mfn;
    const struct vcpu_info *was = v->info;

    if (!mfn_valid_number(frame))
        return;
    __atomic_store_n(&v->info, &dummy_info, __ATOMIC_SEQ_CST);
    v->info_mfn = MFN_INVALID;
    frame_unmap(was);
    frame_put_writable(frame);
}

/* ---- runstate area ---- */

/* With the flag a reader can tell an update under way; without it, it has to compare the entry time twice. */
void vcpu_runstate_update(struct vcpu *v)
{
    struct vcpu_runstate_info info;
    gaddr_t at = v->runstate_area,
            entry = GADDR(at.va + offsetof(struct vcpu_runstate_info, state_entry_time));
    bool flagged = v->domain->pv.vm_assist & (1u << VMASST_TYPE_runstate_update_flag);

    if (!at.va)
        return;
    vcpu_runstate_record(v, &info);
    if (flagged) {
        info.state_entry_time |= XEN_RUNSTATE_UPDATE;
        if (guest_write(entry, &info.state_entry_time, sizeof(info.state_entry_time)))
            return;
    }
    if (guest_write(at, &info, sizeof(info)) || !flagged)
        return;
    info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    if (guest_write(entry, &info.state_entry_time, sizeof(info.state_entry_time)))
        return;
}
