/* SPDX-License-Identifier: BSD-2-Clause */
/* LZ4 in the "legacy" frame that Linux's build uses. Facts: the LZ4 block and frame format descriptions
 * (lz4.org). */
#ifndef HV_BOOT_LZ4_H
#define HV_BOOT_LZ4_H

#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks a legacy frame. It has no end mark and no checksum: it ends with the input, or four bytes before
 * (the length that Linux's build appends). No scratch is needed. Errors as decompress().
 */
int lz4_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                   size_t scratch_len);

#endif
