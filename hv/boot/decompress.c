/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One door to the decompressors: which one a payload needs, how much scratch it takes, how big the result
 * will be.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/decompress.h>
#include <hv/boot/inflate.h>
#include <hv/boot/lz4.h>
#include <hv/boot/xz.h>
#include <hv/boot/zstd.h>

size_t decompress_scratch(enum payload_kind kind)
{
    switch (kind) {
    case PAYLOAD_GZIP:
        return INFLATE_SCRATCH;
    case PAYLOAD_XZ:
        return XZ_SCRATCH;
    case PAYLOAD_ZSTD:
        return ZSTD_SCRATCH;
    default:
        return 0;
    }
}

uint32_t decompress_hint(const void *in, size_t len)
{
    return len < 4 ? 0 : load_le32((const uint8_t *)in + len - 4);
}

int decompress(enum payload_kind kind, const uint8_t *in, size_t in_len, uint8_t *out, size_t out_cap,
               void *scratch, size_t scratch_len)
{
    if (in_len > INT32_MAX || out_cap > INT32_MAX)
        return -XEN_EINVAL;
    switch (kind) {
    case PAYLOAD_GZIP:
        return gzip_decompress(in, in_len, out, out_cap, scratch, scratch_len);
    case PAYLOAD_XZ:
        return xz_decompress(in, in_len, out, out_cap, scratch, scratch_len);
    case PAYLOAD_LZ4:
        return lz4_decompress(in, in_len, out, out_cap, scratch, scratch_len);
    case PAYLOAD_ZSTD:
        return zstd_decompress(in, in_len, out, out_cap, scratch, scratch_len);
    case PAYLOAD_ELF:
        if (in_len > out_cap)
            return -XEN_ENOSPC;
        memcpy(out, in, in_len);
        return (int)in_len;
    case PAYLOAD_BZIP2:
    case PAYLOAD_LZMA:
    case PAYLOAD_LZO:
        return -XEN_EOPNOTSUPP;
    default:
        return -XEN_ENOEXEC;
    }
}
