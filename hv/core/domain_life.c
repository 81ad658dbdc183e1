/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's life: pause, shutdown, crash, death.
 *
 * Shutdown and crash may be called anywhere, with locks held, so they take none that stands above
 * LOCK_SCHED: the first caller wins one compare-exchange, and what follows are pause flags and one VIRQ.
 *
 * Death goes in steps, each of which can be preempted and taken up again: no vCPU runs any more, ports
 * close, grants of others are given up, and memory goes. What others still hold of the domain's memory
 * keeps it as a shell.
 */
#include <hv/crash.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <abi/sched.h>

#include <stdarg.h>

#include "domain_life.h"

#define SECOND 1000000000ull

/* ---- pause ---- */

void domain_pause(struct domain *d, bool sync)
{
    spin_lock(&d->lock);
    if (__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_RELAXED) == 0)
        for_each_vcpu(d, v)
            vcpu_pause(v, PAUSE_CONTROL, false);
    spin_unlock(&d->lock);
    /* Not under the lock: a vCPU on its way out of a hypercall may want it. */
    if (sync)
        for_each_vcpu(d, v)
            vcpu_sleep_sync(v);
}

void domain_unpause(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->pause_count && __atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_RELAXED) == 0)
        for_each_vcpu(d, v)
            vcpu_unpause(v, PAUSE_CONTROL);
    spin_unlock(&d->lock);
}

/* ---- shutdown ---- */

static __noreturn void machine_halt(void)
{
    crash_alone();
    hw_halt();
}

/* dom0 is the machine: with it everything ends. Power-off itself is dom0's ACPI call, which comes before. */
static __noreturn void machine_end(uint32_t reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        printk(LOG_INFO, "dom0 has shut down: power off by hand if the machine is still on\n");
        machine_halt();
    case SHUTDOWN_reboot:
        printk(LOG_INFO, "dom0 has shut down: restarting the machine\n");
        hw_reboot();
    }
    printk(LOG_ERROR, "dom0 has ended with reason %u\n", reason);
    if (machine.options.noreboot)
        machine_halt();
    hw_reboot();
}

void domain_shutdown(struct domain *d, uint32_t reason)
{
    uint32_t none = SHUTDOWN_NONE;
    bool begun = false;

    if (d->privileged)
        machine_end(reason);
    if (!__atomic_compare_exchange_n(&d->shutting_down, &begun, true, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return;
    __atomic_compare_exchange_n(&d->shutdown_reason, &none, reason, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    for_each_vcpu(d, v)
        vcpu_pause(v, PAUSE_SHUTDOWN, false);
    __atomic_store_n(&d->shut_down, true, __ATOMIC_RELEASE);
    event_raise_global_virq(VIRQ_DOM_EXC);
}

int domain_resume(struct domain *d)
{
    bool was = true;

    if (domain_dying(d) || !__atomic_compare_exchange_n(&d->shut_down, &was, false, false, __ATOMIC_ACQ_REL,
                                                        __ATOMIC_RELAXED))
        return -XEN_EINVAL;
    __atomic_store_n(&d->shutdown_reason, SHUTDOWN_NONE, __ATOMIC_RELAXED);
    __atomic_store_n(&d->shutting_down, false, __ATOMIC_RELEASE);
    for_each_vcpu(d, v)
        vcpu_unpause(v, PAUSE_SHUTDOWN);
    /* The next shutdown may have begun already, and its marks be among those taken off. */
    if (__atomic_load_n(&d->shutting_down, __ATOMIC_SEQ_CST))
        for_each_vcpu(d, v)
            vcpu_pause(v, PAUSE_SHUTDOWN, false);
    return 0;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    struct vcpu *v = this_cpu()->current;
    char why[160];
    va_list ap;

    if (__atomic_load_n(&d->shutting_down, __ATOMIC_RELAXED))
        return;
    va_start(ap, fmt);
    format_va(why, sizeof(why), fmt, ap);
    va_end(ap);
    printk(LOG_ERROR, "d%u crashed: %s\n", d->id, why);
    if (v->domain == d)
        printk(LOG_ERROR, "d%uv%u at rip %lx rsp %lx flags %lx\n", d->id, v->id, v->regs.rip, v->regs.rsp,
               v->regs.rflags);
    domain_shutdown(d, SHUTDOWN_crash);
}

/* ---- watchdogs: a guest that does not answer in time asks to be restarted ---- */

static void watchdog_fired(void *arg, uint64_t now)
{
    struct domain *d = arg;

    if (domain_dying(d) || __atomic_load_n(&d->shutting_down, __ATOMIC_RELAXED))
        return;
    printk(LOG_WARNING, "d%u: its watchdog was not reset in time\n", d->id);
    domain_shutdown(d, SHUTDOWN_watchdog);
}

int domain_watchdogs_init(struct domain *d)
{
    if (timer_reserve(DOMAIN_WATCHDOGS))
        return -XEN_ENOMEM;
    for (unsigned i = 0; i < DOMAIN_WATCHDOGS; i++)
        timer_init(&d->watchdog[i], watchdog_fired, d, this_cpu()->id);
    return 0;
}

static void domain_watchdogs_stop(struct domain *d)
{
    for (unsigned i = 0; i < DOMAIN_WATCHDOGS; i++)
        timer_stop_sync(&d->watchdog[i]);
}

void domain_watchdogs_free(struct domain *d)
{
    if (!d->watchdog[0].fn)
        return;
    domain_watchdogs_stop(d);
    timer_unreserve(DOMAIN_WATCHDOGS);
}

static int watchdog_new(struct domain *d, uint64_t deadline)
{
    for (unsigned i = 0; i < DOMAIN_WATCHDOGS; i++)
        if (!(d->watchdogs >> i & 1)) {
            d->watchdogs |= (uint8_t)(1u << i);
            timer_set(&d->watchdog[i], deadline);
            return (int)i + 1;
        }
    return -XEN_ENOSPC;
}

int domain_watchdog_set(struct domain *d, uint32_t id, uint32_t seconds)
{
    uint64_t deadline = now_ns() + seconds * SECOND;
    int rc = 0;

    if (id > DOMAIN_WATCHDOGS || (id == 0 && seconds == 0))
        return -XEN_EINVAL;
    spin_lock(&d->lock);
    if (id == 0) {
        rc = watchdog_new(d, deadline);
    } else if (!(d->watchdogs >> (id - 1) & 1)) {
        rc = -XEN_EINVAL;
    } else if (seconds) {
        timer_set(&d->watchdog[id - 1], deadline);
    } else {
        timer_stop(&d->watchdog[id - 1]);
        d->watchdogs &= (uint8_t)~(1u << (id - 1));
    }
    spin_unlock(&d->lock);
    return rc;
}

/* ---- death ---- */

enum { KILL_STOP, KILL_EVENTS, KILL_GRANTS, KILL_MEMORY, KILL_DONE };

static int kill_stop(struct domain *d)
{
    domain_pause(d, true);
    for_each_vcpu(d, v)
        vcpu_stop_timers(v);
    domain_watchdogs_stop(d);
    event_virq_handler_drop(d);
    hw_leave_domain(d);
    return 0;
}

/* Whoever sends an event writes to the receiver's vcpu_info: that goes when no port is left to send to. */
static int kill_events(struct domain *d)
{
    int rc = event_table_destroy(d);

    if (rc == 0)
        for_each_vcpu(d, v)
            vcpu_release_info(v);
    return rc;
}

static int kill_step(struct domain *d)
{
    switch (d->teardown_step) {
    case KILL_STOP:
        return kill_stop(d);
    case KILL_EVENTS:
        irq_domain_release(d);
        return kill_events(d);
    case KILL_GRANTS:
        return grant_table_release(d);
    default:
        return pv_domain_relinquish(d);
    }
}

/* One processor at a time: whoever finds another at it tries again. */
static bool kill_begin(struct domain *d)
{
    bool mine;

    spin_lock(&d->lock);
    mine = !__atomic_exchange_n(&d->being_killed, true, __ATOMIC_ACQUIRE);
    if (!domain_dying(d))
        __atomic_store_n(&d->dying, DOMAIN_DYING, __ATOMIC_SEQ_CST);
    spin_unlock(&d->lock);
    return mine;
}

int domain_kill(struct domain *d)
{
    int rc = 0;

    if (d->privileged)
        return -XEN_EINVAL;
    if (__atomic_load_n(&d->dying, __ATOMIC_ACQUIRE) == DOMAIN_DEAD)
        return 0;
    if (!kill_begin(d))
        return -XEN_ERESTART;
    while (rc == 0 && d->teardown_step < KILL_DONE) {
        rc = kill_step(d);
        if (rc == 0)
            d->teardown_step++;
    }
    if (rc == 0) {
        __atomic_store_n(&d->dying, DOMAIN_DEAD, __ATOMIC_RELEASE);
        event_raise_global_virq(VIRQ_DOM_EXC);
        domain_put(d);                  /* the one it was created with; the caller holds another */
        return 0;
    }
    __atomic_store_n(&d->being_killed, false, __ATOMIC_RELEASE);
    return rc;
}

/* ---- what the control interface sees ---- */

static uint32_t info_flags(struct domain *d, bool running, bool blocked)
{
    uint32_t f = 0;

    f |= __atomic_load_n(&d->dying, __ATOMIC_ACQUIRE) == DOMAIN_DEAD ? XEN_DOMINF_dying : 0;
    if (__atomic_load_n(&d->shut_down, __ATOMIC_ACQUIRE))
        f |= XEN_DOMINF_shutdown |
             __atomic_load_n(&d->shutdown_reason, __ATOMIC_RELAXED) << XEN_DOMINF_shutdownshift;
    f |= __atomic_load_n(&d->pause_count, __ATOMIC_RELAXED) ? XEN_DOMINF_paused : 0;
    f |= d->create_flags & XEN_DOMCTL_CDF_xs_domain ? XEN_DOMINF_xs_domain : 0;
    f |= running ? XEN_DOMINF_running : blocked ? XEN_DOMINF_blocked : 0;
    return f;
}

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *out)
{
    bool running = false, blocked = true;

    *out = (struct xen_domctl_getdomaininfo){
        .domain = d->id,
        .tot_pages = __atomic_load_n(&d->frames, __ATOMIC_RELAXED),
        .max_pages = d->max_frames,
        .outstanding_pages = d->claimed,
        .shared_info_frame = d->shared_info_mfn.n,
        .ssidref = d->ssidref,
        .max_vcpu_id = XEN_INVALID_MAX_VCPU_ID,
    };
    for_each_vcpu(d, v) {
        uint32_t flags = __atomic_load_n(&v->pause_flags, __ATOMIC_RELAXED);

        out->max_vcpu_id = v->id;
        out->cpu_time += vcpu_run_time(v);
        if (flags & PAUSE_DOWN)
            continue;
        out->nr_online_vcpus++;
        running |= __atomic_load_n(&v->running, __ATOMIC_RELAXED);
        blocked &= (flags & (PAUSE_BLOCKED | PAUSE_POLL)) != 0;
    }
    out->flags = info_flags(d, running, blocked && out->nr_online_vcpus);
    __builtin_memcpy(out->handle, d->handle, sizeof(out->handle));
}
