/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux boot image. Its first sectors are the real-mode part; the protected-mode part behind them is a
 * small unpacker with the compressed kernel inside. A PV loader wants only that payload.
 */
#include <hv/boot/bzimage.h>

enum setup_field {
    SETUP_SECTORS = 0x1f1,
    SETUP_BOOT_FLAG = 0x1fe,
    SETUP_MAGIC = 0x202,
    SETUP_VERSION = 0x206,
    SETUP_PAYLOAD = 0x248,
    SETUP_PAYLOAD_LEN = 0x24c,
    SETUP_END_208 = 0x250,
    SETUP_INIT_SIZE = 0x260,
    SETUP_END_20A = 0x264,
};

int parse_bzimage(const void *image, size_t len, struct bzimage *out)
{
    const uint8_t *p = image;
    uint64_t start, size;

    memset(out, 0, sizeof(*out));
    if (len < SETUP_END_208 || load_le16(p + SETUP_BOOT_FLAG) != 0xaa55 || memcmp(p + SETUP_MAGIC, "HdrS", 4))
        return -XEN_ENOEXEC;
    out->version = load_le16(p + SETUP_VERSION);
    if (out->version < 0x208)
        return -XEN_EOPNOTSUPP;
    if (out->version >= 0x20a && len >= SETUP_END_20A)
        out->init_size = load_le32(p + SETUP_INIT_SIZE);
    /* A sector count of 0 stands for 4; the boot sector itself is not counted. */
    start = ((p[SETUP_SECTORS] ? p[SETUP_SECTORS] : 4) + 1) * 512ull + load_le32(p + SETUP_PAYLOAD);
    size = load_le32(p + SETUP_PAYLOAD_LEN);
    if (!size || !range_inside(start, size, len))
        return -XEN_EINVAL;
    out->payload = start;
    out->payload_len = size;
    out->kind = payload_detect(p + start, size);
    return 0;
}
