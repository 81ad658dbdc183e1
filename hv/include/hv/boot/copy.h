/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inner step of every LZ77 decompressor: repeat what was put out `dist` bytes ago.
 */
#ifndef HV_BOOT_COPY_H
#define HV_BOOT_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void copy8(uint8_t *to, const uint8_t *from)
{
    uint64_t v;

    __builtin_memcpy(&v, from, sizeof(v));
    __builtin_memcpy(to, &v, sizeof(v));
}

/*
 * Appends `len` bytes at `out` from `dist` bytes before it; the ranges may overlap (dist < len repeats a
 * pattern). The caller has checked that dist bytes lie before out, and that len bytes fit before `out_end`.
 * Up to seven bytes beyond out + len, but never beyond out_end, may be overwritten.
 */
static inline void copy_match(uint8_t *out, size_t dist, size_t len, const uint8_t *out_end)
{
    /* A short pattern repeats at every multiple of its length too: the least one that is 8 or more. */
    static const uint8_t wide[8] = { 0, 8, 8, 9, 8, 10, 12, 14 };
    const uint8_t *from = out - dist;
    uint8_t *stop = out + len;

    if (dist < 8) {
        for (unsigned int i = 0; i < 8 && out < stop; i++)
            *out++ = *from++;
        if (out == stop)
            return;
        from = out - wide[dist];
    }
    if ((size_t)(out_end - out) < 8 + (size_t)(stop - out)) {
        while (out < stop)
            *out++ = *from++;
        return;
    }
    while (out < stop) {
        copy8(out, from);
        out += 8;
        from += 8;
    }
}

#endif
