/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zstandard's bit streams: written forwards, read backwards. The last byte holds, above the last bits, a 1
 * that marks where they begin; reading goes from there towards lower addresses, each number's highest bit
 * first.
 *
 * `window` is the eight bytes at `at`, of which `used` bits, from the top, have been read. A refill moves
 * `at` back by the whole bytes used up. Reading more than there is shows as used > 64 and is found at the
 * next check: until then zeros or old bits are read, but no memory outside the stream.
 */
#ifndef HV_BOOT_BACKBITS_H
#define HV_BOOT_BACKBITS_H

#include <hv/boot/bytes.h>

struct backbits {
    uint64_t window;
    uint32_t used;
    const uint8_t *at, *start;
};

/* False if the stream is empty or lacks its mark. */
static inline bool backbits_open(struct backbits *b, const uint8_t *in, size_t len)
{
    if (!len || !in[len - 1])
        return false;
    b->start = in;
    b->used = (uint32_t)__builtin_clz(in[len - 1]) - 24 + 1;
    if (len >= 8) {
        b->at = in + len - 8;
        b->window = load_le64(b->at);
        return true;
    }
    b->at = in;
    b->window = 0;
    for (size_t i = 0; i < len; i++)
        b->window |= (uint64_t)in[i] << (8 * i);
    b->used += (uint32_t)(8 - len) * 8;
    return true;
}

/* At least 57 bits, or all there are. */
ALWAYS_INLINE void backbits_refill(struct backbits *b)
{
    uint32_t bytes = b->used >> 3;

    if (__builtin_expect(b->at - b->start < 8, 0)) {
        if (bytes > (size_t)(b->at - b->start))
            bytes = (uint32_t)(b->at - b->start);
        if (!bytes)
            return;
    }
    b->at -= bytes;
    b->used -= bytes * 8;
    b->window = load_le64(b->at);
}

/* The next n bits, 0..57, without taking them. */
ALWAYS_INLINE uint32_t backbits_peek(const struct backbits *b, uint32_t n)
{
    return (uint32_t)(b->window << (b->used & 63) >> 1 >> (63 - n));
}

ALWAYS_INLINE uint32_t backbits_take(struct backbits *b, uint32_t n)
{
    uint32_t v = backbits_peek(b, n);

    b->used += n;
    return v;
}

/* More was taken than there was; final, once the stream is at its start. */
ALWAYS_INLINE bool backbits_overrun(const struct backbits *b)
{
    return b->used > 64;
}

/* All bits were taken, and not one more. */
static inline bool backbits_done(const struct backbits *b)
{
    return b->at == b->start && b->used == 64;
}

#endif
