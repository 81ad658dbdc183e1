/* SPDX-License-Identifier: BSD-2-Clause */
/* Free RAM during boot as a short list of intervals; what is taken comes from the top, so low memory stays
 * free. */
#include <hv/boot_memory.h>

struct piece { uint64_t start, end; };

static struct piece piece[2 * MEMMAP_MAX];
static unsigned pieces;

void boot_memory_init(const struct memmap *map)
{
    pieces = 0;
    for (unsigned i = 0; i < map->count; i++) {
        const struct memmap_region *r = &map->region[i];
        struct piece p = { ALIGN_UP(r->base, PAGE_SIZE), (r->base + r->len) & PAGE_MASK };

        if (r->type == MEMMAP_RAM && p.start < p.end)
            piece[pieces++] = p;
    }
}

static void cut(unsigned i, uint64_t start, uint64_t end)
{
    struct piece p = piece[i];

    if (p.start < start && p.end > end) {
        piece[i].end = start;
        if (pieces < ARRAY_LEN(piece))
            piece[pieces++] = (struct piece){ end, p.end };
    } else if (p.start < start) {
        piece[i].end = start;
    } else if (p.end > end) {
        piece[i].start = end;
    } else {
        piece[i].end = piece[i].start;
    }
}

void boot_memory_reserve(uint64_t start, uint64_t end)
{
    start &= PAGE_MASK;
    end = ALIGN_UP(end, PAGE_SIZE);
    for (unsigned i = 0, n = pieces; i < n; i++)
        if (piece[i].start < end && start < piece[i].end)
            cut(i, start, end);
}

uint64_t boot_memory_take(uint64_t len, uint64_t align, uint64_t limit)
{
    uint64_t best = 0;

    len = ALIGN_UP(len, PAGE_SIZE);
    for (unsigned i = 0; i < pieces; i++) {
        uint64_t end = MIN(piece[i].end, limit), at;

        if (end < len)
            continue;
        at = (end - len) & ~(align - 1);
        if (at >= piece[i].start && at > best)
            best = at;
    }
    if (best)
        boot_memory_reserve(best, best + len);
    return best;
}

void boot_memory_each(void (*fn)(uint64_t first, uint64_t count))
{
    for (unsigned i = 0; i < pieces; i++)
        if (piece[i].start < piece[i].end)
            fn(piece[i].start >> PAGE_SHIFT, (piece[i].end - piece[i].start) >> PAGE_SHIFT);
}
