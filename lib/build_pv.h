/* SPDX-License-Identifier: BSD-2-Clause */
/* The builder of 64-bit PV domains: from an empty domain and a kernel to one that may be unpaused.
 *
 * The caller has created the domain and allowed it its vCPUs and memory. The builder works in the order in
 * which the hypervisor lets it: pages first, contents while they are plain memory, then the root table is
 * pinned (from then on tables are not writable by anyone), at last the registers of vCPU 0. Layout:
 * build_layout.h. */
#ifndef LIB_BUILD_PV_H
#define LIB_BUILD_PV_H

#include <stddef.h>
#include <stdint.h>

#include "lib/build_layout.h"
#include "lib/image.h"
#include "lib/xc.h"

struct build_pv {
    /* in */
    uint16_t            domid;
    uint64_t            pages;         /* what the domain starts with */
    uint64_t            max_kib;       /* end of its memory map */
    const struct image *image;
    int                 ramdisk_fd;    /* -1: none */
    uint64_t            ramdisk_bytes;
    const char         *ramdisk_name;  /* for messages */
    const char         *cmdline;
    uint32_t            store_port, console_port;

    /* out */
    uint64_t            store_mfn, console_mfn, shared_info_mfn;
    struct build_layout layout;
};

/* Plan only: does this kernel fit into that much memory? Fills b->layout; needs no domain. */
int build_pv_plan(struct build_pv *b, struct fault *f);

/* Build. On failure the domain is in pieces and has to be destroyed. */
int build_pv(struct xc *xc, struct build_pv *b, struct fault *f);

#endif
