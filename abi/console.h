/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console ring: one page shared by a guest and the console daemon.
 *
 * Indices run freely and are reduced only on access. "in" flows to the guest, "out" from it. Either side
 * may be hostile: the reader takes the difference of producer and consumer once and refuses one beyond the
 * size.
 */
#ifndef HAUCH_ABI_CONSOLE_H
#define HAUCH_ABI_CONSOLE_H

#include <stdint.h>

typedef uint32_t XENCONS_RING_IDX;
#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
    char in[1024];
    char out[2048];
    XENCONS_RING_IDX in_cons, in_prod;
    XENCONS_RING_IDX out_cons, out_prod;
};
_Static_assert(sizeof(struct xencons_interface) == 3088, "console ring page");

#endif
