/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs: where each may run (hard affinity), where it rather should (soft affinity), and how much of the
 * machine its domain gets. The hypervisor ignores processors that are not there as long as one is left;
 * people who name such a processor mean another, so that is an error here. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 256, CPUS_TEXT = 4096 };

static bool bit(const uint64_t *bits, unsigned i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static int host_cpus(struct hauchd *h, unsigned *cpus, struct fault *f)
{
    struct xen_sysctl_physinfo p;
    int                        rc = xc_host_physinfo(h->xc, &p, f);

    *cpus = rc ? 0 : p.max_cpu_id + 1 < XC_CPUS ? p.max_cpu_id + 1 : XC_CPUS;
    return rc;
}

int vcpus_check(struct hauchd *h, const char *what, const struct config_cpus *cpus, struct fault *f)
{
    unsigned n;
    int      rc = cpus->all ? 0 : host_cpus(h, &n, f);

    for (unsigned i = cpus->all || rc ? CONFIG_CPUS_MAX : n; i < CONFIG_CPUS_MAX; i++)
        if (bit(cpus->bits, i))
            return fault_set(f, -EINVAL,
                             "%s: there is no CPU %u: this host has %u, numbered 0 to %u; name some "
                             "of these, or \"all\"",
                             what, i, n, n - 1);
    return rc;
}

/* ---- as the configuration says ---- */
static int place(struct domain *d, unsigned vcpu, struct fault *f)
{
    const struct config_cpus *hard = d->config.cpus ? &d->config.cpus[vcpu] : NULL;
    const struct config_cpus *soft = d->config.cpus_soft ? &d->config.cpus_soft[vcpu] : NULL;
    int                       rc = hard ? vcpus_check(d->h, "cpus=", hard, f) : 0;

    rc = rc || !soft ? rc : vcpus_check(d->h, "cpus_soft=", soft, f);
    hard = hard && !hard->all ? hard : NULL;
    soft = soft && !soft->all ? soft : NULL;
    if (rc || (!hard && !soft))
        return rc;
    return xc_vcpu_set_affinity(d->h->xc, d->entry.id, vcpu, hard ? hard->bits : NULL,
                                soft ? soft->bits : NULL, false, f);
}

int vcpus_place(struct domain *d, struct fault *f)
{
    const struct domain_config *c = &d->config;
    int                         rc = 0;

    if (c->cpu_weight || c->cap)
        rc = xc_domain_set_share(d->h->xc, d->entry.id, c->cpu_weight ? (int)c->cpu_weight : -1,
                                 c->cap ? (int)c->cap : -1, f);
    for (unsigned i = 0; !rc && (c->cpus || c->cpus_soft) && i < c->max_vcpus; i++)
        rc = place(d, i, f);
    return rc;
}

/* ---- telling ---- */
/* "all", or ranges like 0-3,5. */
static void cpus_text(const uint64_t *bits, unsigned n, char out[CPUS_TEXT])
{
    unsigned from = 0, to, at = 0, set = 0;

    for (unsigned i = 0; i < n; i++)
        set += bit(bits, i);
    snprintf(out, CPUS_TEXT, set == n ? "all" : "none");
    for (; set && set < n && from < n && at < CPUS_TEXT - 16; from = to) {
        for (to = from; to < n && bit(bits, to); to++)
            ;
        if (to == from) {
            to++;
            continue;
        }
        at += sprintf(out + at, to - from > 1 ? "%s%u-%u" : "%s%u", at ? "," : "", from, to - 1);
    }
}

static int vcpu_report(struct hauchd *h, uint16_t id, unsigned vcpu, unsigned cpus, struct json_object *list,
                       struct fault *f)
{
    struct xen_domctl_getvcpuinfo info;
    struct xc_affinity            places;
    struct json_object           *o;
    char                          words[CPUS_TEXT];
    int                           rc = xc_vcpu_info(h->xc, id, vcpu, &info, f);

    rc = rc ? rc : xc_vcpu_affinity(h->xc, id, vcpu, &places, f);
    if (rc)
        return rc;
    o = json_object_new_object();
    report_name(h, id, o);
    json_number(o, "domid", id);
    json_number(o, "vcpu", vcpu);
    json_object_object_add(o, "online", json_object_new_boolean(info.online));
    json_object_object_add(o, "running", json_object_new_boolean(info.running));
    json_object_object_add(o, "blocked", json_object_new_boolean(info.blocked));
    json_number(o, "cpu", info.cpu);
    json_seconds(o, "cpu_time_s", info.cpu_time);
    cpus_text(places.hard, cpus, words);
    json_text(o, "hard", words);
    cpus_text(places.soft, cpus, words);
    json_text(o, "soft", words);
    json_object_array_add(list, o);
    return 0;
}

static int domain_vcpus(struct hauchd *h, const struct xen_domctl_getdomaininfo *d, struct json_object *list,
                        struct fault *f)
{
    unsigned cpus;
    int      rc = host_cpus(h, &cpus, f);

    for (unsigned i = 0; !rc && d->max_vcpu_id != XEN_INVALID_MAX_VCPU_ID && i <= d->max_vcpu_id; i++)
        rc = vcpu_report(h, d->domain, i, cpus, list, f);
    /* Gone or never had this one: others are still to be told of. */
    return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

static int domain_share(struct hauchd *h, const struct xen_domctl_getdomaininfo *d, struct json_object *list,
                        struct fault *f)
{
    struct json_object *o;
    unsigned            weight, cap;
    int                 rc = xc_domain_share(h->xc, d->domain, &weight, &cap, f);

    if (rc)
        return rc == -ESRCH ? 0 : rc;
    o = json_object_new_object();
    report_name(h, d->domain, o);
    json_number(o, "domid", d->domain);
    json_number(o, "weight", weight);
    json_number(o, "cap", cap);
    json_object_array_add(list, o);
    return 0;
}

typedef int (*tell_fn)(struct hauchd *h, const struct xen_domctl_getdomaininfo *d, struct json_object *list,
                       struct fault *f);

/* @tell for one domain, or for all. */
static struct json_object *report_each(struct hauchd *h, int only_id, tell_fn tell, struct fault *f)
{
    static struct xen_domctl_getdomaininfo all[LIST_MAX];
    struct json_object                    *list = json_object_new_array();
    unsigned                               first = only_id < 0 ? 0 : only_id;
    int                                    n, rc = 0;

    do {
        n = xc_domain_list(h->xc, first, all, only_id < 0 ? LIST_MAX : 1, f);
        for (int i = 0; i < n && !rc; i++)
            if (only_id < 0 || all[i].domain == only_id)
                rc = tell(h, &all[i], list, f);
        first = n > 0 ? all[n - 1].domain + 1u : 0;
    } while (n > 0 && !rc && only_id < 0 && first < INDEX_IDS);
    if (n >= 0 && !rc)
        return list;
    json_object_put(list);
    return NULL;
}

struct json_object *report_vcpus(struct hauchd *h, int only_id, struct fault *f)
{
    return report_each(h, only_id, domain_vcpus, f);
}

struct json_object *report_shares(struct hauchd *h, int only_id, struct fault *f)
{
    return report_each(h, only_id, domain_share, f);
}
