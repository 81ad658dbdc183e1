/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_sample.h - a PV kernel of a few hundred bytes, for the tests of the image loader.
 *
 * image_samples.def holds the same kernel packed by the compressors' own programs (see image_samples.sh),
 * so that our readers are tested against their writers.
 */
#ifndef TESTS_IMAGE_SAMPLE_H
#define TESTS_IMAGE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLE_SIZE        0xd00u
#define SAMPLE_PHDRS       0x40u                 /* text, data, notes */
#define SAMPLE_NOTES       0x100u
#define SAMPLE_SHDRS       0x340u                /* null, names, __xen_guest; used if e_shnum is set */
#define SAMPLE_TEXT        0x400u
#define SAMPLE_TEXT_SIZE   0x800u
#define SAMPLE_DATA        0xc00u
#define SAMPLE_DATA_SIZE   0x100u
#define SAMPLE_BASE        0xffffffff80000000ull
#define SAMPLE_START       0xffffffff81000000ull
#define SAMPLE_ENTRY       (SAMPLE_START + 0x123)
#define SAMPLE_HYPERCALL   (SAMPLE_START + 0x2000)
#define SAMPLE_END         (SAMPLE_START + 0x5000)

struct sample {
    uint8_t bytes[SAMPLE_SIZE];
    size_t notes_size;
};

/* The kernel as a plain ELF: always the same bytes. */
void sample_elf(struct sample *sample);

/* Append one note; `owner` includes nothing but its text. */
void sample_note(struct sample *sample, const char *owner, uint32_t type, const void *data, uint32_t size);

/* Give up the notes for a __xen_guest section with this text. */
void sample_legacy(struct sample *sample, const char *text);

/* Wrap a payload like a bzImage does. The result is malloc'ed. */
uint8_t *sample_bzimage(const uint8_t *payload, size_t size, size_t *out_size);

struct sample_packed {
    const char *name;
    const uint8_t *data;
    size_t size;
};
extern const struct sample_packed sample_packed[];
extern const size_t sample_packed_count;

#endif
