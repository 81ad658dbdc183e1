/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauchd tells of domains and the host, as JSON. Programs may rely on names and units; more may be
 * added. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "lib/dev_nodes.h"

enum { LIST_MAX = 256 };

static void text(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static void number(struct json_object *o, const char *key, int64_t value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

/* Nanoseconds as seconds with three places: a double's own digits would pretend more. */
static void seconds(struct json_object *o, const char *key, uint64_t ns)
{
    char number_text[32];

    snprintf(number_text, sizeof(number_text), "%.3f", ns / 1e9);
    json_object_object_add(o, key, json_object_new_double_s(ns / 1e9, number_text));
}

/* The name of a domain that is not ours: what the store says. */
static void foreign_name(struct hauchd *h, uint16_t domid, struct json_object *o)
{
    char  path[64], *name = NULL;

    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    if (h->xs && !xs_client_read(h->xs, 0, path, &name, NULL))
        text(o, "name", name);
    else
        text(o, "name", domid ? "(null)" : "Domain-0");
    free(name);
}

/* Six places, each a letter or a dash, as people know them: running blocked paused shutdown crashed dying. */
static void state_text(uint32_t flags, char out[7])
{
    unsigned reason = flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
    bool     off = flags & XEN_DOMINF_shutdown;

    out[0] = flags & XEN_DOMINF_running ? 'r' : '-';
    out[1] = flags & XEN_DOMINF_blocked ? 'b' : '-';
    out[2] = flags & XEN_DOMINF_paused ? 'p' : '-';
    out[3] = off ? 's' : '-';
    out[4] = off && reason == 3 ? 'c' : '-';
    out[5] = flags & XEN_DOMINF_dying ? 'd' : '-';
    out[6] = 0;
}

static struct json_object *basics(struct hauchd *h, const struct xen_domctl_getdomaininfo *i)
{
    struct json_object *o = json_object_new_object();
    struct index_entry *e = index_by_id(&h->domains, i->domain);
    char                state[7];

    number(o, "domid", i->domain);
    if (e)
        text(o, "name", e->name);
    else
        foreign_name(h, i->domain, o);
    state_text(i->flags, state);
    text(o, "state", state);
    number(o, "memory_kib", (i->tot_pages + i->outstanding_pages) * 4);
    number(o, "max_memory_kib", i->max_pages > INT64_MAX / 4 ? -1 : (int64_t)(i->max_pages * 4));
    number(o, "vcpus", i->nr_online_vcpus);
    seconds(o, "cpu_time_s", i->cpu_time);
    if (i->flags & XEN_DOMINF_shutdown)
        number(o, "shutdown_reason", i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
    if (e && domain_of(e)->started_at)
        number(o, "uptime_s", time(NULL) - domain_of(e)->started_at);
    json_object_object_add(o, "managed", json_object_new_boolean(e != NULL));
    return o;
}

struct json_object *report_domains(struct hauchd *h, int only_id, struct fault *f)
{
    struct xen_domctl_getdomaininfo *list = calloc(LIST_MAX, sizeof(*list));
    struct json_object              *o = json_object_new_array();
    unsigned                         first = only_id < 0 ? 0 : only_id;
    int                              n = 0;

    do {
        n = list ? xc_domain_list(h->xc, first, list, only_id < 0 ? LIST_MAX : 1, f) : -ENOMEM;
        for (int i = 0; i < n; i++)
            if (only_id < 0 || list[i].domain == only_id)
                json_object_array_add(o, basics(h, &list[i]));
        first = n > 0 ? list[n - 1].domain + 1u : 0;
    } while (n > 0 && only_id < 0 && first < INDEX_IDS);
    free(list);
    if (n >= 0)
        return o;
    json_object_put(o);
    return NULL;
}

/* ---- one domain ---- */
static struct json_object *disks(const struct domain *d)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < d->config.disk_count; i++) {
        const struct dev_disk *k = &d->disks[i];
        struct json_object    *o = json_object_new_object();
        char                   number_text[24];

        text(o, "vdev", k->vdev);
        text(o, "target", k->target ? k->target : "");
        snprintf(number_text, sizeof(number_text), "%u:%u", k->major, k->minor);
        text(o, "device", number_text);
        if (k->loop.number >= 0)
            number(o, "loop", k->loop.number);
        json_object_object_add(o, "readonly", json_object_new_boolean(k->readonly));
        number(o, "backend_state", d->h->xs ? dev_backend_state(d->h->xs, "vbd", d->entry.id, k->number) : 0);
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *vifs(const struct domain *d)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < d->config.vif_count; i++) {
        const struct config_vif *v = &d->config.vifs[i];
        struct json_object      *o = json_object_new_object();
        char                     mac[18];

        snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", v->mac[0], v->mac[1], v->mac[2],
                 v->mac[3], v->mac[4], v->mac[5]);
        number(o, "devid", v->devid);
        text(o, "mac", mac);
        text(o, "bridge", v->bridge[0] ? v->bridge : CONFIG_BRIDGE_DEFAULT);
        text(o, "interface", d->vifs[i].name);
        number(o, "backend_state", d->h->xs ? dev_backend_state(d->h->xs, "vif", d->entry.id, v->devid) : 0);
        json_object_array_add(list, o);
    }
    return list;
}

struct json_object *report_domain(struct hauchd *h, uint16_t domid, struct domain *d, struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    struct json_object             *o;

    if (xc_domain_info(h->xc, domid, &info, f))
        return NULL;
    o = basics(h, &info);
    if (!d)
        return o;
    text(o, "uuid", d->uuid_text);
    text(o, "source", d->source);
    text(o, "kernel", d->config.kernel);
    if (d->config.ramdisk)
        text(o, "ramdisk", d->config.ramdisk);
    text(o, "cmdline", d->config.cmdline);
    text(o, "on_poweroff", config_action_name(d->config.on_poweroff));
    text(o, "on_reboot", config_action_name(d->config.on_reboot));
    text(o, "on_crash", config_action_name(d->config.on_crash));
    number(o, "console_port", d->console_port);
    number(o, "store_port", d->store_port);
    json_object_object_add(o, "disks", disks(d));
    json_object_object_add(o, "vifs", vifs(d));
    return o;
}

/* ---- the host ---- */
static void host_counts(struct json_object *o, const struct xen_sysctl_physinfo *p)
{
    char caps[80] = "";

    for (int i = 0; i < 8; i++)
        snprintf(caps + 9 * i, sizeof(caps) - 9 * i, "%08x%s", p->hw_cap[i], i < 7 ? ":" : "");
    number(o, "nr_cpus", p->nr_cpus);
    number(o, "max_cpu_id", p->max_cpu_id);
    number(o, "nr_nodes", p->nr_nodes);
    number(o, "cores_per_socket", p->cores_per_socket);
    number(o, "threads_per_core", p->threads_per_core);
    number(o, "cpu_khz", p->cpu_khz);
    text(o, "hw_caps", caps);
    number(o, "total_kib", p->total_pages * 4);
    number(o, "free_kib", p->free_pages * 4);
    number(o, "scrub_kib", p->scrub_pages * 4);
    number(o, "outstanding_kib", p->outstanding_pages * 4);
}

struct json_object *report_host(struct hauchd *h, struct fault *f)
{
    struct xen_sysctl_physinfo p;
    struct image_cache_stats   images;
    struct xc_version          v;
    struct utsname             u;
    struct json_object        *o;
    char                       line[64];

    if (xc_host_physinfo(h->xc, &p, f) || xc_host_version(h->xc, &v, f))
        return NULL;
    uname(&u);
    o = json_object_new_object();
    text(o, "host", u.nodename);
    text(o, "release", u.release);
    snprintf(line, sizeof(line), "%u.%u%s", v.major, v.minor, v.extra);
    text(o, "hypervisor", line);
    text(o, "caps", v.caps);
    text(o, "changeset", v.changeset);
    text(o, "compiler", v.compiler);
    host_counts(o, &p);
    image_cache_stats(h->images, &images);
    number(o, "domains_managed", h->domains.count);
    number(o, "kernels_cached", images.images);
    number(o, "kernel_cache_kib", images.bytes >> 10);
    number(o, "kernel_cache_hits", images.hits + images.rehashed);
    number(o, "kernels_unpacked", images.unpacked);
    return o;
}
