/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compressed forms in which kernels come, behind one door.
 */
#ifndef HV_BOOT_DECOMPRESS_H
#define HV_BOOT_DECOMPRESS_H

#include <hv/boot/payload.h>

/* Scratch bytes that unpacking this kind needs; 0 for what cannot be unpacked. */
size_t decompress_scratch(enum payload_kind kind);

/*
 * Length of the contents as the last four bytes of a kernel payload say (Linux's build appends it; gzip has
 * it of its own). Only a hint, for the size of the output buffer: the bytes may be anything.
 */
uint32_t decompress_hint(const void *in, size_t len);

/*
 * Unpacks in[0..in_len) into out[0..out_cap). Bytes after the compressed stream are ignored. Returns the
 * length, or -EINVAL malformed or truncated, -EILSEQ a checksum is wrong, -ENOSPC the contents exceed
 * out_cap, -ENOMEM scratch too small, -EOPNOTSUPP a variant of the format that is not supported, -ENOEXEC
 * unknown kind. On error the output holds garbage. in, out and scratch do not overlap; scratch is 8-byte
 * aligned. Lengths stay below 2 GiB.
 */
int decompress(enum payload_kind kind, const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap,
               void *scratch, size_t scratch_len);

#endif
