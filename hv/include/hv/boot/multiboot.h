/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader tells: multiboot 1 and multiboot 2 information, brought into one form.
 * Facts: Multiboot Specification 0.6.96 and Multiboot2 Specification 2.0 (GNU GRUB), UEFI 2.9 section 7.2.
 */
#ifndef HV_BOOT_MULTIBOOT_H
#define HV_BOOT_MULTIBOOT_H

#include <hv/boot/bytes.h>
#include <hv/boot/memmap.h>

#define MULTIBOOT1_MAGIC 0x2badb002u /* in EAX at entry */
#define MULTIBOOT2_MAGIC 0x36d76289u

#define BOOT_MAX_MODULES 8
#define BOOT_CMDLINE_MAX 2048 /* with the final zero */

struct boot_module {
    uint64_t start; /* physical, first byte */
    uint64_t end;   /* physical, past the last byte */
    char cmdline[BOOT_CMDLINE_MAX];
};

enum boot_screen_kind { BOOT_SCREEN_UNKNOWN, BOOT_SCREEN_TEXT, BOOT_SCREEN_RGB, BOOT_SCREEN_INDEXED };

/* Width and height are in characters on a text screen, else in pixels; pitch is bytes from row to row. */
struct boot_screen {
    enum boot_screen_kind kind;
    uint64_t addr;
    uint32_t pitch, width, height;
    uint8_t bpp;
    uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct boot_efi {
    uint64_t system_table; /* physical; 0: not booted by a 64-bit UEFI */
    uint64_t map;          /* physical address of the UEFI memory map, inside the information */
    uint32_t map_len, desc_size, desc_version;
    bool boot_services; /* ExitBootServices has not been called */
};

struct boot_info {
    char cmdline[BOOT_CMDLINE_MAX];
    char loader[64];
    bool truncated; /* some string did not fit and was cut */
    unsigned int modules_dropped;
    unsigned int modules;
    struct boot_module module[BOOT_MAX_MODULES];
    struct memmap memmap;
    struct boot_screen screen;
    struct boot_efi efi;
    uint8_t rsdp[36]; /* copy of the ACPI root pointer; rsdp_len 0: not told, search for it */
    uint8_t rsdp_len;
    uint64_t info_start, info_end; /* physical range of the information itself (multiboot 2 only) */
};

/*
 * Reads the information at physical address `info` that a loader announced by `magic` into *out, which is
 * overwritten whole. Strings are cut to fit (flag `truncated`), modules beyond BOOT_MAX_MODULES are counted
 * in modules_dropped. Errors: -ENOEXEC unknown magic, -EFAULT something unreachable, -EINVAL malformed (a tag
 * or module of impossible size), -ENOENT no memory map at all, -E2BIG a memory map of too many regions.
 */
int parse_multiboot(uint32_t magic, uint64_t info, const struct boot_phys *phys, struct boot_info *out);

#endif
