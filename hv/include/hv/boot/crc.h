/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 (IEEE 802.3, as in gzip and xz) and CRC-64 (ECMA-182, as in xz), eight bytes at a step.
 * A caller lends the tables, so that nobody pays for them in memory before or after.
 */
#ifndef HV_BOOT_CRC_H
#define HV_BOOT_CRC_H

#include <stddef.h>
#include <stdint.h>

struct crc32_tables {
    uint32_t t[8][256];
};

struct crc64_tables {
    uint64_t t[8][256];
};

/* Before the first use of the tables. */
void crc32_init(struct crc32_tables *tables);
void crc64_init(struct crc64_tables *tables);

/* The checksum of all bytes so far, given that of those before; 0 to begin with. */
uint32_t crc32_update(const struct crc32_tables *tables, uint32_t crc, const uint8_t *p, size_t len);
uint64_t crc64_update(const struct crc64_tables *tables, uint64_t crc, const uint8_t *p, size_t len);

#endif
