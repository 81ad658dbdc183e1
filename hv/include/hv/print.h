/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor says, and the four words for failure: return an error; domain_crash(); panic() at boot;
 * BUG_ON(). A guest can reach only the first two.
 */
#ifndef HV_PRINT_H
#define HV_PRINT_H

#include <hv/log_level.h>
#include <hv/types.h>

/* Prints to the ring and the console devices. %s %d %i %u %x %lx %lu %ld %llx %llu %p %c %%, widths and
 * 0-padding. */
void printk(enum log_level level, const char *fmt, ...) __printf(2, 3);
size_t format(char *buf, size_t len, const char *fmt, ...) __printf(3, 4);
size_t format_va(char *buf, size_t len, const char *fmt, __builtin_va_list ap);

__noreturn void panic(const char *fmt, ...) __printf(1, 2);
__noreturn void bug(const char *file, int line, const char *what);
#define BUG_ON(x) do { if (unlikely(x)) bug(__FILE__, __LINE__, #x); } while (0)

#endif
