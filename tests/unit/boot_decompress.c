/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decompressors against the libraries that define the formats: what liblzma, zlib, liblz4 and libzstd
 * pack at many settings has to come out the same; cut, damaged or too long, it has to be refused, and nothing
 * outside the given buffers touched (all of them are heap blocks of exact size, watched by the address
 * sanitizer).
 */
#include <hv/boot/bytes.h>
#include <hv/boot/decompress.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lz4.h>
#include <lz4hc.h>
#include <lzma.h>
#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_compressSequences() */
#include <zstd.h>

#define DATA_MAX (1 << 20)
#define PACKED_MAX (DATA_MAX + DATA_MAX / 4 + 65536)

static uint8_t data[DATA_MAX], packed[PACKED_MAX];
static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

/* ---- data of several natures --------------------------------------------------------------------------- */

enum nature { ZEROS, NOISE, TEXT, COPIES, CODE, NATURES };

static size_t put_word(size_t at, size_t len)
{
    static const char *const words[] = { "guest ",    "page", "table ", "event",
                                         "channel\n", "of ",  "the ",   "grant " };
    const char *w = words[rnd(8)];

    while (*w && at < len)
        data[at++] = (uint8_t)*w++;
    return at;
}

static size_t put_copy(size_t at, size_t len)
{
    size_t back = at ? 1 + rnd((uint32_t)(rnd(4) ? (at < 300 ? at : 300) : at)) : 0,
           n = 1 + rnd(rnd(8) ? 20 : 700);

    while (n-- && at < len) {
        data[at] = back && n % 31 ? data[at - back] : (uint8_t)rnd(256);
        at++;
    }
    return at;
}

/* Many E8 and E9, close together at times, with operands that look like addresses at times. */
static size_t put_code(size_t at, size_t len)
{
    static const uint8_t bytes[] = { 0xe8, 0xe9, 0, 0xff, 0x48, 0x89, 0xe8, 0x0f };
    size_t n = 1 + rnd(9);

    while (n-- && at < len)
        data[at++] = rnd(3) ? bytes[rnd(8)] : (uint8_t)rnd(256);
    return at;
}

static void make_data(enum nature nature, size_t len)
{
    size_t at = 0;

    seed = (uint32_t)(nature * 77777 + len);
    while (at < len) {
        if (nature == TEXT)
            at = put_word(at, len);
        else if (nature == COPIES)
            at = put_copy(at, len);
        else if (nature == CODE)
            at = put_code(at, len);
        else
            data[at++] = nature == ZEROS ? 0 : (uint8_t)rnd(256);
    }
}

/* ---- what every format has to stand -------------------------------------------------------------------- */

/* Scratch of exact size, and garbage: made once a kind, since a fresh one for each call takes most of the
 * time. */
static void *dirty_scratch(enum payload_kind kind)
{
    static void *scratch[PAYLOAD_LZO + 1];
    size_t len = decompress_scratch(kind);

    if (!scratch[kind])
        scratch[kind] = malloc(len ? len : 1);
    return memset(scratch[kind], 0xa5, len);
}

/* Unpacks from and into blocks of exact size. The result is compared if it is a success. */
static int unpack(enum payload_kind kind, const uint8_t *in, size_t in_len, size_t cap, size_t expect)
{
    uint8_t *exact = malloc(in_len ? in_len : 1), *out = malloc(cap ? cap : 1);
    int rc;

    memcpy(exact, in, in_len);
    rc = decompress(kind, exact, in_len, out, cap, dirty_scratch(kind), decompress_scratch(kind));
    if (rc >= 0 && (size_t)rc == expect)
        rc = memcmp(out, data, expect) ? -1000 : rc;
    free(out);
    free(exact);
    return rc;
}

/* Damage of one byte either is found, or has changed nothing. LZ4 has no checksum: there it only must not
 * crash. */
static void damage(enum payload_kind kind, size_t packed_len, size_t len, int times)
{
    while (times--) {
        size_t at = rnd((uint32_t)packed_len);
        uint8_t old = packed[at];
        int rc;

        packed[at] ^= (uint8_t)(1 + rnd(255));
        rc = unpack(kind, packed, packed_len, len, len);
        if (kind != PAYLOAD_LZ4)
            assert_true(rc == (int)len || (rc < 0 && rc != -1000));
        packed[at] = old;
    }
}

static void check_packed(enum payload_kind kind, size_t packed_len, size_t len)
{
    size_t step = packed_len < 300 ? 1 : packed_len / 10;

    assert_int_equal(unpack(kind, packed, packed_len, len, len), len);
    assert_int_equal(unpack(kind, packed, packed_len, len + 100, len), len);
    if (len)
        assert_int_equal(unpack(kind, packed, packed_len, len - 1, len), -XEN_ENOSPC);
    memcpy(packed + packed_len, "size", 4);
    assert_int_equal(unpack(kind, packed, packed_len + 4, len, len), len);
    for (size_t cut = 0; cut < packed_len; cut += step) {
        int rc = unpack(kind, packed, cut, len, len);

        if (kind != PAYLOAD_LZ4)
            assert_true(rc < 0);
    }
    damage(kind, packed_len, len, 12);
}

static void for_all_data(void (*check)(size_t len, int round))
{
    static const size_t sizes[] = { 0, 1, 2, 5, 13, 64, 255, 1000, 4096, 20001, 70000, 200000 };
    int round = 0;

    for (enum nature nature = 0; nature < NATURES; nature++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            make_data(nature, sizes[i]);
            check(sizes[i], round++);
        }
}

/* ---- xz ------------------------------------------------------------------------------------------------ */

static size_t pack_xz(size_t len, int round, lzma_check check)
{
    lzma_options_lzma options;
    lzma_filter filters[3], *f = filters;
    size_t n = 0;

    assert_false(lzma_lzma_preset(&options, (uint32_t)(round % 10)));
    options.lc = (uint32_t)round % 5;
    options.lp = (uint32_t)round % (5 - options.lc);
    options.pb = (uint32_t)round % 5;
    if (round % 3 != 1)
        *f++ = (lzma_filter){ LZMA_FILTER_X86, NULL };
    *f++ = (lzma_filter){ LZMA_FILTER_LZMA2, &options };
    *f = (lzma_filter){ LZMA_VLI_UNKNOWN, NULL };
    assert_int_equal(lzma_stream_buffer_encode(filters, check, NULL, data, len, packed, &n, PACKED_MAX),
                     LZMA_OK);
    return n;
}

static void check_xz(size_t len, int round)
{
    check_packed(PAYLOAD_XZ, pack_xz(len, round, round & 1 ? LZMA_CHECK_CRC32 : LZMA_CHECK_CRC64), len);
}

static void xz_agrees(void **state)
{
    for_all_data(check_xz);
}

static void xz_of_several_blocks(void **state)
{
    lzma_mt mt = { .threads = 1, .block_size = 10000, .preset = 3, .check = LZMA_CHECK_CRC64 };
    lzma_stream strm = LZMA_STREAM_INIT;

    make_data(COPIES, 95000);
    assert_int_equal(lzma_stream_encoder_mt(&strm, &mt), LZMA_OK);
    strm.next_in = data;
    strm.avail_in = 95000;
    strm.next_out = packed;
    strm.avail_out = PACKED_MAX;
    assert_int_equal(lzma_code(&strm, LZMA_FINISH), LZMA_STREAM_END);
    check_packed(PAYLOAD_XZ, strm.total_out, 95000);
    damage(PAYLOAD_XZ, strm.total_out, 95000, 200);
    lzma_end(&strm);
}

static void xz_other_checks_and_filters(void **state)
{
    lzma_options_lzma options;
    lzma_options_delta delta = { .type = LZMA_DELTA_TYPE_BYTE, .dist = 4 };
    lzma_filter filters[] = { { LZMA_FILTER_DELTA, &delta },
                              { LZMA_FILTER_LZMA2, &options },
                              { LZMA_VLI_UNKNOWN, NULL } };
    size_t n = 0;

    make_data(TEXT, 5000);
    assert_int_equal(unpack(PAYLOAD_XZ, packed, pack_xz(5000, 4, LZMA_CHECK_NONE), 5000, 5000), 5000);
    assert_int_equal(unpack(PAYLOAD_XZ, packed, pack_xz(5000, 4, LZMA_CHECK_SHA256), 5000, 5000), 5000);
    assert_false(lzma_lzma_preset(&options, 6));
    assert_int_equal(
        lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, 5000, packed, &n, PACKED_MAX),
        LZMA_OK);
    assert_int_equal(unpack(PAYLOAD_XZ, packed, n, 5000, 5000), -XEN_EOPNOTSUPP);
}

/* An index that does not agree with the blocks, though its own checksum is right. */
static void xz_index_is_compared(void **state)
{
    size_t n, index;
    uint32_t crc;

    make_data(TEXT, 100);
    n = pack_xz(100, 4, LZMA_CHECK_CRC32);
    index = n - 12 - (load_le32(packed + n - 8) + 1) * 4;
    assert_int_equal(packed[index], 0);
    assert_int_equal(packed[index + 3], 100); /* mark, count, packed size, size */
    packed[index + 3] = 99;
    crc = lzma_crc32(packed + index, n - 12 - 4 - index, 0);
    memcpy(packed + n - 16, &crc, 4);
    assert_int_equal(unpack(PAYLOAD_XZ, packed, n, 100, 100), -XEN_EINVAL);
}

/* ---- gzip ---------------------------------------------------------------------------------------------- */

static size_t pack_gzip(size_t len, int level, int strategy, bool named)
{
    gz_header header = { .name = (Bytef *)"vmlinux",
                         .comment = (Bytef *)"a comment",
                         .hcrc = 1,
                         .extra = (Bytef *)"extra",
                         .extra_len = 5 };
    z_stream z = { .next_in = data, .avail_in = (uInt)len, .next_out = packed, .avail_out = PACKED_MAX };

    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, strategy), Z_OK);
    if (named)
        assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void check_gzip(size_t len, int round)
{
    check_packed(PAYLOAD_GZIP, pack_gzip(len, round % 10, round % 5, round & 1), len);
}

static void gzip_agrees(void **state)
{
    for_all_data(check_gzip);
}

static void gzip_hint_is_the_length(void **state)
{
    make_data(TEXT, 12345);
    assert_int_equal(decompress_hint(packed, pack_gzip(12345, 9, 0, false)), 12345);
    assert_int_equal(decompress_hint(packed, 3), 0);
}

/* ---- lz4 ----------------------------------------------------------------------------------------------- */

static size_t pack_lz4(size_t len, int level)
{
    int n = level ? LZ4_compress_HC((char *)data, (char *)packed + 8, (int)len, PACKED_MAX - 8, level)
                  : LZ4_compress_default((char *)data, (char *)packed + 8, (int)len, PACKED_MAX - 8);

    assert_true(n > 0);
    memcpy(packed, "\x02\x21\x4c\x18", 4);
    memcpy(packed + 4, &n, 4);
    return (size_t)n + 8;
}

static void check_lz4(size_t len, int round)
{
    check_packed(PAYLOAD_LZ4, pack_lz4(len, round % 4 * 4), len);
}

static void lz4_agrees(void **state)
{
    for_all_data(check_lz4);
}

static void lz4_of_several_blocks_and_frames(void **state)
{
    size_t first, second;

    make_data(COPIES, 60000);
    memcpy(data + 60000, data, 60000);
    first = pack_lz4(60000, 0);
    memcpy(packed + first, packed, first); /* a second frame with its own magic number */
    assert_int_equal(unpack(PAYLOAD_LZ4, packed, 2 * first, 120000, 120000), 120000);
    second = first - 4;
    memmove(packed + first, packed + first + 4, second); /* a second block */
    assert_int_equal(unpack(PAYLOAD_LZ4, packed, first + second, 120000, 120000), 120000);
    assert_int_equal(unpack(PAYLOAD_LZ4, packed, first + second, 100000, 120000), -XEN_ENOSPC);
    assert_int_equal(unpack(PAYLOAD_LZ4, packed, first + second - 1, 120000, 120000), -XEN_EINVAL);
}

/* ---- zstd ---------------------------------------------------------------------------------------------- */

static size_t pack_zstd(size_t len, int level, bool told)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer in = { data, len, 0 };
    ZSTD_outBuffer out = { packed, PACKED_MAX, 0 };

    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (told)
        ZSTD_CCtx_setPledgedSrcSize(c, len);
    else
        ZSTD_compressStream2(c, &out, &in, ZSTD_e_flush); /* so that it cannot know the length */
    assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(c);
    return out.pos;
}

static void check_zstd(size_t len, int round)
{
    static const int levels[] = { 1, 3, 19, -7, 22, 6, 12 };

    check_packed(PAYLOAD_ZSTD, pack_zstd(len, levels[round % 7], round & 1), len);
}

static void zstd_agrees(void **state)
{
    for_all_data(check_zstd);
}

static void zstd_skips_and_refuses(void **state)
{
    size_t n;

    make_data(TEXT, 3000);
    n = pack_zstd(3000, 3, true);
    memmove(packed + 12, packed, n);
    memcpy(packed, "\x53\x2a\x4d\x18\4\0\0\0skip", 12);
    assert_int_equal(unpack(PAYLOAD_ZSTD, packed, n + 12, 3000, 3000), 3000);
    memmove(packed, packed + 12, n);
    packed[4] |= 8; /* a reserved bit */
    assert_int_equal(unpack(PAYLOAD_ZSTD, packed, n, 3000, 3000), -XEN_EOPNOTSUPP);
}

/* Every way to name a recent distance, with and without literals before it. */
static void zstd_recent_distances(void **state)
{
    static ZSTD_Sequence seq[200];
    ZSTD_CCtx *c = ZSTD_createCCtx();
    uint32_t rep[3] = { 1, 4, 8 };
    size_t at = 100, n;

    make_data(NOISE, 100);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t literals = i ? rnd(2) * rnd(5) : 100, pick = rnd(5), length = 3 + rnd(20);
        uint32_t dist = pick < 3 ? rep[pick] : pick == 3 && rep[0] > 1 ? rep[0] - 1 : 9 + rnd(80);

        for (uint32_t k = 0; i && k < literals; k++)
            data[at++] = (uint8_t)rnd(256);
        for (uint32_t k = 0; k < length; k++, at++)
            data[at] = data[at - dist];
        seq[i] = (ZSTD_Sequence){ .offset = dist, .litLength = literals, .matchLength = length };
        if (dist != rep[0]) {
            rep[2] = dist == rep[1] ? rep[2] : rep[1];
            rep[1] = rep[0];
            rep[0] = dist;
        }
    }
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    n = ZSTD_compressSequences(c, packed, PACKED_MAX, seq, 200, data, at);
    assert_false(ZSTD_isError(n));
    ZSTD_freeCCtx(c);
    assert_int_equal(unpack(PAYLOAD_ZSTD, packed, n, at, at), at);
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static void large_data(void **state)
{
    make_data(COPIES, DATA_MAX);
    memcpy(data + DATA_MAX / 2, data, DATA_MAX / 2);
    assert_int_equal(unpack(PAYLOAD_XZ, packed, pack_xz(DATA_MAX, 6, LZMA_CHECK_CRC32), DATA_MAX, DATA_MAX),
                     DATA_MAX);
    assert_int_equal(unpack(PAYLOAD_ZSTD, packed, pack_zstd(DATA_MAX, 22, true), DATA_MAX, DATA_MAX),
                     DATA_MAX);
    assert_int_equal(unpack(PAYLOAD_GZIP, packed, pack_gzip(DATA_MAX, 9, 0, false), DATA_MAX, DATA_MAX),
                     DATA_MAX);
    assert_int_equal(unpack(PAYLOAD_LZ4, packed, pack_lz4(DATA_MAX, 9), DATA_MAX, DATA_MAX), DATA_MAX);
}

static void kinds_and_scratch(void **state)
{
    static const enum payload_kind kinds[] = { PAYLOAD_XZ, PAYLOAD_GZIP, PAYLOAD_ZSTD };
    uint8_t out[16], scratch[8];

    memcpy(data, "\177ELF some file", 14);
    assert_int_equal(payload_detect(data, 14), PAYLOAD_ELF);
    assert_int_equal(unpack(PAYLOAD_ELF, data, 14, 14, 14), 14);
    assert_int_equal(unpack(PAYLOAD_ELF, data, 14, 13, 14), -XEN_ENOSPC);
    assert_int_equal(payload_detect("BZh9", 4), PAYLOAD_BZIP2);
    assert_int_equal(payload_detect("\x1f\x8b", 2), PAYLOAD_UNKNOWN);
    assert_string_equal(payload_name(PAYLOAD_ZSTD), "zstd");
    assert_int_equal(unpack(PAYLOAD_BZIP2, data, 14, 14, 14), -XEN_EOPNOTSUPP);
    assert_int_equal(unpack(PAYLOAD_UNKNOWN, data, 14, 14, 14), -XEN_ENOEXEC);
    for (int i = 0; i < 3; i++)
        assert_int_equal(decompress(kinds[i], data, 14, out, 16, scratch, decompress_scratch(kinds[i]) - 1),
                         -XEN_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xz_agrees),
        cmocka_unit_test(xz_of_several_blocks),
        cmocka_unit_test(xz_other_checks_and_filters),
        cmocka_unit_test(xz_index_is_compared),
        cmocka_unit_test(gzip_agrees),
        cmocka_unit_test(gzip_hint_is_the_length),
        cmocka_unit_test(lz4_agrees),
        cmocka_unit_test(lz4_of_several_blocks_and_frames),
        cmocka_unit_test(zstd_agrees),
        cmocka_unit_test(zstd_recent_distances),
        cmocka_unit_test(zstd_skips_and_refuses),
        cmocka_unit_test(large_data),
        cmocka_unit_test(kinds_and_scratch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
