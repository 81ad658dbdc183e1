/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler calls at each memory access under -fsanitize=thread, in place of that sanitizer's
 * run-time: the atomic ones are done, with a switch point before each; plain ones are left alone. Built
 * without the option.
 */
#include <stdbool.h>
#include <stdint.h>

void many_point(void);

#define PLAIN(name) void __tsan_##name(void *p); void __tsan_##name(void *p) { (void)p; }
#define PLAIN_SIZES(op) PLAIN(op##1) PLAIN(op##2) PLAIN(op##4) PLAIN(op##8) PLAIN(op##16)
PLAIN_SIZES(read) PLAIN_SIZES(write) PLAIN_SIZES(unaligned_read) PLAIN_SIZES(unaligned_write)
PLAIN_SIZES(volatile_read) PLAIN_SIZES(volatile_write)
PLAIN(func_entry)

void __tsan_init(void);
void __tsan_init(void) { }
void __tsan_func_exit(void);
void __tsan_func_exit(void) { }
void __tsan_read_range(void *p, unsigned long n);
void __tsan_read_range(void *p, unsigned long n) { (void)p; (void)n; }
void __tsan_write_range(void *p, unsigned long n);
void __tsan_write_range(void *p, unsigned long n) { (void)p; (void)n; }

#define SEQ __ATOMIC_SEQ_CST
#define FETCH(bits, op, does) \
    uint##bits##_t __tsan_atomic##bits##_##op(volatile uint##bits##_t *p, uint##bits##_t v, int order); \
    uint##bits##_t __tsan_atomic##bits##_##op(volatile uint##bits##_t *p, uint##bits##_t v, int order) \
    { (void)order; many_point(); return does(p, v, SEQ); }
#define EXCHANGE(bits, kind) \
    int __tsan_atomic##bits##_compare_exchange_##kind(volatile uint##bits##_t *p, uint##bits##_t *expected, \
                                                      uint##bits##_t v, int good, int bad); \
    int __tsan_atomic##bits##_compare_exchange_##kind(volatile uint##bits##_t *p, uint##bits##_t *expected, \
                                                      uint##bits##_t v, int good, int bad) \
    { \
        (void)good; \
        (void)bad; \
        many_point(); \
        return __atomic_compare_exchange_n(p, expected, v, false, SEQ, SEQ); \
    }
#define ATOMIC(bits) \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order); \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order) \
    { (void)order; many_point(); return __atomic_load_n(p, SEQ); } \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order); \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order) \
    { (void)order; many_point(); __atomic_store_n(p, v, SEQ); } \
    FETCH(bits, exchange, __atomic_exchange_n) FETCH(bits, fetch_add, __atomic_fetch_add) \
    FETCH(bits, fetch_sub, __atomic_fetch_sub) FETCH(bits, fetch_and, __atomic_fetch_and) \
    FETCH(bits, fetch_or, __atomic_fetch_or) FETCH(bits, fetch_xor, __atomic_fetch_xor) \
    EXCHANGE(bits, strong) EXCHANGE(bits, weak)

ATOMIC(8) ATOMIC(16) ATOMIC(32) ATOMIC(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order) { (void)order; many_point(); }
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order) { (void)order; }
