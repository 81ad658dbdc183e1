/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical memory for the tests of the boot parsers: one window of bytes at a given physical address. Each
 * mapping is a heap copy of exactly the bytes asked for, so that the address sanitizer sees a parser that
 * reads one more.
 */
#ifndef TESTS_UNIT_BOOT_PHYS_H
#define TESTS_UNIT_BOOT_PHYS_H

#include <hv/boot/bytes.h>
#include <stdlib.h>

#define FAKE_MAPPINGS 4096

struct fake_phys {
    uint64_t base;
    const uint8_t *bytes;
    size_t len;
    unsigned int mappings;
    void *mapping[FAKE_MAPPINGS];
};

static inline const void *fake_phys_map(void *ctx, uint64_t pa, size_t len)
{
    struct fake_phys *f = ctx;
    void *copy;

    if (pa < f->base || !range_inside(pa - f->base, len, f->len) || f->mappings == FAKE_MAPPINGS)
        return NULL;
    copy = malloc(len ? len : 1);
    memcpy(copy, f->bytes + (pa - f->base), len);
    f->mapping[f->mappings++] = copy;
    return copy;
}

static inline void fake_phys_free(struct fake_phys *f)
{
    while (f->mappings)
        free(f->mapping[--f->mappings]);
}

static inline void put16(uint8_t *p, uint16_t v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void put64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

#endif
