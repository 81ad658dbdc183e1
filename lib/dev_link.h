/* SPDX-License-Identifier: BSD-2-Clause */
/* Network links by rtnetlink: what `ip link set` does, without a process. */
#ifndef LIB_DEV_LINK_H
#define LIB_DEV_LINK_H

#include <stdbool.h>

#include "lib/xc_err.h"

/* Index of the interface, or 0 if there is none of that name. */
unsigned dev_link_index(const char *name);

/* Is @name a bridge? 0, or -ENODEV (no such interface), -ENOTSUP (it is none); the message says what to do.
 */
int dev_link_bridge_check(const char *name, struct fault *f);

/* MTU of @name, 0 if unknown. */
unsigned dev_link_mtu(const char *name);

struct dev_link_plan {
    const char *name;         /* as it is called now */
    const char *new_name;     /* NULL: keep */
    const char *bridge;       /* NULL: none */
    unsigned    mtu;          /* 0: keep */
};

/* Take it down, rename, set MTU, put on the bridge, bring up; each at once with its answer. No IPv6 address
 * of its own is given to the port, nor is its hardware address learned: see the code. */
int dev_link_plumb(const struct dev_link_plan *plan, struct fault *f);

/* A descriptor that becomes readable when interfaces come and go, or back-end devices do (kernel object
 * events). */
int dev_link_monitor(struct fault *f);
int dev_uevent_monitor(struct fault *f);

/* Read one message of dev_uevent_monitor(): 1 and the fields if it tells of a xen-backend device being
 * removed, 0 if of something else, -EAGAIN if there is none. Buffer overruns count as "something else". */
struct dev_uevent {
    char     type[8];         /* "vbd" or "vif" */
    unsigned domid, devid;
};
int dev_uevent_read(int fd, struct dev_uevent *out);

/* Parse "remove@/devices/vbd-3-51712" and the like: as dev_uevent_read(). */
int dev_uevent_parse(const char *msg, struct dev_uevent *out);

/* Is a driver for back ends of that type ("vbd", "vif") loaded? Does the kernel's device of a back end still
 * exist? */
bool dev_backend_driver(const char *type);
bool dev_backend_device(const char *type, unsigned domid, unsigned devid);

/* Throw away whatever is queued on @fd. */
void dev_monitor_drain(int fd);

#endif
