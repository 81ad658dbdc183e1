/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial page tables of a PV domain, written into plain memory: see build_layout.h.
 *
 * Tables are taken from their run in the order in which addresses first need them, the top one first. An
 * entry holds the machine frame, from which the table's own place has to be found again only where both maps
 * share a table: that happens at most once or twice per build, so a search through the run is good enough. */
#include "lib/build_layout.h"

#include <string.h>

enum {
    PTE_PRESENT = 1, PTE_WRITE = 2, PTE_USER = 4, PTE_ACCESSED = 0x20, PTE_DIRTY = 0x40,
    LEAF  = PTE_PRESENT | PTE_ACCESSED,
    INNER = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY,
};

struct filler {
    const struct build_layout *l;
    const uint64_t            *mfns;
    uint64_t                  *tables;
    uint64_t                   next;      /* first table page not yet in use */
};

/* Place in the run of the table that @entry, already present, leads to. */
static uint64_t table_place(const struct filler *fl, uint64_t entry)
{
    const struct build_run *run = &fl->l->tables;
    uint64_t                mfn = (entry & ((UINT64_C(1) << 52) - 1)) >> BUILD_PAGE_SHIFT, i = 0;

    while (i < run->pages - 1 && fl->mfns[run->pfn + i] != mfn)
        i++;
    return i;
}

/* The table that @entry leads to, the next free one if there is none yet. */
static uint64_t *table_below(struct filler *fl, uint64_t *entry)
{
    uint64_t place;

    if (*entry) {
        place = table_place(fl, *entry);
    } else {
        place = fl->next++;
        *entry = fl->mfns[fl->l->tables.pfn + place] << BUILD_PAGE_SHIFT | INNER;
    }
    return fl->tables + place * BUILD_TABLE_ENTRIES;
}

static unsigned slot(uint64_t va, int level)
{
    return va >> (BUILD_PAGE_SHIFT + 9 * (level - 1)) & (BUILD_TABLE_ENTRIES - 1);
}

static uint64_t leaf_of(const struct filler *fl, uint64_t pfn)
{
    bool is_table = pfn - fl->l->tables.pfn < fl->l->tables.pages;

    return fl->mfns[pfn] << BUILD_PAGE_SHIFT | LEAF | (is_table ? 0 : PTE_WRITE);
}

/* Fill what @table (of @level) serves of the map, from page *done of the map on; *done moves past it. */
static void table_fill(struct filler *fl, const struct build_map *m, uint64_t *table, int level,
                       uint64_t *done)
{
    while (*done < m->pages) {
        uint64_t va = m->va + (*done << BUILD_PAGE_SHIFT);
        unsigned at = slot(va, level);

        if (level == 1) {
            table[at] = leaf_of(fl, m->pfn + *done);
            ++*done;
        } else {
            table_fill(fl, m, table_below(fl, &table[at]), level - 1, done);
        }
        if (at == BUILD_TABLE_ENTRIES - 1)
            return;
    }
}

void build_tables_fill(const struct build_layout *l, const uint64_t *mfns, uint64_t *tables)
{
    struct filler fl = { l, mfns, tables, 1 };

    memset(tables, 0, l->tables.pages << BUILD_PAGE_SHIFT);
    for (int i = 0; i < 2; i++) {
        uint64_t done = 0;

        if (l->maps[i].pages)
            table_fill(&fl, &l->maps[i], tables, 4, &done);
    }
}
