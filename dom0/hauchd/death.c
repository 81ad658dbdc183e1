/* SPDX-License-Identifier: BSD-2-Clause */
/* Who died, and what is to be done then. The hypervisor says only "somebody" (VIRQ_DOM_EXC), so all
 * domains are listed, some hundreds a call, and compared with what should be running: the cost of it grows
 * with their number. So it is done once for the ends that we ask for ourselves and that come close together.
 * Where another program holds that interrupt (Xen's own store does), its @releaseDomain event serves
 * instead. */
#define _GNU_SOURCE
#include <abi/libxen.h>
#include <abi/sched.h>

#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MAX        = 256,
    TOO_QUICK_MS    = 1000,     /* a domain that ends before that is not restarted: it would never stop */
    RENAME_TRIES    = 1000,
    EXPECTED_MS     = 20,       /* so much later, at most, others that end meanwhile are noticed */
};

int death_listen(struct hauchd *h, struct fault *f)
{
    xenevtchn_handle *xce = xenevtchn_open(NULL, 0);
    int               port, rc;

    if (!xce)
        return fault_errno(f, -errno, "cannot open /dev/xen/evtchn (load the kernel module xen-evtchn)");
    h->evtchn = xce;
    port = xenevtchn_bind_virq(xce, VIRQ_DOM_EXC);
    if (port >= 0) {
        h->virq_port = port;
    } else {
        rc = -errno;
        if (rc != -EEXIST && rc != -EBUSY)
            return fault_errno(f, rc, "cannot bind the domain-death interrupt (hauch dmesg --refusals 0 "
                                      "may say why)");
        say("another program holds the domain-death interrupt: listening to the store instead");
    }
    return loop_add(h, xenevtchn_fd(xce), FROM_EVTCHN, NULL);
}

void death_event(struct hauchd *h)
{
    int port = xenevtchn_pending(h->evtchn);

    if (port < 0)
        return;
    xenevtchn_unmask(h->evtchn, port);
    if (!h->ends && now_ms() >= h->last_end_ms + EXPECTED_MS)
        death_look(h);
    else if (!h->look_due_ms)
        h->look_due_ms = now_ms() + EXPECTED_MS;
}

void death_expected(struct hauchd *h, bool begins)
{
    h->ends += begins ? 1 : -1;
    h->last_end_ms = now_ms();
}

void death_look_if_due(struct hauchd *h)
{
    if (h->look_due_ms && now_ms() >= h->look_due_ms)
        death_look(h);
}

/* ---- what then ---- */
static const char *const reason_names[] = {
    "powered off", "rebooted", "suspended", "crashed", "was stopped by its watchdog", "asked for a soft reset"
};

static enum config_action action_for(const struct domain_config *c, unsigned reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        return c->on_poweroff;
    case SHUTDOWN_reboot:
        return c->on_reboot;
    case SHUTDOWN_watchdog:
        return c->on_watchdog;
    case SHUTDOWN_suspend:
        return CONFIG_PRESERVE;       /* nobody here asked for it, and its memory is all there is of it */
    default:
        return c->on_crash;
    }
}

static void preserve(struct domain *d)
{
    d->off = true;
    state_remember(d);
    waiters_tell(d, WAIT_OFF, NULL);
}

static void restart(struct domain *d)
{
    if (now_ms() - d->started_ms < TOO_QUICK_MS) {
        say("%s (%u): ended within %d ms of its start: not restarted", d->entry.name, d->entry.id,
            TOO_QUICK_MS);
        domain_unmake(d, FATE_GONE);
        return;
    }
    domain_unmake(d, FATE_RESTART);
}

/* NAME-1, NAME-2 ...: the first that is free, cut to fit. */
static int rename_aside(struct domain *d, struct fault *f)
{
    char name[INDEX_NAME_MAX + 1];
    int  rc = -EEXIST;

    for (int i = 1; rc == -EEXIST && i < RENAME_TRIES; i++) {
        snprintf(name, sizeof(name), "%.100s-%d", d->entry.name, i);
        rc = domain_rename(d, name, f);
    }
    return rc;
}

/* The dead one stays for inspection under another name and without devices; a new one takes its place. */
static void rename_restart(struct domain *d)
{
    struct wire_request rq = {
        .op = WIRE_CREATE, .config = d->text, .source = d->source, .set_count = d->set_count
    };
    struct json_object *notes = NULL;
    struct fault        f = { 0 };
    struct domain      *fresh;

    for (unsigned i = 0; i < d->set_count; i++)
        rq.set[i] = d->set[i];
    if (rename_aside(d, &f)) {
        say("%s (%u): cannot be put aside: %s", d->entry.name, d->entry.id, f.text);
        preserve(d);
        return;
    }
    preserve(d);
    hotplug_end(d);
    devices_disconnect(d, NULL);
    devices_detach(d, NULL);
    fresh = domain_new(d->h, &rq, NULL, &notes, &f);
    if (fresh)
        domain_start(fresh);
    else
        say("%s: not restarted: %s", d->entry.name, f.text);
    json_object_put(notes);
}

void death_act(struct domain *d, enum config_action action)
{
    switch (action) {
    case CONFIG_COREDUMP_DESTROY:
        dump_after_crash(d, CONFIG_DESTROY);
        return;
    case CONFIG_COREDUMP_RESTART:
        dump_after_crash(d, CONFIG_RESTART);
        return;
    case CONFIG_RESTART:
        restart(d);
        return;
    case CONFIG_RENAME_RESTART:
        rename_restart(d);
        return;
    case CONFIG_PRESERVE:
        preserve(d);
        return;
    default:
        domain_unmake(d, FATE_GONE);
    }
}

static void ended(struct domain *d, unsigned reason)
{
    enum config_action action = d->h->halting ? CONFIG_DESTROY : action_for(&d->config, reason);

    say("%s (%u): %s; %s", d->entry.name, d->entry.id,
        reason < sizeof(reason_names) / sizeof(reason_names[0]) ? reason_names[reason]
                                                                : "ended for an unknown reason",
        config_action_name(action));
    event_emit(d->h, "ended", d, d->entry.id,
               reason < sizeof(reason_names) / sizeof(reason_names[0]) ? reason_names[reason] : "unknown");
    death_act(d, action);
}

static void look_at(struct hauchd *h, const struct xen_domctl_getdomaininfo *info)
{
    struct index_entry *e = index_by_id(&h->domains, info->domain);
    struct domain      *d = e ? domain_of(e) : NULL;

    if (!d || d->job.state != JOB_UP || d->off)
        return;
    if (info->flags & XEN_DOMINF_dying)
        domain_unmake(d, FATE_GONE);          /* somebody else destroys it */
    else if (info->flags & XEN_DOMINF_shutdown)
        ended(d, info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
}

/* Ours that are not in the list any more: cleaned up by undoing what is left of them. */
static void vanished(struct hauchd *h, const uint8_t *alive)
{
    struct index_entry *e = h->domains.first, *next;

    for (; e; e = next) {
        next = e->next;
        if (domain_of(e)->job.state == JOB_UP && !(alive[e->id / 8] & 1 << e->id % 8)) {
            say("%s (%u): destroyed by someone else", e->name, e->id);
            domain_unmake(domain_of(e), FATE_GONE);
        }
    }
}

void death_look(struct hauchd *h)
{
    static struct xen_domctl_getdomaininfo list[LIST_MAX];
    static uint8_t                         alive[INDEX_IDS / 8 + 1];
    struct fault                           f = { 0 };
    unsigned                               first = 0;
    int                                    n;

    h->look_due_ms = 0;
    memset(alive, 0, sizeof(alive));
    do {
        n = xc_domain_list(h->xc, first, list, LIST_MAX, &f);
        if (n < 0) {
            say("%s", f.text);
            return;
        }
        for (int i = 0; i < n; i++)
            alive[list[i].domain / 8] |= 1 << list[i].domain % 8;
        for (int i = 0; i < n; i++)
            look_at(h, &list[i]);
        first = n ? list[n - 1].domain + 1 : 0;
    } while (n > 0 && first < INDEX_IDS);
    vanished(h, alive);
}
