/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files behind xc.h share: an operation is prepared in the handle's page, filled in, and run. */
#ifndef LIB_XC_INTERNAL_H
#define LIB_XC_INTERNAL_H

#include "lib/xc.h"

/* Zeroed, with command, version and domain. */
struct xen_domctl *xc_domctl(struct xc *xc, uint32_t cmd, uint16_t domid);
/* 0 or positive, or negative errno. */
int xc_domctl_run(struct xc *xc, struct xen_domctl *op);

struct xen_sysctl *xc_sysctl(struct xc *xc, uint32_t cmd);
/* @name for the sentence in @f. */
int xc_sysctl_run(struct xc *xc, struct xen_sysctl *op, const char *name, struct fault *f);

/* A call about a domain was refused: the sentence with the reason and where more is told; returns @rc. */
int xc_refused(struct fault *f, int rc, uint16_t domid, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

enum { XC_LIST_BYTES = 64 * 1024 };
void *xc_op_buffer(struct xc *xc);      /* a zeroed page */
void *xc_list_buffer(struct xc *xc);    /* XC_LIST_BYTES, contents undefined */
long  xc_call(struct xc *xc, unsigned op, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
