/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_codec.c - the compressions that Linux uses for its kernels, one small adapter per library.
 *
 * All adapters have the same shape: feed the whole input, drain into a sink that refuses to grow beyond its
 * limit, stop at the end of the first stream. Memory that a header may ask for (a dictionary, a window) is
 * bounded as well: a few header bytes must not cost gigabytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/image_internal.h"

#define FIRST_CAPACITY   ((size_t)1 << 20)
#define DICTIONARY_LIMIT ((uint64_t)256 << 20)   /* Linux uses at most 128 MiB */
#define WINDOW_LOG_MAX   27                      /* the same for zstd: 128 MiB */
#define LZ4_CHUNK        ((size_t)8 << 20)       /* the legacy frame's unpacked chunk, by definition */

int image_sink_reserve(struct image_sink *sink, size_t more)
{
    size_t capacity = sink->capacity ? sink->capacity : FIRST_CAPACITY;
    uint8_t *data;

    if (more <= sink->capacity - sink->used) {
        return 0;
    }
    if (more > sink->limit - sink->used) {
        return -E2BIG;
    }
    while (capacity - sink->used < more) {
        capacity *= 2;
    }
    if (capacity > sink->limit) {
        capacity = sink->limit;
    }
    data = realloc(sink->data, capacity);
    if (!data) {
        return -ENOMEM;
    }
    sink->data = data;
    sink->capacity = capacity;
    return 0;
}

/* Libraries count in int or unsigned int: never offer more than fits. */
static unsigned int room_of(const struct image_sink *sink)
{
    size_t room = sink->capacity - sink->used;

    return room > (1u << 30) ? 1u << 30 : (unsigned int)room;
}

static int gzip_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    z_stream stream = { .next_in = (Bytef *)in, .avail_in = (uInt)size };
    int rc = -ENOMEM, status = Z_OK;

    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        return rc;
    }
    while (status == Z_OK && (rc = image_sink_grow(out)) == 0) {
        unsigned int room = room_of(out);

        stream.next_out = out->data + out->used;
        stream.avail_out = room;
        status = inflate(&stream, Z_NO_FLUSH);
        out->used += room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (rc == 0 && status != Z_STREAM_END) {
        rc = status == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
    }
    return rc;
}

static int bzip2_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    bz_stream stream = { .next_in = (char *)in, .avail_in = (unsigned int)size };
    int rc = -ENOMEM, status = BZ_OK;

    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) {
        return rc;
    }
    while (status == BZ_OK && (rc = image_sink_grow(out)) == 0) {
        unsigned int room = room_of(out);

        stream.next_out = (char *)out->data + out->used;
        stream.avail_out = room;
        status = BZ2_bzDecompress(&stream);
        out->used += room - stream.avail_out;
        if (status == BZ_OK && stream.avail_out) {
            break;             /* room left, nothing came: the input ended early */
        }
    }
    BZ2_bzDecompressEnd(&stream);
    if (rc == 0 && status != BZ_STREAM_END) {
        rc = status == BZ_MEM_ERROR ? -ENOMEM : -EINVAL;
    }
    return rc;
}

/* Common to .xz and .lzma: the initialised stream is run to its end and released. */
static int lzma_run(lzma_stream *stream, const uint8_t *in, size_t size, struct image_sink *out)
{
    lzma_ret status = LZMA_OK;
    int rc = 0;

    stream->next_in = in;
    stream->avail_in = size;
    while (status == LZMA_OK && (rc = image_sink_grow(out)) == 0) {
        unsigned int room = room_of(out);

        stream->next_out = out->data + out->used;
        stream->avail_out = room;
        status = lzma_code(stream, LZMA_RUN);
        out->used += room - stream->avail_out;
    }
    lzma_end(stream);
    if (rc == 0 && status != LZMA_STREAM_END) {
        rc = status == LZMA_MEM_ERROR ? -ENOMEM : -EINVAL;
    }
    return rc;
}

static int xz_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    lzma_stream stream = LZMA_STREAM_INIT;

    if (lzma_stream_decoder(&stream, DICTIONARY_LIMIT, 0) != LZMA_OK) {
        return -ENOMEM;
    }
    return lzma_run(&stream, in, size, out);
}

static int lzma_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    lzma_stream stream = LZMA_STREAM_INIT;

    if (lzma_alone_decoder(&stream, DICTIONARY_LIMIT) != LZMA_OK) {
        return -ENOMEM;
    }
    return lzma_run(&stream, in, size, out);
}

/*
 * The legacy frame: a magic number, then chunks of (32-bit packed size, bytes), each of which unpacks to
 * 8 MiB except the last. There is no end mark: it ends where the input ends. Frames may follow one another.
 */
static int lz4_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    size_t at = 4;

    while (at < size) {
        uint32_t packed;
        int rc, got;

        if (!image_inside(at, 4, size)) {
            return -EINVAL;
        }
        packed = image_le32(in + at);
        at += 4;
        if (packed == 0x184c2102) {
            continue;
        }
        if (packed == 0 || packed > (uint32_t)LZ4_COMPRESSBOUND(LZ4_CHUNK) ||
            !image_inside(at, packed, size)) {
            return -EINVAL;
        }
        rc = image_sink_reserve(out, LZ4_CHUNK);
        if (rc == -E2BIG) {    /* the last chunk may be smaller than the limit's rest: let the library say */
            rc = out->limit > out->used ? image_sink_reserve(out, out->limit - out->used) : -E2BIG;
        }
        if (rc) {
            return rc;
        }
        got = LZ4_decompress_safe((const char *)in + at, (char *)out->data + out->used, (int)packed,
                                  (int)room_of(out));
        if (got < 0) {
            return room_of(out) < LZ4_CHUNK ? -E2BIG : -EINVAL;
        }
        out->used += (size_t)got;
        at += packed;
    }
    return 0;
}

static int zstd_decode(const uint8_t *in, size_t size, struct image_sink *out)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer input = { .src = in, .size = size };
    size_t left = 1;
    int rc = -ENOMEM;

    if (!context) {
        return rc;
    }
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    while (left && (rc = image_sink_grow(out)) == 0) {
        ZSTD_outBuffer output = { .dst = out->data + out->used, .size = room_of(out) };

        left = ZSTD_decompressStream(context, &output, &input);
        out->used += output.pos;
        if (ZSTD_isError(left) || (left && input.pos == input.size && output.pos < output.size)) {
            rc = -EINVAL;
            break;
        }
    }
    ZSTD_freeDCtx(context);
    return rc;
}

/* The magic of .lzma is weak (properties byte and two bytes of the dictionary size), so it comes last. */
static const struct image_codec codecs[] = {
    { "gzip",  "\x1f\x8b", 2, false, gzip_decode },
    { "bzip2", "BZh", 3, false, bzip2_decode },
    { "xz",    "\xfd" "7zXZ", 6, false, xz_decode },
    { "lzo",   "\x89LZO\0\r\n\x1a\n", 9, false, image_lzo_decode },
    { "lz4",   "\x02\x21\x4c\x18", 4, true, lz4_decode },
    { "zstd",  "\x28\xb5\x2f\xfd", 4, false, zstd_decode },
    { "lzma",  "\x5d\0\0", 3, false, lzma_decode },
};

const struct image_codec *image_codec_find(const uint8_t *in, size_t size)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (size >= codecs[i].magic_size && memcmp(in, codecs[i].magic, codecs[i].magic_size) == 0) {
            return &codecs[i];
        }
    }
    return NULL;
}
