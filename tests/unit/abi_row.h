/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row a name of the ABI. abi_ours.c and abi_xen.c fill the same list (abi_list.h, made by abi_list.py)
 * from our headers and from those of libxen-dev; abi.c compares the two tables. They are two objects, because
 * the same names cannot be declared twice in one.
 */
#ifndef TESTS_UNIT_ABI_ROW_H
#define TESTS_UNIT_ABI_ROW_H

#include <stddef.h>
#include <stdint.h>

struct abi_row {
    const char *name;
    uint64_t value; /* of a constant */
    const char *text;
    size_t offset; /* of a field */
    size_t size;   /* of a type, structure or field */
};

extern const struct abi_row abi_ours[], abi_xen[];
extern const size_t abi_ours_count, abi_xen_count;

#define CONST(n)       {.name = #n, .value = (uint64_t)(n)},
#define TEXT(n)        {.name = #n, .text = n},
#define TYPE(t)        {.name = #t, .size = sizeof(t)},
#define AGGREGATE(t)   {.name = #t, .size = sizeof(t)},
#define FIELD(t, f)    {.name = #t "." #f, .offset = offsetof(t, f), .size = sizeof(((t *)0)->f)},
#define FLEXIBLE(t, f) {.name = #t "." #f, .offset = offsetof(t, f)},

#endif
