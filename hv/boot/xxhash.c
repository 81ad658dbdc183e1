/* SPDX-License-Identifier: BSD-2-Clause */
/* XXH64: four lanes over stripes of 32 bytes, merged, then the rest of the input, then a final mix. */
#include <hv/boot/bytes.h>
#include <hv/boot/xxhash.h>

static const uint64_t p1 = 0x9e3779b185ebca87, p2 = 0xc2b2ae3d27d4eb4f, p3 = 0x165667b19e3779f9,
                      p4 = 0x85ebca77c2b2ae63, p5 = 0x27d4eb2f165667c5;

static inline uint64_t rotate(uint64_t v, unsigned int n)
{
    return v << n | v >> (64 - n);
}

static inline uint64_t lane_add(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * p2, 31) * p1;
}

static inline uint64_t lane_merge(uint64_t hash, uint64_t lane)
{
    return (hash ^ lane_add(0, lane)) * p1 + p4;
}

static uint64_t hash_stripes(const uint8_t *p, size_t stripes)
{
    uint64_t a = p1 + p2, b = p2, c = 0, d = 0 - p1, hash;

    for (; stripes; stripes--, p += 32) {
        a = lane_add(a, load_le64(p));
        b = lane_add(b, load_le64(p + 8));
        c = lane_add(c, load_le64(p + 16));
        d = lane_add(d, load_le64(p + 24));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return lane_merge(lane_merge(lane_merge(lane_merge(hash, a), b), c), d);
}

uint64_t xxh64(const uint8_t *p, size_t len)
{
    uint64_t hash = len >= 32 ? hash_stripes(p, len / 32) : p5;
    const uint8_t *end = p + len;

    p += len & ~(size_t)31;
    hash += len;
    for (; end - p >= 8; p += 8)
        hash = rotate(hash ^ lane_add(0, load_le64(p)), 27) * p1 + p4;
    for (; end - p >= 4; p += 4)
        hash = rotate(hash ^ load_le32(p) * p1, 23) * p2 + p3;
    for (; p < end; p++)
        hash = rotate(hash ^ *p * p5, 11) * p1;
    hash = (hash ^ hash >> 33) * p2;
    hash = (hash ^ hash >> 29) * p3;
    return hash ^ hash >> 32;
}
