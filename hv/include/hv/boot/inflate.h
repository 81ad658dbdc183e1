/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip. Facts: RFC 1951 (deflate), RFC 1952 (gzip). */
#ifndef HV_BOOT_INFLATE_H
#define HV_BOOT_INFLATE_H

#include <hv/boot/crc.h>

/* The first table is indexed by this many bits; longer codes go on in a second one of 2^(15-10) entries. */
#define INFLATE_FIRST_BITS 10
#define INFLATE_SECOND_BITS 5

/* Of 288 codes at most half can be the first in a second table: each such table holds at least two. */
struct inflate_scratch {
    uint32_t literal[(1 << INFLATE_FIRST_BITS) + (144 << INFLATE_SECOND_BITS)];
    uint32_t distance[(1 << INFLATE_FIRST_BITS) + (16 << INFLATE_SECOND_BITS)];
    uint8_t lengths[288 + 32];
    struct crc32_tables crc;
};

#define INFLATE_SCRATCH sizeof(struct inflate_scratch)

/* Unpacks the first gzip member in in[0..in_len) and checks its CRC32 and length. Errors as decompress(). */
int gzip_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                    size_t scratch_len);

#endif
