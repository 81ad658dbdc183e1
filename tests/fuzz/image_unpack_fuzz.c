/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_unpack_fuzz.c - hostile bzImages and compressed streams: patches to packed samples, as in
 * image_elf_fuzz.c. The first byte chooses compression and wrapping; then come patches of (16-bit offset, one
 * byte).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image.h"
#include "tests/unit/image_sample.h"

#define LIMIT ((size_t)64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack(const uint8_t *file, size_t size)
{
    struct image_error error;
    struct image_bytes bytes;
    int rc = image_unpack("fuzz", file, size, LIMIT, &bytes, &error);

    if ((rc == 0) != (error.text[0] == '\0') || (bytes.owned && bytes.size > LIMIT) || (rc && bytes.data)) {
        abort();
    }
    image_bytes_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sample_packed *p;
    uint8_t *file;
    size_t length;

    if (size == 0 || data[0] % 16 >= 2 * sample_packed_count) {
        unpack(data + !!size, size - !!size);
        return 0;
    }
    p = &sample_packed[data[0] % 16 / 2];
    if (data[0] & 1) {
        file = sample_bzimage(p->data, p->size, &length);
    } else {
        length = p->size;
        file = malloc(length);
        memcpy(file, p->data, length);
    }
    for (data++, size--; size >= 3; data += 3, size -= 3) {
        file[(data[0] | data[1] << 8) % length] = data[2];
    }
    unpack(file, length);
    free(file);
    return 0;
}
