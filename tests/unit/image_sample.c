/* SPDX-License-Identifier: BSD-2-Clause */
/* image_sample.c - builds the sample kernel of image_sample.h, header by header. */
#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/image_sample.h"

static void put_header(struct sample *sample)
{
    Elf64_Ehdr h = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = 0x1000000,
        .e_phoff = SAMPLE_PHDRS, .e_ehsize = sizeof(h), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3,
        .e_shentsize = sizeof(Elf64_Shdr),
    };

    memcpy(sample->bytes, &h, sizeof(h));
}

/* p_vaddr of the data segment is wrong on purpose, as in Linux' per-CPU segment: p_paddr counts. */
static void put_segments(struct sample *sample)
{
    Elf64_Phdr p[3] = {
        { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = SAMPLE_TEXT, .p_vaddr = SAMPLE_START,
          .p_paddr = 0x1000000, .p_filesz = SAMPLE_TEXT_SIZE, .p_memsz = 0x3000, .p_align = 0x1000 },
        { .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = SAMPLE_DATA, .p_vaddr = 0,
          .p_paddr = 0x1003000, .p_filesz = SAMPLE_DATA_SIZE, .p_memsz = 0x1f00, .p_align = 0x1000 },
        { .p_type = PT_NOTE, .p_offset = SAMPLE_NOTES, .p_filesz = sample->notes_size, .p_align = 4 },
    };

    memcpy(sample->bytes + SAMPLE_PHDRS, p, sizeof(p));
}

void sample_note(struct sample *sample, const char *owner, uint32_t type, const void *data, uint32_t size)
{
    uint8_t *to = sample->bytes + SAMPLE_NOTES + sample->notes_size;
    Elf64_Nhdr n = { .n_namesz = (uint32_t)strlen(owner) + 1, .n_descsz = size, .n_type = type };
    size_t owner_room = (n.n_namesz + 3u) & ~3u, total = sizeof(n) + owner_room + ((size + 3u) & ~3u);

    if (SAMPLE_NOTES + sample->notes_size + total > SAMPLE_SHDRS) {
        abort();
    }
    memcpy(to, &n, sizeof(n));
    memcpy(to + sizeof(n), owner, n.n_namesz);
    memcpy(to + sizeof(n) + owner_room, data, size);
    sample->notes_size += total;
    put_segments(sample);
}

static void put_number(struct sample *sample, uint32_t type, uint64_t value)
{
    sample_note(sample, "Xen", type, &value, sizeof(value));
}

static void put_notes(struct sample *sample)
{
    static const uint64_t l1_valid[2] = { 1, 1 };
    static const uint32_t supported = 0x8801, one = 1;
    static const char features[] = "!writable_page_tables|pae_pgdir_above_4gb|no_such_feature";

    sample_note(sample, "Xen", 6, "linux", 6);
    sample_note(sample, "GNU", 1, "not ours", 8);
    sample_note(sample, "Xen", 7, "2.6", 4);
    sample_note(sample, "Xen", 5, "xen-3.0", 8);
    sample_note(sample, "Xen", 8, "generic", 8);
    put_number(sample, 3, SAMPLE_BASE);
    put_number(sample, 15, 0x8000000000);
    put_number(sample, 1, SAMPLE_ENTRY);
    put_number(sample, 2, SAMPLE_HYPERCALL);
    sample_note(sample, "Xen", 10, features, sizeof(features));
    sample_note(sample, "Xen", 17, &supported, 4);
    sample_note(sample, "Xen", 13, l1_valid, sizeof(l1_valid));
    sample_note(sample, "Xen", 14, &one, 4);
    sample_note(sample, "Xen", 16, &one, 4);
    put_number(sample, 12, 0xffff800000000000);
    put_number(sample, 18, 0x1000850);
}

void sample_elf(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    put_header(sample);
    for (unsigned int i = 0; i < SAMPLE_TEXT_SIZE; i++) {
        sample->bytes[SAMPLE_TEXT + i] = (uint8_t)(i % 40 * 7);
    }
    for (unsigned int i = 0; i < SAMPLE_DATA_SIZE; i++) {
        sample->bytes[SAMPLE_DATA + i] = (uint8_t)(i % 16 + 1);
    }
    put_notes(sample);
}

void sample_legacy(struct sample *sample, const char *text)
{
    static const char names[] = "\0.shstrtab\0__xen_guest";
    size_t names_at = SAMPLE_SHDRS - sizeof(names), size = strlen(text) + 1;
    Elf64_Shdr s[3] = {
        { .sh_type = SHT_NULL },
        { .sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = names_at, .sh_size = sizeof(names) },
        { .sh_name = 11, .sh_type = SHT_PROGBITS, .sh_offset = SAMPLE_NOTES, .sh_size = size },
    };
    Elf64_Ehdr h;

    static_assert(SAMPLE_SHDRS + sizeof(s) == SAMPLE_TEXT, "section headers end where the text begins");
    memset(sample->bytes + SAMPLE_NOTES, 0, SAMPLE_SHDRS - SAMPLE_NOTES);
    sample->notes_size = 0;
    put_segments(sample);
    memcpy(sample->bytes + SAMPLE_NOTES, text, size);
    memcpy(sample->bytes + names_at, names, sizeof(names));
    memcpy(sample->bytes + SAMPLE_SHDRS, s, sizeof(s));
    memcpy(&h, sample->bytes, sizeof(h));
    h.e_shoff = SAMPLE_SHDRS;
    h.e_shnum = 3;
    h.e_shstrndx = 1;
    memcpy(sample->bytes, &h, sizeof(h));
}

uint8_t *sample_bzimage(const uint8_t *payload, size_t size, size_t *out_size)
{
    const uint32_t start = 512 * 3, offset = 0x70, length = (uint32_t)size + 4, unpacked = SAMPLE_SIZE;
    uint8_t *image = calloc(1, start + offset + length + 0x40);

    if (!image) {
        abort();
    }
    image[0x1f1] = 2;
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    memcpy(image + 0x202, "HdrS", 4);
    image[0x206] = 0x0f;
    image[0x207] = 0x02;
    memcpy(image + 0x248, &offset, 4);
    memcpy(image + 0x24c, &length, 4);
    memcpy(image + start + offset, payload, size);
    memcpy(image + start + offset + size, &unpacked, 4);
    *out_size = start + offset + length + 0x40;
    return image;
}

#define PACKED(name, ...) static const uint8_t packed_##name[] = { __VA_ARGS__ };
#include "tests/data/image_samples.def"
#undef PACKED

#define PACKED(name, ...) { #name, packed_##name, sizeof(packed_##name) },
const struct sample_packed sample_packed[] = {
#include "tests/data/image_samples.def"
};
#undef PACKED
const size_t sample_packed_count = sizeof(sample_packed) / sizeof(sample_packed[0]);
