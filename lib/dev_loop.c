/* SPDX-License-Identifier: BSD-2-Clause */
/* Loop devices: see dev_loop.h. */
#define _GNU_SOURCE
#include "lib/dev_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TRIES = 64 };       /* others may take the free device between asking and using it */

static int loop_open(int number, struct fault *f)
{
    char path[32];
    int  fd;

    snprintf(path, sizeof(path), "/dev/loop%d", number);
    fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? fault_errno(f, -errno, "cannot open %s (load the kernel module loop)", path) : fd;
}

static int loop_configure(int number, int image_fd, const char *image, bool readonly, struct dev_loop *out,
                          struct fault *f)
{
    struct loop_config config = { .fd = image_fd };
    struct stat        st;
    int                fd = loop_open(number, f), rc = 0;

    if (fd < 0)
        return fd;
    config.info.lo_flags = LO_FLAGS_DIRECT_IO | (readonly ? LO_FLAGS_READ_ONLY : 0);
    snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", image);
    if (ioctl(fd, LOOP_CONFIGURE, &config) || fstat(fd, &st))
        rc = fault_errno(f, -errno, "cannot attach image %s to /dev/loop%d (losetup -f --show with it, and "
                                    "dmesg, may say why)", image, number);
    else
        *out = (struct dev_loop){ number, major(st.st_rdev), minor(st.st_rdev) };
    close(fd);
    return rc;
}

int dev_loop_attach(const char *image, bool readonly, struct dev_loop *out, struct fault *f)
{
    int image_fd, ctl, rc = -EBUSY;

    out->number = -1;
    image_fd = open(image, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (image_fd < 0)
        return fault_errno(f, -errno, "cannot open disk image %s for %s (check the path and its "
                                      "permissions)", image,
                           readonly ? "reading" : "writing");
    ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (ctl < 0)
        rc = fault_errno(f, -errno, "cannot open /dev/loop-control (load the kernel module loop)");
    for (int i = 0; ctl >= 0 && rc == -EBUSY && i < TRIES; i++) {
        int number = ioctl(ctl, LOOP_CTL_GET_FREE);

        rc = number < 0 ? fault_errno(f, -errno, "cannot find a free loop device for %s (losetup lists "
                                                 "those in use)",
                                      image)
                        : loop_configure(number, image_fd, image, readonly, out, f);
    }
    if (ctl >= 0)
        close(ctl);
    close(image_fd);
    return rc;
}

/* Has somebody else taken the device for another file meanwhile? */
static bool serves(int fd, const char *image)
{
    struct loop_info64 info;

    if (ioctl(fd, LOOP_GET_STATUS64, &info))
        return false;
    return !image || !strncmp((char *)info.lo_file_name, image, sizeof(info.lo_file_name) - 1);
}

int dev_loop_detach(int number, const char *image, struct fault *f)
{
    int fd, rc = 0;

    if (number < 0)
        return 0;
    fd = loop_open(number, f);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    if (serves(fd, image) && ioctl(fd, LOOP_CLR_FD) && errno != ENXIO)
        rc = fault_errno(f, -errno, "cannot detach /dev/loop%d from %s (losetup -d takes it away "
                                    "later)", number,
                         image ? image : "its file");
    close(fd);
    return rc;
}
