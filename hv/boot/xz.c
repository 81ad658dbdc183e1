/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The .xz container: header, blocks, index, footer. Each block is LZMA2 data, possibly run through the x86
 * filter, which is undone over the whole block once that is unpacked (LZMA2's references mean the filtered
 * bytes).
 */
#include <hv/boot/bytes.h>
#include <hv/boot/xz.h>

enum { CHECK_NONE = 0, CHECK_CRC32 = 1, CHECK_CRC64 = 4, CHECK_SHA256 = 10 };
enum { FILTER_X86 = 4, FILTER_LZMA2 = 0x21 };

struct xz {
    struct xz_scratch *scratch;
    const uint8_t *in;
    size_t len, at;
    uint8_t *out;
    size_t cap, done;
    uint8_t check;
    uint32_t check_len;
    uint64_t blocks;
    uint64_t index_hash; /* of the sizes of all blocks in order: the index must give the same */
};

struct xz_block {
    uint64_t packed, unpacked; /* UINT64_MAX: not told */
    bool x86;
    uint32_t x86_start;
};

/* ---- pieces -------------------------------------------------------------------------------------------- */

/* A number in 7-bit groups, lowest first, at most nine bytes, ending before `end`. */
static bool take_number(const uint8_t *p, size_t *at, size_t end, uint64_t *out)
{
    uint64_t n = 0;

    for (unsigned int shift = 0; shift < 63 && *at < end; shift += 7) {
        uint8_t b = p[(*at)++];

        n |= (uint64_t)(b & 127) << shift;
        if (!(b & 128)) {
            *out = n;
            return b || !shift; /* no padding with zero groups */
        }
    }
    return false;
}

/* The CRC32 that follows `len` bytes. */
static bool crc32_matches(const struct xz *z, const uint8_t *p, size_t len)
{
    return crc32_update(&z->scratch->crc32, 0, p, len) == load_le32(p + len);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x9e3779b97f4a7c15ull + (hash >> 29);
}

static void count_block(uint64_t *hash, uint64_t unpadded, uint64_t unpacked)
{
    *hash = mix(mix(*hash, unpadded), unpacked);
}

static bool all_zero(const uint8_t *p, size_t len)
{
    while (len--)
        if (*p++)
            return false;
    return true;
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static int read_x86_filter(const uint8_t *p, size_t *at, size_t end, struct xz_block *b)
{
    uint64_t id, len;

    if (!take_number(p, at, end, &id) || !take_number(p, at, end, &len))
        return -XEN_EINVAL;
    if (id != FILTER_X86)
        return -XEN_EOPNOTSUPP;
    if ((len != 0 && len != 4) || len > end - *at)
        return -XEN_EINVAL;
    b->x86 = true;
    b->x86_start = len ? load_le32(p + *at) : 0;
    *at += len;
    return 0;
}

/* The header's fields in p[1..end), its first byte (the size) and its CRC having been dealt with. */
static int read_block_header(const uint8_t *p, size_t end, struct xz_block *b)
{
    uint8_t flags = p[1], filters = (flags & 3) + 1;
    uint64_t id, len;
    size_t at = 2;
    int rc = 0;

    *b = (struct xz_block){ .packed = UINT64_MAX, .unpacked = UINT64_MAX };
    if (flags & 0x3c || filters > 2)
        return -XEN_EOPNOTSUPP;
    if (flags & 0x40 && !take_number(p, &at, end, &b->packed))
        return -XEN_EINVAL;
    if (flags & 0x80 && !take_number(p, &at, end, &b->unpacked))
        return -XEN_EINVAL;
    if (filters == 2)
        rc = read_x86_filter(p, &at, end, b);
    if (rc)
        return rc;
    if (!take_number(p, &at, end, &id) || !take_number(p, &at, end, &len))
        return -XEN_EINVAL;
    if (id != FILTER_LZMA2)
        return -XEN_EOPNOTSUPP;
    /* The one property is the size of the dictionary; ours is all that was put out. */
    if (len != 1 || at >= end || p[at] > 40 || !all_zero(p + at + 1, end - at - 1))
        return -XEN_EINVAL;
    return 0;
}

static int verify_check(const struct xz *z, const uint8_t *check, const uint8_t *data, size_t len)
{
    if (z->check == CHECK_CRC32 && crc32_update(&z->scratch->crc32, 0, data, len) != load_le32(check))
        return -XEN_EILSEQ;
    if (z->check == CHECK_CRC64 && crc64_update(&z->scratch->crc64, 0, data, len) != load_le64(check))
        return -XEN_EILSEQ;
    return 0;
}

static int read_block(struct xz *z)
{
    size_t start = z->at, header = (z->in[z->at] + 1u) * 4, used = 0;
    struct xz_block b;
    uint8_t *data = z->out + z->done;
    int len;

    if (!range_inside(start, header, z->len))
        return -XEN_EINVAL;
    if (!crc32_matches(z, z->in + start, header - 4))
        return -XEN_EILSEQ;
    len = read_block_header(z->in + start, header - 4, &b);
    if (len)
        return len;
    z->at += header;
    len = lzma2_decompress(z->in + z->at, z->len - z->at, &used, data, z->cap - z->done, &z->scratch->lzma2);
    if (len < 0)
        return len;
    if ((b.packed != UINT64_MAX && b.packed != used) ||
        (b.unpacked != UINT64_MAX && b.unpacked != (uint64_t)len))
        return -XEN_EINVAL;
    z->at += used;
    count_block(&z->index_hash, header + used + z->check_len, (uint64_t)len);
    z->blocks++;
    used = (0 - used) & 3; /* padding */
    if (!range_inside(z->at, used + z->check_len, z->len) || !all_zero(z->in + z->at, used))
        return -XEN_EINVAL;
    if (b.x86)
        x86_unfilter(data, (size_t)len, b.x86_start);
    z->at += used + z->check_len;
    z->done += (size_t)len;
    return verify_check(z, z->in + z->at - z->check_len, data, (size_t)len);
}

/* ---- stream -------------------------------------------------------------------------------------------- */

static int read_stream_header(struct xz *z)
{
    static const uint8_t magic[6] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

    if (z->len < 12 || memcmp(z->in, magic, 6))
        return -XEN_EINVAL;
    if (!crc32_matches(z, z->in + 6, 2))
        return -XEN_EILSEQ;
    z->check = z->in[7];
    if (z->in[6] || (z->check != CHECK_NONE && z->check != CHECK_CRC32 && z->check != CHECK_CRC64 &&
                     z->check != CHECK_SHA256))
        return -XEN_EOPNOTSUPP;
    z->check_len = z->check == CHECK_CRC32    ? 4
                   : z->check == CHECK_CRC64  ? 8
                   : z->check == CHECK_SHA256 ? 32
                                              : 0;
    z->at = 12;
    return 0;
}

/* The index lists the sizes of all blocks once more. */
static int read_index(struct xz *z)
{
    size_t start = z->at++;
    uint64_t count, hash = 0, unpadded, unpacked;

    if (!take_number(z->in, &z->at, z->len, &count) || count != z->blocks)
        return -XEN_EINVAL;
    while (count--) {
        if (!take_number(z->in, &z->at, z->len, &unpadded) || !take_number(z->in, &z->at, z->len, &unpacked))
            return -XEN_EINVAL;
        count_block(&hash, unpadded, unpacked);
    }
    while ((z->at - start) & 3)
        if (z->at == z->len || z->in[z->at++])
            return -XEN_EINVAL;
    if (hash != z->index_hash || !range_inside(z->at, 4, z->len))
        return -XEN_EINVAL;
    if (!crc32_matches(z, z->in + start, z->at - start))
        return -XEN_EILSEQ;
    z->at += 4;
    return (int)(z->at - start);
}

/* CRC32, size of the index, the flags of the header once more, magic. */
static int read_footer(const struct xz *z, int index_len)
{
    const uint8_t *p = z->in + z->at;

    if (!range_inside(z->at, 12, z->len) || memcmp(p + 10, "YZ", 2))
        return -XEN_EINVAL;
    if (crc32_update(&z->scratch->crc32, 0, p + 4, 6) != load_le32(p))
        return -XEN_EILSEQ;
    if ((load_le32(p + 4) + 1ull) * 4 != (uint64_t)index_len || memcmp(p + 8, z->in + 6, 2))
        return -XEN_EINVAL;
    return 0;
}

int xz_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                  size_t scratch_len)
{
    struct xz z = { .scratch = scratch, .in = in, .len = in_len, .out = out, .cap = out_cap };
    int rc;

    if (scratch_len < XZ_SCRATCH)
        return -XEN_ENOMEM;
    crc32_init(&z.scratch->crc32);
    rc = read_stream_header(&z);
    if (rc)
        return rc;
    if (z.check == CHECK_CRC64)
        crc64_init(&z.scratch->crc64);
    while (z.at < in_len && in[z.at]) {
        rc = read_block(&z);
        if (rc)
            return rc;
    }
    if (z.at == in_len)
        return -XEN_EINVAL;
    rc = read_index(&z);
    if (rc >= 0)
        rc = read_footer(&z, rc);
    return rc ? rc : (int)z.done;
}
