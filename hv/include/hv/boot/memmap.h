/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's memory map: a sorted list of regions that do not overlap, made by painting one region over
 * another. Who paints last wins, so a maker paints RAM first and what must be kept away from RAM afterwards.
 * Memory that no region covers is not RAM.
 */
#ifndef HV_BOOT_MEMMAP_H
#define HV_BOOT_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

#define MEMMAP_MAX 128

/* The E820 types, as firmware, multiboot and the memory_map hypercalls number them. */
enum memmap_type {
    MEMMAP_RAM = 1,
    MEMMAP_RESERVED = 2,
    MEMMAP_ACPI = 3,
    MEMMAP_NVS = 4,
    MEMMAP_UNUSABLE = 5,
};

struct memmap_region {
    uint64_t base;
    uint64_t len;
    uint32_t type;
};

struct memmap {
    unsigned int count;
    struct memmap_region region[MEMMAP_MAX];
};

/*
 * Makes [base, base + len) of type `type`, whatever was there before; a length that would run past the end of
 * the address space is cut. Neighbours of one type are merged. -E2BIG, and nothing changed, if the list is
 * full.
 */
int memmap_paint(struct memmap *map, uint64_t base, uint64_t len, uint32_t type);

/* Is any of [start, end) of that type? */
bool memmap_has(const struct memmap *map, uint64_t start, uint64_t end, uint32_t type);

/* Types in the order in which they are to be painted: 0 first (RAM). Unknown types rank as reserved. */
#define MEMMAP_RANKS 5
unsigned int memmap_rank(uint32_t type);

#endif
