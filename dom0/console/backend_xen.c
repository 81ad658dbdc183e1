/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings and events of the hypervisor, by libxengnttab and libxenevtchn. One handle of each serves all
 * domains. No other device is opened: what guests did not grant cannot be reached from here.
 */
#include "dom0/console/backend.h"

#include "dom0/console/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#define GRANT_CONSOLE 0     /* by convention the first entry of each guest's grant table */

struct xen {
    struct backend backend;
    xengnttab_handle *grants;
    xenevtchn_handle *events;
};

static int errno_or(int otherwise)
{
    return errno ? -errno : -otherwise;
}

static int xen_map(struct backend *backend, uint16_t domid, struct xencons_interface **ring)
{
    struct xen *xen = (struct xen *)backend;

    errno = 0;
    *ring = xengnttab_map_grant_ref(xen->grants, domid, GRANT_CONSOLE, PROT_READ | PROT_WRITE);
    return *ring ? 0 : errno_or(EIO);
}

static void xen_unmap(struct backend *backend, struct xencons_interface *ring)
{
    xengnttab_unmap(((struct xen *)backend)->grants, ring, 1);
}

static int xen_bind(struct backend *backend, uint16_t domid, uint32_t port)
{
    errno = 0;
    int local = xenevtchn_bind_interdomain(((struct xen *)backend)->events, domid, port);
    return local >= 0 ? local : errno_or(EIO);
}

static void xen_unbind(struct backend *backend, int local)
{
    xenevtchn_unbind(((struct xen *)backend)->events, (evtchn_port_t)local);
}

static void xen_notify(struct backend *backend, int local)
{
    xenevtchn_notify(((struct xen *)backend)->events, (evtchn_port_t)local);
}

static int xen_pending(struct backend *backend)
{
    int local = xenevtchn_pending(((struct xen *)backend)->events);
    return local >= 0 ? local : -EAGAIN;
}

static void xen_unmask(struct backend *backend, int local)
{
    xenevtchn_unmask(((struct xen *)backend)->events, (evtchn_port_t)local);
}

static void xen_close(struct backend *backend)
{
    struct xen *xen = (struct xen *)backend;

    if (xen->grants)
        xengnttab_close(xen->grants);
    if (xen->events)
        xenevtchn_close(xen->events);
    free(xen);
}

static const struct backend_ops xen_ops = {
    xen_map, xen_unmap, xen_bind, xen_unbind, xen_notify, xen_pending, xen_unmask, xen_close,
};

struct backend *backend_xen_open(void)
{
    struct xen *xen = calloc(1, sizeof(*xen));

    if (!xen)
        return NULL;
    xen->backend.ops = &xen_ops;
    xen->grants = xengnttab_open(NULL, 0);
    if (!xen->grants)
        report("cannot open /dev/xen/gntdev: %m (is this domain 0, with module xen-gntdev?)");
    xen->events = xenevtchn_open(NULL, 0);
    if (!xen->events)
        report("cannot open /dev/xen/evtchn: %m (is this domain 0, with module xen-evtchn?)");
    if (!xen->grants || !xen->events) {
        xen_close(&xen->backend);
        return NULL;
    }
    xen->backend.fd = xenevtchn_fd(xen->events);
    fcntl(xen->backend.fd, F_SETFL, fcntl(xen->backend.fd, F_GETFL) | O_NONBLOCK);
    return &xen->backend;
}
