/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zstandard frames.
 *
 * A block has its literals first, all in one row, mostly Huffman coded; then sequences, each "copy so many
 * literals, then a match of that length at that distance", as numbers from three entropy-coded alphabets
 * whose streams are woven into one. Huffman and entropy tables may be taken over from the block before, as
 * may the last three distances.
 */
#include <hv/boot/backbits.h>
#include <hv/boot/copy.h>
#include <hv/boot/xxhash.h>
#include <hv/boot/zstd.h>

#define FRAME_MAGIC 0xfd2fb528u
#define SKIPPABLE_MAGIC 0x184d2a50u /* and the next 15 */

/* One alphabet of the sequences: its table, and the log of its size; -1 if there is no table yet. */
struct alphabet {
    struct fse_state *table;
    int log;
};

struct zstd {
    struct zstd_scratch *scratch;
    uint8_t *start, *out, *out_end;
    const uint8_t *literals, *literals_end;
    const uint8_t *literals_limit; /* readable up to here */
    struct alphabet literal_length, match_length, offset;
    uint32_t rep[3];
    bool checksum;
};

struct input {
    const uint8_t *p;
    size_t len;
};

static void input_skip(struct input *in, size_t n)
{
    in->p += n;
    in->len -= n;
}

/* ---- literals ------------------------------------------------------------------------------------------ */

/* The streams of a Huffman coded literals section: one, or four of equal length behind their sizes. */
static int decode_streams(struct zstd *z, const uint8_t *p, size_t len, uint32_t size, bool four)
{
    const struct huffman_table *table = &z->scratch->huffman;
    uint8_t *to = z->scratch->literals;
    uint32_t part = (size + 3) / 4;
    const uint8_t *sizes = p;

    if (!four)
        return huffman_decode(table, p, len, to, size);
    if (len < 6 || part * 3 > size)
        return -XEN_EINVAL;
    p += 6;
    len -= 6;
    for (int i = 0; i < 3; i++, to += part) {
        size_t packed = load_le16(sizes + 2 * i);

        if (packed > len || huffman_decode(table, p, packed, to, part))
            return -XEN_EINVAL;
        p += packed;
        len -= packed;
    }
    return huffman_decode(table, p, len, to, size - part * 3);
}

/* Both sizes are 10, 10, 14 or 18 bits by format; format 0 has a single stream. */
static int coded_literals(struct zstd *z, struct input *in, bool new_table)
{
    static const uint8_t header_len[4] = { 3, 3, 4, 5 }, size_bits[4] = { 10, 10, 14, 18 };
    uint32_t format = in->p[0] >> 2 & 3, bits = size_bits[format], size, packed, head = header_len[format];
    uint64_t v = 0;
    int used = 0;

    if (in->len < head)
        return -XEN_EINVAL;
    for (uint32_t i = 0; i < head; i++)
        v |= (uint64_t)in->p[i] << (8 * i);
    size = (uint32_t)(v >> 4) & ((1u << bits) - 1);
    packed = (uint32_t)(v >> (4 + bits)) & ((1u << bits) - 1);
    input_skip(in, head);
    if (size > ZSTD_BLOCK_MAX || packed > in->len)
        return -XEN_EINVAL;
    if (new_table)
        used = huffman_read_table(in->p, packed, &z->scratch->huffman_scratch, &z->scratch->huffman);
    if (used < 0 || !z->scratch->huffman.log)
        return -XEN_EINVAL;
    if (decode_streams(z, in->p + used, packed - (uint32_t)used, size, format != 0))
        return -XEN_EINVAL;
    z->literals = z->scratch->literals;
    z->literals_end = z->literals + size;
    z->literals_limit = z->literals + sizeof(z->scratch->literals);
    input_skip(in, packed);
    return 0;
}

/* Literals as they are, or one byte for all of them. The size has 5, 12 or 20 bits. */
static int plain_literals(struct zstd *z, struct input *in, bool one_byte)
{
    uint32_t format = in->p[0] >> 2 & 3, head = format == 3 ? 3 : format == 1 ? 2 : 1, size = in->p[0] >> 3;

    if (in->len < head)
        return -XEN_EINVAL;
    if (head > 1)
        size = in->p[0] >> 4 | (uint32_t)in->p[1] << 4;
    if (head > 2)
        size |= (uint32_t)in->p[2] << 12;
    input_skip(in, head);
    if (size > ZSTD_BLOCK_MAX || (one_byte ? 1 : size) > in->len)
        return -XEN_EINVAL;
    if (one_byte) {
        memset(z->scratch->literals, in->p[0], size);
        z->literals = z->scratch->literals;
        z->literals_limit = z->literals + sizeof(z->scratch->literals);
    } else {
        z->literals = in->p;
        z->literals_limit = in->p + in->len;
    }
    z->literals_end = z->literals + size;
    input_skip(in, one_byte ? 1 : size);
    return 0;
}

static int read_literals(struct zstd *z, struct input *in)
{
    uint32_t type;

    if (!in->len)
        return -XEN_EINVAL;
    type = in->p[0] & 3;
    return type < 2 ? plain_literals(z, in, type == 1) : coded_literals(z, in, type == 2);
}

/* ---- the three alphabets ------------------------------------------------------------------------------- */

static bool literal_length_meaning(uint32_t symbol, struct fse_state *out)
{
    static const uint32_t value[] = { 16,  18,  20,  22,   24,   28,   32,   40,    48,    64,
                                      128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536 };
    static const uint8_t extra[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

    out->value = symbol < 16 ? symbol : symbol < 36 ? value[symbol - 16] : 0;
    out->extra = symbol < 16 || symbol >= 36 ? 0 : extra[symbol - 16];
    return symbol < 36;
}

static bool match_length_meaning(uint32_t symbol, struct fse_state *out)
{
    static const uint32_t value[] = { 35,  37,  39,  41,   43,   47,   51,   59,    67,    83,   99,
                                      131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539 };
    static const uint8_t extra[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

    out->value = symbol < 32 ? symbol + 3 : symbol < 53 ? value[symbol - 32] : 0;
    out->extra = symbol < 32 || symbol >= 53 ? 0 : extra[symbol - 32];
    return symbol < 53;
}

static bool offset_meaning(uint32_t symbol, struct fse_state *out)
{
    out->value = symbol < 32 ? 1u << symbol : 0;
    out->extra = (uint8_t)symbol;
    return symbol < 32;
}

/* What the format says of each alphabet: its meaning, its limits, and the counts used if none are sent. */
struct alphabet_rule {
    fse_meaning_fn meaning;
    uint8_t log_max, symbols_max;
    uint8_t default_log, default_symbols;
    int8_t default_count[53];
};

static const struct alphabet_rule literal_length_rule = {
    literal_length_meaning,
    9,
    36,
    6,
    36,
    { 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
      2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1 },
};

static const struct alphabet_rule match_length_rule = {
    match_length_meaning,
    9,
    53,
    6,
    53,
    { 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
      1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1 },
};

static const struct alphabet_rule offset_rule = {
    offset_meaning,
    8,
    32,
    5,
    29,
    { 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1 },
};

static int default_table(struct zstd *z, struct alphabet *a, const struct alphabet_rule *rule)
{
    struct fse_counts *c = &z->scratch->counts;

    c->log = rule->default_log;
    c->symbols = rule->default_symbols;
    for (uint32_t i = 0; i < c->symbols; i++)
        c->count[i] = rule->default_count[i];
    a->log = (int)c->log;
    return fse_build(c, rule->meaning, a->table);
}

/* A table of a single state: every symbol is the same and costs nothing. */
static int single_table(struct input *in, struct alphabet *a, const struct alphabet_rule *rule)
{
    a->log = 0;
    a->table[0] = (struct fse_state){ 0 };
    if (!in->len || !rule->meaning(in->p[0], &a->table[0]))
        return -XEN_EINVAL;
    input_skip(in, 1);
    return 0;
}

static int sent_table(struct zstd *z, struct input *in, struct alphabet *a, const struct alphabet_rule *rule)
{
    struct fse_counts *c = &z->scratch->counts;
    int used = fse_read_counts(in->p, in->len, rule->log_max, rule->symbols_max, c);

    if (used < 0)
        return used;
    input_skip(in, (size_t)used);
    a->log = (int)c->log;
    return fse_build(c, rule->meaning, a->table);
}

static int read_table(struct zstd *z, struct input *in, uint32_t mode, struct alphabet *a,
                      const struct alphabet_rule *rule)
{
    switch (mode) {
    case 0:
        return default_table(z, a, rule);
    case 1:
        return single_table(in, a, rule);
    case 2:
        return sent_table(z, in, a, rule);
    default:
        return a->log < 0 ? -XEN_EINVAL : 0;
    }
}

/* ---- sequences ----------------------------------------------------------------------------------------- */

struct sequence {
    uint32_t literals, match, offset;
};

/* Where the decoder of the sequences is. */
struct sequences {
    struct backbits bits;
    const struct fse_state *literal_length, *match_length, *offset; /* tables */
    uint32_t literal_state, match_state, offset_state;
    uint32_t rep[3];
};

/* Values 1 to 3 stand for recent distances, other ones when there are no literals before the match; 0 on
 * error. */
ALWAYS_INLINE uint32_t resolve_offset(uint32_t *rep, uint32_t value, bool no_literals)
{
    uint32_t which, offset;

    if (value > 3) {
        offset = value - 3;
        which = 2;
    } else {
        which = value - 1 + no_literals;
        if (!which)
            return rep[0];
        offset = which == 3 ? rep[0] - 1 : rep[which];
    }
    if (which >= 2)
        rep[2] = rep[1];
    rep[1] = rep[0];
    rep[0] = offset;
    return offset;
}

ALWAYS_INLINE struct sequence sequence_next(struct sequences *s, bool last)
{
    const struct fse_state *l = &s->literal_length[s->literal_state], *m = &s->match_length[s->match_state],
                           *o = &s->offset[s->offset_state];
    struct sequence q;
    uint32_t offset;

    backbits_refill(&s->bits);
    offset = o->value + backbits_take(&s->bits, o->extra);
    q.match = m->value + backbits_take(&s->bits, m->extra);
    /* Up to 57 bits are there; the next states take 26, the literals 16. */
    if (o->extra + m->extra > 57 - 26 - 16)
        backbits_refill(&s->bits);
    q.literals = l->value + backbits_take(&s->bits, l->extra);
    q.offset = resolve_offset(s->rep, offset, !q.literals);
    if (last)
        return q;
    s->literal_state = l->next + backbits_take(&s->bits, l->bits);
    s->match_state = m->next + backbits_take(&s->bits, m->bits);
    s->offset_state = o->next + backbits_take(&s->bits, o->bits);
    return q;
}

/* Appends literals; short ones, which nearly all are, by 16 bytes where both ends have room. */
ALWAYS_INLINE void append_literals(uint8_t *out, const uint8_t *from, size_t len, const uint8_t *out_end,
                                   const uint8_t *from_limit)
{
    if (len <= 16 && out_end - out >= 16 && from_limit - from >= 16) {
        copy8(out, from);
        copy8(out + 8, from + 8);
    } else {
        memcpy(out, from, len);
    }
}

static int run_sequences(struct zstd *z, const struct sequences *begin, uint32_t count)
{
    struct sequences s = *begin; /* in registers, as far as they go */
    const uint8_t *literals = z->literals;
    uint8_t *out = z->out;

    while (count--) {
        struct sequence q = sequence_next(&s, !count);

        if (q.literals > (size_t)(z->literals_end - literals) || backbits_overrun(&s.bits))
            return -XEN_EINVAL;
        if ((size_t)q.literals + q.match > (size_t)(z->out_end - out))
            return -XEN_ENOSPC;
        append_literals(out, literals, q.literals, z->out_end, z->literals_limit);
        out += q.literals;
        literals += q.literals;
        if (!q.offset || q.offset > (size_t)(out - z->start))
            return -XEN_EINVAL;
        copy_match(out, q.offset, q.match, z->out_end);
        out += q.match;
    }
    backbits_refill(&s.bits);
    if (!backbits_done(&s.bits))
        return -XEN_EINVAL;
    memcpy(z->rep, s.rep, sizeof(z->rep));
    z->literals = literals;
    z->out = out;
    return 0;
}

static int start_sequences(struct zstd *z, const struct input *in, struct sequences *s)
{
    s->literal_length = z->literal_length.table;
    s->match_length = z->match_length.table;
    s->offset = z->offset.table;
    memcpy(s->rep, z->rep, sizeof(s->rep));
    if (!backbits_open(&s->bits, in->p, in->len))
        return -XEN_EINVAL;
    s->literal_state = backbits_take(&s->bits, (uint32_t)z->literal_length.log);
    s->offset_state = backbits_take(&s->bits, (uint32_t)z->offset.log);
    s->match_state = backbits_take(&s->bits, (uint32_t)z->match_length.log);
    return backbits_overrun(&s->bits) ? -XEN_EINVAL : 0;
}

/* The number of sequences: one to three bytes. */
static int read_sequence_count(struct input *in, uint32_t *count)
{
    uint32_t head = in->len && in->p[0] >= 128 ? in->p[0] == 255 ? 3 : 2 : 1;

    if (in->len < head)
        return -XEN_EINVAL;
    *count = in->p[0];
    if (head == 2)
        *count = ((in->p[0] - 128u) << 8) + in->p[1];
    else if (head == 3)
        *count = load_le16(in->p + 1) + 0x7f00u;
    input_skip(in, head);
    return 0;
}

static int read_sequences(struct zstd *z, struct input *in)
{
    struct sequences s;
    uint32_t count, modes;
    int rc = read_sequence_count(in, &count);

    if (rc)
        return rc;
    if (!count)
        return in->len ? -XEN_EINVAL : 0;
    if (!in->len || in->p[0] & 3)
        return -XEN_EINVAL;
    modes = in->p[0];
    input_skip(in, 1);
    rc = read_table(z, in, modes >> 6, &z->literal_length, &literal_length_rule);
    if (!rc)
        rc = read_table(z, in, modes >> 4 & 3, &z->offset, &offset_rule);
    if (!rc)
        rc = read_table(z, in, modes >> 2 & 3, &z->match_length, &match_length_rule);
    if (!rc)
        rc = start_sequences(z, in, &s);
    return rc ? rc : run_sequences(z, &s, count);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static int coded_block(struct zstd *z, struct input block)
{
    uint8_t *before = z->out;
    int rc = read_literals(z, &block);
    size_t rest;

    if (!rc)
        rc = read_sequences(z, &block);
    if (rc)
        return rc;
    rest = (size_t)(z->literals_end - z->literals);
    if (rest > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    memcpy(z->out, z->literals, rest);
    z->out += rest;
    return z->out - before > ZSTD_BLOCK_MAX ? -XEN_EINVAL : 0;
}

/* The block's body has been found to lie in the input. */
static int read_block(struct zstd *z, uint32_t type, uint32_t size, struct input body)
{
    if (size > ZSTD_BLOCK_MAX)
        return -XEN_EINVAL;
    if (type == 2)
        return coded_block(z, body);
    if (size > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    if (type == 0)
        memcpy(z->out, body.p, size);
    else
        memset(z->out, body.p[0], size);
    z->out += size;
    return 0;
}

static int read_blocks(struct zstd *z, struct input *in)
{
    for (;;) {
        uint32_t head, type, size, body;
        int rc;

        if (in->len < 3)
            return -XEN_EINVAL;
        head = load_le16(in->p) | (uint32_t)in->p[2] << 16;
        type = head >> 1 & 3;
        size = head >> 3;
        body = type == 1 ? 1 : size;
        input_skip(in, 3);
        if (type == 3 || body > in->len)
            return -XEN_EINVAL;
        rc = read_block(z, type, size, (struct input){ in->p, body });
        if (rc)
            return rc;
        input_skip(in, body);
        if (head & 1)
            return 0;
    }
}

/* ---- frames -------------------------------------------------------------------------------------------- */

static int skip_frames(struct input *in)
{
    while (in->len >= 8 && (load_le32(in->p) & ~15u) == SKIPPABLE_MAGIC) {
        uint64_t size = 8 + (uint64_t)load_le32(in->p + 4);

        if (size > in->len)
            return -XEN_EINVAL;
        input_skip(in, size);
    }
    return in->len >= 6 && load_le32(in->p) == FRAME_MAGIC ? 0 : -XEN_EINVAL;
}

/*
 * Magic, a byte that tells which fields follow, window size, dictionary ID, content size. *content is
 * UINT64_MAX if it is not told.
 */
static int read_frame_header(struct zstd *z, struct input *in, uint64_t *content)
{
    static const uint8_t id_len[4] = { 0, 1, 2, 4 }, size_len[4] = { 0, 2, 4, 8 };
    uint8_t flags = in->p[4];
    bool single = flags & 32;
    uint32_t window = single ? 0 : 1, id = id_len[flags & 3], size = size_len[flags >> 6];
    uint32_t at = 5 + window, dictionary = 0;

    if (single && !size)
        size = 1;
    if (flags & 8 || in->len < at + id + size)
        return flags & 8 ? -XEN_EOPNOTSUPP : -XEN_EINVAL;
    for (uint32_t i = 0; i < id; i++)
        dictionary |= in->p[at + i];
    if (dictionary)
        return -XEN_EOPNOTSUPP;
    at += id;
    *content = size ? 0 : UINT64_MAX;
    for (uint32_t i = 0; i < size; i++)
        *content |= (uint64_t)in->p[at + i] << (8 * i);
    if (size == 2)
        *content += 256;
    z->checksum = flags & 4;
    input_skip(in, at + size);
    return 0;
}

static int check_contents(const struct zstd *z, const struct input *in, uint64_t content)
{
    size_t len = (size_t)(z->out - z->start);

    if (content != UINT64_MAX && content != len)
        return -XEN_EINVAL;
    if (!z->checksum)
        return 0;
    if (in->len < 4)
        return -XEN_EINVAL;
    return (uint32_t)xxh64(z->start, len) == load_le32(in->p) ? 0 : -XEN_EILSEQ;
}

int zstd_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                    size_t scratch_len)
{
    struct zstd_scratch *s = scratch;
    struct zstd z = {
        .scratch = s,
        .start = out,
        .out = out,
        .out_end = out + out_cap,
        .literal_length = { s->literal_lengths, -1 },
        .match_length = { s->match_lengths, -1 },
        .offset = { s->offsets, -1 },
        .rep = { 1, 4, 8 },
    };
    struct input rest = { in, in_len };
    uint64_t content;
    int rc;

    if (scratch_len < ZSTD_SCRATCH)
        return -XEN_ENOMEM;
    s->huffman.log = 0;
    rc = skip_frames(&rest);
    if (!rc)
        rc = read_frame_header(&z, &rest, &content);
    if (!rc && content != UINT64_MAX && content > out_cap)
        rc = -XEN_ENOSPC;
    if (!rc)
        rc = read_blocks(&z, &rest);
    if (!rc)
        rc = check_contents(&z, &rest, content);
    return rc ? rc : (int)(z.out - out);
}
