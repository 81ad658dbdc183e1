/* SPDX-License-Identifier: BSD-2-Clause */
/* Which devices a domain has: parallel lists of what was asked for, how it was written, and what became of
 * it. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* The texts of the list @key, which the reader has found to be @count strings. */
static char **specs_of(const struct config_doc *doc, const char *key, size_t count)
{
    const struct config_value *list = config_find(doc, key);
    char                     **specs = calloc(count + 1, sizeof(*specs));

    for (size_t i = 0; specs && list && i < count && i < list->count; i++) {
        specs[i] = strdup(list->items[i].text);
        if (!specs[i])
            return specs;
    }
    return specs;
}

int devices_allocate(struct domain *d, const struct config_doc *doc)
{
    d->disks = calloc(d->config.disk_count + 1, sizeof(*d->disks));
    d->disk_ends = calloc(d->config.disk_count + 1, sizeof(*d->disk_ends));
    d->vifs = calloc(d->config.vif_count + 1, sizeof(*d->vifs));
    d->disk_specs = specs_of(doc, "disk", d->config.disk_count);
    d->vif_specs = specs_of(doc, "vif", d->config.vif_count);
    if (!d->disks || !d->disk_ends || !d->vifs || !d->disk_specs || !d->vif_specs)
        return -ENOMEM;
    for (size_t i = 0; i < d->config.disk_count; i++)
        d->disks[i].loop.number = -1;
    return 0;
}

void devices_free(struct domain *d)
{
    devices_clear(d);
    for (size_t i = 0; d->disk_specs && i < d->config.disk_count; i++)
        free(d->disk_specs[i]);
    for (size_t i = 0; d->vif_specs && i < d->config.vif_count; i++)
        free(d->vif_specs[i]);
    free(d->disk_specs);
    free(d->vif_specs);
    free(d->disks);
    free(d->disk_ends);
    free(d->vifs);
}

/* Room for one more at the end of a list. */
static int grow(void *list, size_t count, size_t size)
{
    void **at = list;
    void  *more = realloc(*at, (count + 2) * size);

    if (!more)
        return -ENOMEM;
    *at = more;
    memset((char *)more + count * size, 0, 2 * size);
    return 0;
}

static int add_disk(struct domain *d, struct config_disk *disk, const char *spec)
{
    size_t n = d->config.disk_count;
    char  *copy = strdup(spec);

    if (!copy || grow(&d->config.disks, n, sizeof(*d->config.disks)) ||
        grow(&d->disks, n, sizeof(*d->disks)) || grow(&d->disk_ends, n, sizeof(*d->disk_ends)) ||
        grow(&d->disk_specs, n, sizeof(*d->disk_specs))) {
        free(copy);
        return -ENOMEM;
    }
    d->config.disks[n] = *disk;
    d->disks[n].loop.number = -1;
    d->disk_specs[n] = copy;
    d->config.disk_count++;
    return 0;
}

static int add_vif(struct domain *d, struct config_vif *vif, const char *spec)
{
    size_t n = d->config.vif_count;
    char  *copy = strdup(spec);

    if (!copy || grow(&d->config.vifs, n, sizeof(*d->config.vifs)) || grow(&d->vifs, n, sizeof(*d->vifs)) ||
        grow(&d->vif_specs, n, sizeof(*d->vif_specs))) {
        free(copy);
        return -ENOMEM;
    }
    d->config.vifs[n] = *vif;
    d->vif_specs[n] = copy;
    d->config.vif_count++;
    return 0;
}

/* The last of @fresh moves over to @d. */
static int take_last(struct domain *d, enum device kind, struct domain_config *fresh, const char *spec)
{
    int rc;

    if (kind == DEVICE_DISK) {
        rc = add_disk(d, &fresh->disks[fresh->disk_count - 1], spec);
        fresh->disk_count -= !rc;
    } else {
        rc = add_vif(d, &fresh->vifs[fresh->vif_count - 1], spec);
        fresh->vif_count -= !rc;
    }
    return rc;
}

static int last_number(const struct domain *d, enum device kind)
{
    return kind == DEVICE_DISK ? d->config.disks[d->config.disk_count - 1].number
                               : d->config.vifs[d->config.vif_count - 1].devid;
}

int device_add(struct domain *d, enum device kind, const char *setting, const char *spec,
               struct json_object **notes, struct fault *f)
{
    struct domain_config fresh;
    struct config_doc   *doc;
    int                  rc = domain_reread(d, setting, &fresh, &doc, notes, f);

    if (rc)
        return fault_wrap(f, "%s \"%.200s\"", kind == DEVICE_DISK ? "disk" : "vif", spec);
    config_doc_free(doc);
    rc = take_last(d, kind, &fresh, spec);
    domain_config_free(&fresh);
    if (rc)
        return fault_memory(f);
    rc = device_probe(d, kind, (kind == DEVICE_DISK ? d->config.disk_count : d->config.vif_count) - 1, f);
    if (!rc)
        return last_number(d, kind);
    device_forget(d, kind, (kind == DEVICE_DISK ? d->config.disk_count : d->config.vif_count) - 1);
    return rc;
}

#define CLOSE_GAP(list, i, count) memmove(&(list)[i], &(list)[(i) + 1], ((count) - (i)-1) * sizeof((list)[0]))

void device_forget(struct domain *d, enum device kind, size_t i)
{
    size_t n = kind == DEVICE_DISK ? d->config.disk_count : d->config.vif_count;

    if (kind == DEVICE_DISK) {
        dev_disk_clear(&d->disks[i]);
        config_disk_clear(&d->config.disks[i]);
        free(d->disk_specs[i]);
        CLOSE_GAP(d->disks, i, n);
        CLOSE_GAP(d->config.disks, i, n);
        CLOSE_GAP(d->disk_specs, i, n);
        CLOSE_GAP(d->disk_ends, i, n);
        d->config.disk_count--;
        return;
    }
    config_vif_clear(&d->config.vifs[i]);
    free(d->vif_specs[i]);
    CLOSE_GAP(d->vifs, i, n);
    CLOSE_GAP(d->config.vifs, i, n);
    CLOSE_GAP(d->vif_specs, i, n);
    d->config.vif_count--;
}
