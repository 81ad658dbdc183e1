/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a kernel: as an ELF file, with its first bytes made right, and as a boot image. */
#include <hv/boot/bzimage.h>
#include <hv/boot/elf.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What parse_elf() promises of each segment. */
static void check_kernel(const struct kernel_image *k, size_t len)
{
    for (unsigned int i = 0; i < k->segments; i++) {
        const struct kernel_segment *s = &k->segment[i];

        if (!range_inside(s->file_off, s->file_len, len) || s->file_len > s->mem_len)
            abort();
        if (s->vaddr < k->virt_start || s->vaddr + s->mem_len > k->virt_end ||
            s->vaddr + s->mem_len < s->vaddr)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t ident[20] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0 };
    struct kernel_image kernel;
    struct bzimage image;
    uint8_t *copy = malloc(len + 1);

    memcpy(copy, bytes, len);
    if (!parse_bzimage(copy, len, &image) && !range_inside(image.payload, image.payload_len, len))
        abort();
    if (len >= 64) {
        memcpy(copy, ident, sizeof(ident));
        copy[54] = 56; /* sizes of the two kinds of headers */
        copy[55] = 0;
        copy[58] = 64;
        copy[59] = 0;
    }
    if (!parse_elf(copy, len, &kernel))
        check_kernel(&kernel, len);
    free(copy);
    return 0;
}
