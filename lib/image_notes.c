/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_notes.c - what a PV kernel says about itself.
 *
 * Two dialects. Since 2006: ELF notes of the owner "Xen", one type number a fact, numbers of four or eight
 * bytes, strings with a final 0. Before, and in some NetBSD kernels until today: a section __xen_guest with
 * one string KEY=VALUE,KEY=VALUE. Facts: elfnote.h and features.h of the Xen interface.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/image_internal.h"

enum {
    NOTE_ENTRY = 1, NOTE_HYPERCALL_PAGE = 2, NOTE_VIRT_BASE = 3, NOTE_PADDR_OFFSET = 4, NOTE_XEN_VERSION = 5,
    NOTE_GUEST_OS = 6, NOTE_GUEST_VERSION = 7, NOTE_LOADER = 8, NOTE_FEATURES = 10, NOTE_HV_START_LOW = 12,
    NOTE_L1_MFN_VALID = 13, NOTE_SUSPEND_CANCEL = 14, NOTE_INIT_P2M = 15, NOTE_MOD_START_PFN = 16,
    NOTE_SUPPORTED_FEATURES = 17, NOTE_PHYS32_ENTRY = 18,
};

/* Names as they appear in feature strings, by bit. */
static const char *const feature_names[] = {
    "writable_page_tables", "writable_descriptor_tables", "auto_translated_physmap", "supervisor_mode_kernel",
    "pae_pgdir_above_4gb", "mmu_pt_update_preserve_ad", "highmem_assist", "gnttab_map_avail_bits",
    "hvm_callback_vector", "hvm_safe_pvclock", "hvm_pirqs", "dom0", "grant_map_identity",
    "memory_op_vnode_supported", "ARM_SMCCC_supported", "linux_rsdp_unrestricted", "not_direct_mapped",
    "direct_mapped",
};

static int feature_bit(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++) {
        if (strlen(feature_names[i]) == size && memcmp(feature_names[i], text, size) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* "a|!b|c": '!' marks what the kernel cannot do without. An unknown supported feature is no news. */
static int read_features(const char *name, const char *text, size_t size, struct image *image,
                         struct image_error *error)
{
    while (size) {
        const char *bar = memchr(text, '|', size);
        size_t length = bar ? (size_t)(bar - text) : size, rest = bar ? size - length - 1 : 0;
        bool required = length && *text == '!';
        int bit = feature_bit(text + required, length - required);

        if (bit < 0 && required) {
            return image_fail(error, -EINVAL,
                              "%s: kernel requires the unknown feature \"%.*s\": take a kernel that "
                              "asks for features of Xen 4.17 or earlier",
                              name, (int)(length - 1 > 64 ? 64 : length - 1), text + 1);
        }
        if (bit >= 0) {
            image->features_supported |= 1u << bit;
            image->features_required |= required ? 1u << bit : 0;
        }
        text += size - rest;
        size = rest;
    }
    return 0;
}

/* Copy a string note: up to its 0 or its size, printable characters only (it will be shown on terminals). */
static void read_string(const uint8_t *data, size_t size, char *out, size_t out_size)
{
    size_t n = 0;

    while (n < size && n + 1 < out_size && data[n]) {
        out[n] = isprint(data[n]) ? (char)data[n] : '?';
        n++;
    }
    out[n] = '\0';
}

/* Numbers have four or eight bytes, as the kernel likes. */
static int read_number(const char *name, const char *what, const uint8_t *data, size_t size, uint64_t *out,
                       struct image_error *error)
{
    if (size != 4 && size != 8) {
        return image_fail(error, -EINVAL, "%s: ELF note %s has %zu bytes, not 4 or 8: the kernel is damaged",
                          name, what, size);
    }
    *out = size == 4 ? image_le32(data) : image_le64(data);
    return 0;
}

/* Pairs of (mask, value), both numbers of one width. More than we keep are ignored: one is customary. */
static int read_l1_valid(const char *name, const uint8_t *data, size_t size, struct image *image,
                         struct image_error *error)
{
    size_t width = size % 16 == 0 ? 8 : 4;

    if (size == 0 || size % (2 * width)) {
        return image_fail(error, -EINVAL,
                          "%s: ELF note L1_MFN_VALID has %zu bytes, no whole number of pairs: the "
                          "kernel is damaged",
                          name, size);
    }
    for (; size && image->l1_valid_count < IMAGE_L1_VALID_MAX; size -= 2 * width, data += 2 * width) {
        unsigned int i = image->l1_valid_count++;

        image->l1_valid[i].mask = width == 8 ? image_le64(data) : image_le32(data);
        image->l1_valid[i].value = width == 8 ? image_le64(data + 8) : image_le32(data + 4);
    }
    return 0;
}

static int read_note(const char *name, uint32_t type, const uint8_t *data, size_t size, struct image *image,
                     struct image_claims *claims, struct image_error *error)
{
    uint64_t number = 0;
    int rc = 0;

    claims->found = true;
    switch (type) {
    case NOTE_ENTRY:
        return read_number(name, "ENTRY", data, size, &claims->entry, error);
    case NOTE_HYPERCALL_PAGE:
        return read_number(name, "HYPERCALL_PAGE", data, size, &image->hypercall_page, error);
    case NOTE_VIRT_BASE:
        return read_number(name, "VIRT_BASE", data, size, &claims->virt_base, error);
    case NOTE_PADDR_OFFSET:
        return read_number(name, "PADDR_OFFSET", data, size, &claims->paddr_offset, error);
    case NOTE_INIT_P2M:
        return read_number(name, "INIT_P2M", data, size, &image->init_p2m, error);
    case NOTE_PHYS32_ENTRY:
        return read_number(name, "PHYS32_ENTRY", data, size, &image->phys32_entry, error);
    case NOTE_HV_START_LOW:
        return read_number(name, "HV_START_LOW", data, size, &image->hv_start_low, error);
    case NOTE_XEN_VERSION:
        read_string(data, size, image->xen_version, sizeof(image->xen_version));
        return 0;
    case NOTE_GUEST_OS:
        read_string(data, size, image->guest_os, sizeof(image->guest_os));
        return 0;
    case NOTE_GUEST_VERSION:
        read_string(data, size, image->guest_version, sizeof(image->guest_version));
        return 0;
    case NOTE_LOADER:
        read_string(data, size, image->loader, sizeof(image->loader));
        return 0;
    case NOTE_FEATURES:
        return read_features(name, (const char *)data, strnlen((const char *)data, size), image, error);
    case NOTE_SUPPORTED_FEATURES:
        rc = read_number(name, "SUPPORTED_FEATURES", data, size, &number, error);
        image->features_supported |= (uint32_t)number;
        return rc;
    case NOTE_SUSPEND_CANCEL:
        rc = read_number(name, "SUSPEND_CANCEL", data, size, &number, error);
        image->suspend_cancel = number != 0;
        return rc;
    case NOTE_MOD_START_PFN:
        rc = read_number(name, "MOD_START_PFN", data, size, &number, error);
        image->mod_start_pfn = number != 0;
        return rc;
    case NOTE_L1_MFN_VALID:
        return read_l1_valid(name, data, size, image, error);
    default:
        return 0;             /* PAE mode and symbol tables mean nothing here; later notes are no error */
    }
}

/* Padded to four bytes whatever the header tells, as Xen reads them: GRUB's tells eight and has four. */
int image_notes_read(const char *name, const uint8_t *notes, size_t size, struct image *image,
                     struct image_claims *claims, struct image_error *error)
{
    const uint64_t mask = 3;
    uint64_t at = 0;
    int rc = 0;

    while (rc == 0 && image_inside(at, sizeof(Elf64_Nhdr), size)) {
        uint64_t owner_size = image_le32(notes + at), data_size = image_le32(notes + at + 4);
        uint64_t owner = at + sizeof(Elf64_Nhdr), data = owner + ((owner_size + mask) & ~mask);

        if (!image_inside(owner, owner_size, size) || !image_inside(data, data_size, size)) {
            return image_fail(error, -EINVAL,
                              "%s: ELF note at %llu of %zu bytes of notes runs over their end: the "
                              "kernel is damaged",
                              name, (unsigned long long)at, size);
        }
        if (owner_size == 4 && memcmp(notes + owner, "Xen", 4) == 0) {
            rc = read_note(name, image_le32(notes + at + 8), notes + data, data_size, image, claims, error);
        }
        at = data + ((data_size + mask) & ~mask);
    }
    return rc;
}

/* ---- the legacy section -------------------------------------------------------------------------------- */

static int legacy_number(const char *name, const char *key, const char *value, uint64_t *out,
                         struct image_error *error)
{
    char *end;

    errno = 0;
    *out = strtoull(value, &end, 0);
    if (errno || end == value || *end) {
        return image_fail(error, -EINVAL, "%s: __xen_guest: %s=%.40s is no number: the kernel is damaged",
                          name, key, value);
    }
    return 0;
}

static int legacy_pair(const char *name, const char *key, const char *value, struct image *image,
                       struct image_claims *claims, struct image_error *error)
{
    const struct { const char *key; char *to; size_t size; } strings[] = {
        { "GUEST_OS", image->guest_os, sizeof(image->guest_os) },
        { "GUEST_VER", image->guest_version, sizeof(image->guest_version) },
        { "XEN_VER", image->xen_version, sizeof(image->xen_version) },
        { "LOADER", image->loader, sizeof(image->loader) },
    };
    const struct { const char *key; uint64_t *to; } numbers[] = {
        { "VIRT_BASE", &claims->virt_base },
        { "VIRT_ENTRY", &claims->entry },
        { "ELF_PADDR_OFFSET", &claims->paddr_offset },
        { "HYPERCALL_PAGE", &image->hypercall_page },
    };

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (strcmp(key, strings[i].key) == 0) {
            read_string((const uint8_t *)value, strlen(value), strings[i].to, strings[i].size);
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            return legacy_number(name, key, value, numbers[i].to, error);
        }
    }
    return strcmp(key, "FEATURES") == 0 ? read_features(name, value, strlen(value), image, error) : 0;
}

int image_legacy_read(const char *name, const char *text, size_t size, struct image *image,
                      struct image_claims *claims, struct image_error *error)
{
    char *copy = strndup(text, size), *rest = copy, *pair;
    int rc = copy ? 0 : -ENOMEM;

    claims->found = true;
    image->legacy = true;
    while (rc == 0 && (pair = strsep(&rest, ",")) != NULL) {
        char *value = strchr(pair, '=');

        if (value) {
            *value++ = '\0';
            rc = legacy_pair(name, pair, value, image, claims, error);
        }
    }
    free(copy);
    if (rc) {
        return rc;
    }
    /* Here the default of the offset is the base, and the hypercall page is a page number. */
    if (claims->virt_base == IMAGE_NONE) {
        claims->virt_base = 0;
    }
    if (claims->paddr_offset == IMAGE_NONE) {
        claims->paddr_offset = claims->virt_base;
    }
    if (image->hypercall_page != IMAGE_NONE) {
        image->hypercall_page = claims->virt_base + (image->hypercall_page << 12);
    }
    return 0;
}
