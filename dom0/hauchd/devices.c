/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks and network cards of a domain: all of them at each step, in the order of the configuration.
 *
 * Coming: loop devices, then store nodes, then the back ends have to reach "waiting for the front end", and
 * the interfaces of network cards have to appear and are put on their bridges. Going: both ends are told,
 * then each kernel device (/sys/bus/xen-backend/devices/vbd-3-51712) has to disappear: only then are grants
 * unmapped and block devices closed, so that loop devices and memory come back at once. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dev_link.h"
#include "lib/dev_nodes.h"

enum { STATE_INIT_WAIT = 2, STATE_CONNECTED = 4, STATE_CLOSING = 5 };

/* ---- files, bridges ---- */
static int vif_probe(const struct config_vif *v, struct fault *f)
{
    int rc = dev_link_bridge_check(v->bridge[0] ? v->bridge : CONFIG_BRIDGE_DEFAULT, f);
    if (rc)
        return fault_wrap(f, "vif %u", v->devid);
    if (v->vifname[0] && dev_link_index(v->vifname))
        return fault_set(f, -EEXIST,
                         "vif %u: there is already an interface %s; choose another vifname=", v->devid,
                         v->vifname);
    return 0;
}

static int driver_check(const char *type, size_t count, const char *module, struct fault *f)
{
    if (!count || dev_backend_driver(type))
        return 0;
    return fault_set(f, -ENODEV, "there is no back end for %s devices in this kernel: modprobe %s", type,
                     module);
}

/* Disk @i against those before it. */
static int disk_probe(struct domain *d, size_t i, struct fault *f)
{
    int rc;

    dev_disk_clear(&d->disks[i]);
    rc = dev_disk_probe(&d->config.disks[i], &d->disks[i], f);
    for (size_t j = 0; !rc && j < i; j++)
        if (dev_disk_clash(&d->disks[i], &d->disks[j]))
            rc = fault_set(f, -EBUSY, "disks %s and %s are both %s, and not both read-only; leave one "
                                      "out", d->disks[j].vdev,
                           d->disks[i].vdev, d->disks[i].target);
    return rc;
}

int devices_probe(struct domain *d, struct fault *f)
{
    int rc = driver_check("vbd", d->config.disk_count, "xen-blkback", f);

    rc = rc ? rc : driver_check("vif", d->config.vif_count, "xen-netback", f);
    for (size_t i = 0; !rc && i < d->config.disk_count; i++)
        rc = disk_probe(d, i, f);
    for (size_t i = 0; !rc && i < d->config.vif_count; i++)
        rc = vif_probe(&d->config.vifs[i], f);
    return rc;
}

int device_probe(struct domain *d, enum device kind, size_t i, struct fault *f)
{
    int rc;

    if (kind == DEVICE_VIF) {
        rc = driver_check("vif", 1, "xen-netback", f);
        return rc ? rc : vif_probe(&d->config.vifs[i], f);
    }
    rc = driver_check("vbd", 1, "xen-blkback", f);
    rc = rc ? rc : disk_probe(d, i, f);
    return rc ? rc : domain_disks_check(d, f);
}

void devices_clear(struct domain *d)
{
    for (size_t i = 0; d->disks && i < d->config.disk_count; i++)
        dev_disk_clear(&d->disks[i]);
}

int devices_attach(struct domain *d, struct fault *f)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < d->config.disk_count; i++)
        rc = dev_disk_attach(&d->disks[i], f);
    return rc;
}

int devices_detach(struct domain *d, struct fault *f)
{
    int rc = 0, one;

    for (size_t i = 0; i < d->config.disk_count; i++) {
        one = dev_disk_detach(&d->disks[i], f);
        rc = rc ? rc : one;
    }
    return rc;
}

/* ---- store nodes; a watch on each back end's state pokes this domain ---- */
static void state_watch(struct domain *d, const char *type, unsigned devid, bool on)
{
    char base[DEV_PATH], path[DEV_PATH + 8], token[16];

    dev_path_backend(base, type, d->entry.id, devid);
    snprintf(path, sizeof(path), "%s/state", base);
    snprintf(token, sizeof(token), "d%u", d->entry.id);
    if (on)
        xs_client_watch(d->h->xs, path, token);
    else
        xs_client_unwatch(d->h->xs, path, token);
}

/* A vif without an MTU of its own has that of its bridge. */
static unsigned vif_mtu(const struct config_vif *v)
{
    return v->mtu ? v->mtu : dev_link_mtu(v->bridge[0] ? v->bridge : CONFIG_BRIDGE_DEFAULT);
}

int device_write(struct domain *d, enum device kind, size_t i, struct fault *f)
{
    const struct config_vif *v = &d->config.vifs[i];
    int                      rc = peer_store_need(d->h, f);

    if (rc)
        return rc;
    if (kind == DEVICE_DISK) {
        d->disk_ends[i] = (struct device_end){ 0 };
        rc = dev_vbd_write(d->h->xs, d->entry.id, &d->disks[i], f);
        if (!rc)
            state_watch(d, "vbd", d->disks[i].number, true);
        return rc;
    }
    memset(&d->vifs[i], 0, sizeof(d->vifs[i]));
    rc = dev_vif_write(d->h->xs, d->entry.id, v, vif_mtu(v), f);
    if (!rc)
        state_watch(d, "vif", v->devid, true);
    return rc;
}

int device_erase(struct domain *d, enum device kind, size_t i, struct fault *f)
{
    int rc = peer_store_need(d->h, f);

    if (rc)
        return rc;
    if (kind == DEVICE_DISK)
        return dev_remove(d->h->xs, "vbd", d->entry.id, d->config.disks[i].number, f);
    return dev_remove(d->h->xs, "vif", d->entry.id, d->config.vifs[i].devid, f);
}

int devices_write(struct domain *d, struct fault *f)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < d->config.disk_count; i++)
        rc = device_write(d, DEVICE_DISK, i, f);
    for (size_t i = 0; !rc && i < d->config.vif_count; i++)
        rc = device_write(d, DEVICE_VIF, i, f);
    return rc;
}

int devices_erase(struct domain *d, struct fault *f)
{
    int rc = 0, one;

    for (size_t i = 0; i < d->config.disk_count; i++) {
        one = device_erase(d, DEVICE_DISK, i, f);
        rc = rc ? rc : one;
    }
    for (size_t i = 0; i < d->config.vif_count; i++) {
        one = device_erase(d, DEVICE_VIF, i, f);
        rc = rc ? rc : one;
    }
    return rc;
}

/* ---- coming ---- */
static int backend_ready(struct domain *d, const char *type, unsigned devid, const char *name,
                         struct fault *f)
{
    unsigned state = dev_backend_state(d->h->xs, type, d->entry.id, devid);
    char    *error;

    if (state >= STATE_INIT_WAIT && state <= STATE_CONNECTED)
        return STEP_DONE;
    error = dev_backend_error(d->h->xs, type, d->entry.id, devid);
    if (error) {
        fault_set(f, -EIO, "%s %s: the back end says: %s; dmesg may say more", type, name, error);
        free(error);
        return -EIO;
    }
    fault_set(f, -ETIMEDOUT, "%s %s: the back end did not answer (its state is %u); dmesg may say why", type,
              name, state);
    return STEP_WAIT;
}

static int vif_join(struct domain *d, size_t i, struct fault *f)
{
    const struct config_vif *v = &d->config.vifs[i];
    struct dev_link_plan     plan;
    char                     name[16], path[DEV_PATH], node[DEV_PATH + 32];
    int                      rc;

    if (d->vifs[i].name[0])
        return STEP_DONE;
    snprintf(name, sizeof(name), "vif%u.%u", d->entry.id, v->devid);
    if (!dev_link_index(name)) {
        fault_set(f, -ETIMEDOUT, "vif %u: interface %s did not appear; dmesg may say why", v->devid, name);
        return STEP_WAIT;
    }
    plan = (struct dev_link_plan){ name, v->vifname[0] ? v->vifname : NULL,
                                   v->bridge[0] ? v->bridge : CONFIG_BRIDGE_DEFAULT, vif_mtu(v) };
    rc = dev_link_plumb(&plan, f);
    if (rc)
        return fault_wrap(f, "vif %u", v->devid);
    snprintf(d->vifs[i].name, sizeof(d->vifs[i].name), "%s", plan.new_name ? plan.new_name : name);
    dev_path_backend(path, "vif", d->entry.id, v->devid);
    snprintf(node, sizeof(node), "%s/hotplug-status", path);
    xs_client_write(d->h->xs, 0, node, "connected", 9);
    return STEP_DONE;
}

int device_connect(struct domain *d, enum device kind, size_t i, struct fault *f)
{
    char number[12];
    int  rc = peer_store_need(d->h, f);

    if (rc)
        return rc;
    if (kind == DEVICE_DISK)
        return backend_ready(d, "vbd", d->config.disks[i].number, d->config.disks[i].vdev, f);
    snprintf(number, sizeof(number), "%u", d->config.vifs[i].devid);
    rc = backend_ready(d, "vif", d->config.vifs[i].devid, number, f);
    return rc ? rc : vif_join(d, i, f);
}

int devices_connect(struct domain *d, struct fault *f)
{
    int rc = peer_store_need(d->h, f);

    for (size_t i = 0; !rc && i < d->config.disk_count; i++)
        rc = device_connect(d, DEVICE_DISK, i, f);
    for (size_t i = 0; !rc && i < d->config.vif_count; i++)
        rc = device_connect(d, DEVICE_VIF, i, f);
    return rc;
}

/* ---- going ---- */
static int close_one(struct domain *d, const char *type, unsigned devid, struct device_end *end,
                     struct fault *f)
{
    if (!end->closing) {
        int rc = dev_close(d->h->xs, type, d->entry.id, devid, f);

        state_watch(d, type, devid, false);
        if (rc)
            return rc;
        end->closing = true;
    }
    if (end->gone || !dev_backend_device(type, d->entry.id, devid))
        return end->gone = true, STEP_DONE;
    fault_set(f, -ETIMEDOUT, "the back end of %s %u did not let go; hauch doctor shows what it "
                             "keeps", type, devid);
    return STEP_WAIT;
}

/* The kernel takes a device out of sysfs before its driver has let go: an interface goes later. */
static int vif_disconnect(struct domain *d, size_t i, struct fault *f)
{
    int rc = close_one(d, "vif", d->config.vifs[i].devid, &d->vifs[i].end, f);

    if (rc || !d->vifs[i].name[0] || !dev_link_index(d->vifs[i].name))
        return rc;
    fault_set(f, -ETIMEDOUT, "interface %s of vif %u did not go; dmesg may say "
                             "why", d->vifs[i].name, d->config.vifs[i].devid);
    return STEP_WAIT;
}

int device_disconnect(struct domain *d, enum device kind, size_t i, struct fault *f)
{
    int rc = peer_store_need(d->h, f);

    if (rc)
        return rc;
    if (kind == DEVICE_DISK)
        return close_one(d, "vbd", d->config.disks[i].number, &d->disk_ends[i], f);
    return vif_disconnect(d, i, f);
}

int devices_disconnect(struct domain *d, struct fault *f)
{
    int rc = peer_store_need(d->h, f), wait = STEP_DONE, one;

    if (rc)
        return rc;
    for (size_t i = 0; i < d->config.disk_count; i++) {
        one = device_disconnect(d, DEVICE_DISK, i, f);
        wait = one ? one : wait;
    }
    for (size_t i = 0; i < d->config.vif_count; i++) {
        one = device_disconnect(d, DEVICE_VIF, i, f);
        wait = one ? one : wait;
    }
    return wait;
}

/* One that comes again under the same number must not be taken for the one that goes. */
static void device_gone(struct domain *d, const struct dev_uevent *ev)
{
    for (size_t i = 0; ev->type[1] == 'b' && i < d->config.disk_count; i++)
        if (d->config.disks[i].number == ev->devid)
            d->disk_ends[i].gone = d->disk_ends[i].closing;
    for (size_t i = 0; ev->type[1] == 'i' && i < d->config.vif_count; i++)
        if (d->config.vifs[i].devid == ev->devid)
            d->vifs[i].end.gone = d->vifs[i].end.closing;
}

void devices_event(struct hauchd *h)
{
    struct dev_uevent ev;
    int               rc;

    while ((rc = dev_uevent_read(h->uevent_fd, &ev)) >= 0) {
        struct index_entry *e = rc ? index_by_id(&h->domains, ev.domid) : NULL;

        if (!e)
            continue;
        device_gone(domain_of(e), &ev);
        domain_poke(domain_of(e));
    }
}
