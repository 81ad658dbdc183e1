/* SPDX-License-Identifier: BSD-2-Clause */
/* The four functions that a freestanding compiler may call by itself, and strlen for the parsers. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int   memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

void *memcpy(void *dst, const void *src, size_t n)
{
    uint64_t *d8 = dst;
    const uint64_t *s8 = src;
    uint8_t *d;
    const uint8_t *s;

    for (; n >= 32; n -= 32, d8 += 4, s8 += 4) {
        uint64_t a = s8[0], b = s8[1], c = s8[2], e = s8[3];

        d8[0] = a;
        d8[1] = b;
        d8[2] = c;
        d8[3] = e;
    }
    for (; n >= 8; n -= 8)
        *d8++ = *s8++;
    for (d = (uint8_t *)d8, s = (const uint8_t *)s8; n; n--)
        *d++ = *s++;
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;

    if (d <= s || d >= s + n)
        return memcpy(dst, src, n);
    while (n--)
        d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    uint64_t word = 0x0101010101010101ull * (uint8_t)c, *d8 = dst;
    uint8_t *d;

    for (; n >= 32; n -= 32, d8 += 4) {
        d8[0] = word;
        d8[1] = word;
        d8[2] = word;
        d8[3] = word;
    }
    for (; n >= 8; n -= 8)
        *d8++ = word;
    for (d = (uint8_t *)d8; n; n--)
        *d++ = (uint8_t)c;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}
