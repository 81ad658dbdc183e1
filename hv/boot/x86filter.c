/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xz's x86 filter, backwards.
 *
 * The compressor turned the relative target of each CALL (E8) and JMP (E9) into an absolute one, since calls
 * of one function then look alike. It does not know where instructions begin, so it takes as an address any
 * four bytes behind an E8 or E9 whose top byte is 00 or FF, with rules, which must be followed to the letter,
 * for opcodes that lie in what could be the operand of an earlier one: at most one of the three bytes before
 * may be a (not converted) opcode, and the byte of our operand that would be the top byte of that one's
 * operand must not be 00 or FF.
 */
#include <hv/boot/bytes.h>
#include <hv/boot/lzma.h>

static bool is_sign(uint32_t byte)
{
    return byte == 0 || byte == 255;
}

/* Index of the first E8 or E9 in code[at..end), or end. Eight bytes at a time: a zero byte in v marks one. */
static size_t next_opcode(const uint8_t *code, size_t at, size_t end)
{
    const uint64_t ones = 0x0101010101010101ull;

    for (; at + 8 <= end; at += 8) {
        uint64_t v = (load_le64(code + at) & ~ones) ^ 0xe8 * ones;
        uint64_t zeros = (v - ones) & ~v & 0x80 * ones;

        if (zeros)
            return at + (unsigned int)__builtin_ctzll(zeros) / 8;
    }
    while (at < end && (code[at] & 0xfe) != 0xe8)
        at++;
    return at;
}

/*
 * Absolute to relative. With an opcode `gap` bytes before ours (0: none), the compressor saw to it that the
 * byte which is that one's top byte does not become 00 or FF, by inverting all bits from there down and
 * adding again.
 */
static uint32_t to_relative(uint32_t target, uint32_t next, unsigned int gap)
{
    uint32_t rel = target - next;

    if (gap && is_sign(rel >> (24 - 8 * gap) & 255))
        rel = (rel ^ ((1u << (32 - 8 * gap)) - 1)) - next;
    return (rel & 0x01ffffff) | -(rel & 0x01000000);
}

void x86_unfilter(uint8_t *code, size_t len, uint32_t start)
{
    /* Distance to the one recent opcode by the set of recent ones; bit 0 is the byte just before. 9: more
     * than one. */
    static const uint8_t gaps[8] = { 0, 1, 2, 9, 3, 9, 9, 9 };
    size_t end = len < 4 ? 0 : len - 4, at = 0, before = 0;
    uint32_t recent = 0;

    while ((at = next_opcode(code, at, end)) < end) {
        unsigned int gap;
        uint32_t rel;

        recent = at - before > 3 ? 0 : recent << (at - before) & 7;
        gap = gaps[recent];
        if (gap == 9 || !is_sign(code[at + 4]) || (gap && is_sign(code[at + 4 - gap]))) {
            before = at++;
            recent = recent << 1 | 1;
            before++;
            continue;
        }
        rel = to_relative(load_le32(code + at + 1), start + (uint32_t)at + 5, gap);
        memcpy(code + at + 1, &rel, sizeof(rel));
        at += 5;
        before = at;
        recent = 0;
    }
}
