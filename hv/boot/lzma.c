/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LZMA2: chunks of LZMA or of plain bytes.
 *
 * LZMA is a range coder over adaptive bits. `range` is the width of the interval the coder is in, `code` is
 * where in it the input points to. For a bit with probability p of being 0 the interval is cut at range * p:
 * code below the cut means 0, else 1; the interval becomes that part, and p moves a 32nd of the way towards
 * what came. When range gets below 2^24 both are widened by the next input byte. All else is a tree of such
 * bits: literals, lengths, distances.
 *
 * Almost all time of unpacking a kernel is spent in bit_next(), some twenty instructions a bit. So the coder
 * lives in a local variable that the compiler keeps in registers (everything is inlined into chunk_run()),
 * and the input is not checked at each byte: a symbol takes fewer than LZMA_SLACK bytes, that many are always
 * there to be read, and after each symbol the position is compared once with the end of the chunk.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/copy.h>
#include <hv/boot/lzma.h>

#define PROB_BITS 11
#define PROB_HALF (1u << (PROB_BITS - 1))
#define PROB_MOVE 5

struct coder {
    uint32_t range, code;
    const uint8_t *in;
};

struct lzma2 {
    struct lzma_model *model;
    uint8_t *tail;
    const uint8_t *in, *in_end;
    uint8_t *out, *out_end;
    const uint8_t *dict; /* output from here on may be referred to */
    uint32_t rep[4];     /* distances less one, latest first */
    uint32_t state;
    uint32_t lc, lp_mask, pb_mask;
    bool has_dict, has_props, has_state;
};

/* ---- range coder --------------------------------------------------------------------------------------- */

ALWAYS_INLINE void coder_widen(struct coder *c)
{
    if (c->range < 1u << 24) {
        c->range <<= 8;
        c->code = c->code << 8 | *c->in++;
    }
}

ALWAYS_INLINE bool bit_next(struct coder *c, uint16_t *prob)
{
    uint32_t p = *prob, cut;

    coder_widen(c);
    cut = (c->range >> PROB_BITS) * p;
    if (c->code < cut) {
        c->range = cut;
        *prob = (uint16_t)(p + (((1u << PROB_BITS) - p) >> PROB_MOVE));
        return false;
    }
    c->range -= cut;
    c->code -= cut;
    *prob = (uint16_t)(p - (p >> PROB_MOVE));
    return true;
}

/* A number of `bits` bits, highest first; each prefix has a probability of its own. */
ALWAYS_INLINE uint32_t tree_next(struct coder *c, uint16_t *probs, uint32_t bits)
{
    size_t node = 1;

#pragma GCC unroll 8
    for (uint32_t i = 0; i < bits; i++)
        node = bit_next(c, &probs[node]) ? node * 2 + 1 : node * 2;
    return (uint32_t)node - (1u << bits);
}

/* The same, lowest bit first. */
ALWAYS_INLINE uint32_t reverse_tree_next(struct coder *c, uint16_t *probs, uint32_t bits)
{
    uint32_t node = 1, n = 0;

    for (uint32_t i = 0; i < bits; i++) {
        if (bit_next(c, &probs[node])) {
            node = node * 2 + 1;
            n |= 1u << i;
        } else {
            node = node * 2;
        }
    }
    return n;
}

/* `bits` bits that are as likely 0 as 1. */
ALWAYS_INLINE uint32_t direct_next(struct coder *c, uint32_t bits)
{
    uint32_t n = 0;

    while (bits--) {
        uint32_t below;

        coder_widen(c);
        c->range >>= 1;
        c->code -= c->range;
        below = 0 - (c->code >> 31); /* all ones if the bit is 0 */
        c->code += c->range & below;
        n = (n << 1) + 1 + below;
    }
    return n;
}

/* ---- symbols ------------------------------------------------------------------------------------------- */

ALWAYS_INLINE uint8_t literal_next(struct coder *c, uint16_t *probs)
{
    return (uint8_t)tree_next(c, probs, 8);
}

/*
 * After a match the byte that the last distance would have given is a good guess, or it would have been part
 * of the match; it differs in some bit, and up to that bit it selects another set of probabilities.
 */
ALWAYS_INLINE uint8_t matched_literal_next(struct coder *c, uint16_t *probs, size_t guess)
{
    size_t node = 1, same = 0x100;

    do {
        size_t expect;

        guess <<= 1;
        expect = guess & same;
        if (bit_next(c, &probs[same + expect + node])) {
            node = node * 2 + 1;
            same = expect;
        } else {
            node *= 2;
            same &= ~expect;
        }
    } while (node < 0x100);
    return (uint8_t)node;
}

ALWAYS_INLINE uint32_t length_next(struct coder *c, struct lzma_length_model *m, uint32_t pos_state)
{
    if (!bit_next(c, &m->choice))
        return 2 + tree_next(c, m->low[pos_state], 3);
    if (!bit_next(c, &m->choice2))
        return 10 + tree_next(c, m->mid[pos_state], 3);
    return 18 + tree_next(c, m->high, 8);
}

ALWAYS_INLINE uint32_t distance_next(struct coder *c, struct lzma_model *m, uint32_t length)
{
    uint32_t slot = tree_next(c, m->slot[length < 6 ? length - 2 : 3], 6);
    uint32_t bits = (slot >> 1) - 1, base = (2 | (slot & 1)) << (bits & 31);

    if (slot < 4)
        return slot;
    if (slot < 14)
        return base + reverse_tree_next(c, m->special + base - slot, bits);
    base += direct_next(c, bits - 4) << 4;
    return base + reverse_tree_next(c, m->align, 4);
}

/* One of the last four distances; moves it to the front. */
ALWAYS_INLINE void rep_next(struct coder *c, struct lzma_model *m, struct lzma2 *z)
{
    uint32_t state = z->state, which, dist;

    if (!bit_next(c, &m->is_rep2[state]))
        which = 1;
    else
        which = bit_next(c, &m->is_rep3[state]) ? 3 : 2;
    dist = z->rep[which];
    for (; which; which--)
        z->rep[which] = z->rep[which - 1];
    z->rep[0] = dist;
}

/* What came last: 0-6 a literal, 7-11 a match, with some memory of what was before. */
ALWAYS_INLINE uint32_t state_after_literal(uint32_t s)
{
    return s < 4 ? 0 : s < 10 ? s - 3 : s - 6;
}

/* Decodes the match whose first bit has been seen, and sets rep[0]; returns its length. */
ALWAYS_INLINE uint32_t match_next(struct coder *c, struct lzma_model *m, struct lzma2 *z, uint32_t pos_state)
{
    uint32_t state = z->state, length;

    if (!bit_next(c, &m->is_rep[state])) {
        z->state = state < 7 ? 7 : 10;
        length = length_next(c, &m->match_length, pos_state);
        z->rep[3] = z->rep[2];
        z->rep[2] = z->rep[1];
        z->rep[1] = z->rep[0];
        z->rep[0] = distance_next(c, m, length);
        return length;
    }
    if (bit_next(c, &m->is_rep1[state])) {
        rep_next(c, m, z);
    } else if (!bit_next(c, &m->is_rep0_long[state][pos_state])) {
        z->state = state < 7 ? 9 : 11;
        return 1;
    }
    z->state = state < 7 ? 8 : 11;
    return length_next(c, &m->rep_length, pos_state);
}

/* ---- chunks -------------------------------------------------------------------------------------------- */

/* Decodes symbols from `in` until `stop` is reached exactly; the chunk has to end with them. */
static int chunk_run(struct lzma2 *shared, const uint8_t *in, const uint8_t *in_end, uint8_t *stop)
{
    struct lzma2 z = *shared;
    struct lzma_model *m = z.model;
    struct coder c = { .range = UINT32_MAX, .code = load_be32(in + 1), .in = in + 5 };
    uint8_t *out = z.out;

    while (out < stop) {
        uint32_t at = (uint32_t)(out - z.dict), pos_state = at & z.pb_mask, length;

        if (!bit_next(&c, &m->is_match[z.state][pos_state])) {
            uint32_t before = at ? out[-1] : 0;
            uint16_t *probs = m->literal[((at & z.lp_mask) << z.lc) + (before >> (8 - z.lc))];

            if (z.state < 7)
                *out = literal_next(&c, probs);
            else if (z.rep[0] < at)
                *out = matched_literal_next(&c, probs, out[-(ptrdiff_t)z.rep[0] - 1]);
            else
                return -XEN_EINVAL;
            z.state = state_after_literal(z.state);
            out++;
        } else {
            length = match_next(&c, m, &z, pos_state);
            if (z.rep[0] >= at || length > (size_t)(stop - out))
                return -XEN_EINVAL;
            copy_match(out, (size_t)z.rep[0] + 1, length, z.out_end);
            out += length;
        }
        if (c.in > in_end)
            return -XEN_EINVAL;
    }
    coder_widen(&c);
    if (c.in != in_end || c.code)
        return -XEN_EINVAL;
    z.out = out;
    *shared = z;
    return 0;
}

static void reset_state(struct lzma2 *z)
{
    uint16_t *p = (uint16_t *)z->model;

    for (size_t i = 0; i < sizeof(*z->model) / sizeof(*p); i++)
        p[i] = PROB_HALF;
    z->state = 0;
    memset(z->rep, 0, sizeof(z->rep));
    z->has_state = true;
}

/* lc + 9 * (lp + 5 * pb) */
static int set_properties(struct lzma2 *z, uint8_t props)
{
    uint32_t lc = props % 9, lp = props / 9 % 5, pb = props / 45;

    if (pb > 4 || lc + lp > 4)
        return -XEN_EINVAL;
    z->lc = lc;
    z->lp_mask = (1u << lp) - 1;
    z->pb_mask = (1u << pb) - 1;
    z->has_props = true;
    return 0;
}

/* Bits 5 and 6 of a control byte: 0 go on, 1 new state, 2 and new properties, 3 and new dictionary. */
static int lzma_chunk(struct lzma2 *z, uint8_t control)
{
    uint32_t reset = control >> 5 & 3, header = reset >= 2 ? 6 : 5, out_len, in_len;
    const uint8_t *in = z->in;

    if (z->in_end - in < (ptrdiff_t)header - 1)
        return -XEN_EINVAL;
    out_len = ((control & 31u) << 16) + in[0] * 256u + in[1] + 1;
    in_len = in[2] * 256u + in[3] + 1;
    if (reset == 3) {
        z->dict = z->out;
        z->has_dict = true;
    }
    if (reset >= 2 && set_properties(z, in[4]))
        return -XEN_EINVAL;
    if (reset)
        reset_state(z);
    in += header - 1;
    if (!z->has_dict || !z->has_props || !z->has_state || in_len < 5 || in_len > (size_t)(z->in_end - in) ||
        in[0])
        return -XEN_EINVAL;
    if (out_len > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    z->in = in + in_len;
    if (z->in_end - z->in < LZMA_SLACK) {
        memcpy(z->tail, in, in_len);
        memset(z->tail + in_len, 0, LZMA_SLACK);
        in = z->tail;
    }
    return chunk_run(z, in, in + in_len, z->out + out_len);
}

static int plain_chunk(struct lzma2 *z, bool new_dict)
{
    uint32_t len;

    if (z->in_end - z->in < 2)
        return -XEN_EINVAL;
    len = z->in[0] * 256u + z->in[1] + 1;
    z->in += 2;
    if (new_dict) {
        z->dict = z->out;
        z->has_dict = true;
    }
    if (!z->has_dict || len > (size_t)(z->in_end - z->in))
        return -XEN_EINVAL;
    if (len > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    memcpy(z->out, z->in, len);
    z->in += len;
    z->out += len;
    return 0;
}

int lzma2_decompress(const uint8_t *in, size_t in_len, size_t *in_used, uint8_t *out, size_t out_cap,
                     struct lzma2_scratch *scratch)
{
    struct lzma2 z = {
        .model = &scratch->model,
        .tail = scratch->tail,
        .in = in,
        .in_end = in + in_len,
        .out = out,
        .out_end = out + out_cap,
        .dict = out,
    };

    while (z.in < z.in_end) {
        uint8_t control = *z.in++;
        int rc = -XEN_EINVAL;

        if (control == 0) {
            *in_used = (size_t)(z.in - in);
            return (int)(z.out - out);
        }
        if (control >= 0x80)
            rc = lzma_chunk(&z, control);
        else if (control <= 2)
            rc = plain_chunk(&z, control == 1);
        if (rc)
            return rc;
    }
    return -XEN_EINVAL; /* no end marker */
}
