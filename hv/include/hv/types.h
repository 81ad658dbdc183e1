/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scalars that must not be mixed up. Machine frames and guest addresses are one-member structs: they cost
 * nothing and the compiler refuses to take one for the other, or either for a pointer.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/errno.h>
#include <abi/xen.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* A machine frame number: physical address >> 12. */
typedef struct { uint64_t n; } mfn_t;
#define MFN(x)      ((mfn_t){ (x) })
#define MFN_INVALID MFN(~0ull)
static inline bool mfn_eq(mfn_t a, mfn_t b) { return a.n == b.n; }
static inline bool mfn_valid_number(mfn_t m) { return m.n != MFN_INVALID.n; }

/* A virtual address in the guest whose vCPU is running. Only guest_read() and guest_write() accept it. */
typedef guest_handle_t gaddr_t;
#define GADDR(x) ((gaddr_t){ (x) })

#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d)    (((n) + (d) - 1) / (d))
#define ALIGN_UP(n, a)        (((n) + (a) - 1) & ~((a) - 1))
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define MIN(a, b)             ((a) < (b) ? (a) : (b))
#define MAX(a, b)             ((a) > (b) ? (a) : (b))

#define __must_check __attribute__((warn_unused_result))
#define __noreturn   __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define likely(x)    __builtin_expect(!!(x), 1)
#define unlikely(x)  __builtin_expect(!!(x), 0)
/* Begins a cache line: what other processors write does not share one with what is only read. */
#define __own_line   __attribute__((aligned(64)))


struct domain;
struct vcpu;
struct pcpu;

#endif
