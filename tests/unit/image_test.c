/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_test.c - the kernel image loader: every compression, every refusal with its words, hostile headers,
 * the cache. `image_test --write-sample FILE` writes the sample kernel, for tests/data/image_samples.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "lib/image_internal.h"
#include "tests/unit/image_sample.h"

#define LIMIT ((size_t)1 << 20)

static struct image_error error;

/* ---- unpacking ----------------------------------------------------------------------------------------- */

static const char *unpack_name(const uint8_t *data, size_t size, int expect)
{
    static char compression[16];
    struct image_bytes bytes;
    struct sample sample;

    sample_elf(&sample);
    assert_int_equal(image_unpack("vmlinuz", data, size, LIMIT, &bytes, &error), expect);
    if (expect == 0) {
        assert_string_equal(error.text, "");
        assert_true(bytes.size == SAMPLE_SIZE);
        assert_memory_equal(bytes.data, sample.bytes, SAMPLE_SIZE);
    } else {
        assert_null(bytes.data);
        assert_non_null(strstr(error.text, "vmlinuz: "));
    }
    snprintf(compression, sizeof(compression), "%s", bytes.compression);
    image_bytes_free(&bytes);
    return compression;
}

static void each_compression_unpacks(void **state)
{
    assert_int_equal(sample_packed_count, 7);
    for (size_t i = 0; i < sample_packed_count; i++) {
        const struct sample_packed *p = &sample_packed[i];
        size_t size;
        uint8_t *wrapped = sample_bzimage(p->data, p->size, &size);

        assert_string_equal(unpack_name(p->data, p->size, 0), p->name);
        assert_string_equal(unpack_name(wrapped, size, 0), p->name);
        free(wrapped);
    }
}

static void plain_elf_is_borrowed(void **state)
{
    struct image_bytes bytes;
    struct sample sample;

    sample_elf(&sample);
    assert_int_equal(image_unpack("k", sample.bytes, SAMPLE_SIZE, LIMIT, &bytes, &error), 0);
    assert_ptr_equal(bytes.data, sample.bytes);
    assert_null(bytes.owned);
    image_bytes_free(&bytes);
}

/* The copies are exactly as long as claimed, so that the sanitizer sees a read beyond. */
static void truncated_streams_are_refused(void **state)
{
    for (size_t i = 0; i < sample_packed_count; i++) {
        const struct sample_packed *p = &sample_packed[i];

        for (size_t size = 0; size < p->size; size += size < 32 ? 1 : 5) {
            uint8_t *copy = malloc(size + !size);
            struct image_bytes bytes;
            int rc;

            memcpy(copy, p->data, size);
            rc = image_unpack("vmlinuz", copy, size, LIMIT, &bytes, &error);
            if (rc == 0) {    /* only what follows the kernel's bytes may be missing: a checksum at most */
                assert_true(size + 16 > p->size && bytes.size == SAMPLE_SIZE);
            } else {
                assert_true(rc == -EINVAL || rc == -ENOEXEC);
            }
            image_bytes_free(&bytes);
            free(copy);
        }
    }
}

static void truncated_bzimages_are_refused(void **state)
{
    size_t whole;
    uint8_t *wrapped = sample_bzimage(sample_packed[0].data, sample_packed[0].size, &whole);

    for (size_t size = 0; size < whole - 0x40; size += 3) {
        uint8_t *copy = malloc(size + !size);

        memcpy(copy, wrapped, size);
        assert_string_equal(unpack_name(copy, size, size < 0x206 ? -ENOEXEC : -EINVAL), "none");
        free(copy);
    }
    memcpy(wrapped + 0x206, "\x07\x02", 2);
    assert_string_equal(unpack_name(wrapped, 0x207, -EINVAL), "none");
    assert_string_equal(error.text,
                        "vmlinuz: bzImage ends after 519 bytes, inside its setup header (592 bytes): the "
                        "file is truncated, copy it again");
    free(wrapped);
}

static void refuse_bzimage(size_t offset, uint32_t value, unsigned int width, int expect, const char *words)
{
    size_t size;
    uint8_t *wrapped = sample_bzimage(sample_packed[0].data, sample_packed[0].size, &size);

    memcpy(wrapped + offset, &value, width);
    unpack_name(wrapped, size, expect);
    if (!strstr(error.text, words)) {
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
    }
    free(wrapped);
}

static void hostile_setup_headers_are_refused(void **state)
{
    refuse_bzimage(0x206, 0x0207, 2, -ENOEXEC,
                   "vmlinuz: bzImage with boot protocol 2.07 does not tell where its kernel is: take Linux "
                   "2.6.24 or later (protocol 2.08), or its vmlinux");
    refuse_bzimage(0x248, 0xffffffff, 4, -EINVAL, "payload of");
    refuse_bzimage(0x24c, 0xffffffff, 4, -EINVAL, "payload of 4294967295 bytes at 1648 does not lie inside");
    refuse_bzimage(0x24c, 0, 4, -EINVAL,
                   "vmlinuz: bzImage payload of 0 bytes at 1648 does not lie inside the file of 2093 bytes: "
                   "the file is truncated or damaged, copy it again");
    refuse_bzimage(0x1f1, 255, 1, -EINVAL, "does not lie inside the file");
    refuse_bzimage(0x248, 0, 4, -ENOEXEC, "bzImage payload begins with 00 00 00 00");
    refuse_bzimage(0x24c, 20, 4, -EINVAL, 
                   "vmlinuz: gzip data of 20 bytes is damaged or truncated: copy the file again");
}

static void a_bomb_meets_the_limit(void **state)
{
    enum { PLAIN = 64 << 20 };
    uint8_t *plain = calloc(1, PLAIN), *packed = malloc(1 << 20);
    z_stream stream = { .next_in = plain, .avail_in = PLAIN, .next_out = packed, .avail_out = 1 << 20 };
    struct image_bytes bytes;

    memcpy(plain, ELFMAG, SELFMAG);
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    assert_int_equal(image_unpack("bomb", packed, stream.total_out, 4 * LIMIT, &bytes, &error), -E2BIG);
    assert_string_equal(error.text, "bomb: unpacked (gzip) it is over the limit of 4 MiB: not a kernel");
    assert_int_equal(image_unpack("bomb", packed, stream.total_out, PLAIN + 1, &bytes, &error), 0);
    assert_int_equal(bytes.size, PLAIN);
    image_bytes_free(&bytes);
    free(packed);
    free(plain);
}

/* Each codec has its own way to ask for room: none may go beyond. */
static void every_codec_keeps_the_limit(void **state)
{
    for (size_t i = 0; i < sample_packed_count; i++) {
        const struct sample_packed *p = &sample_packed[i];
        struct image_bytes bytes;

        for (size_t limit = 1; limit < SAMPLE_SIZE; limit += 500) {
            assert_int_equal(image_unpack(p->name, p->data, p->size, limit, &bytes, &error), -E2BIG);
        }
        assert_int_equal(image_unpack(p->name, p->data, p->size, SAMPLE_SIZE + 1, &bytes, &error), 0);
        image_bytes_free(&bytes);
    }
}

static void other_files_are_refused(void **state)
{
    static const uint8_t shell[] = "#!/bin/sh\n";
    static const char large[] = "vmlinuz: file of 513 MiB is over the limit of 512 MiB: not a kernel";
    static const uint8_t packed_text[] = { 0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                           3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                           0xa6, 0x10, 0x36, 5,    0,    0,    0 };

    unpack_name(shell, 0, -ENOEXEC);
    assert_string_equal(error.text, "vmlinuz: the file is empty: give a bzImage or an ELF kernel");
    unpack_name(shell, 1, -ENOEXEC);
    unpack_name(shell, IMAGE_FILE_LIMIT + 1, -E2BIG);
    assert_string_equal(error.text, large);
    unpack_name(packed_text, sizeof(packed_text), -ENOEXEC);
    assert_string_equal(error.text,
                        "vmlinuz: holds no ELF kernel inside its gzip compression: give a bzImage or an "
                        "ELF kernel");
    unpack_name(shell, sizeof(shell), -ENOEXEC);
    assert_string_equal(error.text, "vmlinuz: file begins with 23 21 2f 62: neither ELF nor gzip, bzip2, "
                                    "lzma, xz, lzo, lz4, zstd; give a bzImage or an ELF kernel");
}

/* ---- ELF ----------------------------------------------------------------------------------------------- */

static void fields_of_a_good_kernel(void **state)
{
    struct sample sample;
    struct image image;

    sample_elf(&sample);
    assert_int_equal(image_parse("vmlinux", sample.bytes, SAMPLE_SIZE, &image, &error), 0);
    assert_true(image.entry == SAMPLE_ENTRY);
    assert_true(image.virt_base == SAMPLE_BASE);
    assert_true(image.paddr_offset == 0 && image.virt_offset == SAMPLE_BASE);
    assert_true(image.v_start == SAMPLE_START && image.v_end == SAMPLE_END);
    assert_true(image.hypercall_page == SAMPLE_HYPERCALL);
    assert_true(image.init_p2m == 0x8000000000);
    assert_true(image.hv_start_low == 0xffff800000000000);
    assert_true(image.phys32_entry == 0x1000850);
    assert_int_equal(image.features_required, 0x1);
    assert_int_equal(image.features_supported, 0x8811);
    assert_int_equal(image.l1_valid_count, 1);
    assert_true(image.l1_valid[0].mask == 1 && image.l1_valid[0].value == 1);
    assert_true(image.mod_start_pfn && image.suspend_cancel && !image.legacy);
    assert_string_equal(image.guest_os, "linux");
    assert_string_equal(image.guest_version, "2.6");
    assert_string_equal(image.xen_version, "xen-3.0");
    assert_string_equal(image.loader, "generic");
    assert_int_equal(image.segment_count, 2);
    assert_true(image.segments[1].load == SAMPLE_START + 0x3000 && image.segments[1].memory_size == 0x1f00);
}

/* Ask for windows of all alignments; compare with the whole, laid out here by hand. */
static void copies_hold_segments_and_zeros(void **state)
{
    enum { WHOLE = SAMPLE_END - SAMPLE_START + 0x2000 };
    uint8_t *whole = calloc(1, WHOLE), window[700];
    struct sample sample;
    struct image image;

    sample_elf(&sample);
    memcpy(whole + 0x1000, sample.bytes + SAMPLE_TEXT, SAMPLE_TEXT_SIZE);
    memcpy(whole + 0x1000 + 0x3000, sample.bytes + SAMPLE_DATA, SAMPLE_DATA_SIZE);
    assert_int_equal(image_parse("vmlinux", sample.bytes, SAMPLE_SIZE, &image, &error), 0);
    for (size_t at = 0; at + sizeof(window) <= WHOLE; at += 97) {
        memset(window, 0xee, sizeof(window));
        image_copy(&image, SAMPLE_START - 0x1000 + at, window, sizeof(window));
        assert_memory_equal(window, whole + at, sizeof(window));
    }
    image_copy(&image, UINT64_MAX - 10, window, 10);
    image_copy(&image, 0, window, 0);
    free(whole);
}

static void every_cut_elf_is_refused(void **state)
{
    struct sample sample;
    struct image image;

    sample_elf(&sample);
    for (size_t size = 0; size < SAMPLE_SIZE; size++) {
        uint8_t *copy = malloc(size + !size);

        memcpy(copy, sample.bytes, size);
        assert_int_equal(image_parse("vmlinux", copy, size, &image, &error),
                         size < SELFMAG ? -ENOEXEC : -EINVAL);
        assert_non_null(strstr(error.text, "vmlinux: "));
        free(copy);
    }
    image_parse("vmlinux", sample.bytes, 1, &image, &error);
    assert_string_equal(error.text, "vmlinux: not an ELF file: give a bzImage or an ELF kernel");
    image_parse("vmlinux", sample.bytes, sizeof(Elf64_Ehdr) - 1, &image, &error);
    assert_string_equal(error.text,
                        "vmlinux: ELF file ends after 63 bytes, inside its header (64 bytes): the file is "
                        "truncated, copy it again");
}

static void loadable_segments_are_counted(void **state)
{
    static uint8_t many[SAMPLE_PHDRS + (IMAGE_SEGMENTS_MAX + 1) * sizeof(Elf64_Phdr)];
    struct sample sample;
    struct image image;
    Elf64_Phdr segment;
    Elf64_Ehdr header;

    sample_elf(&sample);
    memcpy(&header, sample.bytes, sizeof(header));
    memcpy(&segment, sample.bytes + SAMPLE_PHDRS, sizeof(segment));
    segment.p_offset = segment.p_filesz = 0;
    header.e_phnum = IMAGE_SEGMENTS_MAX + 1;
    memcpy(many, &header, sizeof(header));
    for (size_t i = 0; i <= IMAGE_SEGMENTS_MAX; i++) {
        memcpy(many + SAMPLE_PHDRS + i * sizeof(segment), &segment, sizeof(segment));
    }
    assert_int_equal(image_parse("vmlinux", many, sizeof(many), &image, &error), -EINVAL);
    assert_string_equal(error.text, "vmlinux: more than 32 loadable segments: not a PV kernel");
    memset(many + SAMPLE_PHDRS, 0, sizeof(many) - SAMPLE_PHDRS);
    assert_int_equal(image_parse("vmlinux", many, sizeof(many), &image, &error), -ENOEXEC);
    assert_string_equal(error.text, "vmlinux: no loadable segment: give a kernel, no object file");
}

/* Change one field of the sample; what must be said then. `note` counts from the notes' begin. */
static const struct elf_case {
    size_t offset;
    unsigned int width;
    uint64_t value;
    int rc;
    const char *words;
} elf_cases[] = {
    { EI_CLASS, 1, 1, -ENOEXEC,
      "vmlinux: ELF class is 1, not 2 (64 bit): 32-bit guests are not supported, take an x86-64 kernel" },
    { EI_DATA, 1, 2, -ENOEXEC, "vmlinux: ELF byte order is 2, not 1 (little endian): take an x86-64 kernel" },
    { offsetof(Elf64_Ehdr, e_machine), 2, 183, -ENOEXEC,
      "vmlinux: ELF machine is 183, not 62 (x86-64): take an x86-64 kernel" },
    { offsetof(Elf64_Ehdr, e_type), 2, ET_REL, -ENOEXEC,
      "vmlinux: ELF type is 1, not an executable (2): give a kernel, no object file or core dump" },
    { offsetof(Elf64_Ehdr, e_phnum), 2, 0, -EINVAL,
      "vmlinux: 0 program headers of 56 bytes at 0x40 do not lie inside the file of 3328 bytes: the file is "
      "truncated or damaged, copy it again" },
    { offsetof(Elf64_Ehdr, e_phnum), 2, 0xffff, -EINVAL, "65535 program headers" },
    { offsetof(Elf64_Ehdr, e_phentsize), 2, 8, -EINVAL, "program headers of 8 bytes" },
    { offsetof(Elf64_Ehdr, e_phoff), 8, UINT64_MAX - 8, -EINVAL, "do not lie inside the file of 3328 bytes" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_offset), 8, UINT64_MAX, -EINVAL,
      "vmlinux: segment 0: 0x800 bytes at file offset 0xffffffffffffffff do not lie inside the file of 3328 "
      "bytes: the file is truncated or damaged, copy it again" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_offset), 8, SAMPLE_SIZE - 0x7ff, -EINVAL, "do not lie inside" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_filesz), 8, UINT64_MAX - 0x300, -EINVAL, "do not lie inside" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_memsz), 8, 0x7ff, -EINVAL,
      "vmlinux: segment 0: 0x7ff bytes of memory for 0x800 bytes of file (limit 0x40000000): the kernel is "
      "damaged" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_memsz), 8, 0x40000001, -EINVAL, "(limit 0x40000000)" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_memsz), 8, UINT64_MAX, -EINVAL, "limit" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_memsz), 8, 0x3001, -EINVAL,
      "vmlinux: segment at 0xffffffff81003000 overlaps the one that ends at 0xffffffff81003001: the kernel "
      "is damaged" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_paddr), 8, 0x80000000 - 0x3000, -EINVAL,
      "vmlinux: segment at 0xffffffffffffd000 with 0x3000 bytes runs over the end of the address space: "
      "the kernel's notes contradict its segments" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_paddr), 8, 0x7f000000, -EINVAL,
      "vmlinux: segments spread over 0x7e000000 bytes, limit 0x40000000: the kernel is damaged" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_paddr), 8, -0x1000ull, -EINVAL,
      "vmlinux: VIRT_BASE 0xffffffff80000000 does not fit the first segment at 0xffffffff7ffff000: the "
      "kernel's notes contradict its segments" },
    { SAMPLE_PHDRS + offsetof(Elf64_Phdr, p_type), 4, PT_NULL, -EINVAL,
      "vmlinux: entry point 0xffffffff81000123 is not inside the kernel at "
      "0xffffffff81003000..0xffffffff81005000: the kernel's notes contradict its segments" },
    { SAMPLE_PHDRS + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_filesz), 8, UINT64_MAX, -EINVAL,
      "vmlinux: notes (segment 2): 0xffffffffffffffff bytes at file offset 0x100 do not lie inside the "
      "file of 3328 bytes: the file is truncated, copy it again" },
    { SAMPLE_PHDRS + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_offset), 8, SAMPLE_SIZE, -EINVAL,
      "notes" },
    { SAMPLE_PHDRS + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_type), 4, 0, -ENOEXEC,
      "vmlinux: neither Xen ELF notes nor a __xen_guest section: not a PV kernel, take one built with "
      "CONFIG_XEN_PV" },
    { SAMPLE_NOTES, 4, 0xffffffff, -EINVAL,
      "vmlinux: ELF note at 0 of 428 bytes of notes runs over their end: the kernel is damaged" },
    { SAMPLE_NOTES + 4, 4, 0xfffffffd, -EINVAL, "runs over their end" },
};

static void hostile_elf_fields_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(elf_cases) / sizeof(elf_cases[0]); i++) {
        const struct elf_case *c = &elf_cases[i];
        struct sample sample;
        struct image image;
        int rc;

        sample_elf(&sample);
        memcpy(sample.bytes + c->offset, &c->value, c->width);
        rc = image_parse("vmlinux", sample.bytes, SAMPLE_SIZE, &image, &error);
        if (rc != c->rc || !strstr(error.text, c->words)) {
            fail_msg("case %zu: %d \"%s\", not %d \"%s\"", i, rc, error.text, c->rc, c->words);
        }
    }
}

/* A note added to the sample's; later ones win. */
static const struct note_case {
    uint32_t type, size;
    uint64_t value;
    int rc;
    const char *words;
} note_cases[] = {
    { 1, 8, SAMPLE_END, -EINVAL,
      "entry point 0xffffffff81005000 is not inside the kernel at 0xffffffff81000000" },
    { 1, 4, 0x1000000, -EINVAL, "entry point 0x1000000 is not" },
    { 1, 2, 0, -EINVAL, "vmlinux: ELF note ENTRY has 2 bytes, not 4 or 8: the kernel is damaged" },
    { 2, 8, SAMPLE_START + 8, -EINVAL,
      "vmlinux: HYPERCALL_PAGE 0xffffffff81000008 is not a page of the kernel at "
      "0xffffffff81000000..0xffffffff81005000: the kernel's notes contradict its segments" },
    { 2, 8, SAMPLE_END, -EINVAL, "HYPERCALL_PAGE" },
    { 3, 8, SAMPLE_BASE + 1, -EINVAL, "VIRT_BASE 0xffffffff80000001 does not fit the first segment" },
    { 3, 8, 0xffff800000000000, -EINVAL,
      "vmlinux: kernel at 0xffff800000000000..0xffff800001005000 reaches into the hypervisor's or the "
      "non-canonical part of the address space: not a PV kernel" },
    { 3, 8, 0x00007ffffff00000, -EINVAL, "reaches into the hypervisor's" },
    { 4, 8, 0x1000000, -EINVAL, "entry point" },
    { 5, 8, 0x302e322d6e6578, -ENOEXEC,
      "vmlinux: kernel is built for interface \"xen-2.0\", not \"xen-3.0\": take a kernel for Xen 3.0 or "
      "later" },
    { 8, 4, 0x1b5b41, -ENOEXEC,
      "vmlinux: kernel wants the loader \"A[?\", not \"generic\": give the kernel itself" },
    { 10, 5, 0x3132746821, -EINVAL,
      "vmlinux: kernel requires the unknown feature \"ht21\": take a kernel that asks for features of Xen "
      "4.17 or earlier" },
    { 10, 1, 0x21, -EINVAL, "unknown feature \"\"" },
    { 13, 7, 0, -EINVAL,
      "vmlinux: ELF note L1_MFN_VALID has 7 bytes, no whole number of pairs: the kernel is damaged" },
    { 15, 8, 0x8000000001, -EINVAL,
      "vmlinux: INIT_P2M 0x8000000001 is unaligned, outside the guest's part of the address space or "
      "inside the kernel: the kernel is damaged" },
    { 15, 8, 0xffff800000000000, -EINVAL, "INIT_P2M 0xffff800000000000" },
    { 15, 8, SAMPLE_START, -EINVAL, "INIT_P2M" },
    { 15, 8, UINT64_MAX - 0xfff, 0, "" },
    { 99, 8, 0, 0, "" },
    { 10, 0, 0, 0, "" },
};

/* GRUB's own kernel for Xen tells eight and has four. */
static void notes_are_padded_to_four_whatever_their_header_says(void **state)
{
    const size_t align_of_notes = SAMPLE_PHDRS + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_align);

    for (uint64_t align = 0; align <= 16; align += 4) {
        struct sample sample;
        struct image image;

        sample_elf(&sample);
        memcpy(sample.bytes + align_of_notes, &align, sizeof(align));
        assert_int_equal(image_parse("grub", sample.bytes, SAMPLE_SIZE, &image, &error), 0);
        assert_string_equal(image.xen_version, "xen-3.0");
    }
}

static void hostile_notes_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(note_cases) / sizeof(note_cases[0]); i++) {
        const struct note_case *c = &note_cases[i];
        struct sample sample;
        struct image image;
        int rc;

        sample_elf(&sample);
        sample_note(&sample, "Xen", c->type, &c->value, c->size);
        rc = image_parse("vmlinux", sample.bytes, SAMPLE_SIZE, &image, &error);
        if (rc != c->rc || !strstr(error.text, c->words)) {
            fail_msg("case %zu: %d \"%s\", not %d \"%s\"", i, rc, error.text, c->rc, c->words);
        }
    }
}

static int parse_legacy(const char *text, struct image *image)
{
    static struct sample sample;    /* the image borrows it */

    sample_elf(&sample);
    sample_legacy(&sample, text);
    return image_parse("netbsd", sample.bytes, SAMPLE_SIZE, image, &error);
}

static void legacy_section_is_understood(void **state)
{
    struct image image;

    assert_int_equal(parse_legacy("GUEST_OS=netbsd,GUEST_VER=4.99,XEN_VER=xen-3.0,LOADER=generic,"
                                  "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0,"
                                  "VIRT_ENTRY=0xffffffff81000100,HYPERCALL_PAGE=0x00001001,BSD_SYMTAB=yes,"
                                  "FEATURES=writable_page_tables",
                                  &image),
                     0);
    assert_true(image.legacy);
    assert_string_equal(image.guest_os, "netbsd");
    assert_true(image.entry == 0xffffffff81000100 && image.hypercall_page == 0xffffffff81001000);
    assert_int_equal(image.features_supported, 1);
    /* The offset's default is the base: now the segments lie at their p_paddr, and the base does not fit. */
    assert_int_equal(parse_legacy("VIRT_BASE=0xffffffff80000000,VIRT_ENTRY=0xffffffff81000100", &image),
                     -EINVAL);
    assert_non_null(strstr(error.text, "VIRT_BASE 0xffffffff80000000 does not fit the first segment at "
                                       "0x1000000"));
    assert_int_equal(parse_legacy("VIRT_ENTRY=1x", &image), -EINVAL);
    assert_string_equal(error.text, "netbsd: __xen_guest: VIRT_ENTRY=1x is no number: the kernel is damaged");
    assert_int_equal(parse_legacy("VIRT_BASE=0xfffffffff80000000", &image), -EINVAL);
}

/* ---- the cache ----------------------------------------------------------------------------------------- */

static char folder[] = P_tmpdir "/image_test.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[2][64];
    static unsigned int turn;
    char *p = path[turn++ % 2];

    snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    return p;
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path_of(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

static const struct image *get(struct image_cache *cache, const char *name)
{
    const struct image *image;

    assert_int_equal(image_cache_get(cache, path_of(name), &image, &error), 0);
    return image;
}

static void expect_stats(const struct image_cache *cache, uint64_t hits, uint64_t rehashed, uint64_t unpacked,
                         unsigned int images)
{
    struct image_cache_stats s;

    image_cache_stats(cache, &s);
    assert_int_equal(s.hits, hits);
    assert_int_equal(s.rehashed, rehashed);
    assert_int_equal(s.unpacked, unpacked);
    assert_int_equal(s.images, images);
    assert_int_equal(s.bytes, images * SAMPLE_SIZE);
}

static void equal_content_is_unpacked_once(void **state)
{
    struct image_cache *cache = image_cache_new(LIMIT, LIMIT);
    const struct image *a, *b, *c, *changed;
    uint8_t other[SAMPLE_SIZE];
    struct sample sample;

    sample_elf(&sample);
    memcpy(other, sample.bytes, SAMPLE_SIZE);
    other[SAMPLE_TEXT] ^= 1;
    write_file("a", sample_packed[0].data, sample_packed[0].size);
    write_file("b", sample_packed[0].data, sample_packed[0].size);
    a = get(cache, "a");
    b = get(cache, "b");
    assert_ptr_equal(a, b);
    expect_stats(cache, 0, 1, 1, 1);
    /* The file is younger than the clock can tell: not trusted by looks, but found by content. */
    c = get(cache, "a");
    assert_ptr_equal(a, c);
    expect_stats(cache, 0, 2, 1, 1);
    write_file("a", other, SAMPLE_SIZE);
    changed = get(cache, "a");
    assert_ptr_not_equal(a, changed);
    expect_stats(cache, 0, 2, 2, 2);
    assert_int_equal(a->elf[SAMPLE_TEXT] ^ changed->elf[SAMPLE_TEXT], 1);    /* the old one is still whole */
    image_cache_put(cache, a);
    image_cache_put(cache, b);
    image_cache_put(cache, c);
    image_cache_put(cache, changed);
    image_cache_free(cache);
}

/* Only a file whose last change lies some seconds back is trusted by looks, and a change time cannot be
 * forged: the only wait here. */
static void a_settled_file_costs_a_stat(void **state)
{
    struct image_cache *cache = image_cache_new(LIMIT, LIMIT);
    const struct image *image[4];

    write_file("s", sample_packed[1].data, sample_packed[1].size);
    assert_int_equal(link(path_of("s"), path_of("hard")), 0);      /* the same file under other names */
    assert_int_equal(symlink("s", path_of("soft")), 0);
    sleep(4);
    image[0] = get(cache, "s");
    image[1] = get(cache, "s");
    image[2] = get(cache, "hard");
    image[3] = get(cache, "soft");
    expect_stats(cache, 3, 0, 1, 1);
    for (int i = 0; i < 4; i++) {
        image_cache_put(cache, image[i]);
    }
    image_cache_free(cache);
}

/* Another file at the same path is another file, and one that comes back is known. */
static void a_replaced_file_is_seen(void **state)
{
    struct image_cache *cache = image_cache_new(LIMIT, LIMIT);
    const struct image *a, *b, *c;
    struct sample sample;

    sample_elf(&sample);
    write_file("one", sample.bytes, SAMPLE_SIZE);
    sample.bytes[SAMPLE_TEXT] ^= 1;
    write_file("two", sample.bytes, SAMPLE_SIZE);
    a = get(cache, "one");
    assert_int_equal(rename(path_of("one"), path_of("kept")), 0);
    assert_int_equal(rename(path_of("two"), path_of("one")), 0);
    b = get(cache, "one");
    c = get(cache, "kept");
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a, c);
    image_cache_put(cache, a);
    image_cache_put(cache, b);
    image_cache_put(cache, c);
    image_cache_free(cache);
}

static void unused_kernels_go_when_memory_is_short(void **state)
{
    struct image_cache *cache = image_cache_new(2 * SAMPLE_SIZE, LIMIT);
    const struct image *held;
    struct sample sample;
    char name[] = "k0";

    write_file("held", sample_packed[2].data, sample_packed[2].size);
    held = get(cache, "held");
    for (; name[1] <= '9'; name[1]++) {
        sample_elf(&sample);
        sample.bytes[SAMPLE_TEXT + 1] = (uint8_t)name[1];
        write_file(name, sample.bytes, SAMPLE_SIZE);
        image_cache_put(cache, get(cache, name));
    }
    expect_stats(cache, 0, 0, 11, 2);
    sample_elf(&sample);
    assert_memory_equal(held->elf, sample.bytes, SAMPLE_SIZE);
    image_cache_put(cache, get(cache, "k0"));    /* was dropped: comes back by unpacking */
    expect_stats(cache, 0, 0, 12, 2);
    image_cache_put(cache, held);
    image_cache_free(cache);
}

static void unreadable_paths_are_refused(void **state)
{
    struct image_cache *cache = image_cache_new(LIMIT, LIMIT);
    const struct image *image;

    assert_int_equal(image_cache_get(cache, "/nonexistent/vmlinuz", &image, &error), -ENOENT);
    assert_string_equal(error.text, "/nonexistent/vmlinuz: cannot open the kernel: No such file or "
                                    "directory; check the "
                                    "path and its permissions");
    assert_int_equal(image_cache_get(cache, folder, &image, &error), -EINVAL);
    assert_string_equal(strstr(error.text, ": "),
                        ": the kernel is no regular file: give the path of a bzImage or an "
                        "ELF kernel");
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(image_cache_get(cache, path_of("fifo"), &image, &error), -EINVAL);
    write_file("empty", (const uint8_t *)"", 0);
    assert_int_equal(image_cache_get(cache, path_of("empty"), &image, &error), -ENOEXEC);
    write_file("text", (const uint8_t *)"hello", 5);
    assert_int_equal(image_cache_get(cache, path_of("text"), &image, &error), -ENOEXEC);
    expect_stats(cache, 0, 0, 0, 0);
    image_cache_free(cache);
}

/* ---- what the system refuses: the N-th call from now on fails once ---- */
static int fail_malloc, fail_read;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fail_malloc && !--fail_malloc ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return fail_malloc && !--fail_malloc ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return fail_malloc && !--fail_malloc ? NULL : __real_realloc(old, size);
}

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size)
{
    errno = EIO;
    return fail_read ? fail_read-- - 2 : __real_read(fd, to, size);
}

static void the_systems_refusals_are_told(void **state)
{
    static const struct {
        const char *file;
        int malloc, read, rc;          /* read: 1 fails, 2 ends the file */
        const char *words;
    } cases[] = {
        { "packed", 1, 0, -ENOMEM, "packed: no memory to read the kernel (377 bytes): give domain 0 more" },
        { "packed", 2, 0, -ENOMEM, "packed: no memory to keep the kernel (377 bytes): give domain 0 more" },
        { "packed", 3, 0, -ENOMEM,
          "packed: no memory to unpack the kernel (gzip, 377 bytes packed): give domain 0 more" },
        { "packed", 0, 1, -EIO,
          "packed: cannot read the kernel: Input/output error after 0 of 377 bytes; copy it again" },
        { "packed", 0, 2, -EIO,
          "packed: cannot read the kernel: the file ended after 0 of 377 bytes; copy it again" },
        { "huge", 0, 0, -E2BIG, "huge: file of 513 MiB is over the limit of 512 MiB: not a kernel" },
    };
    struct image_cache *cache = image_cache_new(LIMIT, LIMIT);
    const struct image *image;

    write_file("packed", sample_packed[0].data, sample_packed[0].size);
    write_file("huge", sample_packed[0].data, 1);
    assert_int_equal(truncate(path_of("huge"), (512 << 20) + 1), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fail_malloc = cases[i].malloc;
        fail_read = cases[i].read;
        assert_int_equal(image_cache_get(cache, path_of(cases[i].file), &image, &error), cases[i].rc);
        assert_int_equal(fail_malloc + fail_read, cases[i].read == 2);
        fail_malloc = fail_read = 0;
        assert_string_equal(error.text + strlen(folder) + 1, cases[i].words);
    }
    image_cache_free(cache);
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "hard", "soft",   "one",  "kept",  "a",    "b",  "s",  "held",
                                         "fifo", "packed", "huge", "empty", "text", "k0", "k1", "k2",
                                         "k3",   "k4",     "k5",   "k6",    "k7",   "k8", "k9" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlink(path_of(names[i]));
    }
    return rmdir(folder);
}

static int write_sample(const char *path)
{
    struct sample sample;
    FILE *f = fopen(path, "wb");

    sample_elf(&sample);
    return f && fwrite(sample.bytes, SAMPLE_SIZE, 1, f) == 1 && fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_compression_unpacks),
        cmocka_unit_test(plain_elf_is_borrowed),
        cmocka_unit_test(truncated_streams_are_refused),
        cmocka_unit_test(truncated_bzimages_are_refused),
        cmocka_unit_test(hostile_setup_headers_are_refused),
        cmocka_unit_test(a_bomb_meets_the_limit),
        cmocka_unit_test(every_codec_keeps_the_limit),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(fields_of_a_good_kernel),
        cmocka_unit_test(copies_hold_segments_and_zeros),
        cmocka_unit_test(every_cut_elf_is_refused), cmocka_unit_test(loadable_segments_are_counted),
        cmocka_unit_test(hostile_elf_fields_are_refused),
        cmocka_unit_test(notes_are_padded_to_four_whatever_their_header_says),
        cmocka_unit_test(hostile_notes_are_refused),
        cmocka_unit_test(legacy_section_is_understood),
        cmocka_unit_test(equal_content_is_unpacked_once),
        cmocka_unit_test(a_settled_file_costs_a_stat),
        cmocka_unit_test(a_replaced_file_is_seen),
        cmocka_unit_test(unused_kernels_go_when_memory_is_short),
        cmocka_unit_test(unreadable_paths_are_refused), cmocka_unit_test(the_systems_refusals_are_told),
    };

    if (argc == 3 && strcmp(argv[1], "--write-sample") == 0) {
        return write_sample(argv[2]);
    }
    return cmocka_run_group_tests_name("image", tests, make_folder, remove_folder);
}
