/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about vCPUs: how many, where, and their shares of the machine. */
#define _GNU_SOURCE
#include "dom0/hauchd/request.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum { WEIGHT_MAX = 65535, CAP_MAX = 65535 };

int do_vcpus(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t = { NULL, INDEX_NO_ID };
    int           rc = rq->domain ? target_find(h, rq->domain, &t, f) : 0;

    return rc ? rc : answer_with(c, "vcpus", report_vcpus(h, rq->domain ? t.id : -1, f), f);
}

/* ---- how many ---- */
struct vcpu_count {
    uint16_t domid;
    unsigned online, max;
};

static int count_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    const struct vcpu_count *n = arg;
    int                      rc = 0;

    for (unsigned i = 0; !rc && i < n->max; i++) {
        const char *word = i < n->online ? "online" : "offline";
        char        path[80];

        snprintf(path, sizeof(path), "/local/domain/%u/cpu/%u/availability", n->domid, i);
        rc = xs_client_write(xs, tx, path, word, strlen(word));
    }
    return rc;
}

int do_vcpu_set(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct vcpu_count               n;
    struct target                   t;
    int                             rc = running_find(h, rq->domain, &t, &info, f);

    if (rc)
        return rc;
    n = (struct vcpu_count){ t.id, rq->count, info.max_vcpu_id + 1 };
    if (rq->count < 1 || rq->count > n.max)
        return fault_set(f, -EINVAL, "%lld vCPUs: domain %s can have 1 to %u%s", (long long)rq->count,
                         rq->domain, n.max, t.id ? "; maxvcpus= in its configuration sets the limit" : "");
    rc = peer_store_need(h, f);
    if (rc)
        return rc;
    rc = xs_client_transaction(h->xs, count_body, &n);
    return rc ? fault_set(f, rc, "store: %s", xs_client_error(h->xs)) : answer_done(c, &t);
}

/* ---- where ---- */
/* A list of CPUs as on the command line; @given false: leave what is. */
static int cpus_read(struct hauchd *h, const char *what, const char *words, struct config_cpus *out,
                     struct fault *f)
{
    struct config_log log = { 0 };
    struct config_pos pos = { .source = "vcpu-pin" };
    int               rc = config_cpus_parse(what, words, pos, out, &log);

    if (rc && log.count)
        fault_set(f, rc, "%s", log.notes[0].text);
    else if (rc)
        fault_memory(f);
    config_log_free(&log);
    return rc ? rc : vcpus_check(h, what, out, f);
}

int do_vcpu_pin(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct config_cpus              hard, soft;
    struct target                   t;
    unsigned                        from = 0, to;
    int                             rc = running_find(h, rq->domain, &t, &info, f);

    if (!rc && !rq->hard && !rq->soft)
        rc = fault_set(f, -EINVAL, "name the CPUs of the hard affinity, the soft affinity, or both");
    if (!rc && rq->hard)
        rc = cpus_read(h, "hard affinity", rq->hard, &hard, f);
    if (!rc && rq->soft)
        rc = cpus_read(h, "soft affinity", rq->soft, &soft, f);
    if (rc)
        return rc;
    to = info.max_vcpu_id + 1;
    if (rq->given & F_VCPU) {
        if (rq->vcpu < 0 || rq->vcpu >= to)
            return fault_set(f, -EINVAL, "domain %s has no vCPU %lld: it has %u, numbered from 0", rq->domain,
                             (long long)rq->vcpu, to);
        from = rq->vcpu;
        to = from + 1;
    }
    for (; !rc && from < to; from++)
        rc = xc_vcpu_set_affinity(h->xc, t.id, from, rq->hard ? hard.bits : NULL, rq->soft ? soft.bits : NULL,
                                  rq->force, f);
    return rc ? rc : answer_done(c, &t);
}

/* ---- how much ---- */
static int share_check(const struct wire_request *rq, struct fault *f)
{
    if (rq->given & F_WEIGHT && (rq->weight < 1 || rq->weight > WEIGHT_MAX))
        return fault_set(f, -EINVAL, "weight %lld: 1 to %d are possible, 256 is usual", (long long)rq->weight,
                         WEIGHT_MAX);
    if (rq->given & F_CAP && (rq->cap < 0 || rq->cap > CAP_MAX))
        return fault_set(f, -EINVAL, "cap %lld: percent of one CPU, 0 to %d, 0 means no cap",
                         (long long)rq->cap, CAP_MAX);
    if (rq->given & (F_WEIGHT | F_CAP) && !rq->domain)
        return fault_set(f, -EINVAL, "weight and cap belong to a domain: name it");
    return 0;
}

static int shares_answer(struct hauchd *h, struct client *c, int only_id, struct fault *f)
{
    struct json_object *list = report_shares(h, only_id, f), *o;
    unsigned            us = 0;

    if (!list)
        return f->code;
    xc_host_ratelimit(h->xc, &us, NULL);
    o = json_object_new_object();
    json_object_object_add(o, "shares", list);
    json_number(o, "ratelimit_us", us);
    client_answer(c, o);
    return 0;
}

int do_sched(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct target                   t = { NULL, INDEX_NO_ID };
    int                             rc = share_check(rq, f);

    if (!rc && rq->domain)
        rc = running_find(h, rq->domain, &t, &info, f);
    if (!rc && rq->given & (F_WEIGHT | F_CAP)) {
        rc = xc_domain_set_share(h->xc, t.id, rq->given & F_WEIGHT ? (int)rq->weight : -1,
                                 rq->given & F_CAP ? (int)rq->cap : -1, f);
        return rc ? rc : answer_done(c, &t);
    }
    return rc ? rc : shares_answer(h, c, rq->domain ? t.id : -1, f);
}
