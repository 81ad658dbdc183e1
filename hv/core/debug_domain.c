/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug keys about domains. Numbers are read without locks: a line may be a moment older than the next. */
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/refusal.h>
#include <hw/hw.h>

#include "debug_key.h"
#include "event_port.h"

#define PORTS_SHOWN 256u
#define TEXT_ORDER  3u

/* ---- q: domains ---- */
static const char *state_of(const struct vcpu *v)
{
    return v->running ? "runs" : v->pause_flags ? "waits" : "runnable";
}

static void show_vcpu(const struct vcpu *v)
{
    printk(LOG_NONE, "  vCPU %u on %u: %s, pause %x, rip %lx rsp %lx %s, upcall %s%s\n", v->id,
           v->cpu ? v->cpu->id : 0, state_of(v), v->pause_flags, v->regs.rip, v->regs.rsp,
           v->pv.kernel_mode ? "kernel" : "user",
           v->info && v->info->evtchn_upcall_pending ? "pending" : "none",
           v->info && v->info->evtchn_upcall_mask ? ", masked" : "");
}

static void show_domain(struct domain *d)
{
    printk(LOG_NONE, "domain %u: %lu pages of %lu, references %u, paused %u%s%s\n", d->id, d->frames,
           d->max_frames, d->refs, d->pause_count, d->shut_down ? ", shut down" : "",
           d->dying ? ", dying" : "");
    for_each_vcpu(d, v)
        show_vcpu(v);
}

void debug_domains(void) { debug_each_domain(show_domain); }

/* ---- 0: dom0's registers: those of a vCPU that runs are as old as its last entry to the hypervisor ---- */
void debug_dom0_registers(void)
{
    if (!dom0)
        return;
    for_each_vcpu(dom0, v) {
        const struct regs *r = &v->regs;

        printk(LOG_NONE, "d0v%u: %s%s\n", v->id, state_of(v), v->running ? ", as of its last entry" : "");
        printk(LOG_NONE, "  rip %04lx:%lx rsp %lx rflags %lx\n", r->cs, r->rip, r->rsp, r->rflags);
        printk(LOG_NONE, "  rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n", r->rax, r->rbx,
               r->rcx, r->rdx, r->rsi, r->rdi, r->rbp);
        printk(LOG_NONE, "  r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", r->r8, r->r9,
               r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
    }
}

/* ---- e: events ---- */
static void show_port(struct domain *d, uint32_t port, const struct event *e)
{
    static const char *const kind[] = { "free", "reserved", "unbound", "interdomain", "PIRQ", "VIRQ", "IPI" };
    bool far = e->kind == EVENT_UNBOUND || e->kind == EVENT_INTERDOMAIN;

    printk(LOG_NONE, "  %4u %s to vCPU %u, %s%u%s\n", port, e->kind < ARRAY_LEN(kind) ? kind[e->kind] : "?",
           e->vcpu, far ? "other end d" : "number ", far ? e->remote_id : e->number,
           event_port_pending(d, port) ? ", pending" : "");
}

static void show_events(struct domain *d)
{
    uint32_t shown = 0, ports = d->events.ports;

    printk(LOG_NONE, "domain %u: %u event channels of %u, %s, polling vCPUs %lx\n", d->id, d->events.used,
           d->events.max_ports, d->events.fifo ? "FIFO" : "two levels", d->events.pollers);
    for (uint32_t port = 1; port < ports && shown < PORTS_SHOWN; port++) {
        struct event *e = event_at(d, port);

        if (!e || e->kind == EVENT_FREE || e->kind == EVENT_RESERVED)
            continue;
        show_port(d, port, e);
        shown++;
    }
    if (shown == PORTS_SHOWN)
        printk(LOG_NONE, "  and so on\n");
}

void debug_events(void) { debug_each_domain(show_events); }

/* ---- g: grants ---- */
static void show_grants(struct domain *d)
{
    printk(LOG_NONE, "domain %u: grant table %u frames of %u, maptrack %u frames of %u, %u mappings in use\n",
           d->id, d->grants.frames, d->grants.max_frames, d->grants.map_frames, d->grants.max_map_frames,
           d->grants.maps_in_use);
}

void debug_grants(void) { debug_each_domain(show_grants); }

/* ---- r: who runs ---- */
static void show_shares(struct domain *d)
{
    printk(LOG_NONE, "domain %u: weight %u cap %u %%\n", d->id, d->sched.weight, d->sched.cap);
    for_each_vcpu(d, v) {
        struct vcpu_runstate_info now;

        vcpu_runstate_get(v, &now);
        printk(LOG_NONE,
               "  d%uv%u on CPU %u %s: ran %lu ms, wanted to %lu ms, blocked %lu ms, off line %lu ms\n",
               d->id, v->id, v->cpu ? v->cpu->id : 0, state_of(v), now.time[RUNSTATE_running] / 1000000,
               now.time[RUNSTATE_runnable] / 1000000, now.time[RUNSTATE_blocked] / 1000000,
               now.time[RUNSTATE_offline] / 1000000);
    }
}

void debug_run_queues(void)
{
    printk(LOG_NONE, "now %lu ns\n", now_ns());
    for (unsigned i = 0; i < pcpu_count; i++) {
        const struct vcpu *v = pcpus[i]->current;

        if (vcpu_is_idle(v))
            printk(LOG_NONE, "CPU %u: idle\n", i);
        else
            printk(LOG_NONE, "CPU %u: d%uv%u\n", i, v->domain->id, v->id);
    }
    debug_each_domain(show_shares);
}

/* ---- F: refusals ---- */
static void show_refusals(struct domain *d)
{
    char *text = page_alloc(TEXT_ORDER);

    if (!text)
        return;
    printk(LOG_NONE, "domain %u: refused calls\n", d->id);
    debug_show_text(text, refusal_format(d, text, PAGE_SIZE << TEXT_ORDER));
    page_free(text, TEXT_ORDER);
}

void debug_refusals(void) { debug_each_domain(show_refusals); }

/* ---- n: NMIs ---- */
void debug_nmis(void)
{
    for (unsigned i = 0; i < pcpu_count; i++)
        printk(LOG_NONE, "CPU %u: %u NMIs\n", i, hw_nmi_count(pcpus[i]));
    if (dom0)
        for_each_vcpu(dom0, v)
            printk(LOG_NONE, "d0v%u: NMI %s, %s\n", v->id, v->pv.nmi_pending ? "pending" : "not pending",
                   v->pv.nmi_masked ? "masked" : "not masked");
}
