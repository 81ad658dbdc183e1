/* SPDX-License-Identifier: BSD-2-Clause */
/* The .xz container. Facts: the .xz file format specification 1.1.0 (tukaani.org, public domain). */
#ifndef HV_BOOT_XZ_H
#define HV_BOOT_XZ_H

#include <hv/boot/crc.h>
#include <hv/boot/lzma.h>

struct xz_scratch {
    struct crc32_tables crc32;
    struct crc64_tables crc64;
    struct lzma2_scratch lzma2;
};

#define XZ_SCRATCH sizeof(struct xz_scratch)

/*
 * Unpacks the first stream in in[0..in_len): any number of blocks, filters LZMA2 alone or x86 and LZMA2.
 * Checks of kind none, CRC32 and CRC64 are verified, SHA-256 is passed over; headers and index are verified
 * always. Errors as decompress().
 */
int xz_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                  size_t scratch_len);

#endif
