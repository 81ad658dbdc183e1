/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual disk's other end in dom0: a block device as it is, or an image file behind a loop device. */
#ifndef LIB_DEV_DISK_H
#define LIB_DEV_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/config.h"
#include "lib/dev_loop.h"

struct dev_disk {
    char           *target;         /* path */
    char            vdev[32];
    uint32_t        number;         /* virtual device number */
    bool            readonly, discard, cdrom, trusted, direct_io_safe;
    bool            file;           /* an image file: needs a loop device */
    dev_t           dev;            /* what it is, whatever it is called: device of a block device, */
    ino_t           ino;            /* device and inode of a file */
    unsigned        major, minor;   /* after attach */
    struct dev_loop loop;           /* number -1: none */
};

/* Look at the target: does it exist, is it of a kind we serve, may it be opened as wanted, does dom0 itself
 * use it? */
int dev_disk_probe(const struct config_disk *c, struct dev_disk *d, struct fault *f);

/* May both be used at once? Only if they are different objects, or both are read-only. */
bool dev_disk_clash(const struct dev_disk *a, const struct dev_disk *b);

int  dev_disk_attach(struct dev_disk *d, struct fault *f);
int  dev_disk_detach(struct dev_disk *d, struct fault *f);
void dev_disk_clear(struct dev_disk *d);

#endif
