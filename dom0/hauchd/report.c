/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauchd tells of domains and the host, as JSON. Programs may rely on names and units; more may be
 * added. */
#define _GNU_SOURCE
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "lib/dev_nodes.h"

enum { LIST_MAX = 256, WEIGHT_USUAL = 256 };

void json_text(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

void json_number(struct json_object *o, const char *key, int64_t value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

/* Nanoseconds as seconds with three places: a double's own digits would pretend more. */
void json_seconds(struct json_object *o, const char *key, uint64_t ns)
{
    char number_text[32];

    snprintf(number_text, sizeof(number_text), "%.3f", ns / 1e9);
    json_object_object_add(o, key, json_object_new_double_s(ns / 1e9, number_text));
}

void report_name(struct hauchd *h, uint16_t domid, struct json_object *o)
{
    struct index_entry *e = index_by_id(&h->domains, domid);
    char                path[64], *name = NULL;

    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    if (e)
        json_text(o, "name", e->name);
    else if (h->xs && !xs_client_read(h->xs, 0, path, &name, NULL))
        json_text(o, "name", name);
    else
        json_text(o, "name", domid ? "(null)" : "Domain-0");
    free(name);
}

static void json_uuid(struct json_object *o, const uint8_t *u)
{
    char words[37];

    snprintf(words, sizeof(words), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
             u[15]);
    json_text(o, "uuid", words);
}

/* Six places, each a letter or a dash, as people know them: running blocked paused shutdown crashed dying. */
static void flags_text(uint32_t flags, char out[7])
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

    json_number(o, "domid", i->domain);
    report_name(h, i->domain, o);
    json_uuid(o, i->handle);
    flags_text(i->flags, state);
    json_text(o, "state", state);
    json_number(o, "memory_kib", (i->tot_pages + i->outstanding_pages) * 4);
    json_number(o, "max_memory_kib", i->max_pages > INT64_MAX / 4 ? -1 : (int64_t)(i->max_pages * 4));
    json_number(o, "vcpus", i->nr_online_vcpus);
    json_number(o, "cpupool", i->cpupool);
    json_seconds(o, "cpu_time_s", i->cpu_time);
    if (i->flags & XEN_DOMINF_shutdown)
        json_number(o, "shutdown_reason", i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
    if (e && domain_of(e)->started_at)
        json_number(o, "uptime_s", time(NULL) - domain_of(e)->started_at);
    json_object_object_add(o, "managed", json_object_new_boolean(e != NULL));
    return o;
}

static struct json_object *member_of(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* What xl's list -l has besides: programs that read that look here. */
static void add_build_words(struct json_object *build, const struct domain_config *c)
{
    struct json_object *avail = json_object_new_array(), *sched = json_object_new_object();

    for (unsigned i = 0; i < c->vcpus; i++)
        json_object_array_add(avail, json_object_new_int(i));
    json_object_object_add(build, "avail_vcpus", avail);
    json_text(sched, "sched", "credit2");
    json_number(sched, "weight", c->cpu_weight ? c->cpu_weight : WEIGHT_USUAL);
    json_number(sched, "cap", c->cap);
    json_object_object_add(build, "sched_params", sched);
}

/* What was asked for; of a domain that is not ours what can be seen, so that each has name, UUID and
 * memory at the same place. */
static void add_config(struct hauchd *h, struct json_object *o, uint16_t domid)
{
    struct index_entry *e = index_by_id(&h->domains, domid);
    struct json_object *config = e ? domain_config_json(&domain_of(e)->config) : json_object_new_object();
    struct json_object *create = e ? member_of(config, "c_info") : json_object_new_object();
    struct json_object *build = e ? member_of(config, "b_info") : json_object_new_object();

    json_text(create, "type", "pv");
    json_text(create, "name", json_object_get_string(member_of(o, "name")));
    json_text(create, "uuid", json_object_get_string(member_of(o, "uuid")));
    if (e) {
        add_build_words(build, &domain_of(e)->config);
    } else {
        json_object_object_add(build, "max_memkb", json_object_get(member_of(o, "max_memory_kib")));
        json_object_object_add(build, "target_memkb", json_object_get(member_of(o, "memory_kib")));
    }
    json_object_object_add(build, "type.pv", json_object_new_object());
    if (!e) {
        json_object_object_add(config, "c_info", create);
        json_object_object_add(config, "b_info", build);
    }
    json_object_object_add(o, "config", config);
}

struct json_object *report_domains(struct hauchd *h, int only_id, bool configs, struct fault *f)
{
    struct xen_domctl_getdomaininfo *list = calloc(LIST_MAX, sizeof(*list));
    struct json_object              *o = json_object_new_array();
    unsigned                         first = only_id < 0 ? 0 : only_id;
    int                              n = 0;

    do {
        n = list ? xc_domain_list(h->xc, first, list, only_id < 0 ? LIST_MAX : 1, f) : fault_memory(f);
        for (int i = 0; i < n; i++)
            if (only_id < 0 || list[i].domain == only_id) {
                json_object_array_add(o, basics(h, &list[i]));
                if (configs)
                    add_config(h, json_object_array_get_idx(o, json_object_array_length(o) - 1),
                               list[i].domain);
            }
        first = n > 0 ? list[n - 1].domain + 1u : 0;
    } while (n > 0 && only_id < 0 && first < INDEX_IDS);
    free(list);
    if (n >= 0)
        return o;
    json_object_put(o);
    return NULL;
}

/* ---- one domain ---- */
/* A number that a front end wrote, or -1: it has not connected. */
static void json_front(const struct domain *d, struct json_object *o, const char *type, unsigned devid,
                       const char *key, const char *node)
{
    char     base[DEV_PATH], path[DEV_PATH + 32];
    uint64_t n;

    dev_path_frontend(base, type, d->entry.id, devid);
    snprintf(path, sizeof(path), "%s/%s", base, node);
    json_number(o, key, d->h->xs && !xs_client_read_u64(d->h->xs, 0, path, &n) ? (int64_t)n : -1);
}

static void json_ends(const struct domain *d, struct json_object *o, const char *type, unsigned devid)
{
    char path[DEV_PATH];

    dev_path_backend(path, type, d->entry.id, devid);
    json_text(o, "backend", path);
    json_number(o, "backend_id", 0);
    json_number(o, "backend_state", d->h->xs ? dev_backend_state(d->h->xs, type, d->entry.id, devid) : 0);
    json_front(d, o, type, devid, "state", "state");
    json_front(d, o, type, devid, "event_channel", "event-channel");
}

static struct json_object *disks(const struct domain *d)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < d->config.disk_count; i++) {
        const struct dev_disk *k = &d->disks[i];
        struct json_object    *o = json_object_new_object();
        char                   number_text[24];

        json_text(o, "vdev", k->vdev);
        json_text(o, "target", k->target ? k->target : "");
        snprintf(number_text, sizeof(number_text), "%u:%u", k->major, k->minor);
        json_text(o, "device", number_text);
        if (k->loop.number >= 0)
            json_number(o, "loop", k->loop.number);
        json_object_object_add(o, "readonly", json_object_new_boolean(k->readonly));
        json_number(o, "devid", k->number);
        json_ends(d, o, "vbd", k->number);
        json_front(d, o, "vbd", k->number, "ring_ref", "ring-ref");
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
        json_number(o, "devid", v->devid);
        json_text(o, "mac", mac);
        json_text(o, "bridge", v->bridge[0] ? v->bridge : CONFIG_BRIDGE_DEFAULT);
        json_text(o, "interface", d->vifs[i].name);
        json_ends(d, o, "vif", v->devid);
        json_front(d, o, "vif", v->devid, "tx_ring_ref", "tx-ring-ref");
        json_front(d, o, "vif", v->devid, "rx_ring_ref", "rx-ring-ref");
        json_object_array_add(list, o);
    }
    return list;
}

struct json_object *report_devices(struct domain *d)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "disks", d ? disks(d) : json_object_new_array());
    json_object_object_add(o, "vifs", d ? vifs(d) : json_object_new_array());
    json_object_object_add(o, "channels", json_object_new_array());
    return o;
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
    json_text(o, "source", d->source);
    json_text(o, "kernel", d->config.kernel);
    if (d->config.ramdisk)
        json_text(o, "ramdisk", d->config.ramdisk);
    json_text(o, "cmdline", d->config.cmdline);
    json_text(o, "on_poweroff", config_action_name(d->config.on_poweroff));
    json_text(o, "on_reboot", config_action_name(d->config.on_reboot));
    json_text(o, "on_crash", config_action_name(d->config.on_crash));
    json_number(o, "console_port", d->console_port);
    json_number(o, "store_port", d->store_port);
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
    json_number(o, "nr_cpus", p->nr_cpus);
    json_number(o, "max_cpu_id", p->max_cpu_id);
    json_number(o, "nr_nodes", p->nr_nodes);
    json_number(o, "cores_per_socket", p->cores_per_socket);
    json_number(o, "threads_per_core", p->threads_per_core);
    json_number(o, "cpu_khz", p->cpu_khz);
    json_text(o, "hw_caps", caps);
    json_number(o, "total_kib", p->total_pages * 4);
    json_number(o, "free_kib", p->free_pages * 4);
    json_number(o, "scrub_kib", p->scrub_pages * 4);
    json_number(o, "outstanding_kib", p->outstanding_pages * 4);
}

/* xl's view of where processors and memory lie. */
static struct json_object *topology(struct hauchd *h, struct fault *f)
{
    static struct xen_sysctl_cputopo cpus[XC_CPUS];
    struct json_object              *list = json_object_new_array();
    int                              n = xc_host_topology(h->xc, cpus, XC_CPUS, f);

    for (int i = 0; i < n; i++) {
        struct json_object *o = json_object_new_object();

        if (cpus[i].core == XEN_INVALID_CORE_ID) {
            json_object_put(o);
            continue;
        }
        json_number(o, "cpu", i);
        json_number(o, "core", cpus[i].core);
        json_number(o, "socket", cpus[i].socket);
        json_number(o, "node", cpus[i].node);
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *nodes(struct hauchd *h, struct fault *f)
{
    static struct xc_numa numa;
    struct json_object   *list = json_object_new_array();

    if (xc_host_numa(h->xc, &numa, f))
        numa.nodes = 0;
    for (unsigned i = 0; i < numa.nodes; i++) {
        struct json_object *o = json_object_new_object(), *distance = json_object_new_array();

        json_number(o, "node", i);
        json_number(o, "memory_kib", numa.memory[i].memsize >> 10);
        json_number(o, "free_kib", numa.memory[i].memfree >> 10);
        for (unsigned j = 0; j < numa.nodes; j++)
            json_object_array_add(distance, json_object_new_int64(numa.distance[i * numa.nodes + j]));
        json_object_object_add(o, "distances", distance);
        json_object_array_add(list, o);
    }
    return list;
}

/* What this hypervisor can do, in the words people know. */
static struct json_object *capabilities(uint32_t caps)
{
    static const char *const names[] = { "hvm", "pv", "directio", "hap", "shadow", "iommu_hap_pt_share",
                                         "vmtrace", "vpmu", "gnttab-v1", "gnttab-v2" };
    struct json_object      *list = json_object_new_array();

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (caps >> i & 1)
            json_object_array_add(list, json_object_new_string(names[i]));
    return list;
}

static void host_version(struct hauchd *h, struct json_object *o, const struct xc_version *v)
{
    static const char *const schedulers[] = { [XEN_SCHEDULER_CREDIT] = "credit",
                                              [XEN_SCHEDULER_CREDIT2] = "credit2",
                                              [XEN_SCHEDULER_ARINC653] = "arinc653",
                                              [XEN_SCHEDULER_RTDS] = "rtds",
                                              [XEN_SCHEDULER_NULL] = "null" };
    unsigned                 id = 0;
    char                     line[64];

    snprintf(line, sizeof(line), "%u.%u%s", v->major, v->minor, v->extra);
    json_text(o, "hypervisor", line);
    json_number(o, "major", v->major);
    json_number(o, "minor", v->minor);
    json_text(o, "extra", v->extra);
    json_text(o, "caps", v->caps);
    xc_host_scheduler(h->xc, &id, NULL);
    json_text(o, "scheduler", id <= XEN_SCHEDULER_NULL && schedulers[id] ? schedulers[id] : "unknown");
    json_number(o, "page_bytes", v->page_bytes);
    snprintf(line, sizeof(line), "0x%llx", (unsigned long long)v->virt_start);
    json_text(o, "virt_start", line);
    json_text(o, "command_line", v->command_line);
    json_text(o, "changeset", v->changeset);
    json_text(o, "compiler", v->compiler);
    json_text(o, "compile_by", v->compile_by);
    json_text(o, "compile_domain", v->compile_domain);
    json_text(o, "compile_date", v->compile_date);
    json_text(o, "build_id", v->build_id);
}

static void host_hauchd(struct hauchd *h, struct json_object *o)
{
    struct image_cache_stats images;

    worker_stats(h, &images);
    json_number(o, "domains_managed", h->domains.count);
    json_number(o, "kernels_cached", images.images);
    json_number(o, "kernel_cache_kib", images.bytes >> 10);
    json_number(o, "kernel_cache_hits", images.hits + images.rehashed);
    json_number(o, "kernels_unpacked", images.unpacked);
}

struct json_object *report_host(struct hauchd *h, bool with_topology, struct fault *f)
{
    struct xen_sysctl_physinfo p;
    struct xc_version          v;
    struct utsname             u;
    struct json_object        *o;

    if (xc_host_physinfo(h->xc, &p, f) || xc_host_version(h->xc, &v, f))
        return NULL;
    uname(&u);
    o = json_object_new_object();
    json_number(o, "json_version", 1);
    json_text(o, "host", u.nodename);
    json_text(o, "release", u.release);
    json_text(o, "version", u.version);
    json_text(o, "machine", u.machine);
    host_version(h, o, &v);
    host_counts(o, &p);
    json_object_object_add(o, "virt_caps", capabilities(p.capabilities));
    host_hauchd(h, o);
    if (with_topology) {
        json_object_object_add(o, "cpu_topology", topology(h, f));
        json_object_object_add(o, "numa_nodes", nodes(h, f));
    }
    return o;
}
