/* SPDX-License-Identifier: BSD-2-Clause */
/* Store nodes of domains and devices: see dev_nodes.h. */
#define _GNU_SOURCE
#include "lib/dev_nodes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_INITIALISING = 1, STATE_CLOSING = 5, STATE_CLOSED = 6 };

/* A transaction's worth of writes: the first error stops the rest, so that a list of writes needs no checks
 * between. */
struct writer {
    struct xs_client *xs;
    uint32_t          tx;
    char              base[DEV_PATH];
    int               rc;
};

static void put(struct writer *w, const char *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void put(struct writer *w, const char *node, const char *fmt, ...)
{
    char    path[2 * DEV_PATH], value[2048];
    va_list ap;
    int     n;

    if (w->rc)
        return;
    va_start(ap, fmt);
    n = vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    snprintf(path, sizeof(path), "%s/%s", w->base, node);
    w->rc = n < (int)sizeof(value) ? xs_client_write(w->xs, w->tx, path, value, n) : -E2BIG;
}

/* A node owned by @owner that @reader may read ('r') or not ('n'); its children inherit that. */
static void directory(struct writer *w, const char *node, uint16_t owner, uint16_t reader)
{
    struct xs_client_perm perms[2] = { { owner, 'n' }, { reader, 'r' } };
    char                  path[2 * DEV_PATH];

    if (w->rc)
        return;
    snprintf(path, sizeof(path), "%s%s%s", w->base, *node ? "/" : "", node);
    w->rc = xs_client_mkdir(w->xs, w->tx, path);
    if (!w->rc)
        w->rc = xs_client_set_perms(w->xs, w->tx, path, perms, owner == reader ? 1 : 2);
}

static int finish(struct xs_client *xs, int rc, struct fault *f)
{
    return rc < 0 ? fault_set(f, rc, "store: %s", xs_client_error(xs)) : 0;
}

/* ---- the domain itself ---- */
static void control_nodes(struct writer *w, uint16_t domid)
{
    static const char *const guest_writes[] = {
        "control/shutdown", "control/feature-poweroff", "control/feature-reboot", "control/feature-suspend",
        "control/sysrq", "data", "drivers", "attr", "error", "device/suspend/event-channel",
    };

    directory(w, "control", 0, domid);
    directory(w, "device", 0, domid);
    for (unsigned i = 0; i < sizeof(guest_writes) / sizeof(guest_writes[0]); i++)
        directory(w, guest_writes[i], domid, domid);
    put(w, "control/platform-feature-multiprocessor-suspend", "1");
    put(w, "control/platform-feature-xs_reset_watches", "1");
}

static void domain_nodes(struct writer *w, const struct dev_domain *d)
{
    char node[64];

    directory(w, "", 0, d->domid);
    put(w, "vm", "/vm/%s", d->uuid);
    put(w, "name", "%s", d->name);
    put(w, "domid", "%u", d->domid);
    for (unsigned i = 0; i < d->max_vcpus; i++) {
        snprintf(node, sizeof(node), "cpu/%u/availability", i);
        put(w, node, i < d->vcpus ? "online" : "offline");
    }
    put(w, "memory/static-max", "%llu", (unsigned long long)d->max_memory_kib);
    put(w, "memory/target", "%llu", (unsigned long long)d->memory_kib);
    put(w, "memory/videoram", "0");
    put(w, "store/port", "%u", d->store_port);
    put(w, "store/ring-ref", "%llu", (unsigned long long)d->store_mfn);
    control_nodes(w, d->domid);
    directory(w, "console", 0, d->domid);
    put(w, "console/backend-id", "0");
    put(w, "console/type", "xenconsoled");
    put(w, "console/limit", "1048576");
    put(w, "console/port", "%u", d->console_port);
    put(w, "console/ring-ref", "%llu", (unsigned long long)d->console_mfn);
}

static int domain_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    const struct dev_domain *d = arg;
    struct writer            w = { .xs = xs, .tx = tx };

    snprintf(w.base, sizeof(w.base), "/local/domain/%u", d->domid);
    w.rc = xs_client_rm(xs, tx, w.base);
    domain_nodes(&w, d);
    snprintf(w.base, sizeof(w.base), "/vm/%s", d->uuid);
    directory(&w, "", 0, d->domid);
    put(&w, "uuid", "%s", d->uuid);
    put(&w, "name", "%s", d->name);
    return w.rc;
}

int dev_domain_write(struct xs_client *xs, const struct dev_domain *d, struct fault *f)
{
    return finish(xs, xs_client_transaction(xs, domain_body, (void *)d), f);
}

int dev_domain_remove(struct xs_client *xs, uint16_t domid, const char *uuid, struct fault *f)
{
    static const char *const shapes[] = {
        "/local/domain/%u", "/local/domain/0/backend/vbd/%u", "/local/domain/0/backend/vif/%u",
        "/local/domain/0/error/backend/vbd/%u", "/local/domain/0/error/backend/vif/%u",
    };
    char path[DEV_PATH];

    xs_client_batch_begin(xs);
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        snprintf(path, sizeof(path), shapes[i], domid);
        xs_client_rm(xs, 0, path);
    }
    snprintf(path, sizeof(path), "/vm/%s", uuid ? uuid : "");
    if (uuid)
        xs_client_rm(xs, 0, path);
    return finish(xs, xs_client_batch_end(xs), f);
}

/* In one transaction, so that a directory into which another toolstack just puts something is not lost. */
static int prune_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    static const char *const shared[] = {
        "/local/domain/0/backend/vbd",
        "/local/domain/0/backend/vif",
        "/local/domain/0/backend",
        "/local/domain/0/error/backend/vbd",
        "/local/domain/0/error/backend/vif",
        "/local/domain/0/error/backend",
        "/local/domain/0/error",
        "/vm",
    };
    int rc = 0;

    for (unsigned i = 0; !rc && i < sizeof(shared) / sizeof(shared[0]); i++) {
        char **names = NULL;
        int    n = xs_client_exists(xs, tx, shared[i]);

        if (n > 0)
            n = xs_client_directory(xs, tx, shared[i], &names);
        else
            n = n ? n : 1;
        free(names);
        rc = n < 0 ? n : n ? 0 : xs_client_rm(xs, tx, shared[i]);
    }
    return rc;
}

int dev_shared_prune(struct xs_client *xs, struct fault *f)
{
    return finish(xs, xs_client_transaction(xs, prune_body, NULL), f);
}

/* ---- devices ---- */
void dev_path_backend(char out[DEV_PATH], const char *type, uint16_t domid, unsigned devid)
{
    snprintf(out, DEV_PATH, "/local/domain/0/backend/%s/%u/%u", type, domid, devid);
}

void dev_path_frontend(char out[DEV_PATH], const char *type, uint16_t domid, unsigned devid)
{
    snprintf(out, DEV_PATH, "/local/domain/%u/device/%s/%u", domid, type, devid);
}

struct device {
    const char              *type;
    uint16_t                 domid;
    unsigned                 devid, mtu;
    const struct dev_disk   *disk;
    const struct config_vif *vif;
};

static void vbd_backend(struct writer *w, const struct dev_disk *d)
{
    put(w, "params", "%s", d->target);
    put(w, "dev", "%s", d->vdev);
    put(w, "type", "phy");
    put(w, "mode", "%s", d->readonly ? "r" : "w");
    put(w, "device-type", "%s", d->cdrom ? "cdrom" : "disk");
    put(w, "removable", "%d", d->cdrom);
    put(w, "bootable", "1");
    put(w, "direct-io-safe", "%d", d->direct_io_safe);
    put(w, "discard-enable", "%d", d->discard && !d->readonly);
    put(w, "physical-device", "%x:%x", d->major, d->minor);
    put(w, "hotplug-status", "connected");
}

static void vif_backend(struct writer *w, const struct config_vif *v, unsigned mtu)
{
    const uint8_t *m = v->mac;

    put(w, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    put(w, "handle", "%u", v->devid);
    put(w, "type", "vif");
    put(w, "bridge", "%s", v->bridge);
    put(w, "script", "none");          /* the back end insists on the node; nobody runs it */
    if (v->vifname[0])
        put(w, "vifname", "%s", v->vifname);
    if (v->ip)
        put(w, "ip", "%s", v->ip);
    if (v->rate_bytes)
        put(w, "rate", "%llu,%u", (unsigned long long)v->rate_bytes, v->rate_interval_us);
    if (mtu)
        put(w, "mtu", "%u", mtu);
}

static void vif_frontend(struct writer *w, const struct config_vif *v, unsigned mtu)
{
    const uint8_t *m = v->mac;

    put(w, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    put(w, "handle", "%u", v->devid);
    put(w, "trusted", "%d", v->trusted);
    if (mtu)
        put(w, "mtu", "%u", mtu);
}

static int device_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    const struct device *d = arg;
    struct writer        back = { .xs = xs, .tx = tx }, front = { .xs = xs, .tx = tx };

    dev_path_backend(back.base, d->type, d->domid, d->devid);
    dev_path_frontend(front.base, d->type, d->domid, d->devid);
    directory(&front, "", d->domid, 0);
    put(&front, "backend", "%s", back.base);
    put(&front, "backend-id", "0");
    if (d->disk) {
        put(&front, "virtual-device", "%u", d->devid);
        put(&front, "device-type", "%s", d->disk->cdrom ? "cdrom" : "disk");
        put(&front, "trusted", "%d", d->disk->trusted);
    } else {
        vif_frontend(&front, d->vif, d->mtu);
    }
    put(&front, "state", "%d", STATE_INITIALISING);
    back.rc = front.rc;
    directory(&back, "", 0, d->domid);
    put(&back, "frontend", "%s", front.base);
    put(&back, "frontend-id", "%u", d->domid);
    put(&back, "online", "1");
    if (d->disk)
        vbd_backend(&back, d->disk);
    else
        vif_backend(&back, d->vif, d->mtu);
    put(&back, "state", "%d", STATE_INITIALISING);
    return back.rc;
}

int dev_vbd_write(struct xs_client *xs, uint16_t domid, const struct dev_disk *disk, struct fault *f)
{
    struct device d = { .type = "vbd", .domid = domid, .devid = disk->number, .disk = disk };

    return finish(xs, xs_client_transaction(xs, device_body, &d), f);
}

int dev_vif_write(struct xs_client *xs, uint16_t domid, const struct config_vif *vif, unsigned mtu,
                  struct fault *f)
{
    struct device d = { .type = "vif", .domid = domid, .devid = vif->devid, .vif = vif, .mtu = mtu };

    return finish(xs, xs_client_transaction(xs, device_body, &d), f);
}

/* A back end that is not online and sees its front end closed unregisters itself. A dead domain cannot say
 * "closed", so we say it in its place; a living one finds its device gone. */
static int close_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    const struct device *d = arg;
    struct writer        w = { .xs = xs, .tx = tx };

    dev_path_backend(w.base, d->type, d->domid, d->devid);
    w.rc = xs_client_exists(xs, tx, w.base);
    if (w.rc <= 0)
        return w.rc;
    w.rc = 0;
    put(&w, "online", "0");
    dev_path_frontend(w.base, d->type, d->domid, d->devid);
    put(&w, "state", "%d", STATE_CLOSED);
    return w.rc;
}

int dev_close(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid, struct fault *f)
{
    struct device d = { .type = type, .domid = domid, .devid = devid };

    return finish(xs, xs_client_transaction(xs, close_body, &d), f);
}

static int ask_body(struct xs_client *xs, uint32_t tx, void *arg)
{
    const struct device *d = arg;
    struct writer        w = { .xs = xs, .tx = tx };

    dev_path_backend(w.base, d->type, d->domid, d->devid);
    put(&w, "online", "0");
    put(&w, "state", "%d", STATE_CLOSING);
    return w.rc;
}

int dev_ask_close(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid, struct fault *f)
{
    struct device d = { .type = type, .domid = domid, .devid = devid };

    return finish(xs, xs_client_transaction(xs, ask_body, &d), f);
}

int dev_remove(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid, struct fault *f)
{
    char path[DEV_PATH];

    xs_client_batch_begin(xs);
    dev_path_frontend(path, type, domid, devid);
    xs_client_rm(xs, 0, path);
    dev_path_backend(path, type, domid, devid);
    xs_client_rm(xs, 0, path);
    return finish(xs, xs_client_batch_end(xs), f);
}

unsigned dev_frontend_state(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid)
{
    char     path[DEV_PATH + 8], base[DEV_PATH];
    uint64_t state;

    dev_path_frontend(base, type, domid, devid);
    snprintf(path, sizeof(path), "%s/state", base);
    return xs_client_read_u64(xs, 0, path, &state) ? 0 : state;
}

unsigned dev_backend_state(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid)
{
    char     path[DEV_PATH + 8], base[DEV_PATH];
    uint64_t state;

    dev_path_backend(base, type, domid, devid);
    snprintf(path, sizeof(path), "%s/state", base);
    return xs_client_read_u64(xs, 0, path, &state) ? 0 : state;
}

char *dev_backend_error(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid)
{
    char  path[DEV_PATH];
    char *text = NULL;

    snprintf(path, sizeof(path), "/local/domain/0/error/backend/%s/%u/%u/error", type, domid, devid);
    return xs_client_read(xs, 0, path, &text, NULL) ? NULL : text;
}
