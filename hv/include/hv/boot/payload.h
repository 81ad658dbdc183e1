/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms in which a kernel comes inside its boot image.
 */
#ifndef HV_BOOT_PAYLOAD_H
#define HV_BOOT_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

enum payload_kind {
    PAYLOAD_UNKNOWN,
    PAYLOAD_ELF, /* not compressed */
    PAYLOAD_GZIP,
    PAYLOAD_XZ,
    PAYLOAD_LZ4,
    PAYLOAD_ZSTD,
    PAYLOAD_BZIP2, /* recognised, so that the error can name them; not unpacked here */
    PAYLOAD_LZMA,
    PAYLOAD_LZO,
};

/* By the first bytes. */
enum payload_kind payload_detect(const void *in, size_t len);

/* "xz" and so on, for messages. */
const char *payload_name(enum payload_kind kind);

#endif
