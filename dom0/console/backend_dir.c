/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings and events in a directory, for running without a hypervisor (layout: backend.h). As with real event
 * channels an event is a flag, not a count: signals that arrive while the port is masked become one.
 */
#define _GNU_SOURCE
#include "dom0/console/backend.h"

#include "dom0/console/report.h"

#include "abi/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define DOMAINS    65536

struct dir {
    struct backend backend;
    char *path;
    unsigned char bound[DOMAINS], masked[DOMAINS], again[DOMAINS];
};

static int dir_address(const struct dir *dir, const char *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", dir->path, name);
    return n < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

static int dir_map(struct backend *backend, uint16_t domid, struct xencons_interface **ring)
{
    struct dir *dir = (struct dir *)backend;
    char *path;

    if (asprintf(&path, "%s/%u.ring", dir->path, domid) < 0)
        return -ENOMEM;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return -errno;
    void *page = lseek(fd, 0, SEEK_END) < PAGE_BYTES ? MAP_FAILED :
                 mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    *ring = page == MAP_FAILED ? NULL : page;
    return *ring ? 0 : -EINVAL;
}

static void dir_unmap(struct backend *backend, struct xencons_interface *ring)
{
    munmap(ring, PAGE_BYTES);
}

static int dir_bind(struct backend *backend, uint16_t domid, uint32_t port)
{
    struct dir *dir = (struct dir *)backend;

    if (port != domid || dir->bound[domid])
        return -EINVAL;
    dir->bound[domid] = 1;
    dir->masked[domid] = 0;
    return domid;
}

static void dir_unbind(struct backend *backend, int local)
{
    ((struct dir *)backend)->bound[local] = 0;
}

static void dir_notify(struct backend *backend, int local)
{
    struct sockaddr_un address;
    char name[16];

    snprintf(name, sizeof(name), "%u.guest", (unsigned)local);
    if (dir_address((struct dir *)backend, name, &address) == 0)    /* no guest there: nobody to tell */
        sendto(backend->fd, "!", 1, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
}

static int dir_pending(struct backend *backend)
{
    struct dir *dir = (struct dir *)backend;
    uint16_t domid;

    while (recv(backend->fd, &domid, sizeof(domid), MSG_DONTWAIT) == sizeof(domid)) {
        if (dir->masked[domid])
            dir->again[domid] = 1;
        else if (dir->bound[domid]) {
            dir->masked[domid] = 1;
            return domid;
        }
    }
    return -EAGAIN;
}

static void dir_unmask(struct backend *backend, int local)
{
    struct dir *dir = (struct dir *)backend;
    struct sockaddr_un address;
    uint16_t domid = (uint16_t)local;

    dir->masked[local] = 0;
    if (!dir->again[local] || dir_address(dir, "daemon", &address) < 0)
        return;
    dir->again[local] = 0;
    sendto(backend->fd, &domid, sizeof(domid), MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address));
}

static void dir_close(struct backend *backend)
{
    struct dir *dir = (struct dir *)backend;
    struct sockaddr_un address;

    if (backend->fd >= 0) {
        close(backend->fd);
        if (dir_address(dir, "daemon", &address) == 0)
            unlink(address.sun_path);
    }
    free(dir->path);
    free(dir);
}

static const struct backend_ops dir_ops = {
    dir_map, dir_unmap, dir_bind, dir_unbind, dir_notify, dir_pending, dir_unmask, dir_close,
};

static int dir_listen(struct dir *dir)
{
    struct sockaddr_un address;

    if (!dir->path || dir_address(dir, "daemon", &address) < 0)
        return -ENAMETOOLONG;
    dir->backend.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    if (dir->backend.fd < 0 || bind(dir->backend.fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return 0;
}

struct backend *backend_dir_open(const char *path)
{
    struct dir *dir = calloc(1, sizeof(*dir));

    if (!dir)
        return NULL;
    dir->backend = (struct backend){ .ops = &dir_ops, .fd = -1 };
    dir->path = strdup(path);
    int r = dir_listen(dir);
    if (r < 0) {
        report("cannot listen at %s/daemon: %s (does the directory exist?)", path, strerror(-r));
        dir_close(&dir->backend);
        return NULL;
    }
    return &dir->backend;
}
