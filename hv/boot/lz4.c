/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LZ4. A block is a row of sequences: a token with two 4-bit lengths, literals, a 16-bit distance, a match. A
 * length of 15 goes on in following bytes, each added, until one is not 255. The last sequence has literals
 * only. The legacy frame is a magic number and blocks of up to 8 MiB that do not refer to each other, each
 * after its size.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/copy.h>
#include <hv/boot/lz4.h>

#define LEGACY_MAGIC 0x184c2102u
#define LEGACY_BLOCK (8u << 20)

struct lz4 {
    const uint8_t *in, *in_end;
    uint8_t *start, *out, *out_end;
};

/* Completes a length whose four bits in the token are `len`; false at the end of the input. */
ALWAYS_INLINE bool take_length(struct lz4 *z, size_t *len)
{
    uint8_t b;

    if (*len < 15)
        return true;
    do {
        if (z->in == z->in_end)
            return false;
        b = *z->in++;
        *len += b;
    } while (b == 255);
    return true;
}

ALWAYS_INLINE int take_literals(struct lz4 *z, size_t len)
{
    if (len > (size_t)(z->in_end - z->in))
        return -XEN_EINVAL;
    if (len > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    if (len <= 16 && z->in_end - z->in >= 16 && z->out_end - z->out >= 16) {
        copy8(z->out, z->in);
        copy8(z->out + 8, z->in + 8);
    } else {
        memcpy(z->out, z->in, len);
    }
    z->in += len;
    z->out += len;
    return 0;
}

ALWAYS_INLINE int take_match(struct lz4 *z, size_t len)
{
    size_t dist;

    if (z->in_end - z->in < 2)
        return -XEN_EINVAL;
    dist = load_le16(z->in);
    z->in += 2;
    if (!take_length(z, &len) || !dist || dist > (size_t)(z->out - z->start))
        return -XEN_EINVAL;
    len += 4;
    if (len > (size_t)(z->out_end - z->out))
        return -XEN_ENOSPC;
    copy_match(z->out, dist, len, z->out_end);
    z->out += len;
    return 0;
}

/* One block; returns its length. */
static int block_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap)
{
    struct lz4 z = { .in = in, .in_end = in + in_len, .start = out, .out = out, .out_end = out + out_cap };

    while (z.in < z.in_end) {
        uint8_t token = *z.in++;
        size_t literals = token >> 4;
        int rc;

        if (!take_length(&z, &literals))
            return -XEN_EINVAL;
        rc = take_literals(&z, literals);
        if (rc)
            return rc;
        if (z.in == z.in_end)
            return (int)(z.out - out);
        rc = take_match(&z, token & 15);
        if (rc)
            return rc;
    }
    return -XEN_EINVAL; /* empty, or ended with a match */
}

int lz4_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap, void *scratch,
                   size_t scratch_len)
{
    size_t at = 4, done = 0;

    if (in_len < 4 || load_le32(in) != LEGACY_MAGIC)
        return -XEN_EINVAL;
    while (in_len - at > 4) {
        uint32_t size = load_le32(in + at);
        size_t room = out_cap - done;
        int len;

        at += 4;
        if (size == LEGACY_MAGIC) /* another frame */
            continue;
        if (!size || size > in_len - at)
            return -XEN_EINVAL;
        len = block_decompress(in + at, size, out + done, room < LEGACY_BLOCK ? room : LEGACY_BLOCK);
        if (len == -XEN_ENOSPC && room >= LEGACY_BLOCK)
            return -XEN_EINVAL;
        if (len < 0)
            return len;
        at += size;
        done += (size_t)len;
    }
    return in_len - at == 0 || in_len - at == 4 ? (int)done : -XEN_EINVAL;
}
