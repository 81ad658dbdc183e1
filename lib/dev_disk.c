/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual disks' other end: see dev_disk.h. */
#define _GNU_SOURCE
#include "lib/dev_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TARGET_MAX = 1024 };      /* it has to fit into a store node */

/* Opening a block device exclusively fails while it is mounted, or part of an array or volume group. */
static int block_check(const struct dev_disk *d, struct fault *f)
{
    int fd = open(d->target, (d->readonly ? O_RDONLY : O_RDWR | O_EXCL) | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (errno == EBUSY)
        return fault_set(f, -EBUSY,
                         "disk %s: %s is in use by this system (mounted, or part of an array or volume "
                         "group); unmount it first or give it read-only",
                         d->vdev, d->target);
    return fault_errno(f, -errno, "disk %s: cannot open %s for %s (check the path and its "
                                  "permissions)", d->vdev,
                       d->target, d->readonly ? "reading" : "writing");
}

static int file_check(const struct dev_disk *d, const struct stat *st, struct fault *f)
{
    int fd = open(d->target, (d->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);

    if (fd < 0)
        return fault_errno(f, -errno, "disk %s: cannot open image %s for %s (check the path and its "
                                      "permissions)",
                           d->vdev, d->target, d->readonly ? "reading" : "writing");
    close(fd);
    if (st->st_size < 512)
        return fault_set(f, -EINVAL,
                         "disk %s: image %s has %lld bytes, less than one sector of 512; make it larger "
                         "(truncate -s SIZE %s)",
                         d->vdev, d->target, (long long)st->st_size, d->target);
    return 0;
}

int dev_disk_probe(const struct config_disk *c, struct dev_disk *d, struct fault *f)
{
    struct stat st;

    memset(d, 0, sizeof(*d));
    d->loop.number = -1;
    d->number = c->number;
    d->readonly = c->readonly;
    d->discard = c->discard;
    d->cdrom = c->cdrom;
    d->trusted = c->trusted;
    d->direct_io_safe = c->direct_io_safe;
    memcpy(d->vdev, c->vdev, sizeof(d->vdev));
    if (strlen(c->target) >= TARGET_MAX)
        return fault_set(f, -ENAMETOOLONG, "disk %s: target of %zu bytes, at most %d are possible; give a "
                                           "shorter path",
                         c->vdev, strlen(c->target), TARGET_MAX - 1);
    d->target = strdup(c->target);
    if (!d->target)
        return fault_memory(f);
    if (stat(c->target, &st))
        return fault_errno(f, -errno, "disk %s: cannot find %s (give the path of a block device or an "
                                      "image)", c->vdev,
                           c->target);
    d->file = S_ISREG(st.st_mode);
    d->dev = d->file ? st.st_dev : st.st_rdev;
    d->ino = d->file ? st.st_ino : 0;
    if (S_ISBLK(st.st_mode)) {
        d->major = major(st.st_rdev);
        d->minor = minor(st.st_rdev);
        return block_check(d, f);
    }
    if (!d->file)
        return fault_set(f, -ENOTBLK, "disk %s: %s is neither a block device nor a file; give one of these "
                                      "as target",
                         c->vdev, c->target);
    return file_check(d, &st, f);
}

bool dev_disk_clash(const struct dev_disk *a, const struct dev_disk *b)
{
    return a->file == b->file && a->dev == b->dev && a->ino == b->ino && !(a->readonly && b->readonly);
}

int dev_disk_attach(struct dev_disk *d, struct fault *f)
{
    int rc = d->file ? dev_loop_attach(d->target, d->readonly, &d->loop, f) : 0;

    if (rc)
        return fault_wrap(f, "disk %s", d->vdev);
    if (d->file) {
        d->major = d->loop.major;
        d->minor = d->loop.minor;
    }
    return 0;
}

int dev_disk_detach(struct dev_disk *d, struct fault *f)
{
    int rc = dev_loop_detach(d->loop.number, d->target, f);

    d->loop.number = -1;
    return rc;
}

void dev_disk_clear(struct dev_disk *d)
{
    free(d->target);
    d->target = NULL;
}
