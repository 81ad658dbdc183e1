/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_internal.h - what the parts of the image loader share: messages, bounded reads, the growing output.
 */
#ifndef LIB_IMAGE_INTERNAL_H
#define LIB_IMAGE_INTERNAL_H

#include <elf.h>

#include "lib/image.h"

/* Write the message and return `code`, so that a check is one statement. */
int image_fail(struct image_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Does [offset, offset+length) lie inside `size` bytes? Cannot overflow. */
static inline bool image_inside(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

/* Unaligned little- and big-endian reads; the caller has checked the bounds. */
static inline uint32_t image_le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t image_le32(const uint8_t *p)
{
    return image_le16(p) | image_le16(p + 2) << 16;
}

static inline uint64_t image_le64(const uint8_t *p)
{
    return image_le32(p) | (uint64_t)image_le32(p + 4) << 32;
}

static inline uint32_t image_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- decompression (image_codec.c, image_lzo.c) -------------------------------------------------------- */

/* Output that grows by doubling up to a limit: what a bomb meets. */
struct image_sink {
    uint8_t *data;
    size_t used, capacity, limit;
};

/* Room for at least `more` bytes after `used`. 0, -E2BIG, -ENOMEM. */
int image_sink_reserve(struct image_sink *sink, size_t more);
/* Room for whatever comes: at least one byte, as much as is at hand. */
static inline int image_sink_grow(struct image_sink *sink)
{
    return sink->used < sink->capacity ? 0 : image_sink_reserve(sink, 1);
}

/*
 * A codec reads one complete stream from `in` and appends to the sink; bytes after the stream are ignored.
 * 0, -EINVAL (damaged or truncated), -E2BIG, -ENOMEM.
 */
struct image_codec {
    const char *name;
    const char *magic;
    size_t magic_size;
    bool trailer;             /* has no end mark of its own: a bzImage payload's size field must be cut off */
    int (*decode)(const uint8_t *in, size_t size, struct image_sink *out);
};

/* NULL if no codec knows the first bytes. */
const struct image_codec *image_codec_find(const uint8_t *in, size_t size);
int image_lzo_decode(const uint8_t *in, size_t size, struct image_sink *out);

/* ---- what the kernel says about itself (image_notes.c) ------------------------------------------------- */

/* Values found so far. IMAGE_NONE in those that were not given; see image_notes_read(). */
struct image_claims {
    bool found;               /* any Xen note, or the legacy section */
    uint64_t paddr_offset, virt_base, entry;
};

/* Read one block of ELF notes. Other owners' notes are skipped. 0 or -EINVAL. */
int image_notes_read(const char *name, const uint8_t *notes, size_t size, struct image *image,
                     struct image_claims *claims, struct image_error *error);

/* Read the text of a __xen_guest section: KEY=VALUE,KEY=VALUE... 0 or -EINVAL. */
int image_legacy_read(const char *name, const char *text, size_t size, struct image *image,
                      struct image_claims *claims, struct image_error *error);

#endif
