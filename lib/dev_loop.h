/* SPDX-License-Identifier: BSD-2-Clause */
/* Loop devices: a raw image file as a block device, by ioctl, without losetup. */
#ifndef LIB_DEV_LOOP_H
#define LIB_DEV_LOOP_H

#include <stdbool.h>

#include "lib/xc_err.h"

struct dev_loop {
    int      number;       /* /dev/loopN; -1: none */
    unsigned major, minor;
};

/* Attach the file @image; direct I/O where the file system can. Fills @out. */
int dev_loop_attach(const char *image, bool readonly, struct dev_loop *out, struct fault *f);

/* Detach if it still serves @image (NULL: whatever it serves); a device that is already free is success. A
 * device still open somewhere goes away at its last close. */
int dev_loop_detach(int number, const char *image, struct fault *f);

#endif
