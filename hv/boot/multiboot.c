/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 1 and 2 information to struct boot_info.
 *
 * Version 1 is a fixed structure of 32-bit physical pointers with a bit for each field that is filled in;
 * version 2 is one block of tags. Both end in the same few helpers. Memory maps come in any order and may
 * overlap, so each is walked once for each rank of memory type, RAM first: what comes later paints over it.
 */
#include <hv/boot/multiboot.h>

#define MAX_MAP_ENTRIES 4096 /* sanity bound on the work, far above any real firmware */

/* ---- helpers of both versions -------------------------------------------------------------------------- */

/* Copies the zero-terminated string at `pa`, never reading beyond the page in which it ends. */
static int copy_string(struct boot_info *out, const struct boot_phys *phys, uint64_t pa, char *to, size_t cap)
{
    size_t n = 0;

    while (n < cap) {
        size_t left = 4096 - ((pa + n) & 4095), room = cap - n, chunk = left < room ? left : room;
        const char *from = boot_phys_map(phys, pa + n, chunk);
        size_t len;

        if (!from)
            return -XEN_EFAULT;
        len = string_length(from, chunk);
        memcpy(to + n, from, len < chunk ? len + 1 : chunk);
        if (len < chunk)
            return 0;
        n += chunk;
    }
    to[cap - 1] = 0;
    out->truncated = true;
    return 0;
}

/* Copies a string that ends with the `len` bytes it is in, if not before. */
static void copy_bounded(struct boot_info *out, const uint8_t *from, size_t len, char *to, size_t cap)
{
    size_t n = string_length(from, len);

    if (n >= cap) {
        n = cap - 1;
        out->truncated = true;
    }
    memcpy(to, from, n);
    to[n] = 0;
}

/* The next free module slot filled with a range; NULL and an error, or NULL and 0 if there is no room. */
static int add_module(struct boot_info *out, uint64_t start, uint64_t end, struct boot_module **mod)
{
    *mod = NULL;
    if (end < start)
        return -XEN_EINVAL;
    if (out->modules == BOOT_MAX_MODULES) {
        out->modules_dropped++;
        return 0;
    }
    *mod = &out->module[out->modules++];
    (*mod)->start = start;
    (*mod)->end = end;
    (*mod)->cmdline[0] = 0;
    return 0;
}

static int paint_ranked(struct memmap *map, uint64_t base, uint64_t len, uint32_t type, unsigned int rank)
{
    if (type == 0 || type > MEMMAP_UNUSABLE)
        type = MEMMAP_RESERVED;
    return memmap_rank(type) == rank ? memmap_paint(map, base, len, type) : 0;
}

static void set_screen(struct boot_screen *s, const uint8_t *f, const uint8_t *colour)
{
    static const enum boot_screen_kind kinds[] = { BOOT_SCREEN_INDEXED, BOOT_SCREEN_RGB, BOOT_SCREEN_TEXT };

    s->addr = load_le64(f);
    s->pitch = load_le32(f + 8);
    s->width = load_le32(f + 12);
    s->height = load_le32(f + 16);
    s->bpp = f[20];
    s->kind = f[21] < 3 ? kinds[f[21]] : BOOT_SCREEN_UNKNOWN;
    if (s->kind != BOOT_SCREEN_RGB)
        return;
    s->red_pos = colour[0];
    s->red_size = colour[1];
    s->green_pos = colour[2];
    s->green_size = colour[3];
    s->blue_pos = colour[4];
    s->blue_size = colour[5];
}

/* ---- version 1 ----------------------------------------------------------------------------------------- */

enum mb1_flag {
    MB1_MEMORY = 1 << 0,
    MB1_CMDLINE = 1 << 2,
    MB1_MODULES = 1 << 3,
    MB1_MEMMAP = 1 << 6,
    MB1_LOADER = 1 << 9,
    MB1_SCREEN = 1 << 12,
};

/* Byte offsets of the fields we read. */
enum mb1_field {
    MB1_MEM_LOWER = 4,
    MB1_MEM_UPPER = 8,
    MB1_CMDLINE_PTR = 16,
    MB1_MODS_COUNT = 20,
    MB1_MODS_PTR = 24,
    MB1_MMAP_LEN = 44,
    MB1_MMAP_PTR = 48,
    MB1_LOADER_PTR = 64,
    MB1_FRAMEBUFFER = 88,
    MB1_COLOUR = 110,
    MB1_SIZE = 116,
    MB1_SIZE_OLD = 88, /* without the frame buffer, as QEMU gives it */
};

static int mb1_memmap_rank(struct memmap *map, const uint8_t *table, uint32_t len, unsigned int rank)
{
    uint32_t off = 0;

    /* An entry begins with the size of what follows in it. */
    for (unsigned int i = 0; range_inside(off, 24, len); i++) {
        uint32_t size = load_le32(table + off);
        int rc;

        if (size < 20 || i == MAX_MAP_ENTRIES || !range_inside(off + 4, size, len))
            return -XEN_EINVAL;
        rc = paint_ranked(map, load_le64(table + off + 4), load_le64(table + off + 12),
                          load_le32(table + off + 20), rank);
        if (rc)
            return rc;
        off += 4 + size;
    }
    return 0;
}

static int mb1_memmap(const uint8_t *mbi, uint32_t flags, const struct boot_phys *phys, struct boot_info *out)
{
    uint32_t len = load_le32(mbi + MB1_MMAP_LEN);
    const uint8_t *table;
    int rc = 0;

    if (!(flags & MB1_MEMMAP)) {
        /* KiB below 640 K and above 1 M: all that some loaders know. */
        rc = memmap_paint(&out->memmap, 0, load_le32(mbi + MB1_MEM_LOWER) * 1024ull, MEMMAP_RAM);
        if (!rc)
            rc = memmap_paint(&out->memmap, 1 << 20, load_le32(mbi + MB1_MEM_UPPER) * 1024ull, MEMMAP_RAM);
        return rc;
    }
    table = boot_phys_map(phys, load_le32(mbi + MB1_MMAP_PTR), len);
    if (!table)
        return -XEN_EFAULT;
    for (unsigned int rank = 0; rank < MEMMAP_RANKS && !rc; rank++)
        rc = mb1_memmap_rank(&out->memmap, table, len, rank);
    return rc;
}

static int mb1_module(const uint8_t *entry, const struct boot_phys *phys, struct boot_info *out)
{
    uint32_t string = load_le32(entry + 8);
    struct boot_module *mod;
    int rc = add_module(out, load_le32(entry), load_le32(entry + 4), &mod);

    if (rc || !mod || !string)
        return rc;
    return copy_string(out, phys, string, mod->cmdline, sizeof(mod->cmdline));
}

static int mb1_modules(const uint8_t *mbi, const struct boot_phys *phys, struct boot_info *out)
{
    uint32_t count = load_le32(mbi + MB1_MODS_COUNT), keep = count;
    const uint8_t *table;
    int rc = 0;

    if (!count)
        return 0;
    if (count > BOOT_MAX_MODULES) {
        keep = BOOT_MAX_MODULES;
        out->modules_dropped = count - keep;
    }
    table = boot_phys_map(phys, load_le32(mbi + MB1_MODS_PTR), keep * 16);
    if (!table)
        return -XEN_EFAULT;
    for (uint32_t i = 0; i < keep && !rc; i++)
        rc = mb1_module(table + i * 16, phys, out);
    return rc;
}

static int mb1_strings(const uint8_t *mbi, uint32_t flags, const struct boot_phys *phys,
                       struct boot_info *out)
{
    int rc = 0;

    if (flags & MB1_CMDLINE)
        rc = copy_string(out, phys, load_le32(mbi + MB1_CMDLINE_PTR), out->cmdline, sizeof(out->cmdline));
    if (!rc && (flags & MB1_LOADER))
        rc = copy_string(out, phys, load_le32(mbi + MB1_LOADER_PTR), out->loader, sizeof(out->loader));
    return rc;
}

static int parse_multiboot1(uint64_t info, const struct boot_phys *phys, struct boot_info *out)
{
    const uint8_t *mbi = boot_phys_map(phys, info, MB1_SIZE_OLD);
    uint32_t flags;
    int rc;

    if (!mbi)
        return -XEN_EFAULT;
    flags = load_le32(mbi);
    if (!(flags & (MB1_MEMORY | MB1_MEMMAP)))
        return -XEN_ENOENT;
    if (flags & MB1_SCREEN) {
        mbi = boot_phys_map(phys, info, MB1_SIZE);
        if (!mbi)
            return -XEN_EFAULT;
        set_screen(&out->screen, mbi + MB1_FRAMEBUFFER, mbi + MB1_COLOUR);
    }
    rc = mb1_strings(mbi, flags, phys, out);
    if (!rc && (flags & MB1_MODULES))
        rc = mb1_modules(mbi, phys, out);
    return rc ? rc : mb1_memmap(mbi, flags, phys, out);
}

/* ---- version 2 ----------------------------------------------------------------------------------------- */

enum mb2_tag {
    MB2_END = 0,
    MB2_CMDLINE = 1,
    MB2_LOADER = 2,
    MB2_MODULE = 3,
    MB2_MEMMAP = 6,
    MB2_SCREEN = 8,
    MB2_EFI64 = 12,
    MB2_RSDP_OLD = 14,
    MB2_RSDP_NEW = 15,
    MB2_EFI_MEMMAP = 17,
    MB2_EFI_SERVICES = 18,
};

/* A memory map of either kind: `len` bytes of entries of `size` bytes each. */
struct mb2_map {
    const uint8_t *entries;
    uint32_t len, size;
};

struct mb2 {
    const struct boot_phys *phys;
    struct boot_info *out;
    struct mb2_map map, efi_map;
};

static uint32_t efi_to_e820(uint32_t type)
{
    switch (type) {
    case 1: /* loader code, loader data */
    case 2:
    case 3: /* boot services code and data, free once they have been left */
    case 4:
    case 7:
        return MEMMAP_RAM;
    case 8:
        return MEMMAP_UNUSABLE;
    case 9:
        return MEMMAP_ACPI;
    case 10:
        return MEMMAP_NVS;
    default:
        return MEMMAP_RESERVED;
    }
}

static int mb2_memmap_rank(struct memmap *map, const struct mb2_map *from, unsigned int rank)
{
    for (uint32_t off = 0; range_inside(off, from->size, from->len); off += from->size) {
        const uint8_t *e = from->entries + off;
        int rc = paint_ranked(map, load_le64(e), load_le64(e + 8), load_le32(e + 16), rank);

        if (rc)
            return rc;
    }
    return 0;
}

/* A UEFI descriptor: type at 0, physical start at 8, number of 4 KiB pages at 24. */
static int efi_memmap_rank(struct memmap *map, const struct mb2_map *from, unsigned int rank)
{
    for (uint32_t off = 0; range_inside(off, from->size, from->len); off += from->size) {
        const uint8_t *e = from->entries + off;
        uint64_t pages = load_le64(e + 24), most = UINT64_MAX >> 12;
        int rc = paint_ranked(map, load_le64(e + 8), (pages < most ? pages : most) << 12,
                              efi_to_e820(load_le32(e)), rank);

        if (rc)
            return rc;
    }
    return 0;
}

/* GRUB's own map where there is one, for it is made from the firmware's; else UEFI's. */
static int mb2_memmap(struct mb2 *mb)
{
    int rc = 0;

    if (!mb->map.len && !mb->efi_map.len)
        return -XEN_ENOENT;
    for (unsigned int rank = 0; rank < MEMMAP_RANKS && !rc; rank++) {
        if (mb->map.len)
            rc = mb2_memmap_rank(&mb->out->memmap, &mb->map, rank);
        else
            rc = efi_memmap_rank(&mb->out->memmap, &mb->efi_map, rank);
    }
    return rc;
}

static int mb2_set_map(struct mb2_map *map, const uint8_t *entries, uint32_t len, uint32_t size,
                       uint32_t least)
{
    if (size < least || size > 4096 || len / size > MAX_MAP_ENTRIES)
        return -XEN_EINVAL;
    *map = (struct mb2_map){ .entries = entries, .len = len, .size = size };
    return 0;
}

static int mb2_module(struct mb2 *mb, const uint8_t *body, size_t len)
{
    struct boot_module *mod;
    int rc = add_module(mb->out, load_le32(body), load_le32(body + 4), &mod);

    if (!rc && mod)
        copy_bounded(mb->out, body + 8, len - 8, mod->cmdline, sizeof(mod->cmdline));
    return rc;
}

static void mb2_rsdp(struct mb2 *mb, const uint8_t *body, size_t len)
{
    struct boot_info *out = mb->out;

    if (len > sizeof(out->rsdp))
        len = sizeof(out->rsdp);
    if (len <= out->rsdp_len) /* the old form never replaces the new one */
        return;
    memcpy(out->rsdp, body, len);
    out->rsdp_len = (uint8_t)len;
}

static int mb2_efi_memmap(struct mb2 *mb, const uint8_t *body, size_t len, uint64_t pa)
{
    struct boot_efi *efi = &mb->out->efi;

    efi->desc_size = load_le32(body);
    efi->desc_version = load_le32(body + 4);
    efi->map = pa + 8;
    efi->map_len = (uint32_t)len - 8;
    return mb2_set_map(&mb->efi_map, body + 8, (uint32_t)len - 8, efi->desc_size, 32);
}

/* Shortest body of a tag that we read; others may be of any size. */
static size_t mb2_least(uint32_t type)
{
    switch (type) {
    case MB2_MODULE:
    case MB2_MEMMAP:
    case MB2_EFI64:
    case MB2_EFI_MEMMAP:
        return 8;
    case MB2_SCREEN:
        return 24;
    case MB2_RSDP_OLD:
    case MB2_RSDP_NEW:
        return 20;
    default:
        return 0;
    }
}

static int mb2_tag(struct mb2 *mb, uint32_t type, const uint8_t *body, size_t len, uint64_t pa)
{
    struct boot_info *out = mb->out;

    if (len < mb2_least(type))
        return -XEN_EINVAL;
    switch (type) {
    case MB2_CMDLINE:
        copy_bounded(out, body, len, out->cmdline, sizeof(out->cmdline));
        return 0;
    case MB2_LOADER:
        copy_bounded(out, body, len, out->loader, sizeof(out->loader));
        return 0;
    case MB2_MODULE:
        return mb2_module(mb, body, len);
    case MB2_MEMMAP:
        return mb2_set_map(&mb->map, body + 8, (uint32_t)len - 8, load_le32(body), 20);
    case MB2_SCREEN:
        if (body[21] == 1 && len < 30)
            return -XEN_EINVAL;
        set_screen(&out->screen, body, body + 24);
        return 0;
    case MB2_EFI64:
        out->efi.system_table = load_le64(body);
        return 0;
    case MB2_EFI_MEMMAP:
        return mb2_efi_memmap(mb, body, len, pa);
    case MB2_EFI_SERVICES:
        out->efi.boot_services = true;
        return 0;
    case MB2_RSDP_OLD:
    case MB2_RSDP_NEW:
        mb2_rsdp(mb, body, len);
        return 0;
    default:
        return 0;
    }
}

static int parse_multiboot2(uint64_t info, const struct boot_phys *phys, struct boot_info *out)
{
    struct mb2 mb = { .phys = phys, .out = out };
    const uint8_t *base = boot_phys_map(phys, info, 8);
    uint32_t total;

    if (!base)
        return -XEN_EFAULT;
    total = load_le32(base);
    base = boot_phys_map(phys, info, total);
    if (total < 16 || !base)
        return total < 16 ? -XEN_EINVAL : -XEN_EFAULT;
    out->info_start = info;
    out->info_end = info + total;
    for (uint64_t off = 8;;) {
        uint32_t type, size;
        int rc;

        if (!range_inside(off, 8, total))
            return -XEN_EINVAL; /* ran out before the end tag */
        type = load_le32(base + off);
        size = load_le32(base + off + 4);
        if (type == MB2_END)
            return mb2_memmap(&mb);
        if (size < 8 || !range_inside(off, size, total))
            return -XEN_EINVAL;
        rc = mb2_tag(&mb, type, base + off + 8, size - 8, info + off + 8);
        if (rc)
            return rc;
        off += ((uint64_t)size + 7) & ~7ull;
    }
}

int parse_multiboot(uint32_t magic, uint64_t info, const struct boot_phys *phys, struct boot_info *out)
{
    memset(out, 0, sizeof(*out));
    if (magic == MULTIBOOT1_MAGIC)
        return parse_multiboot1(info, phys, out);
    if (magic == MULTIBOOT2_MAGIC)
        return parse_multiboot2(info, phys, out);
    return -XEN_ENOEXEC;
}
