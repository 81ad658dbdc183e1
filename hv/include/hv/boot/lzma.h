/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LZMA2, the compression inside .xz. Facts: the .xz file format specification 1.1.0, and the LZMA
 * specification by Igor Pavlov (public domain).
 */
#ifndef HV_BOOT_LZMA_H
#define HV_BOOT_LZMA_H

#include <stddef.h>
#include <stdint.h>

/* The most that one LZMA symbol can take from the input, rounded up. */
#define LZMA_SLACK 32

#define LZMA_CHUNK_MAX 65536

/* How long a match is: eight short, eight middle, 256 long lengths. */
struct lzma_length_model {
    uint16_t choice, choice2;
    uint16_t low[16][8];
    uint16_t mid[16][8];
    uint16_t high[256];
};

/* The adaptive probability of every kind of bit, 0..2048, that it is 0. Nothing but uint16_t in here. */
struct lzma_model {
    uint16_t is_match[12][16];
    uint16_t is_rep[12];
    uint16_t is_rep1[12]; /* not the distance used last */
    uint16_t is_rep2[12]; /* nor the one before */
    uint16_t is_rep3[12];
    uint16_t is_rep0_long[12][16];
    uint16_t slot[4][64];
    uint16_t special[115];
    uint16_t align[16];
    struct lzma_length_model match_length, rep_length;
    uint16_t literal[16][0x300];
};

struct lzma2_scratch {
    struct lzma_model model;
    uint8_t tail[LZMA_CHUNK_MAX + LZMA_SLACK]; /* copy of a chunk that ends near the end of the input */
};

/*
 * Unpacks LZMA2 chunks from in[0..in_len) up to their end marker into out[0..out_cap). *in_used tells how
 * many bytes they were. Returns the length put out, -EINVAL, or -ENOSPC.
 */
int lzma2_decompress(const uint8_t *in, size_t in_len, size_t *in_used, uint8_t *out, size_t out_cap,
                     struct lzma2_scratch *scratch);

/* Undoes xz's filter for x86 code in place; `start` is the filter's start offset. */
void x86_unfilter(uint8_t *code, size_t len, uint32_t start);

#endif
