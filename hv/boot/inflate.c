/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gzip: a small header, deflate data, CRC32 and length.
 *
 * Deflate is Huffman codes for literals, lengths and distances, sent lowest bit first. The decoder looks at
 * the next ten bits at once: the table entry says what the code means and how long it is; codes longer than
 * ten bits point to a second table for the remaining five. Bits wait in a 64-bit word, which is refilled once
 * a symbol: a length and a distance with their extra bits take 48 bits at most.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/copy.h>
#include <hv/boot/inflate.h>

#define CODE_MAX 15

/*
 * A table entry: bits 0-7 length of the code (0: no such code), 8-12 number of extra bits, 16-31 value. Bit
 * 13 marks a literal, bit 14 the end of the block, bit 15 a pointer (value: index of the second table).
 */
#define ENTRY_LITERAL (1u << 13)
#define ENTRY_END (1u << 14)
#define ENTRY_MORE (1u << 15)
#define ENTRY(value, extra) ((uint32_t)(value) << 16 | (uint32_t)(extra) << 8)

struct inflate {
    struct inflate_scratch *scratch;
    const uint8_t *in, *in_end;
    uint64_t bits;    /* next bit lowest */
    uint32_t count;   /* bits in it */
    uint32_t phantom; /* of these, how many were made up after the end of the input */
    uint8_t *start, *out, *out_end;
};

/* ---- bits ---------------------------------------------------------------------------------------------- */

/* At least 56 bits; zeros stand in for input that is not there. */
ALWAYS_INLINE void refill(struct inflate *z)
{
    if (z->in_end - z->in >= 8) {
        z->bits |= load_le64(z->in) << z->count;
        z->in += (63 - z->count) >> 3;
        z->count |= 56;
        return;
    }
    while (z->count <= 56) {
        if (z->in < z->in_end)
            z->bits |= (uint64_t)*z->in++ << z->count;
        else
            z->phantom += 8;
        z->count += 8;
    }
}

ALWAYS_INLINE uint32_t peek(const struct inflate *z, uint32_t n)
{
    return (uint32_t)z->bits & ((1u << n) - 1);
}

ALWAYS_INLINE void drop(struct inflate *z, uint32_t n)
{
    z->bits >>= n;
    z->count -= n;
}

ALWAYS_INLINE uint32_t take(struct inflate *z, uint32_t n)
{
    uint32_t v = peek(z, n);

    drop(z, n);
    return v;
}

/* True if bits were used that the input did not have. */
ALWAYS_INLINE bool ran_out(const struct inflate *z)
{
    return z->phantom > z->count;
}

/* ---- code tables --------------------------------------------------------------------------------------- */

static uint32_t reverse_bits(uint32_t code, uint32_t len)
{
    uint32_t r = 0;

    while (len--) {
        r = r << 1 | (code & 1);
        code >>= 1;
    }
    return r;
}

/* What symbol `s` means, in each of the three alphabets. */
static uint32_t plain_entry(uint32_t s)
{
    return ENTRY(s, 0) | ENTRY_LITERAL;
}

static uint32_t literal_entry(uint32_t s)
{
    static const uint16_t base[] = { 3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                     31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
    static const uint8_t extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                     2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };

    if (s < 256)
        return ENTRY(s, 0) | ENTRY_LITERAL;
    if (s == 256)
        return ENTRY_END;
    return s < 286 ? ENTRY(base[s - 257], extra[s - 257]) : 0;
}

static uint32_t distance_entry(uint32_t s)
{
    uint32_t extra = s < 4 ? 0 : s / 2 - 1;

    return s < 30 ? ENTRY((s < 2 ? s : (2 | (s & 1)) << extra) + 1, extra) : 0;
}

/* Puts one code into the table at every index whose low bits are the code. */
static void place_code(uint32_t *table, uint32_t *next_second, uint32_t code, uint32_t len, uint32_t entry)
{
    const uint32_t first = 1u << INFLATE_FIRST_BITS, second = 1u << INFLATE_SECOND_BITS;
    uint32_t reversed = reverse_bits(code, len), step;

    /* A symbol that means nothing (286, 287, distances 30, 31) has a code, but it must not be used. */
    if (entry & ~255u)
        entry |= len;
    if (len <= INFLATE_FIRST_BITS) {
        for (uint32_t i = reversed; i < first; i += 1u << len)
            table[i] = entry;
        return;
    }
    step = reversed & (first - 1);
    if (!(table[step] & ENTRY_MORE)) {
        table[step] = ENTRY(*next_second, 0) | ENTRY_MORE | INFLATE_FIRST_BITS;
        *next_second += second;
    }
    table += table[step] >> 16;
    for (uint32_t i = reversed >> INFLATE_FIRST_BITS; i < second; i += 1u << (len - INFLATE_FIRST_BITS))
        table[i] = entry;
}

/*
 * Builds the table of `n` codes from their lengths. The codes must use up the code space exactly, save that
 * no code or one code of a single bit may stand alone.
 */
static int build_table(uint32_t *table, size_t entries, const uint8_t *lengths, uint32_t n,
                       uint32_t (*meaning)(uint32_t symbol))
{
    uint32_t count[CODE_MAX + 1] = { 0 }, next[CODE_MAX + 2] = { 0 }, second = 1u << INFLATE_FIRST_BITS;
    uint32_t space = 0, used;

    for (uint32_t s = 0; s < n; s++)
        count[lengths[s]]++;
    used = n - count[0];
    count[0] = 0;
    for (uint32_t len = 1; len <= CODE_MAX; len++) {
        next[len + 1] = (next[len] + count[len]) << 1;
        space += count[len] << (CODE_MAX - len);
    }
    if (space > 1u << CODE_MAX || (space < 1u << CODE_MAX && (used > 1 || used != count[1])))
        return -XEN_EINVAL;
    memset(table, 0, entries * sizeof(*table));
    for (uint32_t s = 0; s < n; s++)
        if (lengths[s])
            place_code(table, &second, next[lengths[s]]++, lengths[s], meaning(s));
    return 0;
}

ALWAYS_INLINE uint32_t lookup(const struct inflate *z, const uint32_t *table)
{
    uint32_t e = table[peek(z, INFLATE_FIRST_BITS)];

    if (__builtin_expect(e & ENTRY_MORE, 0))
        e = table[(e >> 16) + (peek(z, CODE_MAX) >> INFLATE_FIRST_BITS)];
    return e;
}

static void fixed_lengths(uint8_t *lengths)
{
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    memset(lengths + 288, 5, 32);
}

static int fixed_tables(struct inflate *z)
{
    struct inflate_scratch *s = z->scratch;
    int rc;

    fixed_lengths(s->lengths);
    rc = build_table(s->literal, sizeof(s->literal) / 4, s->lengths, 288, literal_entry);
    return rc ? rc : build_table(s->distance, sizeof(s->distance) / 4, s->lengths + 288, 32, distance_entry);
}

/* The code lengths of both alphabets come run-length and Huffman coded themselves. */
static int read_lengths(struct inflate *z, uint32_t total)
{
    uint8_t *lengths = z->scratch->lengths;
    uint32_t n = 0;

    while (n < total) {
        uint32_t e, symbol, repeat;
        uint8_t value = 0;

        refill(z);
        e = lookup(z, z->scratch->distance);
        if (!(e & 255))
            return -XEN_EINVAL;
        drop(z, e & 255);
        symbol = e >> 16;
        if (symbol < 16) {
            lengths[n++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 16 && !n)
            return -XEN_EINVAL;
        if (symbol == 16)
            value = lengths[n - 1];
        repeat = symbol == 16 ? 3 + take(z, 2) : symbol == 17 ? 3 + take(z, 3) : 11 + take(z, 7);
        if (repeat > total - n || ran_out(z))
            return -XEN_EINVAL;
        memset(lengths + n, value, repeat);
        n += repeat;
    }
    return 0;
}

static int dynamic_tables(struct inflate *z)
{
    static const uint8_t order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
    struct inflate_scratch *s = z->scratch;
    uint32_t literals, distances, codes;
    uint8_t small[19] = { 0 };
    int rc;

    refill(z);
    literals = take(z, 5) + 257;
    distances = take(z, 5) + 1;
    codes = take(z, 4) + 4;
    if (literals > 286)
        return -XEN_EINVAL;
    for (uint32_t i = 0; i < codes; i++) {
        refill(z);
        small[order[i]] = (uint8_t)take(z, 3);
    }
    rc = build_table(s->distance, sizeof(s->distance) / 4, small, 19, plain_entry);
    if (!rc)
        rc = read_lengths(z, literals + distances);
    if (rc || !s->lengths[256])
        return -XEN_EINVAL;
    rc = build_table(s->literal, sizeof(s->literal) / 4, s->lengths, literals, literal_entry);
    return rc ? rc
              : build_table(s->distance, sizeof(s->distance) / 4, s->lengths + literals, distances,
                            distance_entry);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

/* The distance after a length, and the copy. */
ALWAYS_INLINE int inflate_match(struct inflate *z, uint32_t length)
{
    uint32_t e = lookup(z, z->scratch->distance), dist;

    if (!(e & 255))
        return -XEN_EINVAL;
    drop(z, e & 255);
    dist = (e >> 16) + take(z, e >> 8 & 31);
    if (dist > (size_t)(z->out - z->start))
        return -XEN_EINVAL;
    if (length > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    copy_match(z->out, dist, length, z->out_end);
    z->out += length;
    return 0;
}

static int inflate_codes(struct inflate *shared)
{
    struct inflate z = *shared; /* in registers */
    const uint32_t *literal = z.scratch->literal;

    for (;;) {
        uint32_t e;
        int rc;

        refill(&z);
        e = lookup(&z, literal);
        if (!(e & 255) || ran_out(&z))
            return -XEN_EINVAL;
        drop(&z, e & 255);
        if (e & ENTRY_LITERAL) {
            if (z.out == z.out_end)
                return -XEN_ENOSPC;
            *z.out++ = (uint8_t)(e >> 16);
            continue;
        }
        if (e & ENTRY_END)
            break;
        rc = inflate_match(&z, (e >> 16) + take(&z, e >> 8 & 31));
        if (rc)
            return rc;
    }
    *shared = z;
    return 0;
}

/* Gives whole bytes that were read ahead back to the input. */
static int align_to_byte(struct inflate *z)
{
    if (ran_out(z))
        return -XEN_EINVAL;
    z->in -= (z->count - z->phantom) / 8;
    z->bits = 0;
    z->count = 0;
    z->phantom = 0;
    return 0;
}

static int inflate_stored(struct inflate *z)
{
    uint32_t len;

    if (align_to_byte(z) || z->in_end - z->in < 4)
        return -XEN_EINVAL;
    len = load_le16(z->in);
    if (len != (load_le16(z->in + 2) ^ 0xffffu))
        return -XEN_EINVAL;
    z->in += 4;
    if (len > (size_t)(z->in_end - z->in))
        return -XEN_EINVAL;
    if (len > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    memcpy(z->out, z->in, len);
    z->in += len;
    z->out += len;
    return 0;
}

static int inflate_block(struct inflate *z, uint32_t type)
{
    int rc = -XEN_EINVAL;

    if (type == 0)
        return inflate_stored(z);
    if (type == 1)
        rc = fixed_tables(z);
    else if (type == 2)
        rc = dynamic_tables(z);
    return rc ? rc : inflate_codes(z);
}

static int inflate_all(struct inflate *z)
{
    bool last = false;

    while (!last) {
        int rc;

        refill(z);
        last = take(z, 1);
        rc = inflate_block(z, take(z, 2));
        if (rc || ran_out(z))
            return rc ? rc : -XEN_EINVAL;
    }
    return align_to_byte(z);
}

/* ---- gzip ---------------------------------------------------------------------------------------------- */

enum gzip_flag { GZIP_CRC = 2, GZIP_EXTRA = 4, GZIP_NAME = 8, GZIP_COMMENT = 16, GZIP_RESERVED = 0xe0 };

/* Length of the header, or an error. */
static int gzip_header(const uint8_t *in, size_t len)
{
    size_t at = 10;

    if (len < 18 || in[0] != 0x1f || in[1] != 0x8b)
        return -XEN_EINVAL;
    if (in[2] != 8 || in[3] & GZIP_RESERVED)
        return -XEN_EOPNOTSUPP;
    if (in[3] & GZIP_EXTRA)
        at += 2u + load_le16(in + at);
    for (uint32_t flag = GZIP_NAME; flag <= GZIP_COMMENT; flag <<= 1)
        if (in[3] & flag && at < len)
            at += string_length(in + at, len - at) + 1;
    if (in[3] & GZIP_CRC)
        at += 2;
    return at <= len && at <= INT32_MAX ? (int)at : -XEN_EINVAL;
}

int gzip_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                    size_t scratch_len)
{
    struct inflate z = { .scratch = scratch, .in_end = in + in_len };
    int rc = gzip_header(in, in_len);
    size_t len;

    if (scratch_len < INFLATE_SCRATCH)
        return -XEN_ENOMEM;
    if (rc < 0)
        return rc;
    z.in = in + rc;
    z.start = z.out = out;
    z.out_end = out + out_cap;
    rc = inflate_all(&z);
    if (rc)
        return rc;
    if (z.in_end - z.in < 8)
        return -XEN_EINVAL;
    len = (size_t)(z.out - out);
    crc32_init(&z.scratch->crc);
    if (load_le32(z.in + 4) != (uint32_t)len || crc32_update(&z.scratch->crc, 0, out, len) != load_le32(z.in))
        return -XEN_EILSEQ;
    return (int)len;
}
