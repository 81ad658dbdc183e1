/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC by slices of eight: t[k][b] is the effect of byte b with k zero bytes behind it, so eight lookups that
 * do not depend on each other stand for eight steps of the plain method.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/crc.h>

void crc32_init(struct crc32_tables *tables)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t r = b;

        for (int bit = 0; bit < 8; bit++)
            r = r >> 1 ^ (0xedb88320u & -(r & 1));
        tables->t[0][b] = r;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t b = 0; b < 256; b++) {
            uint32_t r = tables->t[k - 1][b];

            tables->t[k][b] = r >> 8 ^ tables->t[0][r & 255];
        }
}

void crc64_init(struct crc64_tables *tables)
{
    for (uint64_t b = 0; b < 256; b++) {
        uint64_t r = b;

        for (int bit = 0; bit < 8; bit++)
            r = r >> 1 ^ (0xc96c5795d7870f42ull & -(r & 1));
        tables->t[0][b] = r;
    }
    for (int k = 1; k < 8; k++)
        for (uint64_t b = 0; b < 256; b++) {
            uint64_t r = tables->t[k - 1][b];

            tables->t[k][b] = r >> 8 ^ tables->t[0][r & 255];
        }
}

uint32_t crc32_update(const struct crc32_tables *tables, uint32_t crc, const uint8_t *p, size_t len)
{
    const uint32_t(*t)[256] = tables->t;

    crc = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v = load_le64(p) ^ crc;

        crc = t[7][v & 255] ^ t[6][v >> 8 & 255] ^ t[5][v >> 16 & 255] ^ t[4][v >> 24 & 255] ^
              t[3][v >> 32 & 255] ^ t[2][v >> 40 & 255] ^ t[1][v >> 48 & 255] ^ t[0][v >> 56];
    }
    for (; len; len--)
        crc = crc >> 8 ^ t[0][(crc ^ *p++) & 255];
    return ~crc;
}

uint64_t crc64_update(const struct crc64_tables *tables, uint64_t crc, const uint8_t *p, size_t len)
{
    const uint64_t(*t)[256] = tables->t;

    crc = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v = load_le64(p) ^ crc;

        crc = t[7][v & 255] ^ t[6][v >> 8 & 255] ^ t[5][v >> 16 & 255] ^ t[4][v >> 24 & 255] ^
              t[3][v >> 32 & 255] ^ t[2][v >> 40 & 255] ^ t[1][v >> 48 & 255] ^ t[0][v >> 56];
    }
    for (; len; len--)
        crc = crc >> 8 ^ t[0][(crc ^ *p++) & 255];
    return ~crc;
}
