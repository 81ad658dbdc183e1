/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every boot parser shares: unaligned little-endian loads, and the way to reach memory
 * that is known by its physical address only.
 *
 * The parsers read bytes that others wrote (firmware, boot loader, a kernel image from a disk), so they own
 * no memory, keep no state and trust no length: each is a function of the bytes it is shown. Errors are the
 * interface's numbers (abi/errno.h), negated: ENOENT not there, ENOEXEC not the format, EINVAL malformed,
 * EFAULT not reachable, E2BIG more than the result holds, ENOSPC output too small, ENOMEM scratch too small,
 * EILSEQ wrong checksum, EOPNOTSUPP a variant not known.
 */
#ifndef HV_BOOT_BYTES_H
#define HV_BOOT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <abi/errno.h>

/* For the inner loops of the decompressors, whose state must stay in registers. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/*
 * Physical memory as the caller shows it. map() returns a pointer to `len` bytes at physical address `pa`,
 * valid until the parser returns, or NULL if they cannot be reached. Nothing is unmapped: boot memory is
 * mapped whole.
 */
struct boot_phys {
    const void *(*map)(void *ctx, uint64_t pa, size_t len);
    void *ctx;
};

static inline const void *boot_phys_map(const struct boot_phys *phys, uint64_t pa, size_t len)
{
    return phys->map(phys->ctx, pa, len);
}

static inline uint16_t load_le16(const void *p)
{
    uint16_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load_le32(const void *p)
{
    uint32_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load_be32(const void *p)
{
    return __builtin_bswap32(load_le32(p));
}

/* True if [off, off + len) lies inside an object of `size` bytes; no sum is formed that could wrap. */
static inline bool range_inside(uint64_t off, uint64_t len, uint64_t size)
{
    return off <= size && len <= size - off;
}

/* Length of the string in a field of `cap` bytes; `cap` if no zero ends it. */
static inline size_t string_length(const void *field, size_t cap)
{
    const char *s = field;
    size_t n = 0;

    while (n < cap && s[n])
        n++;
    return n;
}

#endif
