/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a compressed stream, with or without a sound beginning of the kind that the first byte picks,
 * and as LZMA2 chunks. Output and scratch are heap blocks of their own, not cleared.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/decompress.h>
#include <hv/boot/lzma.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define OUT_MAX 20000

static const struct {
    enum payload_kind kind;
    size_t head_len;
    uint8_t head[10];
} starts[] = {
    { PAYLOAD_GZIP, 10, { 0x1f, 0x8b, 8 } },
    { PAYLOAD_ZSTD, 6, { 0x28, 0xb5, 0x2f, 0xfd, 0, 0x50 } },
    { PAYLOAD_LZ4, 4, { 0x02, 0x21, 0x4c, 0x18 } },
    { PAYLOAD_XZ, 0, { 0 } },
};

static void unpack_chunks(const uint8_t *in, size_t len, uint8_t *out, void *scratch)
{
    size_t used;
    int rc = lzma2_decompress(in, len, &used, out, OUT_MAX, scratch);

    if (rc > OUT_MAX || (rc >= 0 && used > len))
        abort();
    if (rc > 0)
        x86_unfilter(out, (size_t)rc, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint32_t pick = len ? bytes[0] % 8 : 0, which = pick & 3;
    size_t head = len && pick < 4 ? starts[which].head_len : 0,
           scratch_len = decompress_scratch(starts[which].kind);
    uint8_t *in = malloc(len + head), *out = malloc(OUT_MAX);
    void *scratch = malloc(scratch_len + sizeof(struct lzma2_scratch));
    int rc;

    if (len) {
        memcpy(in, starts[which].head, head);
        memcpy(in + head, bytes + 1, len - 1);
        rc = decompress(starts[which].kind, in, head + len - 1, out, OUT_MAX, scratch, scratch_len);
        if (rc > OUT_MAX)
            abort();
        unpack_chunks(in, head + len - 1, out, scratch);
    }
    free(scratch);
    free(out);
    free(in);
    return 0;
}
