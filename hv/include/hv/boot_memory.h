/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory before there is an allocator: the loader's map of RAM with holes cut for what is in use. Physical
 * addresses in bytes, page-aligned. Only main.c and hw/paging.c use it, in boot order.
 */
#ifndef HV_BOOT_MEMORY_H
#define HV_BOOT_MEMORY_H

#include <hv/boot/memmap.h>
#include <hv/types.h>

/* All RAM of the map, from the first whole page of a piece to its last. Once. */
void boot_memory_init(const struct memmap *map);
/* Cuts [start, end) out, rounded outward to pages. */
void boot_memory_reserve(uint64_t start, uint64_t end);
/* Takes `len` bytes, aligned, from the highest place that ends at or below `limit`; zeroed by the caller. 0:
 * none. */
uint64_t boot_memory_take(uint64_t len, uint64_t align, uint64_t limit);
/* Hands each remaining piece to fn as (first frame, frames). */
void boot_memory_each(void (*fn)(uint64_t first, uint64_t count));

#endif
