/* SPDX-License-Identifier: BSD-2-Clause */
/* Huffman coded literals of Zstandard. Facts: RFC 8878, section 4.2. */
#ifndef HV_BOOT_HUFFMAN_H
#define HV_BOOT_HUFFMAN_H

#include <hv/boot/fse.h>

#define HUFFMAN_LOG_MAX 11

/* Entry i of the first 1 << log: the code that the bits i begin with; its symbol and its length. */
struct huffman_table {
    uint32_t log; /* 0: no table yet */
    struct {
        uint8_t symbol, bits;
    } entry[1 << HUFFMAN_LOG_MAX];
};

/* What reading a table needs for a moment. */
struct huffman_scratch {
    struct fse_counts counts;
    struct fse_state states[1 << 6];
    uint8_t weight[256];
};

/* Reads a table's description; returns the bytes it took, or -EINVAL. */
int huffman_read_table(const uint8_t *in, size_t len, struct huffman_scratch *scratch,
                       struct huffman_table *out);

/* Decodes exactly out_len symbols from a stream that holds exactly these; 0 or -EINVAL. */
int huffman_decode(const struct huffman_table *table, const uint8_t *in, size_t len, uint8_t *out,
                   size_t out_len);

#endif
