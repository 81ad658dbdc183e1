/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_elf_fuzz.c - hostile ELF headers, notes and __xen_guest text.
 *
 * Random bytes never look like a kernel. So the input is a list of patches (16-bit offset, one byte) to the
 * sample kernel; the first byte chooses between that, a __xen_guest text, and raw bytes as file or as notes.
 * What is accepted must be consistent: the checks here are what the domain builder relies on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image_internal.h"
#include "tests/unit/image_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_image(const struct image *image)
{
    uint8_t page[4096];
    uint64_t end = image->v_start;

    require(image->segment_count > 0 && image->segment_count <= IMAGE_SEGMENTS_MAX);
    require(image->v_start < image->v_end && !(image->v_start & 4095) && !(image->v_end & 4095));
    require(image->virt_base <= image->v_start && image->v_end - image->virt_base <= 2ull << 30);
    require(image->entry >= image->v_start && image->entry < image->v_end);
    require(image->l1_valid_count <= IMAGE_L1_VALID_MAX);
    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct image_segment *s = &image->segments[i];

        require(s->load >= end && s->file_size <= s->memory_size);
        require(image_inside(s->file_offset, s->file_size, image->elf_size));
        end = s->load + s->memory_size;
        image_copy(image, s->load - 17, page, sizeof(page));
        image_copy(image, end - 17, page, sizeof(page));
    }
    require(end <= image->v_end);
}

static void parse(const uint8_t *data, size_t size)
{
    struct image_error error;
    struct image image;
    int rc = image_parse("fuzz", data, size, &image, &error);

    require((rc == 0) == (error.text[0] == '\0'));
    if (rc == 0) {
        check_image(&image);
    }
}

static void parse_patched(const uint8_t *data, size_t size)
{
    struct sample sample;

    sample_elf(&sample);
    for (; size >= 3; data += 3, size -= 3) {
        sample.bytes[(data[0] | data[1] << 8) % SAMPLE_TEXT] = data[2];
    }
    parse(sample.bytes, SAMPLE_SIZE);
}

static void parse_legacy(const uint8_t *data, size_t size)
{
    struct sample sample;
    char text[400];

    size = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    sample_elf(&sample);
    sample_legacy(&sample, text);
    parse(sample.bytes, SAMPLE_SIZE);
}

static void parse_notes(const uint8_t *data, size_t size)
{
    struct image_claims claims = { 0 };
    struct image_error error;
    struct image image = { 0 };

    image_notes_read("fuzz", data, size, &image, &claims, &error);
    require(image.l1_valid_count <= IMAGE_L1_VALID_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch (data[0] % 4) {
    case 0:
        parse(data + 1, size - 1);
        break;
    case 1:
        parse_legacy(data + 1, size - 1);
        break;
    case 2:
        parse_notes(data + 1, size - 1);
        break;
    default:
        parse_patched(data + 1, size - 1);
    }
    return 0;
}
