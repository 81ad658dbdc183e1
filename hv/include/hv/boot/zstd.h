/* SPDX-License-Identifier: BSD-2-Clause */
/* Zstandard. Facts: RFC 8878. */
#ifndef HV_BOOT_ZSTD_H
#define HV_BOOT_ZSTD_H

#include <hv/boot/fse.h>
#include <hv/boot/huffman.h>

#define ZSTD_BLOCK_MAX (128u << 10)
#define ZSTD_SLACK 32 /* bytes that may be read, for speed, behind the literals */

struct zstd_scratch {
    struct huffman_table huffman;
    struct huffman_scratch huffman_scratch;
    struct fse_counts counts;
    struct fse_state literal_lengths[1 << FSE_LOG_MAX];
    struct fse_state match_lengths[1 << FSE_LOG_MAX];
    struct fse_state offsets[1 << FSE_LOG_MAX];
    uint8_t literals[ZSTD_BLOCK_MAX + ZSTD_SLACK];
};

#define ZSTD_SCRATCH sizeof(struct zstd_scratch)

/*
 * Unpacks the first frame in in[0..in_len), skipping skippable ones before it. The window is all of the
 * output. A checksum is verified where the frame has one. Dictionaries are not supported. Errors as
 * decompress().
 */
int zstd_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                    size_t scratch_len);

#endif
