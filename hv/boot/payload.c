/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms in which kernels come, told apart by their first bytes.
 */
#include <hv/boot/payload.h>

#include <string.h>

static const struct {
    const char *name;
    enum payload_kind kind;
    uint8_t magic_len;
    uint8_t magic[6];
} formats[] = {
    { "ELF", PAYLOAD_ELF, 4, { 0x7f, 'E', 'L', 'F' } },
    { "gzip", PAYLOAD_GZIP, 3, { 0x1f, 0x8b, 8 } },
    { "xz", PAYLOAD_XZ, 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
    { "lz4", PAYLOAD_LZ4, 4, { 0x02, 0x21, 0x4c, 0x18 } },
    { "zstd", PAYLOAD_ZSTD, 4, { 0x28, 0xb5, 0x2f, 0xfd } },
    { "bzip2", PAYLOAD_BZIP2, 3, { 'B', 'Z', 'h' } },
    { "lzma", PAYLOAD_LZMA, 3, { 0x5d, 0, 0 } },
    { "lzo", PAYLOAD_LZO, 4, { 0x89, 'L', 'Z', 'O' } },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

enum payload_kind payload_detect(const void *in, size_t len)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (len >= formats[i].magic_len && !memcmp(in, formats[i].magic, formats[i].magic_len))
            return formats[i].kind;
    return PAYLOAD_UNKNOWN;
}

const char *payload_name(enum payload_kind kind)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].kind == kind)
            return formats[i].name;
    return "unknown";
}
