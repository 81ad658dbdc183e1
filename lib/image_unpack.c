/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_unpack.c - from a kernel file as distributions ship it to a plain ELF.
 *
 * A bzImage is a real-mode loader, a protected-mode decompressor and, inside the latter, the packed ELF
 * kernel. A PV guest has no use for the first two: the boot protocol's setup header (version 2.08 and later)
 * says where the payload lies, and we unpack it here. The payload's last four bytes are its unpacked size.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image_internal.h"

/* Offsets in a bzImage, from the boot protocol of Linux/x86. */
#define SETUP_SECTORS    0x1f1
#define BOOT_FLAG        0x1fe
#define HEADER_MAGIC     0x202
#define PROTOCOL         0x206
#define PAYLOAD_OFFSET   0x248
#define PAYLOAD_LENGTH   0x24c
#define HEADER_END       0x250
#define PROTOCOL_PAYLOAD 0x0208                  /* first version that tells where the payload is */
#define SECTOR           512

int image_fail(struct image_error *error, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

static bool is_elf(const uint8_t *data, size_t size)
{
    return size >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0;
}

static bool is_bzimage(const uint8_t *data, size_t size)
{
    return size >= PROTOCOL && image_le16(data + BOOT_FLAG) == 0xaa55 &&
           memcmp(data + HEADER_MAGIC, "HdrS", 4) == 0;
}

/* Narrow data and size to the payload. */
static int bzimage_payload(const char *name, const uint8_t **data, size_t *size, struct image_error *error)
{
    const uint8_t *file = *data;
    uint64_t start, offset, length;
    uint32_t protocol;

    if (*size < HEADER_END) {
        return image_fail(error, -EINVAL,
                          "%s: bzImage ends after %zu bytes, inside its setup header (%d bytes): "
                          "the file is truncated, copy it again",
                          name, *size, HEADER_END);
    }
    protocol = image_le16(file + PROTOCOL);
    if (protocol < PROTOCOL_PAYLOAD) {
        return image_fail(error, -ENOEXEC,
                          "%s: bzImage with boot protocol %u.%02u does not tell where its kernel "
                          "is: take Linux 2.6.24 or later (protocol 2.08), or its vmlinux",
                          name, protocol >> 8, protocol & 0xff);
    }
    start = (file[SETUP_SECTORS] ? file[SETUP_SECTORS] : 4) + 1;
    start *= SECTOR;
    offset = image_le32(file + PAYLOAD_OFFSET);
    length = image_le32(file + PAYLOAD_LENGTH);
    if (length == 0 || !image_inside(start + offset, length, *size)) {
        return image_fail(error, -EINVAL,
                          "%s: bzImage payload of %llu bytes at %llu does not lie inside the file "
                          "of %zu bytes: the file is truncated or damaged, copy it again",
                          name, (unsigned long long)length, (unsigned long long)(start + offset), *size);
    }
    *data = file + start + offset;
    *size = length;
    return 0;
}

static int decode(const char *name, const struct image_codec *codec, const uint8_t *data, size_t size,
                  size_t limit, struct image_bytes *out, struct image_error *error)
{
    struct image_sink sink = { .limit = limit };
    int rc = codec->decode(data, size, &sink);

    if (rc == 0) {
        out->data = out->owned = sink.data;
        out->size = sink.used;
        return 0;
    }
    free(sink.data);
    if (rc == -E2BIG) {
        return image_fail(error, rc,
                          "%s: unpacked (%s) it is over the limit of %zu MiB: not a kernel", name,
                          codec->name, limit >> 20);
    }
    if (rc == -ENOMEM) {
        return image_fail(error, rc,
                          "%s: no memory to unpack the kernel (%s, %zu bytes packed): give domain 0 more",
                          name, codec->name, size);
    }
    return image_fail(error, rc, "%s: %s data of %zu bytes is damaged or truncated: copy the file again",
                      name, codec->name, size);
}

/* data: the file or the payload; borrowed by *out if it is a plain ELF already. */
static int unpack_payload(const char *name, const uint8_t *data, size_t size, bool wrapped, size_t limit,
                          struct image_bytes *out, struct image_error *error)
{
    const struct image_codec *codec = image_codec_find(data, size);
    int rc;

    if (is_elf(data, size)) {
        out->data = data;
        out->size = size;
        return 0;
    }
    if (!codec) {
        return image_fail(error, -ENOEXEC,
                          "%s: %s begins with %02x %02x %02x %02x: neither ELF nor gzip, bzip2, "
                          "lzma, xz, lzo, lz4, zstd; give a bzImage or an ELF kernel",
                          name, wrapped ? "bzImage payload" : "file", data[0], size > 1 ? data[1] : 0,
                          size > 2 ? data[2] : 0, size > 3 ? data[3] : 0);
    }
    if (wrapped && codec->trailer && size > codec->magic_size + 4) {
        size -= 4;
    }
    out->compression = codec->name;
    rc = decode(name, codec, data, size, limit, out, error);
    if (rc == 0 && !is_elf(out->data, out->size)) {
        image_bytes_free(out);
        rc = image_fail(error, -ENOEXEC,
                        "%s: holds no ELF kernel inside its %s compression: give a bzImage or an "
                        "ELF kernel",
                        name, codec->name);
    }
    return rc;
}

int image_unpack(const char *name, const void *file, size_t size, size_t limit, struct image_bytes *out,
                 struct image_error *error)
{
    const uint8_t *data = file;
    bool wrapped = is_bzimage(data, size);
    int rc = 0;

    memset(out, 0, sizeof(*out));
    error->text[0] = '\0';
    out->compression = "none";
    if (size == 0) {
        return image_fail(error, -ENOEXEC, "%s: the file is empty: give a bzImage or an ELF kernel", name);
    }
    if (size > IMAGE_FILE_LIMIT) {    /* also keeps every length below 2^32, which the libraries count in */
        return image_fail(error, -E2BIG, "%s: file of %zu MiB is over the limit of %zu MiB: not a kernel",
                          name, ((size - 1) >> 20) + 1, IMAGE_FILE_LIMIT >> 20);
    }
    if (wrapped) {
        rc = bzimage_payload(name, &data, &size, error);
    }
    if (rc == 0) {
        rc = unpack_payload(name, data, size, wrapped, limit, out, error);
    }
    if (rc) {
        memset(out, 0, sizeof(*out));
        out->compression = "none";
    }
    return rc;
}

void image_bytes_free(struct image_bytes *bytes)
{
    free(bytes->owned);
    memset(bytes, 0, sizeof(*bytes));
    bytes->compression = "none";
}
