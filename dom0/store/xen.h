/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to guests under a Xen-compatible hypervisor: event channels and grants, never privcmd. */
#ifndef STORE_XEN_H
#define STORE_XEN_H

#include "dom0/store/domain.h"
#include "dom0/store/server.h"

struct xen {
    struct source source; /* first: pending event channels */
    struct store *store;
    struct xenevtchn_handle *events;
    struct xengntdev_handle *grants;
    struct xenstore_domain_interface *own_ring;
    uint32_t death_port; /* 0: not ours */
};

/* Opens the devices and connects domain 0's kernel. 1: done; 0: there is no hypervisor here; negative errno,
 * with a message on stderr: there is one, but something is missing. */
int xen_open(struct xen *x, struct server *srv);
/* From here on we see domains end. After xen_open() gave 1. 0, or negative errno with a message on stderr. */
int xen_watch_deaths(struct xen *x);
void xen_close(struct xen *x);

#endif
