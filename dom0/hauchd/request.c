/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of hauchd, one function a request: find the object, act or say why not. */
#define _GNU_SOURCE
#include "dom0/hauchd/request.h"
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number of a domain that another toolstack made and named @who in the store. INDEX_NO_ID: there is none.
 * Only looked for when nothing of ours has that name. */
static uint16_t foreign_find(struct hauchd *h, const char *who)
{
    static struct xen_domctl_getdomaininfo list[256];
    unsigned                               first = 1;
    int                                    n;

    while (h->xs && first < INDEX_IDS && (n = xc_domain_list(h->xc, first, list, 256, NULL)) > 0) {
        for (int i = 0; i < n; i++) {
            char  path[64], *name = NULL;
            bool  same;

            if (index_by_id(&h->domains, list[i].domain))
                continue;
            snprintf(path, sizeof(path), "/local/domain/%u/name", list[i].domain);
            same = !xs_client_read(h->xs, 0, path, &name, NULL) && !strcmp(name, who);
            free(name);
            if (same)
                return list[i].domain;
        }
        first = list[n - 1].domain + 1u;
    }
    return INDEX_NO_ID;
}

/* A foreign domain may be named by number, or by the name it has in the store. */
int target_find(struct hauchd *h, const char *who, struct target *t, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct index_entry             *e = index_find(&h->domains, who, &t->id);

    t->d = e ? domain_of(e) : NULL;
    if (t->d) {
        t->id = t->d->entry.id;
        return 0;
    }
    if (!strcmp(who, "Domain-0"))
        t->id = 0;
    else if (t->id == INDEX_NO_ID && who[strspn(who, "0123456789")])
        t->id = foreign_find(h, who);
    if (t->id != INDEX_NO_ID && !xc_domain_info(h->xc, t->id, &info, NULL))
        return 0;
    return fault_set(f, -ESRCH, "there is no domain %.127s; hauch list shows those that are", who);
}

/* As above, but dom0 is not to be touched. */
int guest_find(struct hauchd *h, const char *who, struct target *t, struct fault *f)
{
    int rc = target_find(h, who, t, f);

    if (!rc && t->id == 0)
        return fault_set(f, -EPERM,
                         "domain 0 is this system itself: it cannot be paused, stopped or renamed from here");
    return rc;
}

/* A domain that is only being made has no number yet. */
int running_find(struct hauchd *h, const char *who, struct target *t, struct xen_domctl_getdomaininfo *info,
                 struct fault *f)
{
    int rc = target_find(h, who, t, f);

    if (!rc && t->d && t->d->job.state != JOB_UP)
        return fault_set(f, -EBUSY, "domain %s is being made or removed; try again", t->d->entry.name);
    return rc ? rc : xc_domain_info(h->xc, t->id, info, f);
}

int answer_done(struct client *c, const struct target *t)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "domid", json_object_new_int(t->id));
    if (t->d)
        json_object_object_add(o, "name", json_object_new_string(t->d->entry.name));
    client_answer(c, o);
    return 0;
}

int answer_with(struct client *c, const char *key, struct json_object *value, const struct fault *f)
{
    struct json_object *o;

    if (!value)
        return f->code;
    o = json_object_new_object();
    json_object_object_add(o, key, value);
    client_answer(c, o);
    return 0;
}

/* ---- one function a request: 0 (answered, or will be), or negative errno with @f ---- */
int do_create(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct json_object *notes = NULL;
    struct domain      *d;

    if (h->halting && !rq->dry)
        return fault_set(f, -ESHUTDOWN,
                         "this host is going down: no domain is made; hauch host-start ends that state");
    d = domain_new(h, rq, rq->name, &notes, f);
    if (!d) {
        client_fail(c, f, notes);
        json_object_put(notes);
        return 0;
    }
    d->warnings = notes;
    if (rq->dry) {
        struct json_object *o = json_object_new_object();

        json_object_object_add(o, "config", domain_config_json(&d->config));
        json_object_object_add(o, "notes", json_object_get(notes));
        client_answer(c, o);
        domain_free(d);
        return 0;
    }
    if (client_wait(c, d, rq->progress ? WAIT_UP_PROGRESS : WAIT_UP)) {
        domain_free(d);
        return fault_memory(f);
    }
    domain_start(d);
    return 0;
}

static int do_list(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t = { NULL, INDEX_NO_ID };
    int           rc = rq->domain ? target_find(h, rq->domain, &t, f) : 0;

    return rc ? rc : answer_with(c, "domains", report_domains(h, rq->domain ? t.id : -1, rq->configs, f), f);
}

static int do_info(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    int           rc = target_find(h, rq->domain, &t, f);

    return rc ? rc : answer_with(c, "domain", report_domain(h, t.id, t.d, f), f);
}

static int do_host(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    return answer_with(c, "host", report_host(h, rq->topology, f), f);
}

/* The guest is asked through its store node; whether it listens is for it to say. */
static int ask_guest(struct hauchd *h, const struct target *t, const char *word, struct fault *f)
{
    char path[64];
    int  rc = peer_store_need(h, f);

    if (rc)
        return rc;
    if (t->d && t->d->job.state != JOB_UP)
        return fault_set(f, -EBUSY, "domain %s is being made or removed; try again", t->d->entry.name);
    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", t->id);
    rc = xs_client_write(h->xs, 0, path, word, strlen(word));
    return rc ? fault_set(f, rc, "store: %s", xs_client_error(h->xs)) : 0;
}

static int ask_and_wait(struct hauchd *h, struct client *c, struct target *t, const char *word, bool wait,
                        struct fault *f)
{
    int rc = ask_guest(h, t, word, f);

    if (rc || !wait)
        return rc;
    if (!t->d)
        return fault_set(f, -ENOTSUP, "domain %u was not made by hauchd: leave out -w", t->id);
    return t->d->off ? 0 : client_wait(c, t->d, WAIT_OFF);
}

void domains_ask_all(struct hauchd *h, const char *word)
{
    for (struct index_entry *e = h->domains.first, *next; e; e = next) {
        struct target t = { domain_of(e), e->id };
        struct fault  f = { 0 };

        next = e->next;
        if (t.d->off || t.d->job.state != JOB_UP)
            domain_unmake(t.d, FATE_GONE);
        else if (ask_guest(h, &t, word, &f))
            say("%s (%u): %s", e->name, e->id, f.text);
    }
}

static int ask_all(struct hauchd *h, struct client *c, const char *word, bool wait, struct fault *f)
{
    for (struct index_entry *e = h->domains.first; e; e = e->next) {
        struct target t = { domain_of(e), e->id };
        int           rc;

        if (t.d->job.state != JOB_UP || t.d->off)
            continue;
        rc = ask_and_wait(h, c, &t, word, wait, f);
        if (rc)
            return rc;
    }
    return 0;
}

static int ask(struct hauchd *h, struct client *c, const struct wire_request *rq, const char *word,
               struct fault *f)
{
    struct target t = { NULL, INDEX_NO_ID };
    int           rc;

    if (!rq->all == !rq->domain)
        return fault_set(f, -EINVAL, "name either one domain or all");
    if (rq->all) {
        rc = ask_all(h, c, word, rq->wait, f);
    } else {
        rc = guest_find(h, rq->domain, &t, f);
        rc = rc ? rc : ask_and_wait(h, c, &t, word, rq->wait, f);
    }
    return rc || client_busy(c) ? rc : answer_done(c, &t);
}

static int do_shutdown(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    return ask(h, c, rq, "poweroff", f);
}

static int do_reboot(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    return ask(h, c, rq, "reboot", f);
}

static void foreign_destroyed(struct hauchd *h, struct task *t)
{
    struct client *c = client_find(h, (uintptr_t)t->ctx);
    struct target  gone = { NULL, t->domid };

    if (c)
        client_unhold(c);
    t->fault.code = t->rc;
    if (c && t->rc)
        client_fail(c, &t->fault, NULL);
    else if (c)
        answer_done(c, &gone);
    task_free(t);
}

static int foreign_destroy(struct hauchd *h, struct client *c, uint16_t id, struct fault *f)
{
    client_hold(c);
    if (worker_destroy_foreign(h, id, foreign_destroyed, (void *)client_number(c)))
        return 0;
    client_unhold(c);
    return fault_memory(f);
}

static int do_destroy(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    int           rc = guest_find(h, rq->domain, &t, f);

    if (rc)
        return rc;
    if (!t.d)
        return foreign_destroy(h, c, t.id, f);
    rc = client_wait(c, t.d, WAIT_GONE);
    if (rc)
        return fault_memory(f);
    domain_unmake(t.d, FATE_GONE);
    return 0;
}

static int do_pause(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    int           rc = guest_find(h, rq->domain, &t, f);

    rc = rc ? rc : xc_domain_pause(h->xc, t.id, f);
    if (!rc)
        event_emit(h, "paused", t.d, t.id, NULL);
    return rc ? rc : answer_done(c, &t);
}

static int do_unpause(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    int           rc = guest_find(h, rq->domain, &t, f);

    if (!rc && t.d && t.d->job.state != JOB_UP)
        return fault_set(f, -EBUSY, "domain %s is being made or removed; try again", t.d->entry.name);
    rc = rc ? rc : xc_domain_unpause(h->xc, t.id, f);
    if (!rc)
        event_emit(h, "unpaused", t.d, t.id, NULL);
    return rc ? rc : answer_done(c, &t);
}

static int do_rename(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    int           rc = guest_find(h, rq->domain, &t, f);

    if (!rc && !t.d)
        rc = fault_set(f, -ENOTSUP, "domain %u was not made by hauchd: it cannot be renamed here", t.id);
    if (!rc && t.d->job.state != JOB_UP)
        rc = fault_set(f, -EBUSY, "domain %s is being made or removed; try again", t.d->entry.name);
    rc = rc ? rc : domain_rename(t.d, rq->name, f);
    return rc ? rc : answer_done(c, &t);
}

static int answer_log(struct client *c, int rc, char *text, struct fault *f)
{
    rc = rc ? rc : answer_with(c, "log", json_object_new_string(text), f);
    free(text);
    return rc;
}

static int do_dmesg(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    char *text = NULL;
    int   rc = log_read(h, rq->clear, &text, f);

    return answer_log(c, rc, text, f);
}

static int do_refusals(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t = { NULL, INDEX_NO_ID };
    char         *text = NULL;
    int           rc = rq->domain ? target_find(h, rq->domain, &t, f) : 0;

    rc = rc ? rc : log_refusals(h, rq->domain ? t.id : -1, &text, f);
    return answer_log(c, rc, text, f);
}

static int do_missing(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    char *text = NULL;
    int   rc = log_missing(h, &text, f);

    return answer_log(c, rc, text, f);
}

static int do_last_crash(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    char *text = NULL;
    int   rc = log_last_crash(h, rq->clear, &text, f);

    return answer_log(c, rc, text, f);
}

static int do_debug_keys(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t = { NULL, 0 };
    int rc = *rq->text ? 0 : fault_set(f, -EINVAL, "name the keys; hauch dmesg shows what they print");

    for (const char *key = rq->text; !rc && *key; key++)
        rc = xc_host_key(h->xc, *key, f);
    return rc ? rc : answer_done(c, &t);
}

static const request_fn handlers[] = {
    [WIRE_CREATE] = do_create,     [WIRE_LIST] = do_list,         [WIRE_INFO] = do_info,
    [WIRE_HOST] = do_host,         [WIRE_SHUTDOWN] = do_shutdown, [WIRE_REBOOT] = do_reboot,
    [WIRE_DESTROY] = do_destroy,   [WIRE_PAUSE] = do_pause,       [WIRE_UNPAUSE] = do_unpause,
    [WIRE_RENAME] = do_rename,     [WIRE_DMESG] = do_dmesg,       [WIRE_REFUSALS] = do_refusals,
    [WIRE_MISSING] = do_missing,   [WIRE_VCPUS] = do_vcpus,       [WIRE_VCPU_SET] = do_vcpu_set,
    [WIRE_VCPU_PIN] = do_vcpu_pin, [WIRE_SCHED] = do_sched,
    [WIRE_LAST_CRASH] = do_last_crash,
    [WIRE_CONFIG_UPDATE] = do_config_update,
    [WIRE_SYSRQ] = do_sysrq,
    [WIRE_MEM_SET] = do_mem_set,
    [WIRE_MEM_MAX] = do_mem_max,
    [WIRE_DEVICES] = do_devices,
    [WIRE_DEBUG_KEYS] = do_debug_keys,
    [WIRE_WAIT] = do_wait,
    [WIRE_ATTACH] = do_attach,
    [WIRE_DETACH] = do_detach,
    [WIRE_DEFINE] = do_define,
    [WIRE_UNDEFINE] = do_undefine,
    [WIRE_AUTOSTART] = do_autostart,
    [WIRE_DEFINITIONS] = do_definitions,
    [WIRE_DEFINITION] = do_definition,
    [WIRE_START] = do_start,
    [WIRE_BOOT] = do_boot,
    [WIRE_HALT] = do_halt,
    [WIRE_EVENTS] = do_events,
    [WIRE_DUMP] = do_dump,
};

void request_handle(struct hauchd *h, struct client *c, char *line)
{
    struct wire_request rq;
    struct fault        f = { 0 };
    int                 rc = wire_request_parse(line, &rq, &f);

    if (rc) {
        client_fail(c, &f, NULL);
        return;
    }
    rc = handlers[rq.op](h, c, &rq, &f);
    if (rc < 0) {
        if (!f.text[0])
            fault_errno(&f, rc, "%s", wire_op_name(rq.op));
        f.code = rc;
        client_wait_no_more(c);
        client_fail(c, &f, NULL);
    }
    wire_request_free(&rq);
}
