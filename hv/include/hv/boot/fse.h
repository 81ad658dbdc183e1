/* SPDX-License-Identifier: BSD-2-Clause */
/* Finite state entropy tables of Zstandard. Facts: RFC 8878, section 4.1. */
#ifndef HV_BOOT_FSE_H
#define HV_BOOT_FSE_H

#include <hv/boot/bytes.h>

#define FSE_SYMBOLS_MAX 256
#define FSE_LOG_MAX 9

/*
 * One state: stands for a symbol; the next state is `next` plus a number of `bits` bits. What the symbol
 * means to the caller is `value` plus a number of `extra` bits.
 */
struct fse_state {
    uint32_t value;
    uint16_t next;
    uint8_t bits;
    uint8_t extra;
};
_Static_assert(sizeof(struct fse_state) == 8, "one load a state");

/* How often each symbol comes, of 1 << log; -1 is less than once. */
struct fse_counts {
    uint32_t log;
    uint32_t symbols;
    int16_t count[FSE_SYMBOLS_MAX];
};

/* What a symbol means: value and number of extra bits; false if there is no such symbol. */
typedef bool (*fse_meaning_fn)(uint32_t symbol, struct fse_state *out);

/* Reads a description of counts; returns the bytes it took, or -EINVAL. */
int fse_read_counts(const uint8_t *in, size_t len, uint32_t log_max, uint32_t symbols_max,
                    struct fse_counts *out);

/* Builds the table of 1 << counts->log states; -EINVAL if a symbol has no meaning. */
int fse_build(const struct fse_counts *counts, fse_meaning_fn meaning, struct fse_state *table);

#endif
