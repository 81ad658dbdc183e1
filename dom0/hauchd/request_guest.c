/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about a running domain: its memory, keys for its kernel, its configuration. */
#define _GNU_SOURCE
#include "dom0/hauchd/request.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum {
    SLACK_KIB = 1024,
    LEAST_KIB = 4096
}; /* what a domain may have beyond its target, for rings and such */

static int answer_notes(struct client *c, struct json_object *notes)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "notes", notes);
    client_answer(c, o);
    return 0;
}

int do_config_update(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct json_object *notes = NULL;
    struct target       t;
    int                 rc = guest_find(h, rq->domain, &t, f);

    if (!rc && !t.d)
        rc = fault_set(f, -ENOTSUP, "domain %u was not made by hauchd: it has no configuration here", t.id);
    if (rc)
        return rc;
    rc = domain_update(t.d, rq, &notes, f);
    if (rc) {
        client_fail(c, f, notes);
        json_object_put(notes);
        return 0;
    }
    state_remember(t.d);
    return answer_notes(c, notes);
}

/* ---- the store nodes that a guest's kernel watches ---- */
static int node_write(struct hauchd *h, uint16_t domid, const char *node, const char *value, struct fault *f)
{
    char path[96];
    int  rc = peer_store_need(h, f);

    if (rc)
        return rc;
    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, node);
    rc = xs_client_write(h->xs, 0, path, value, strlen(value));
    return rc ? fault_set(f, rc, "store: %s", xs_client_error(h->xs)) : 0;
}

int do_sysrq(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct target                   t;
    int                             rc = running_find(h, rq->domain, &t, &info, f);

    if (!rc && (strlen(rq->text) != 1 || rq->text[0] <= ' ' || rq->text[0] > '~'))
        rc = fault_set(f, -EINVAL, "sysrq \"%.20s\": one letter or digit is wanted, such as h for help",
                       rq->text);
    rc = rc ? rc : node_write(h, t.id, "control/sysrq", rq->text, f);
    return rc ? rc : answer_done(c, &t);
}

/* ---- memory ---- */
/* The most it can have, fixed at its making; domain 0 has what the store says, or all there is. */
static int static_max(struct hauchd *h, const struct target *t, uint64_t *kib, struct fault *f)
{
    struct xen_sysctl_physinfo p;
    char                       path[64];
    int                        rc;

    snprintf(path, sizeof(path), "/local/domain/%u/memory/static-max", t->id);
    if (t->d) {
        *kib = t->d->config.max_memory_kib;
        return 0;
    }
    if (h->xs && !xs_client_read_u64(h->xs, 0, path, kib))
        return 0;
    rc = xc_host_physinfo(h->xc, &p, f);
    *kib = rc ? 0 : p.total_pages * 4;
    return rc;
}

static int mem_set(struct hauchd *h, const struct target *t, uint64_t kib, struct fault *f)
{
    char words[24];
    int  rc = xc_domain_max_mem(h->xc, t->id, kib + SLACK_KIB, f);

    snprintf(words, sizeof(words), "%llu", (unsigned long long)kib);
    return rc ? rc : node_write(h, t->id, "memory/target", words, f);
}

int do_mem_set(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct target                   t;
    uint64_t                        max = 0;
    int                             rc = running_find(h, rq->domain, &t, &info, f);

    rc = rc ? rc : static_max(h, &t, &max, f);
    if (!rc && (rq->kib < LEAST_KIB || (uint64_t)rq->kib > max))
        rc = fault_set(f, -EINVAL, "%lld KiB: domain %s can have %d to %llu KiB%s", (long long)rq->kib,
                       rq->domain, LEAST_KIB, (unsigned long long)max,
                       t.id ? "; maxmem= in its configuration sets the limit" : "");
    rc = rc ? rc : mem_set(h, &t, rq->kib, f);
    return rc ? rc : answer_done(c, &t);
}

int do_mem_max(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct target                   t;
    int                             rc = running_find(h, rq->domain, &t, &info, f);

    if (!rc && (rq->kib < 0 || (uint64_t)rq->kib < info.tot_pages * 4))
        rc = fault_set(f, -EINVAL,
                       "%lld KiB: domain %s has %llu KiB now; take memory away with mem-set first",
                       (long long)rq->kib, rq->domain, (unsigned long long)info.tot_pages * 4);
    rc = rc ? rc : xc_domain_max_mem(h->xc, t.id, rq->kib + SLACK_KIB, f);
    return rc ? rc : answer_done(c, &t);
}

int do_wait(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    int           rc = guest_find(h, rq->domain, &t, f);

    if (!rc && !t.d)
        rc = fault_set(f, -ENOTSUP, "domain %u was not made by hauchd: it cannot be waited for", t.id);
    rc = rc || !client_wait(c, t.d, WAIT_GONE) ? rc : fault_memory(f);
    return rc;
}
