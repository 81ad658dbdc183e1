/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A crash as a piece of text that survives a warm restart. Firmware and boot loaders use memory from both its
 * ends, so the place is in the middle of the largest piece below 4 GiB. Whatever else may have written there
 * in between, a checksum over everything tells.
 */
#include <hv/boot/crc.h>
#include <hv/console.h>
#include <hv/crash.h>
#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <string.h>

#define MAGIC    "Hauch crash\r\n\x1a\1"
#define BELOW    (4ull << 30)
#define ALIGNED  (2ull << 20)
#define TEXT_MAX (CRASH_RECORD_SIZE - sizeof(struct crash_record))

struct crash_record {
    char     magic[16];
    uint32_t check;         /* CRC-32 of all that follows, `length` bytes of text included */
    uint32_t length;
    uint32_t generation;    /* crashes in a row whose records were found */
    uint32_t reserved;
    char     text[];
};

static struct crash_record *place;      /* of the next crash */
static char *last;                      /* text of the one before this boot; LOCK_CONSOLE */
static uint32_t last_length, generation;
static spinlock_t lock = SPINLOCK(LOCK_CONSOLE);
static struct crc32_tables tables;

uint64_t crash_record_place(const struct memmap *map)
{
    uint64_t best = 0, best_len = 4 * ALIGNED;

    for (unsigned i = 0; i < map->count; i++) {
        uint64_t base = map->region[i].base, end = MIN(base + map->region[i].len, BELOW);

        if (map->region[i].type != MEMMAP_RAM || base >= end || end - base < best_len)
            continue;
        best_len = end - base;
        best = (base + best_len / 2) & ~(ALIGNED - 1);
    }
    return best;
}

static uint32_t checksum(const struct crash_record *r)
{
    size_t head = offsetof(struct crash_record, length);

    return crc32_update(&tables, 0, (const uint8_t *)r + head, sizeof(*r) - head + r->length);
}

static bool whole(const struct crash_record *r)
{
    return !memcmp(r->magic, MAGIC, sizeof(r->magic)) && r->length && r->length <= TEXT_MAX &&
           r->check == checksum(r);
}

/* The first line that says PANIC, for the announcement. */
static size_t reason(const char *text, size_t len, const char **at)
{
    static const char word[] = "PANIC ";
    size_t n = 0;

    for (size_t i = 0; i + sizeof(word) <= len; i++)
        if (!memcmp(text + i, word, sizeof(word) - 1)) {
            while (i + n < len && text[i + n] != '\n')
                n++;
            *at = text + i;
            return n;
        }
    *at = "";
    return 0;
}

static void take_over(const struct crash_record *r)
{
    unsigned order = 0;
    const char *why;
    size_t n = reason(r->text, r->length, &why);

    generation = r->generation;
    printk(LOG_WARNING, "the machine crashed before: %.*s; in dom0, hauch dmesg --last-crash shows more\n",
           (int)MIN(n, (size_t)160), why);
    while ((PAGE_SIZE << order) < r->length)
        order++;
    last = page_alloc(order);
    if (!last)
        return;
    memcpy(last, r->text, r->length);
    last_length = r->length;
}

void crash_record_init(void *where)
{
    crc32_init(&tables);
    place = where;
    if (!place)
        return;
    if (whole(place))
        take_over(place);
    memset(place, 0, sizeof(*place));
}

/* Written back from the caches, which a restart may empty. */
void crash_record_keep(void)
{
    if (!place)
        return;
    memset(place->magic, 0, sizeof(place->magic));
    place->generation = generation + 1;
    place->reserved = 0;
    place->length = (uint32_t)console_tail(place->text, TEXT_MAX);
    place->check = checksum(place);
    memcpy(place->magic, MAGIC, sizeof(place->magic));
    hw_wbinvd();
}

size_t crash_last_read(char *buf, size_t len, uint32_t at)
{
    size_t n = 0;

    spin_lock(&lock);
    if (last && at < last_length) {
        n = MIN(len, (size_t)(last_length - at));
        memcpy(buf, last + at, n);
    }
    spin_unlock(&lock);
    return n;
}

/* Its memory stays: a reader may be under way, and there is only ever one. */
void crash_last_clear(void)
{
    spin_lock(&lock);
    last_length = 0;
    spin_unlock(&lock);
}
