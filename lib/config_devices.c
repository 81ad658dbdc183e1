/* SPDX-License-Identifier: BSD-2-Clause */
/* config_devices.c - the lists `disk` and `vif` of a domain: each element alone, then against the others. */
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

/* The list behind `key`: 0 elements if it is not there. -EINVAL if it is no list of strings or too long. */
static int find_list(const struct config_doc *doc, const char *key, size_t max,
                     const struct config_value **out, struct config_log *log)
{
    static const struct config_value none = { .kind = CONFIG_LIST };
    const struct config_value *list = config_find(doc, key);
    int rc = 0;

    *out = list ? list : &none;
    if (!list) {
        return 0;
    }
    if (list->kind != CONFIG_LIST) {
        return config_error(log, list->pos, "%s is no list: write %s = [ '...' ]", key, key);
    }
    if (list->count > max) {
        return config_error(log, list->pos, "%s has %zu elements, more than %zu: leave some out", key,
                            list->count, max);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != CONFIG_STRING) {
            rc = config_error(log, list->items[i].pos, "%s: element %zu is no string: put it into quotes",
                              key, i + 1);
        }
    }
    return rc;
}

/* The last disk against those before it. */
static int check_disk(const struct domain_config *config, struct config_log *log)
{
    const struct config_disk *last = &config->disks[config->disk_count - 1];

    for (const struct config_disk *d = config->disks; d < last; d++) {
        if (d->number == last->number) {
            return config_error(log, last->pos,
                                "disk: %s is the same virtual device as %s at line %u: choose another",
                                last->vdev, d->vdev, d->pos.line);
        }
        if (d->target && last->target && strcmp(d->target, last->target) == 0 &&
            (!d->readonly || !last->readonly)) {
            return config_error(log, last->pos,
                                "disk: %.300s is at line %u already, and not both are read-only: two "
                                "writers destroy it",
                                last->target, d->pos.line);
        }
    }
    return 0;
}

/* What can be said and not be had: each is told here, with its place, before anything is made. */
static int serve_disk(const struct config_disk *disk, struct config_log *log)
{
    if (disk->backend) {
        return config_error(log, disk->pos,
                            "disk: %s: backend=%.64s is not supported: domain 0 serves all disks, leave it "
                            "out",
                            disk->vdev, disk->backend);
    }
    if (disk->script) {
        return config_error(log, disk->pos,
                            "disk: %s: script=%.200s is not supported: attach the device in domain 0 and "
                            "give "
                            "its path as target",
                            disk->vdev, disk->script);
    }
    if (!disk->target) {
        return config_error(log, disk->pos,
                            "disk: %s: an empty drive is not supported: give the path of an image, or leave "
                            "the drive out",
                            disk->vdev);
    }
    return 0;
}

int config_disks_read(const struct config_doc *doc, struct domain_config *out, struct config_log *log)
{
    const struct config_value *list;
    int rc = find_list(doc, "disk", CONFIG_DISKS_MAX, &list, log), worst = rc;

    if (rc || list->count == 0) {
        return rc;
    }
    out->disks = calloc(list->count, sizeof(*out->disks));
    if (!out->disks) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        rc = config_disk_parse(list->items[i].text, list->items[i].pos, &out->disks[out->disk_count], log);
        if (rc == 0) {
            out->disk_count++;
            rc = check_disk(out, log);
            rc = rc ? rc : serve_disk(&out->disks[out->disk_count - 1], log);
        }
        worst = config_worst(rc, worst);
    }
    return worst;
}

static bool mac_equal(const struct config_vif *a, const struct config_vif *b)
{
    return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static bool mac_given(const struct config_vif *vif)
{
    static const uint8_t none[6];

    return memcmp(vif->mac, none, sizeof(none)) != 0;
}

/* The last vif against those before it. */
static int check_vif(const struct domain_config *config, struct config_log *log)
{
    const struct config_vif *last = &config->vifs[config->vif_count - 1];

    for (const struct config_vif *v = config->vifs; v < last; v++) {
        if (v->devid == last->devid) {
            return config_error(log, last->pos,
                                "vif: devid %u is taken by the vif at line %u: choose another", last->devid,
                                v->pos.line);
        }
        if (mac_given(last) && mac_equal(v, last)) {
            return config_error(log, last->pos,
                                "vif: MAC address %02x:%02x:%02x:%02x:%02x:%02x is taken by the vif at "
                                "line %u: choose another",
                                last->mac[0], last->mac[1], last->mac[2], last->mac[3], last->mac[4],
                                last->mac[5], v->pos.line);
        }
        if (last->vifname[0] && strcmp(v->vifname, last->vifname) == 0) {
            return config_error(log, last->pos,
                                "vif: vifname %s is taken by the vif at line %u: choose another",
                                last->vifname, v->pos.line);
        }
    }
    return 0;
}

/* As serve_disk(). What the script vif-bridge would do is done without it, so it may be named. */
static int serve_vif(struct config_vif *vif, struct config_log *log)
{
    const char *script = vif->script ? strrchr(vif->script, '/') : NULL;

    if (vif->backend) {
        return config_error(log, vif->pos,
                            "vif: backend=%.64s is not supported: domain 0 serves all cards, leave it out",
                            vif->backend);
    }
    script = script ? script + 1 : vif->script;
    if (script && strcmp(script, "vif-bridge")) {
        return config_error(log, vif->pos,
                            "vif: script=%.200s is not supported: leave it out and give a bridge",
                            vif->script);
    }
    if (vif->gatewaydev[0]) {
        config_warn(log, vif->pos,
                    "vif: gatewaydev=%s is for the script vif-route and has no effect: give a bridge",
                    vif->gatewaydev);
    }
    free(vif->script);
    vif->script = NULL;
    return 0;
}

/* Two derived addresses of one domain may meet (23 bits): then the later one counts on. */
static void derive_macs(struct domain_config *config)
{
    for (size_t i = 0; i < config->vif_count; i++) {
        struct config_vif *vif = &config->vifs[i];

        if (mac_given(vif)) {
            continue;
        }
        if (config->uuid_given) {
            config_vif_derive_mac(vif, config->uuid, sizeof(config->uuid));
        } else {
            config_vif_derive_mac(vif, config->name, strlen(config->name));
        }
        for (size_t j = 0; j < config->vif_count; j++) {
            if (j != i && mac_equal(vif, &config->vifs[j])) {
                vif->mac[5]++;
                j = SIZE_MAX;     /* and from the start again */
            }
        }
    }
}

int config_vifs_read(const struct config_doc *doc, struct domain_config *out, struct config_log *log)
{
    const struct config_value *list;
    int rc = find_list(doc, "vif", CONFIG_VIFS_MAX, &list, log), worst = rc;

    if (rc || list->count == 0) {
        return rc;
    }
    out->vifs = calloc(list->count, sizeof(*out->vifs));
    if (!out->vifs) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        rc = config_vif_parse(list->items[i].text, list->items[i].pos, (unsigned int)i,
                              &out->vifs[out->vif_count], log);
        if (rc == 0) {
            out->vif_count++;
            rc = check_vif(out, log);
            rc = rc ? rc : serve_vif(&out->vifs[out->vif_count - 1], log);
        }
        worst = config_worst(rc, worst);
    }
    if (worst == 0 && out->name) {
        derive_macs(out);
    }
    return worst;
}
