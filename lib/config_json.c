/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_json.c - a configuration as JSON, for `list -l` and tests. Where `xl list -l` has a name for a
 * value, we use it (c_info, b_info, disks, nics), so that programs which read that read this too.
 */
#include <string.h>

#include <json-c/json.h>

#include "lib/config_internal.h"

/* Add and forget: a failed allocation leaves the member out. NULL strings are left out as well. */
static void add_string(struct json_object *to, const char *key, const char *value)
{
    if (value && value[0]) {
        json_object_object_add(to, key, json_object_new_string(value));
    }
}

static void add_number(struct json_object *to, const char *key, uint64_t value)
{
    json_object_object_add(to, key, json_object_new_int64((int64_t)value));
}

static void add_bool(struct json_object *to, const char *key, bool value)
{
    json_object_object_add(to, key, json_object_new_boolean(value));
}

static struct json_object *identity_json(const struct domain_config *c)
{
    struct json_object *to = json_object_new_object();
    const uint8_t *u = c->uuid;
    char text[37];

    add_string(to, "type", "pv");
    add_string(to, "name", c->name);
    add_string(to, "pool_name", c->pool);
    if (c->uuid_given) {
        snprintf(text, sizeof(text), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
                 u[14], u[15]);
        add_string(to, "uuid", text);
    }
    add_bool(to, "driver_domain", c->driver_domain);
    return to;
}

/* Physical CPUs as numbers; "all" stays a word. */
static struct json_object *cpus_json(const struct config_cpus *cpus)
{
    struct json_object *list;

    if (cpus->all) {
        return json_object_new_string("all");
    }
    list = json_object_new_array();
    for (int cpu = 0; cpu < CONFIG_CPUS_MAX; cpu++) {
        if (cpus->bits[cpu / 64] >> cpu % 64 & 1) {
            json_object_array_add(list, json_object_new_int(cpu));
        }
    }
    return list;
}

static void add_affinity(struct json_object *to, const char *key, const struct config_cpus *sets,
                         unsigned int vcpus)
{
    struct json_object *list;

    if (!sets) {
        return;
    }
    list = json_object_new_array();
    for (unsigned int i = 0; i < vcpus; i++) {
        json_object_array_add(list, cpus_json(&sets[i]));
    }
    json_object_object_add(to, key, list);
}

static struct json_object *build_json(const struct domain_config *c)
{
    static const char *const tsc_modes[] = {
        [CONFIG_TSC_DEFAULT] = "default", [CONFIG_TSC_NATIVE] = "native",
    };
    struct json_object *to = json_object_new_object();

    add_number(to, "max_vcpus", c->max_vcpus);
    add_number(to, "vcpus", c->vcpus);
    add_number(to, "max_memkb", c->max_memory_kib);
    add_number(to, "target_memkb", c->memory_kib);
    add_string(to, "kernel", c->kernel);
    add_string(to, "ramdisk", c->ramdisk);
    add_string(to, "cmdline", c->cmdline);
    add_string(to, "tsc_mode", tsc_modes[c->tsc_mode]);
    add_number(to, "event_channels", c->max_event_channels);
    add_number(to, "max_grant_frames", c->max_grant_frames);
    add_number(to, "max_maptrack_frames", c->max_maptrack_frames);
    add_number(to, "weight", c->cpu_weight);
    add_number(to, "cap", c->cap);
    add_bool(to, "disable_migrate", c->nomigrate);
    add_affinity(to, "vcpu_hard_affinity", c->cpus, c->max_vcpus);
    add_affinity(to, "vcpu_soft_affinity", c->cpus_soft, c->max_vcpus);
    return to;
}

static struct json_object *disk_json(const struct config_disk *d)
{
    struct json_object *to = json_object_new_object();

    add_string(to, "pdev_path", d->target);
    add_string(to, "vdev", d->vdev);
    add_number(to, "devid", d->number);
    add_string(to, "format", "raw");
    add_string(to, "backend", d->backendtype == CONFIG_DISK_PHY ? "phy" : NULL);
    add_string(to, "backend_domname", d->backend);
    add_string(to, "script", d->script);
    add_number(to, "readwrite", !d->readonly);
    add_number(to, "is_cdrom", d->cdrom);
    add_bool(to, "discard_enable", d->discard);
    add_bool(to, "direct_io_safe", d->direct_io_safe);
    add_bool(to, "trusted", d->trusted);
    return to;
}

static struct json_object *vif_json(const struct config_vif *v)
{
    struct json_object *to = json_object_new_object();
    char mac[18];

    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", v->mac[0], v->mac[1], v->mac[2], v->mac[3],
             v->mac[4], v->mac[5]);
    add_number(to, "devid", v->devid);
    add_string(to, "mac", mac);
    add_string(to, "bridge", v->bridge);
    add_string(to, "ifname", v->vifname);
    add_string(to, "gatewaydev", v->gatewaydev);
    add_string(to, "script", v->script);
    add_string(to, "ip", v->ip);
    add_string(to, "backend_domname", v->backend);
    if (v->mtu) {
        add_number(to, "mtu", v->mtu);
    }
    if (v->rate_bytes) {
        add_number(to, "rate_bytes_per_interval", v->rate_bytes);
        add_number(to, "rate_interval_usecs", v->rate_interval_us);
    }
    add_bool(to, "trusted", v->trusted);
    return to;
}

struct json_object *domain_config_json(const struct domain_config *c)
{
    struct json_object *to = json_object_new_object(), *list;

    if (!to) {
        return NULL;
    }
    json_object_object_add(to, "c_info", identity_json(c));
    json_object_object_add(to, "b_info", build_json(c));
    list = json_object_new_array();
    for (size_t i = 0; i < c->disk_count; i++) {
        json_object_array_add(list, disk_json(&c->disks[i]));
    }
    json_object_object_add(to, "disks", list);
    list = json_object_new_array();
    for (size_t i = 0; i < c->vif_count; i++) {
        json_object_array_add(list, vif_json(&c->vifs[i]));
    }
    json_object_object_add(to, "nics", list);
    add_string(to, "on_poweroff", config_action_name(c->on_poweroff));
    add_string(to, "on_reboot", config_action_name(c->on_reboot));
    add_string(to, "on_crash", config_action_name(c->on_crash));
    add_string(to, "on_watchdog", config_action_name(c->on_watchdog));
    return to;
}

/* ---- the document as written --------------------------------------------------------------------------- */

static struct json_object *value_json(const struct config_value *value)
{
    struct json_object *list;

    if (value->kind == CONFIG_NUMBER) {
        return json_object_new_int64(value->number);
    }
    if (value->kind == CONFIG_STRING) {
        return json_object_new_string(value->text);
    }
    list = json_object_new_array();
    for (size_t i = 0; i < value->count; i++) {
        json_object_array_add(list, value_json(&value->items[i]));
    }
    return list;
}

struct json_object *config_doc_json(const struct config_doc *doc)
{
    struct json_object *to = json_object_new_object();

    for (size_t i = 0; to && i < doc->count; i++) {
        json_object_object_add(to, doc->entries[i].key, value_json(&doc->entries[i].value));
    }
    return to;
}
