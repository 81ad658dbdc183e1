/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses of the hypervisor's own text, for a person who reads a panic. The table is made by
 * tools/symbols after a first link.
 */
#ifndef HV_SYMBOL_H
#define HV_SYMBOL_H

#include <hv/types.h>

/*
 * count; then count offsets from the image's start, ascending, and the offset of the text's end; then count
 * names, each ended by a zero byte.
 */
extern const uint32_t symbol_table[];

struct symbol { const char *name; uint32_t offset, size; };

/* The function that `at`, an offset from the image's start, lies in. False: none. */
bool symbol_find(const uint32_t *table, uint64_t at, struct symbol *out);

/* "function+0x12/0x40", or the number in hexadecimal; returns buf. Works from anywhere. */
#define SYMBOL_TEXT 64
const char *symbol_text(char buf[SYMBOL_TEXT], uint64_t address);
/* Whether a word on a stack may be a return address of ours. */
bool symbol_is_text(uint64_t address);

#endif
