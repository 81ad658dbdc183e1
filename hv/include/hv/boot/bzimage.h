/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux boot image: a real-mode setup part whose header tells where the compressed kernel is.
 * Facts: the x86 boot protocol as documented with Linux (Documentation/x86/boot.rst), version 2.08 and later.
 */
#ifndef HV_BOOT_BZIMAGE_H
#define HV_BOOT_BZIMAGE_H

#include <hv/boot/bytes.h>
#include <hv/boot/payload.h>

struct bzimage {
    uint16_t version;   /* boot protocol, 0x020f is 2.15 */
    uint32_t init_size; /* bytes the kernel needs to unpack itself; 0: not told */
    size_t payload, payload_len;
    enum payload_kind kind;
};

/*
 * -ENOEXEC: no boot image; -EOPNOTSUPP: one older than protocol 2.08, which does not tell where its payload
 * is; -EINVAL: the payload does not lie inside the file (truncated).
 */
int parse_bzimage(const void *image, size_t len, struct bzimage *out);

#endif
