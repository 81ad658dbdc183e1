/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finite state entropy (tANS) tables.
 *
 * A table has 1 << log states; each symbol owns as many of them as its count says, scattered over the table.
 * To decode, one looks up the state's symbol, then moves to a new state made from a base and some fresh bits.
 * A symbol with many states needs few bits for that, a rare one many: that is how a symbol can cost a
 * fraction of a bit.
 */
#include <hv/boot/fse.h>

static uint32_t highest_bit(uint32_t v)
{
    return 31 - (uint32_t)__builtin_clz(v);
}

/* Bits read forwards, lowest first; zeros after the end, which the caller notices by `at`. */
struct forward {
    const uint8_t *in;
    size_t len;
    size_t at; /* in bits */
};

static uint32_t forward_peek(const struct forward *f, uint32_t n)
{
    uint32_t v = 0;

    for (size_t i = 0; i < 3; i++) {
        size_t byte = f->at / 8 + i;

        if (byte < f->len)
            v |= (uint32_t)f->in[byte] << (8 * i);
    }
    return v >> (f->at & 7) & ((1u << n) - 1);
}

/*
 * One count, plus one, of at most `most`: a number from 0 to `most` in as few bits as that allows; the
 * smaller values get one bit less where the range is no power of two.
 */
static uint32_t take_count(struct forward *f, uint32_t most)
{
    uint32_t bits = highest_bit(most) + 1, half = 1u << (bits - 1), spare = (half << 1) - 1 - most;
    uint32_t v = forward_peek(f, bits);

    if ((v & (half - 1)) < spare) {
        f->at += bits - 1;
        return v & (half - 1);
    }
    f->at += bits;
    return v < half ? v : v - spare;
}

/* After a count of 0 come pairs of bits: how many more zeros; 3 means that another pair follows. */
static void take_zeros(struct forward *f, struct fse_counts *out, uint32_t symbols_max)
{
    uint32_t more = 3;

    while (more == 3 && out->symbols < symbols_max) {
        more = forward_peek(f, 2);
        f->at += 2;
        for (uint32_t i = 0; i < more && out->symbols < symbols_max; i++)
            out->count[out->symbols++] = 0;
    }
}

int fse_read_counts(const uint8_t *in, size_t len, uint32_t log_max, uint32_t symbols_max,
                    struct fse_counts *out)
{
    struct forward f = { .in = in, .len = len };
    uint32_t left;

    out->log = forward_peek(&f, 4) + 5;
    out->symbols = 0;
    f.at = 4;
    if (!len || out->log > log_max)
        return -XEN_EINVAL;
    left = 1u << out->log;
    while (left && out->symbols < symbols_max) {
        int32_t count = (int32_t)take_count(&f, left + 1) - 1;

        left -= count < 0 ? 1 : (uint32_t)count; /* take_count() bounds it */
        out->count[out->symbols++] = (int16_t)count;
        if (!count)
            take_zeros(&f, out, symbols_max);
    }
    f.at = (f.at + 7) / 8;
    return left || f.at > len ? -XEN_EINVAL : (int)f.at;
}

/* Gives each state its symbol. Symbols that come less than once get single states at the end. */
static int spread_symbols(const struct fse_counts *c, uint32_t *next, uint8_t *symbol)
{
    uint32_t size = 1u << c->log, step = (size >> 1) + (size >> 3) + 3, high = size, at = 0;

    for (uint32_t s = 0; s < c->symbols; s++) {
        next[s] = c->count[s] < 0 ? 1 : (uint32_t)c->count[s];
        if (c->count[s] < 0)
            symbol[--high] = (uint8_t)s;
    }
    for (uint32_t s = 0; s < c->symbols; s++)
        for (int i = 0; i < c->count[s]; i++) {
            symbol[at] = (uint8_t)s;
            do
                at = (at + step) & (size - 1);
            while (at >= high);
        }
    return at ? -XEN_EINVAL : 0;
}

int fse_build(const struct fse_counts *counts, fse_meaning_fn meaning, struct fse_state *table)
{
    uint32_t next[FSE_SYMBOLS_MAX], size = 1u << counts->log;
    uint8_t symbol[1 << FSE_LOG_MAX];

    if (spread_symbols(counts, next, symbol))
        return -XEN_EINVAL;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t n = next[symbol[i]]++, bits = counts->log - highest_bit(n);

        if (!meaning(symbol[i], &table[i]))
            return -XEN_EINVAL;
        table[i].bits = (uint8_t)bits;
        table[i].next = (uint16_t)((n << bits) - size);
    }
    return 0;
}
