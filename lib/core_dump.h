/* SPDX-License-Identifier: BSD-2-Clause */
/* A core file of a PV domain, in the ELF form that tools for kernel cores know as Xen's dump core format. */
#ifndef LIB_CORE_DUMP_H
#define LIB_CORE_DUMP_H

#include <stdint.h>

#include "lib/xc.h"

/* Registers of all vCPUs and all memory that its kernel has told of, into @fd, an empty regular file. The
 * domain should not run meanwhile. -ENODATA: its kernel has not come so far as to tell where its memory
 * is. */
int core_dump(struct xc *xc, uint16_t domid, int fd, struct fault *f);

#endif
