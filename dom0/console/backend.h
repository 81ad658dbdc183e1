/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where rings and events come from: from the hypervisor (backend_xen.c), or from files and a socket of a
 * directory (backend_dir.c), so that the whole daemon runs on any Linux, as in the tests.
 */
#ifndef HAUCH_CONSOLE_BACKEND_H
#define HAUCH_CONSOLE_BACKEND_H

#include <stdint.h>

struct xencons_interface;
struct backend;

struct backend_ops {
    /* Maps the console ring of a domain, its grant reference 0. Returns 0 or a negative errno. */
    int (*map)(struct backend *backend, uint16_t domid, struct xencons_interface **ring);
    void (*unmap)(struct backend *backend, struct xencons_interface *ring);
    /* Binds to the domain's event channel `port`. Returns our own port (>= 0) or a negative errno. */
    int (*bind)(struct backend *backend, uint16_t domid, uint32_t port);
    void (*unbind)(struct backend *backend, int local);
    void (*notify)(struct backend *backend, int local);
    /* Returns a port that the guest signalled, now masked until unmask(), or -EAGAIN if there is none. */
    int (*pending)(struct backend *backend);
    void (*unmask)(struct backend *backend, int local);
    void (*close)(struct backend *backend);
};

struct backend {
    const struct backend_ops *ops;
    int fd;                 /* readable while pending() has something */
};

/* Both return NULL after a report on stderr that says what is missing. */
struct backend *backend_xen_open(void);
/*
 * dir/DOMID.ring is the page of a domain; its events come as datagrams to dir/daemon (domid, 2 bytes, native
 * order) and go as one-byte datagrams to dir/DOMID.guest. The event port of domid 7 is 7.
 */
struct backend *backend_dir_open(const char *dir);

#endif
