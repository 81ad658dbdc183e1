/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Huffman codes as Zstandard sends them: by weights. A symbol of weight w > 0 has a code of log + 1 - w bits,
 * so it fills 1 << (w - 1) entries of the decoding table, and all entries add up to a power of two; the last
 * symbol's weight is not sent, for it follows from that. The table is filled from the lightest symbols to the
 * heaviest.
 */
#include <hv/boot/backbits.h>
#include <hv/boot/huffman.h>

#define WEIGHTS_LOG_MAX 6
#define WEIGHT_MAX HUFFMAN_LOG_MAX

static bool weight_meaning(uint32_t symbol, struct fse_state *out)
{
    out->value = symbol;
    out->extra = 0;
    return symbol <= WEIGHT_MAX;
}

static void weight_step(struct backbits *b, const struct fse_state *table, uint32_t *state)
{
    const struct fse_state *s = &table[*state];

    backbits_refill(b);
    *state = s->next + backbits_take(b, s->bits);
}

/* Two states take turns, until one would need bits that are not there; then the other still has a symbol to
 * give. */
static int read_coded_weights(const uint8_t *in, size_t len, struct huffman_scratch *s)
{
    int used = fse_read_counts(in, len, WEIGHTS_LOG_MAX, FSE_SYMBOLS_MAX, &s->counts);
    uint32_t state[2], n = 0, turn = 0;
    struct backbits b;

    if (used < 0 || fse_build(&s->counts, weight_meaning, s->states) ||
        !backbits_open(&b, in + used, len - (size_t)used))
        return -XEN_EINVAL;
    state[0] = backbits_take(&b, s->counts.log);
    state[1] = backbits_take(&b, s->counts.log);
    if (backbits_overrun(&b))
        return -XEN_EINVAL;
    while (n < 254) {
        s->weight[n++] = (uint8_t)s->states[state[turn]].value;
        weight_step(&b, s->states, &state[turn]);
        turn ^= 1;
        if (backbits_overrun(&b)) {
            s->weight[n++] = (uint8_t)s->states[state[turn]].value;
            return (int)n;
        }
    }
    return -XEN_EINVAL; /* more than 255 weights */
}

/* Four bits each, the first of two above the second. */
static int read_plain_weights(const uint8_t *in, size_t len, uint32_t count, struct huffman_scratch *s)
{
    if ((count + 1) / 2 > len)
        return -XEN_EINVAL;
    for (uint32_t i = 0; i < count; i++)
        s->weight[i] = i & 1 ? in[i / 2] & 15 : in[i / 2] >> 4;
    return (int)count;
}

/* Adds the weight that was not sent; returns the table's log, or an error. */
static int complete_weights(uint8_t *weight, uint32_t count)
{
    uint32_t sum = 0, log, left;

    for (uint32_t i = 0; i < count; i++) {
        if (weight[i] > WEIGHT_MAX)
            return -XEN_EINVAL;
        sum += weight[i] ? 1u << (weight[i] - 1) : 0;
    }
    if (!sum)
        return -XEN_EINVAL;
    log = 32 - (uint32_t)__builtin_clz(sum);
    left = (1u << log) - sum;
    if (log > HUFFMAN_LOG_MAX || left & (left - 1))
        return -XEN_EINVAL;
    weight[count] = (uint8_t)(32 - __builtin_clz(left));
    return (int)log;
}

static void fill_table(struct huffman_table *table, const uint8_t *weight, uint32_t count)
{
    uint32_t at = 0;

    for (uint32_t w = 1; w <= table->log; w++)
        for (uint32_t s = 0; s < count; s++) {
            if (weight[s] != w)
                continue;
            for (uint32_t i = 0; i < 1u << (w - 1); i++, at++) {
                table->entry[at].symbol = (uint8_t)s;
                table->entry[at].bits = (uint8_t)(table->log + 1 - w);
            }
        }
}

int huffman_read_table(const uint8_t *in, size_t len, struct huffman_scratch *scratch,
                       struct huffman_table *out)
{
    uint32_t head, size;
    int count, log;

    if (!len)
        return -XEN_EINVAL;
    head = in[0];
    size = head < 128 ? head : (head - 127 + 1) / 2;
    if (size > len - 1)
        return -XEN_EINVAL;
    if (head < 128)
        count = read_coded_weights(in + 1, size, scratch);
    else
        count = read_plain_weights(in + 1, size, head - 127, scratch);
    if (count < 0)
        return count;
    out->log = 0;
    log = complete_weights(scratch->weight, (uint32_t)count);
    if (log < 0)
        return log;
    out->log = (uint32_t)log;
    fill_table(out, scratch->weight, (uint32_t)count + 1);
    return (int)size + 1;
}

ALWAYS_INLINE uint8_t symbol_next(const struct huffman_table *table, struct backbits *b, uint32_t shift)
{
    uint64_t i = b->window << (b->used & 63) >> shift;

    b->used += table->entry[i].bits;
    return table->entry[i].symbol;
}

int huffman_decode(const struct huffman_table *table, const uint8_t *in, size_t len, uint8_t *out,
                   size_t out_len)
{
    uint8_t *end = out + out_len;
    uint32_t shift = 64 - table->log;
    struct backbits b;

    if (!backbits_open(&b, in, len))
        return -XEN_EINVAL;
    /* Five codes of eleven bits fit into one refill. */
    while (end - out >= 5 && !backbits_overrun(&b)) {
        backbits_refill(&b);
        out[0] = symbol_next(table, &b, shift);
        out[1] = symbol_next(table, &b, shift);
        out[2] = symbol_next(table, &b, shift);
        out[3] = symbol_next(table, &b, shift);
        out[4] = symbol_next(table, &b, shift);
        out += 5;
    }
    for (; out < end && !backbits_overrun(&b); out++) {
        backbits_refill(&b);
        *out = symbol_next(table, &b, shift);
    }
    backbits_refill(&b);
    return backbits_done(&b) && out == end ? 0 : -XEN_EINVAL;
}
