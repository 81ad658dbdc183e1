/* SPDX-License-Identifier: BSD-2-Clause */
/* XXH64 with seed 0, the checksum of Zstandard frames. Facts: the XXH64 description (xxhash.com). */
#ifndef HV_BOOT_XXHASH_H
#define HV_BOOT_XXHASH_H

#include <stddef.h>
#include <stdint.h>

/* Of all len bytes at once. */
uint64_t xxh64(const uint8_t *p, size_t len);

#endif
