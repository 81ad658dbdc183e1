/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map. Painting [base, end) rebuilds the list in two moves: cut what lies under the brush, then
 * put the new region into the gap. A region strictly around the brush is split, so one stroke adds two
 * entries at most.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/memmap.h>

static uint64_t region_end(const struct memmap_region *r)
{
    return r->base + r->len;
}

static void memmap_remove(struct memmap *map, unsigned int at)
{
    map->count--;
    memmove(&map->region[at], &map->region[at + 1], (map->count - at) * sizeof(map->region[0]));
}

static void memmap_insert(struct memmap *map, unsigned int at, uint64_t base, uint64_t end, uint32_t type)
{
    memmove(&map->region[at + 1], &map->region[at], (map->count - at) * sizeof(map->region[0]));
    map->region[at] = (struct memmap_region){ .base = base, .len = end - base, .type = type };
    map->count++;
}

/* Clears [base, end) and returns the index at which a region starting at `base` belongs. */
static unsigned int memmap_cut(struct memmap *map, uint64_t base, uint64_t end)
{
    unsigned int i = 0;

    while (i < map->count && region_end(&map->region[i]) <= base)
        i++;
    if (i < map->count && map->region[i].base < base) {
        uint64_t old_end = region_end(&map->region[i]);

        map->region[i].len = base - map->region[i].base;
        i++;
        if (old_end > end)
            memmap_insert(map, i, end, old_end, map->region[i - 1].type);
    }
    while (i < map->count && region_end(&map->region[i]) <= end)
        memmap_remove(map, i);
    if (i < map->count && map->region[i].base < end) {
        map->region[i].len = region_end(&map->region[i]) - end;
        map->region[i].base = end;
    }
    return i;
}

/* Joins region `at` to the one after it, if they touch and are alike. */
static void memmap_merge(struct memmap *map, unsigned int at)
{
    struct memmap_region *r = &map->region[at];

    if (at + 1 >= map->count || r[1].type != r->type || r[1].base != region_end(r))
        return;
    r->len += r[1].len;
    memmap_remove(map, at + 1);
}

int memmap_paint(struct memmap *map, uint64_t base, uint64_t len, uint32_t type)
{
    uint64_t end = len > UINT64_MAX - base ? UINT64_MAX : base + len;
    unsigned int at;

    if (base == end)
        return 0;
    if (map->count > MEMMAP_MAX - 2)
        return -XEN_E2BIG;
    at = memmap_cut(map, base, end);
    memmap_insert(map, at, base, end, type);
    memmap_merge(map, at);
    if (at > 0)
        memmap_merge(map, at - 1);
    return 0;
}

bool memmap_has(const struct memmap *map, uint64_t start, uint64_t end, uint32_t type)
{
    for (unsigned int i = 0; i < map->count; i++) {
        const struct memmap_region *r = &map->region[i];

        if (r->type == type && r->base < end && start < r->base + r->len)
            return true;
    }
    return false;
}

unsigned int memmap_rank(uint32_t type)
{
    switch (type) {
    case MEMMAP_RAM:
        return 0;
    case MEMMAP_ACPI:
        return 1;
    case MEMMAP_NVS:
        return 2;
    case MEMMAP_UNUSABLE:
        return 4;
    default:
        return 3;
    }
}
