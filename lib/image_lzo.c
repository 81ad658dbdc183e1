/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_lzo.c - the container of lzop(1), which kernels packed with LZO use.
 *
 * liblzo2 knows only raw blocks. Around them lzop writes a header (big-endian numbers; which fields are there
 * depends on the version and on flags) and for each block: unpacked size, packed size, up to two checksums of
 * either side, bytes. An unpacked size of 0 ends the stream; equal sizes mean a stored block.
 */
#include <errno.h>
#include <string.h>

#include <lzo/lzo1x.h>
#include <zlib.h>

#include "lib/image_internal.h"

#define MAGIC_SIZE      9
#define BLOCK_MAX       ((uint32_t)64 << 20)     /* lzop's own maximum */
#define VERSION_FIELDS  0x0940                   /* from here on the header has four more fields */

enum {
    FLAG_ADLER_PLAIN = 0x1, FLAG_ADLER_PACKED = 0x2, FLAG_EXTRA = 0x40,
    FLAG_CRC_PLAIN = 0x100, FLAG_CRC_PACKED = 0x200, FLAG_MULTIPART = 0x400, FLAG_FILTER = 0x800,
};

struct reader {
    const uint8_t *in;
    size_t size, at;
    bool bad;                 /* a read went beyond the end: sticky, so that a run of reads needs one check */
};

static uint32_t take(struct reader *r, unsigned int bytes)
{
    uint32_t value = 0;

    if (r->bad || !image_inside(r->at, bytes, r->size)) {
        r->bad = true;
        return 0;
    }
    while (bytes--) {
        value = value << 8 | r->in[r->at++];
    }
    return value;
}

static void skip(struct reader *r, uint32_t bytes)
{
    if (r->bad || !image_inside(r->at, bytes, r->size)) {
        r->bad = true;
        return;
    }
    r->at += bytes;
}

/* 0 and the flags, or -EINVAL. */
static int read_header(struct reader *r, uint32_t *flags)
{
    uint32_t version, method;
    bool modern;

    skip(r, MAGIC_SIZE);
    version = take(r, 2);
    modern = version >= VERSION_FIELDS;
    skip(r, modern ? 4 : 2);   /* library version, version needed to extract */
    method = take(r, 1);
    skip(r, modern ? 1 : 0);   /* level */
    *flags = take(r, 4);
    skip(r, modern ? 12 : 8);  /* mode, time */
    skip(r, take(r, 1));       /* file name */
    skip(r, 4);                /* header checksum */
    if (*flags & FLAG_EXTRA) {
        skip(r, take(r, 4));
        skip(r, 4);
    }
    /* Methods 1 to 3 are all LZO1X to a decompressor. */
    return r->bad || method < 1 || method > 3 || (*flags & (FLAG_MULTIPART | FLAG_FILTER)) ? -EINVAL : 0;
}

static bool checksum_ok(const uint8_t *data, uint32_t size, uint32_t flags, uint32_t adler_flag,
                        uint32_t adler, uint32_t crc_flag, uint32_t crc)
{
    return (!(flags & adler_flag) || adler32(1, data, size) == adler) &&
           (!(flags & crc_flag) || crc32(0, data, size) == crc);
}

/* One block. 1: the end mark was read. */
static int read_block(struct reader *r, uint32_t flags, struct image_sink *out)
{
    uint32_t plain = take(r, 4), packed, plain_adler, plain_crc, packed_adler = 0, packed_crc = 0;
    const uint8_t *data;
    uint8_t *to;
    int rc;

    if (plain == 0) {
        return r->bad ? -EINVAL : 1;
    }
    packed = take(r, 4);
    plain_adler = flags & FLAG_ADLER_PLAIN ? take(r, 4) : 0;
    plain_crc = flags & FLAG_CRC_PLAIN ? take(r, 4) : 0;
    if (packed < plain) {      /* a stored block's checksums would say the same twice */
        packed_adler = flags & FLAG_ADLER_PACKED ? take(r, 4) : 0;
        packed_crc = flags & FLAG_CRC_PACKED ? take(r, 4) : 0;
    }
    if (r->bad || plain > BLOCK_MAX || packed == 0 || packed > plain ||
        !image_inside(r->at, packed, r->size)) {
        return -EINVAL;
    }
    data = r->in + r->at;
    r->at += packed;
    rc = image_sink_reserve(out, plain);
    if (rc) {
        return rc;
    }
    to = out->data + out->used;
    if (packed == plain) {
        memcpy(to, data, plain);
    } else {
        lzo_uint got = plain;

        if (!checksum_ok(data, packed, flags, FLAG_ADLER_PACKED, packed_adler, FLAG_CRC_PACKED, packed_crc) ||
            lzo1x_decompress_safe(data, packed, to, &got, NULL) != LZO_E_OK || got != plain) {
            return -EINVAL;
        }
    }
    out->used += plain;
    return checksum_ok(to, plain, flags, FLAG_ADLER_PLAIN, plain_adler, FLAG_CRC_PLAIN, plain_crc) ? 0
                                                                                                   : -EINVAL;
}

int image_lzo_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    struct reader r = { .in = in, .size = size };
    uint32_t flags;
    int rc;

    rc = lzo_init() == LZO_E_OK ? read_header(&r, &flags) : -EINVAL;
    while (rc == 0) {
        rc = read_block(&r, flags, out);
    }
    return rc == 1 ? 0 : rc;
}
