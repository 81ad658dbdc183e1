/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC by slices of eight: t[k][b] is the effect of byte b with k zero bytes behind it, so eight lookups that
 * do not depend on each other stand for eight steps of the plain method.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/crc.h>

static uint64_t effect(uint64_t byte, int zero_bytes, uint64_t polynomial)
{
    for (int bit = 0; bit < 8 * (1 + zero_bytes); bit++)
        byte = byte >> 1 ^ (polynomial & -(byte & 1));
    return byte;
}

void crc32_init(struct crc32_tables *tables)
{
    for (int k = 0; k < 8; k++)
        for (uint32_t b = 0; b < 256; b++)
            tables->t[k][b] = (uint32_t)effect(b, k, 0xedb88320);
}

void crc64_init(struct crc64_tables *tables)
{
    for (int k = 0; k < 8; k++)
        for (uint32_t b = 0; b < 256; b++)
            tables->t[k][b] = effect(b, k, 0xc96c5795d7870f42);
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
