/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel tells of its own accord: interfaces (rtnetlink) and back-end devices (uevents). See
 * dev_link.h. */
#define _GNU_SOURCE
#include "lib/dev_link.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int monitor(int protocol, unsigned groups, const char *what, struct fault *f)
{
    struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = groups };
    int                fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), rc;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    rc = fault_errno(f, -errno, "cannot listen to %s (run hauchd as root)", what);
    if (fd >= 0)
        close(fd);
    return rc;
}

int dev_link_monitor(struct fault *f)
{
    return monitor(NETLINK_ROUTE, RTMGRP_LINK, "network link events", f);
}

int dev_uevent_monitor(struct fault *f)
{
    return monitor(NETLINK_KOBJECT_UEVENT, 1, "kernel device events", f);
}

int dev_uevent_parse(const char *msg, struct dev_uevent *out)
{
    const char *name = strrchr(msg, '/');
    int         end = 0;

    if (strncmp(msg, "remove@", 7) || !name)
        return 0;
    if (sscanf(name, "/%7[a-z]-%5u-%9u%n", out->type, &out->domid, &out->devid, &end) != 3 || name[end])
        return 0;
    return !strcmp(out->type, "vbd") || !strcmp(out->type, "vif");
}

int dev_uevent_read(int fd, struct dev_uevent *out)
{
    char    buf[4096];
    ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return -EAGAIN;
    if (n <= 0)
        return 0;
    buf[n] = 0;
    return dev_uevent_parse(buf, out);
}

bool dev_backend_driver(const char *type)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/bus/xen-backend/drivers/%s", type);
    return !access(path, F_OK);
}

bool dev_backend_device(const char *type, unsigned domid, unsigned devid)
{
    char path[96];

    snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/%s-%u-%u", type, domid, devid);
    return !access(path, F_OK);
}

void dev_monitor_drain(int fd)
{
    char buf[8192];

    while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        if (errno == ENOBUFS)
            errno = 0;
}
