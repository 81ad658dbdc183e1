/* SPDX-License-Identifier: BSD-2-Clause */
/* The pretended host, dom0's side: store with back ends, consoles, loop devices, links. See hauchd_world.h.
 */
#define _GNU_SOURCE
#include "tests/host/hauchd_world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/console_client.h"
#include "lib/dev_link.h"
#include "lib/dev_loop.h"
#include "lib/xs_client.h"

/* ---- the store: a list of paths ---- */
static int node_at(const char *path)
{
    for (unsigned i = 0; i < world.nodes; i++)
        if (!strcmp(world.node[i].path, path))
            return i;
    return -1;
}

const char *world_node(const char *path)
{
    int i = node_at(path);

    return i < 0 ? NULL : world.node[i].value;
}

static void fire(const char *path)
{
    for (unsigned i = 0; i < world.watches; i++)
        if (!strcmp(world.watch[i][0], path))
            memcpy(world.event[world.event_tail++ % 256], world.watch[i][1], 160);
    eventfd_write(world.store_fd, 1);
}

static void put(const char *path, const char *value)
{
    int i = node_at(path);

    if (i < 0 && world.nodes == WORLD_NODES)
        abort();
    if (i < 0)
        i = world.nodes++;
    snprintf(world.node[i].path, sizeof(world.node[i].path), "%s", path);
    snprintf(world.node[i].value, sizeof(world.node[i].value), "%s", value);
    fire(path);
}

static void link_set(const char *name, bool on)
{
    if (world.links_late)
        return;
    for (unsigned i = 0; i < world.links; i++)
        if (!strcmp(world.link[i], name)) {
            memmove(&world.link[i], &world.link[i + 1], (world.links - i - 1) * sizeof(world.link[0]));
            world.links--;
            break;
        }
    if (on)
        snprintf(world.link[world.links++], sizeof(world.link[0]), "%s", name);
}

/* A back end answers a new device at once, and lets go when its front end is said to be closed. */
static void backends(const char *path, const char *value)
{
    unsigned dom, dev;
    char     type[4], name[32];

    if (world.backends_silent)
        return;
    if (sscanf(path, "/local/domain/0/backend/%3[a-z]/%u/%u/state", type, &dom, &dev) == 3 &&
        strstr(path, "/state") && !strcmp(value, "1")) {
        put(path, "2");
        snprintf(name, sizeof(name), "vif%u.%u", dom, dev);
        if (!strcmp(type, "vif"))
            link_set(name, true);
    }
    if (sscanf(path, "/local/domain/%u/device/%3[a-z]/%u/state", &dom, type, &dev) == 3 &&
        !strcmp(value, "6")) {
        snprintf(name, sizeof(name), "vif%u.%u", dom, dev);
        if (!strcmp(type, "vif"))
            link_set(name, false);
    }
}

int xs_client_open(struct xs_client **xs, const char *path)
{
    int rc = world.store_away ? -ENOENT : 0;

    *xs = rc ? NULL : (void *)&world;
    world.store_tries++;
    return rc;
}

void xs_client_close(struct xs_client *xs) { world.watches = 0; }
int xs_client_fd(const struct xs_client *xs) { return world.store_fd; }
const char *xs_client_error(const struct xs_client *xs) { return "injected"; }

int xs_client_read(struct xs_client *xs, uint32_t tx, const char *path, char **value, size_t *len)
{
    int i = node_at(path);

    *value = i < 0 ? NULL : strdup(world.node[i].value);
    return i < 0 ? -ENOENT : 0;
}

int xs_client_read_u64(struct xs_client *xs, uint32_t tx, const char *path, uint64_t *value)
{
    int i = node_at(path);

    if (i >= 0)
        *value = strtoull(world.node[i].value, NULL, 0);
    return i < 0 ? -ENOENT : 0;
}

int xs_client_write(struct xs_client *xs, uint32_t tx, const char *path, const void *value, size_t len)
{
    char text[160];

    if (world.store_refuses && !strcmp(path, world.store_refuses))
        return -EACCES;
    snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)value);
    put(path, text);
    backends(path, text);
    return 0;
}

int xs_client_mkdir(struct xs_client *xs, uint32_t tx, const char *path) { return put(path, ""), 0; }
int xs_client_exists(struct xs_client *xs, uint32_t tx, const char *path) { return node_at(path) >= 0; }

int xs_client_set_perms(struct xs_client *xs, uint32_t tx, const char *path, const struct xs_client_perm *p,
                        unsigned n)
{
    return node_at(path) >= 0 ? 0 : -ENOENT;
}

/* The kernel notices that the node of a back end goes, also with those above it. */
static void backend_gone(const char *path)
{
    unsigned dom, dev;
    char     name[32];

    if (sscanf(path, "/local/domain/0/backend/vif/%u/%u", &dom, &dev) != 2)
        return;
    snprintf(name, sizeof(name), "vif%u.%u", dom, dev);
    link_set(name, false);
}

int xs_client_rm(struct xs_client *xs, uint32_t tx, const char *path)
{
    size_t n = strlen(path);

    if (world.rm_error)
        return -world.rm_error;
    for (unsigned i = 0; i < world.nodes;) {
        const char *node = world.node[i].path;

        if (strncmp(node, path, n) || (node[n] && node[n] != '/')) {
            i++;
            continue;
        }
        backend_gone(node);
        world.node[i] = world.node[--world.nodes];
    }
    return 0;
}

/* Here nothing waits: each request of a batch is done when it is made. */
void xs_client_batch_begin(struct xs_client *xs) {}
int  xs_client_batch_end(struct xs_client *xs) { return -world.rm_error; }

int xs_client_watch(struct xs_client *xs, const char *path, const char *token)
{
    if (world.store_hung)
        return -ETIMEDOUT;
    if (world.watches == 64)
        abort();
    snprintf(world.watch[world.watches][0], 160, "%s", path);
    snprintf(world.watch[world.watches++][1], 160, "%s", token);
    fire(path);
    return 0;
}

int xs_client_unwatch(struct xs_client *xs, const char *path, const char *token)
{
    for (unsigned i = 0; i < world.watches; i++)
        if (!strcmp(world.watch[i][0], path)) {
            memcpy(world.watch[i], world.watch[--world.watches], sizeof(world.watch[0]));
            return 0;
        }
    return -ENOENT;
}

int xs_client_next_event(struct xs_client *xs, struct xs_client_event *event)
{
    eventfd_t n;

    eventfd_read(world.store_fd, &n);
    if (world.store_lost)
        return -EPIPE;
    if (world.event_head == world.event_tail)
        return 0;
    event->path = "";
    event->token = world.event[world.event_head++ % 256];
    return 1;
}

int xs_client_directory(struct xs_client *xs, uint32_t tx, const char *path, char ***names)
{
    size_t n = strlen(path);
    int    children = 0;

    *names = NULL;
    for (unsigned i = 0; i < world.nodes; i++)
        children += !strncmp(world.node[i].path, path, n) && world.node[i].path[n] == '/';
    return children;
}

/* Fails as a whole, as transactions do. */
int xs_client_transaction(struct xs_client *xs, int (*body)(struct xs_client *, uint32_t, void *), void *arg)
{
    int rc = world_call("store transaction");

    return rc ? rc : body(xs, 1, arg);
}

int xs_client_introduce(struct xs_client *xs, uint16_t domid, uint64_t gfn, uint32_t port)
{
    int rc = world_call("introduce");

    if (!rc)
        world.domain[domid].introduced = true;
    return rc;
}

int xs_client_release(struct xs_client *xs, uint16_t domid)
{
    bool was = world.domain[domid].introduced;
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u", domid);
    world.early_releases += node_at(path) >= 0;
    world.domain[domid].introduced = false;
    return was ? 0 : -ENOENT;
}

int xs_client_is_introduced(struct xs_client *xs, uint16_t domid) { return world.domain[domid].introduced; }

/* ---- consoles ---- */
int console_connect(const char *path) { return world.console_away ? -ENOENT : eventfd(0, EFD_CLOEXEC); }

int console_add(int fd, uint16_t domid, const char *name, uint32_t port, uint64_t cap, char *answer,
                size_t size)
{
    world.domain[domid].console = true;
    return 0;
}

int console_remove(int fd, uint16_t domid, char *answer, size_t size)
{
    world.domain[domid].console = false;
    return 0;
}

/* ---- loop devices and links ---- */
int dev_loop_attach(const char *image, bool readonly, struct dev_loop *out, struct fault *f)
{
    int rc = world_call("loop");

    out->number = -1;
    if (rc)
        return fault_errno(f, rc, "loop");
    *out = (struct dev_loop){ world.loops++, 7, 0 };
    return 0;
}

int dev_loop_detach(int number, const char *image, struct fault *f)
{
    world.loops -= number >= 0;
    return 0;
}

unsigned dev_link_index(const char *name)
{
    for (unsigned i = 0; i < world.links; i++)
        if (!strcmp(world.link[i], name))
            return i + 1;
    return 0;
}

int dev_link_bridge_check(const char *name, struct fault *f)
{
    if (strcmp(name, "xenbr0"))
        return fault_set(f, -ENODEV, "there is no network interface %s", name);
    return world_call("bridge") ? fault_set(f, -EIO, "bridge") : 0;
}

unsigned dev_link_mtu(const char *name) { return 1500; }

int dev_link_plumb(const struct dev_link_plan *plan, struct fault *f)
{
    return world_call("plumb") ? fault_set(f, -EIO, "plumb") : 0;
}

int dev_link_monitor(struct fault *f) { return eventfd(0, EFD_CLOEXEC); }
int dev_uevent_monitor(struct fault *f) { return eventfd(0, EFD_CLOEXEC); }
int dev_uevent_read(int fd, struct dev_uevent *out) { return -EAGAIN; }
void dev_monitor_drain(int fd) {}

bool dev_backend_driver(const char *type) { return !world_call("driver"); }

/* A back end's device is there as long as its store directory says "online". */
bool dev_backend_device(const char *type, unsigned domid, unsigned devid)
{
    char        path[96];
    const char *online;

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u/online", type, domid, devid);
    online = world_node(path);
    return online && (!strcmp(online, "1") || world.backends_silent);
}
