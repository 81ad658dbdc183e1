/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of our functions. Offsets are searched by halves; names have no index of their own, since walking
 * all of them takes microseconds and happens in a panic only.
 */
#include <hv/print.h>
#include <hv/symbol.h>

#include <string.h>

extern const uint8_t image_start[];

static const char *name_of(const uint32_t *table, uint32_t n)
{
    const char *name = (const char *)(table + 2 + table[0]);

    for (; n; n--)
        name += strlen(name) + 1;
    return name;
}

bool symbol_find(const uint32_t *table, uint64_t at, struct symbol *out)
{
    const uint32_t *start = table + 1;
    uint32_t low = 0, high = table[0];

    if (!table[0] || at < start[0] || at >= start[table[0]])
        return false;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (start[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    *out = (struct symbol){ name_of(table, low), (uint32_t)at - start[low], start[low + 1] - start[low] };
    return true;
}

const char *symbol_text(char buf[SYMBOL_TEXT], uint64_t address)
{
    struct symbol s;

    if (symbol_find(symbol_table, address - (uint64_t)image_start, &s))
        format(buf, SYMBOL_TEXT, "%.40s+0x%x/0x%x", s.name, s.offset, s.size);
    else
        format(buf, SYMBOL_TEXT, "%lx", address);
    return buf;
}

bool symbol_is_text(uint64_t address)
{
    struct symbol s;

    return symbol_find(symbol_table, address - (uint64_t)image_start, &s) && s.offset;
}
