/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to guests, xen.h. The kernel of domain 0 publishes its own ring and port in xenfs. */
#define _GNU_SOURCE
#include "dom0/store/xen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "dom0/store/store.h"

#define VIRQ_DOM_EXC 3 /* of the guest ABI: a domain shut down or died */

#define XSD_PORT   "/proc/xen/xsd_port"
#define XSD_RING   "/proc/xen/xsd_kva"

#define RING_GRANT 1 /* GNTTAB_RESERVED_XENSTORE of the guest ABI: where builders put the store's ring */

static struct xenstore_domain_interface *map_ring(void *ctx, uint16_t domid) {
    struct xen *x = ctx;
    return xengnttab_map_grant_ref(x->grants, domid, RING_GRANT, PROT_READ | PROT_WRITE);
}

static void unmap_ring(void *ctx, struct xenstore_domain_interface *ring) {
    struct xen *x = ctx;
    if (xengnttab_unmap(x->grants, ring, 1) < 0)
        store_logf(x->store, "a guest's ring could not be unmapped: %s", strerror(errno));
}

static int bind_port(void *ctx, uint16_t domid, uint32_t remote_port) {
    struct xen *x = ctx;
    int port = xenevtchn_bind_interdomain(x->events, domid, remote_port);
    return port < 0 ? -errno : port;
}

static void unbind_port(void *ctx, uint32_t port) {
    struct xen *x = ctx;
    xenevtchn_unbind(x->events, port); /* fails if the guest is gone, and then there is nothing to undo */
}

static void notify_port(void *ctx, uint32_t port) {
    struct xen *x = ctx;
    xenevtchn_notify(x->events, port);
}

static void unmask_port(void *ctx, uint32_t port) {
    struct xen *x = ctx;
    xenevtchn_unmask(x->events, port);
}

static const struct domain_ops xen_ops = { map_ring,    unmap_ring,  bind_port,
                                           unbind_port, notify_port, unmask_port };

static void events_ready(struct source *src, uint32_t ready) {
    struct xen *x = (struct xen *)src;
    xenevtchn_port_or_error_t port;
    for (unsigned int i = 0; i < 256 && (port = xenevtchn_pending(x->events)) >= 0; i++) {
        if ((uint32_t)port == x->death_port) {
            xenevtchn_unmask(x->events, (evtchn_port_t)port);
            domain_look_for_deaths(x->store);
        } else
            domain_event(x->store, (uint32_t)port);
    }
}

static int read_own_port(uint32_t *port) {
    char text[32] = "";
    int fd = open(XSD_PORT, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    *port = (uint32_t)strtoul(text, NULL, 10);
    return n > 0 ? 0 : -EIO;
}

static int map_own_ring(struct xen *x) {
    int fd = open(XSD_RING, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int rc = page == MAP_FAILED ? -errno : 0;
    close(fd);
    x->own_ring = rc < 0 ? NULL : page;
    return rc;
}

static int complain(const char *what, int rc) {
    fprintf(stderr,
            "hauch-store: %s: %s (is this domain 0, with modules xen-evtchn, xen-gntdev and xenfs?)\n", what,
            strerror(-rc));
    return rc;
}

static int open_devices(struct xen *x) {
    x->events = xenevtchn_open(NULL, 0);
    if (!x->events)
        return complain("/dev/xen/evtchn", -errno);
    x->grants = xengnttab_open(NULL, 0);
    if (!x->grants)
        return complain("/dev/xen/gntdev", -errno);
    x->source = (struct source){ xenevtchn_fd(x->events), events_ready };
    int flags = fcntl(x->source.fd, F_GETFL);
    return fcntl(x->source.fd, F_SETFL, flags | O_NONBLOCK) < 0 ? complain("/dev/xen/evtchn", -errno) : 0;
}

int xen_open(struct xen *x, struct server *srv) {
    uint32_t port = 0;
    memset(x, 0, sizeof(*x));
    x->store = srv->store;
    int rc = read_own_port(&port);
    if (rc < 0)
        return rc == -ENOENT ? 0 : complain(XSD_PORT, rc);
    rc = map_own_ring(x);
    if (rc < 0)
        return complain(XSD_RING, rc);
    rc = open_devices(x);
    if (rc == 0)
        rc = server_add(srv, &x->source);
    if (rc < 0)
        return rc;
    x->store->domain_ops = &xen_ops;
    x->store->domain_ctx = x;
    rc = domain_introduce_self(x->store, x->own_ring, port);
    return rc < 0 ? complain("event channel of the kernel's store ring", rc) : 1;
}

int xen_watch_deaths(struct xen *x) {
    int port = xenevtchn_bind_virq(x->events, VIRQ_DOM_EXC);
    if (port < 0) {
        int rc = -errno;
        fprintf(stderr, "hauch-store: --deaths: cannot bind VIRQ_DOM_EXC: %s%s\n", strerror(-rc),
                rc == -EEXIST ? " (hauchd or another store has it; leave out --deaths while hauchd runs)" :
                                "");
        return rc;
    }
    x->death_port = (uint32_t)port;
    domain_look_for_deaths(x->store); /* before it was bound */
    return 0;
}

void xen_close(struct xen *x) {
    if (x->grants)
        xengnttab_close(x->grants);
    if (x->events)
        xenevtchn_close(x->events);
}
