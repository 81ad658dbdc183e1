/* SPDX-License-Identifier: BSD-2-Clause */
/* Core dumps: on request, and where on_crash= says so. The worker writes them; the domain stands still
 * meanwhile, and what is to become of it comes afterwards. */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "dom0/hauchd/request.h"
#include "dom0/hauchd/worker.h"

struct dump {
    struct dump       *next;
    struct domain     *d;             /* NULL: not ours, or it has gone meanwhile */
    uint16_t           domid;
    struct client     *client;        /* NULL: nobody waits */
    bool               paused;        /* by us, and to run again */
    bool               destroy;       /* afterwards, as was asked */
    bool               foreign;       /* of another toolstack */
    bool               ended;         /* the domain has crashed, and `then` follows */
    enum config_action then;
    char               path[512];
};

static void dump_free(struct hauchd *h, struct dump *u)
{
    struct dump **p = &h->dumps;

    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    free(u);
}

static void answer(struct dump *u, int rc, const struct fault *f)
{
    struct json_object *o;
    struct client      *c = u->client;

    if (!c)
        return;
    u->client = NULL;
    client_unhold(c);
    if (rc) {
        client_fail(c, f, NULL);
        return;
    }
    o = json_object_new_object();
    json_number(o, "domid", u->domid);
    json_text(o, "file", u->path);
    client_answer(c, o);
}

/* What was asked for besides: only of a domain that is written down, so one that is not runs on. */
static void then(struct hauchd *h, const struct dump *u, bool written)
{
    struct domain *d = u->d;
    bool           destroy = u->destroy && written;

    if (u->paused && !destroy)
        xc_domain_unpause(h->xc, u->domid, NULL);
    if (d && u->paused)
        state_unmark(h, u->domid, "dump");
    if (d && u->ended)
        death_act(d, u->then);
    else if (d && destroy)
        domain_unmake(d, FATE_GONE);
    else if (u->foreign && destroy && !worker_destroy_foreign(h, u->domid, NULL, NULL))
        say("domain %u is not destroyed: no memory left for it; hauch destroy does it later", u->domid);
}

static void finished(struct hauchd *h, struct task *t)
{
    struct dump *u = t->ctx;
    int          rc = t->rc;

    say("domain %u: %s%s", u->domid, rc ? "no core file: " : "core file in ", rc ? t->fault.text : u->path);
    t->fault.code = rc;
    answer(u, rc, &t->fault);
    then(h, u, !rc);
    dump_free(h, u);
    task_free(t);
}

/* Of the number: a second one would find the domain paused, and running again when the first is written. */
static bool busy(const struct hauchd *h, uint16_t domid)
{
    for (const struct dump *u = h->dumps; u; u = u->next)
        if (u->domid == domid)
            return true;
    return false;
}

static int begin(struct hauchd *h, const struct dump *want, struct fault *f)
{
    struct dump *u = malloc(sizeof(*u));

    if (!u)
        return fault_memory(f);
    *u = *want;
    u->next = h->dumps;
    h->dumps = u;
    if (u->client)
        client_hold(u->client);
    if (worker_dump(h, u->domid, u->path, finished, u))
        return 0;
    if (u->client)
        client_unhold(u->client);
    dump_free(h, u);
    return fault_memory(f);
}

void dump_after_crash(struct domain *d, enum config_action then)
{
    struct dump  u = { .d = d, .domid = d->entry.id, .ended = true, .then = then };
    struct fault f = { 0 };
    char         folder[400];

    mkdir(d->h->lib_dir, 0755);
    snprintf(folder, sizeof(folder), "%.300s/dump", d->h->lib_dir);
    mkdir(folder, 0700);
    snprintf(u.path, sizeof(u.path), "%.330s/%s-%lld.core", folder, d->entry.name, (long long)time(NULL));
    d->off = true;
    if (!begin(d->h, &u, &f))
        return;
    say("%s (%u): no core file: %s", d->entry.name, d->entry.id, f.text);
    death_act(d, then);
}

int do_dump(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct target                   t;
    struct dump                     u = { .client = c, .destroy = rq->clear };
    int                             rc = guest_find(h, rq->domain, &t, f);

    rc = rc ? rc : running_find(h, rq->domain, &t, &info, f);
    if (!rc &&
        (rq->path[0] != '/' || snprintf(u.path, sizeof(u.path), "%s", rq->path) >= (int)sizeof(u.path)))
        rc = fault_set(f, -EINVAL, "core file \"%.200s\": a path from / on of at most %zu bytes is wanted",
                       rq->path, sizeof(u.path) - 1);
    if (!rc && busy(h, t.id))
        rc = fault_set(f, -EBUSY, "a core file of domain %s is being written already", rq->domain);
    if (rc)
        return rc;
    u.d = t.d;
    u.domid = t.id;
    u.foreign = !t.d;
    u.paused = !rq->live && !(info.flags & (XEN_DOMINF_paused | XEN_DOMINF_shutdown));
    if (u.paused && u.d)
        state_mark(h, t.id, "dump", "paused");
    if (u.paused)
        rc = xc_domain_pause(h->xc, t.id, f);
    rc = rc ? rc : begin(h, &u, f);
    if (rc && u.paused)
        then(h, &u, false);
    return rc;
}

void dumps_forget(struct hauchd *h, const struct domain *d, const struct client *c)
{
    for (struct dump *u = h->dumps; u; u = u->next) {
        if (d && u->d == d) {
            u->d = NULL;
            u->paused = false;       /* its number may be another domain's by the time the file is written */
        }
        u->client = u->client == c ? NULL : u->client;
    }
}
