/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_elf.c - a plain ELF64 kernel: headers, segments, notes, and whether they agree.
 *
 * Where does a segment go? Not to p_vaddr: Linux has a per-CPU segment with virtual address 0. A PV kernel is
 * mapped as one piece of pseudo-physical memory, so the physical address decides: load = p_paddr -
 * paddr_offset + virt_base, where the two constants come from the kernel's notes. All arithmetic on them is
 * modulo 2^64 by intention (kernels with p_paddr = p_vaddr use it); the results are checked for order and
 * range instead.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image_internal.h"

#define PAGE_SIZE   4096ull
#define SPAN_LIMIT  (1ull << 30)                 /* a kernel with its bss; its page tables must fit too */
#define LOW_END     0x0000800000000000ull        /* a guest owns the addresses below this ... */
#define HIGH_START  0xffff880000000000ull /* ... and from here on; between lies the hypervisor's part */

/* What the walk over the file passes around. */
struct elf {
    const char *name;
    const uint8_t *data;
    size_t size;
    Elf64_Ehdr header;
    struct image_error *error;
};

#define HEX "0x%llx"
typedef unsigned long long hex_t;                /* for printf only */

static int read_header(struct elf *elf)
{
    Elf64_Ehdr *h = &elf->header;

    if (elf->size < SELFMAG || memcmp(elf->data, ELFMAG, SELFMAG)) {
        return image_fail(elf->error, -ENOEXEC, "%s: not an ELF file: give a bzImage or an ELF kernel",
                          elf->name);
    }
    if (elf->size > EI_CLASS && elf->data[EI_CLASS] != ELFCLASS64) {
        return image_fail(elf->error, -ENOEXEC, "%s: ELF class is %u, not %u (64 bit): 32-bit guests are not "
                          "supported, take an x86-64 kernel", elf->name, elf->data[EI_CLASS], ELFCLASS64);
    }
    if (elf->size < sizeof(*h)) {
        return image_fail(elf->error, -EINVAL,
                          "%s: ELF file ends after %zu bytes, inside its header (%zu bytes): the "
                          "file is truncated, copy it again",
                          elf->name, elf->size, sizeof(*h));
    }
    memcpy(h, elf->data, sizeof(*h));
    if (h->e_ident[EI_DATA] != ELFDATA2LSB) {
        return image_fail(elf->error, -ENOEXEC,
                          "%s: ELF byte order is %u, not %u (little endian): take an x86-64 kernel",
                          elf->name, h->e_ident[EI_DATA], ELFDATA2LSB);
    }
    if (h->e_machine != EM_X86_64) {
        return image_fail(elf->error, -ENOEXEC,
                          "%s: ELF machine is %u, not %u (x86-64): take an x86-64 kernel", elf->name,
                          h->e_machine, EM_X86_64);
    }
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN) {
        return image_fail(elf->error, -ENOEXEC,
                          "%s: ELF type is %u, not an executable (%u): give a kernel, no object "
                          "file or core dump",
                          elf->name, h->e_type, ET_EXEC);
    }
    if (h->e_phnum == 0 || h->e_phentsize != sizeof(Elf64_Phdr) ||
        !image_inside(h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr), elf->size)) {
        return image_fail(elf->error, -EINVAL,
                          "%s: %u program headers of %u bytes at " HEX " do not lie inside the "
                          "file of %zu bytes: the file is truncated or damaged, copy it again",
                          elf->name, h->e_phnum, h->e_phentsize, (hex_t)h->e_phoff, elf->size);
    }
    return 0;
}

static Elf64_Phdr program_header(const struct elf *elf, unsigned int i)
{
    Elf64_Phdr p;

    memcpy(&p, elf->data + elf->header.e_phoff + (uint64_t)i * sizeof(p), sizeof(p));
    return p;
}

/* ---- segments ------------------------------------------------------------------------------------------ */

/* Take one PT_LOAD over; `load` still holds p_paddr here, see place_segments(). */
static int add_segment(const struct elf *elf, unsigned int i, const Elf64_Phdr *p, struct image *image)
{
    if (p->p_memsz == 0) {
        return 0;
    }
    if (image->segment_count == IMAGE_SEGMENTS_MAX) {
        return image_fail(elf->error, -EINVAL, "%s: more than %u loadable segments: not a PV kernel",
                          elf->name, IMAGE_SEGMENTS_MAX);
    }
    if (!image_inside(p->p_offset, p->p_filesz, elf->size)) {
        return image_fail(elf->error, -EINVAL,
                          "%s: segment %u: " HEX " bytes at file offset " HEX " do not lie inside "
                          "the file of %zu bytes: the file is truncated or damaged, copy it again",
                          elf->name, i, (hex_t)p->p_filesz, (hex_t)p->p_offset, elf->size);
    }
    if (p->p_filesz > p->p_memsz || p->p_memsz > SPAN_LIMIT) {
        return image_fail(elf->error, -EINVAL,
                          "%s: segment %u: " HEX " bytes of memory for " HEX " bytes of file (limit " HEX
                          "): the kernel is damaged",
                          elf->name, i, (hex_t)p->p_memsz, (hex_t)p->p_filesz, (hex_t)SPAN_LIMIT);
    }
    image->segments[image->segment_count++] = (struct image_segment){
        .load = p->p_paddr, .memory_size = p->p_memsz, .file_offset = p->p_offset, .file_size = p->p_filesz,
        .flags = p->p_flags,
    };
    return 0;
}

static int read_segments(const struct elf *elf, struct image *image)
{
    int rc = 0;

    for (unsigned int i = 0; rc == 0 && i < elf->header.e_phnum; i++) {
        Elf64_Phdr p = program_header(elf, i);

        if (p.p_type == PT_LOAD) {
            rc = add_segment(elf, i, &p, image);
        }
    }
    if (rc == 0 && image->segment_count == 0) {
        return image_fail(elf->error, -ENOEXEC, "%s: no loadable segment: give a kernel, no object file",
                          elf->name);
    }
    return rc;
}

static int by_load(const void *a, const void *b)
{
    const struct image_segment *x = a, *y = b;

    return x->load < y->load ? -1 : x->load > y->load;
}

/* From p_paddr to guest virtual addresses, in order, without overlap, inside the guest's half. */
static int place_segments(const struct elf *elf, struct image *image)
{
    struct image_segment *s = image->segments;
    uint64_t end = 0;

    for (unsigned int i = 0; i < image->segment_count; i++) {
        s[i].load += image->virt_offset;
    }
    qsort(s, image->segment_count, sizeof(*s), by_load);
    for (unsigned int i = 0; i < image->segment_count; i++) {
        if (s[i].load > UINT64_MAX - PAGE_SIZE - s[i].memory_size) {
            return image_fail(elf->error, -EINVAL,
                              "%s: segment at " HEX " with " HEX " bytes runs over the end of the "
                              "address space: the kernel's notes contradict its segments",
                              elf->name, (hex_t)s[i].load, (hex_t)s[i].memory_size);
        }
        if (i && s[i].load < end) {
            return image_fail(elf->error, -EINVAL,
                              "%s: segment at " HEX " overlaps the one that ends at " HEX ": the "
                              "kernel is damaged",
                              elf->name, (hex_t)s[i].load, (hex_t)end);
        }
        end = s[i].load + s[i].memory_size;
    }
    image->v_start = s[0].load & ~(PAGE_SIZE - 1);
    image->v_end = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    return 0;
}

/* ---- notes --------------------------------------------------------------------------------------------- */

static int read_segment_notes(const struct elf *elf, struct image *image, struct image_claims *claims)
{
    int rc = 0;

    for (unsigned int i = 0; rc == 0 && i < elf->header.e_phnum; i++) {
        Elf64_Phdr p = program_header(elf, i);

        if (p.p_type != PT_NOTE) {
            continue;
        }
        if (!image_inside(p.p_offset, p.p_filesz, elf->size)) {
            return image_fail(elf->error, -EINVAL,
                              "%s: notes (segment %u): " HEX " bytes at file offset " HEX " do not "
                              "lie inside the file of %zu bytes: the file is truncated, copy it again",
                              elf->name, i, (hex_t)p.p_filesz, (hex_t)p.p_offset, elf->size);
        }
        rc = image_notes_read(elf->name, elf->data + p.p_offset, p.p_filesz, image, claims, elf->error);
    }
    return rc;
}

/* False: no such section header, or it or its bytes lie outside the file. */
static bool section_header(const struct elf *elf, uint64_t i, Elf64_Shdr *s)
{
    const Elf64_Ehdr *h = &elf->header;

    if (i >= h->e_shnum || h->e_shentsize != sizeof(*s) ||
        !image_inside(h->e_shoff, (uint64_t)h->e_shnum * sizeof(*s), elf->size)) {
        return false;
    }
    memcpy(s, elf->data + h->e_shoff + i * sizeof(*s), sizeof(*s));
    return s->sh_type != SHT_NOBITS && image_inside(s->sh_offset, s->sh_size, elf->size);
}

static bool section_named(const struct elf *elf, const Elf64_Shdr *s, const char *name)
{
    Elf64_Shdr names;
    size_t size = strlen(name) + 1;

    return section_header(elf, elf->header.e_shstrndx, &names) &&
           image_inside(s->sh_name, size, names.sh_size) &&
           memcmp(elf->data + names.sh_offset + s->sh_name, name, size) == 0;
}

/* Kernels without a PT_NOTE: look through the sections. These are optional, so a bad table is no error. */
static int read_section_notes(const struct elf *elf, struct image *image, struct image_claims *claims)
{
    Elf64_Shdr s;
    int rc = 0;

    for (unsigned int i = 0; rc == 0 && !claims->found && i < elf->header.e_shnum; i++) {
        if (!section_header(elf, i, &s)) {
            continue;
        }
        if (s.sh_type == SHT_NOTE) {
            rc = image_notes_read(elf->name, elf->data + s.sh_offset, s.sh_size, image, claims, elf->error);
        } else if (section_named(elf, &s, "__xen_guest")) {
            rc = image_legacy_read(elf->name, (const char *)elf->data + s.sh_offset, s.sh_size, image, claims,
                                   elf->error);
        }
    }
    return rc;
}

/* ---- do they agree? ------------------------------------------------------------------------------------ */

static bool in_image(const struct image *image, uint64_t address)
{
    return address >= image->v_start && address < image->v_end;
}

/* Is [start, end) the guest's to use? */
static bool guest_owns(uint64_t start, uint64_t end)
{
    return end <= LOW_END || start >= HIGH_START;
}

static int check_identity(const struct elf *elf, const struct image *image)
{
    if (image->xen_version[0] && strcmp(image->xen_version, "xen-3.0")) {
        return image_fail(elf->error, -ENOEXEC,
                          "%s: kernel is built for interface \"%s\", not \"xen-3.0\": take a "
                          "kernel for Xen 3.0 or later",
                          elf->name, image->xen_version);
    }
    if (image->loader[0] && strcmp(image->loader, "generic")) {
        return image_fail(elf->error, -ENOEXEC,
                          "%s: kernel wants the loader \"%s\", not \"generic\": give the kernel "
                          "itself",
                          elf->name, image->loader);
    }
    return 0;
}

static int check_addresses(const struct elf *elf, const struct image *image)
{
    if (image->v_end - image->v_start > SPAN_LIMIT) {
        return image_fail(elf->error, -EINVAL,
                          "%s: segments spread over " HEX " bytes, limit " HEX ": the kernel is "
                          "damaged",
                          elf->name, (hex_t)(image->v_end - image->v_start), (hex_t)SPAN_LIMIT);
    }
    if (image->virt_base > image->v_start || image->virt_base % PAGE_SIZE ||
        image->v_start - image->virt_base > SPAN_LIMIT) {
        return image_fail(elf->error, -EINVAL,
                          "%s: VIRT_BASE " HEX " does not fit the first segment at " HEX ": the "
                          "kernel's notes contradict its segments",
                          elf->name, (hex_t)image->virt_base, (hex_t)image->v_start);
    }
    if (!guest_owns(image->virt_base, image->v_end)) {
        return image_fail(elf->error, -EINVAL,
                          "%s: kernel at " HEX ".." HEX " reaches into the hypervisor's or the "
                          "non-canonical part of the address space: not a PV kernel",
                          elf->name, (hex_t)image->virt_base, (hex_t)image->v_end);
    }
    if (!in_image(image, image->entry)) {
        return image_fail(elf->error, -EINVAL,
                          "%s: entry point " HEX " is not inside the kernel at " HEX ".." HEX
                          ": the kernel's notes contradict its segments",
                          elf->name, (hex_t)image->entry, (hex_t)image->v_start, (hex_t)image->v_end);
    }
    return 0;
}

static int check_special(const struct elf *elf, const struct image *image)
{
    if (image->hypercall_page != IMAGE_NONE &&
        (image->hypercall_page % PAGE_SIZE || !in_image(image, image->hypercall_page))) {
        return image_fail(elf->error, -EINVAL,
                          "%s: HYPERCALL_PAGE " HEX " is not a page of the kernel at " HEX ".." HEX
                          ": the kernel's notes contradict its segments",
                          elf->name, (hex_t)image->hypercall_page, (hex_t)image->v_start,
                          (hex_t)image->v_end);
    }
    if (image->init_p2m != IMAGE_NONE &&
        (image->init_p2m % PAGE_SIZE || !guest_owns(image->init_p2m, image->init_p2m + PAGE_SIZE) ||
         in_image(image, image->init_p2m))) {
        return image_fail(elf->error, -EINVAL,
                          "%s: INIT_P2M " HEX " is unaligned, outside the guest's part of the "
                          "address space or inside the kernel: the kernel is damaged",
                          elf->name, (hex_t)image->init_p2m);
    }
    return 0;
}

int image_parse(const char *name, const void *data, size_t size, struct image *out, struct image_error *error)
{
    struct elf elf = { .name = name, .data = data, .size = size, .error = error };
    struct image_claims claims = { .paddr_offset = IMAGE_NONE, .virt_base = IMAGE_NONE, .entry = IMAGE_NONE };
    int rc;

    *out = (struct image){
        .elf = data, .elf_size = size, .hypercall_page = IMAGE_NONE, .init_p2m = IMAGE_NONE,
        .phys32_entry = IMAGE_NONE, .hv_start_low = IMAGE_NONE,
    };
    error->text[0] = '\0';
    rc = read_header(&elf);
    rc = rc ? rc : read_segments(&elf, out);
    rc = rc ? rc : read_segment_notes(&elf, out, &claims);
    rc = rc || claims.found ? rc : read_section_notes(&elf, out, &claims);
    if (rc) {
        return rc;
    }
    if (!claims.found) {
        return image_fail(error, -ENOEXEC,
                          "%s: neither Xen ELF notes nor a __xen_guest section: not a PV kernel, take "
                          "one built with CONFIG_XEN_PV",
                          name);
    }
    out->virt_base = claims.virt_base == IMAGE_NONE ? 0 : claims.virt_base;
    out->paddr_offset = claims.paddr_offset == IMAGE_NONE ? 0 : claims.paddr_offset;
    out->virt_offset = out->virt_base - out->paddr_offset;
    out->entry = claims.entry == IMAGE_NONE ? elf.header.e_entry : claims.entry;
    rc = place_segments(&elf, out);
    rc = rc ? rc : check_identity(&elf, out);
    rc = rc ? rc : check_addresses(&elf, out);
    return rc ? rc : check_special(&elf, out);
}

void image_copy(const struct image *image, uint64_t from, void *dst, size_t len)
{
    memset(dst, 0, len);
    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct image_segment *s = &image->segments[i];
        uint64_t start = s->load > from ? s->load : from;
        uint64_t end = s->load + s->file_size;

        if (len && end > start && start - from < len) {
            uint64_t room = len - (start - from), size = end - start < room ? end - start : room;

            memcpy((uint8_t *)dst + (start - from), image->elf + s->file_offset + (start - s->load), size);
        }
    }
}
