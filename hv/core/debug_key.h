/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files debug_*.c: what each key shows. All print at once, with no locks held, and not without
 * end. */
#ifndef CORE_DEBUG_KEY_H
#define CORE_DEBUG_KEY_H

#include <hv/domain.h>
#include <hv/print.h>

/* fn with each domain in turn, a reference held meanwhile. */
void debug_each_domain(void (*fn)(struct domain *d));
/* Prints text of many lines that fn formats. */
void debug_show_formatted(size_t (*fn)(char *buf, size_t len));
void debug_show_text(const char *text, size_t len);

/* debug_domain.c */
void debug_domains(void);
void debug_dom0_registers(void);
void debug_events(void);
void debug_grants(void);
void debug_run_queues(void);
void debug_refusals(void);
void debug_nmis(void);

/* debug_machine.c */
void debug_memory(void);
void debug_registers(void);
void debug_clocks(void);
void debug_tsc(void);
void debug_timers(void);
void debug_ioapics(void);
void debug_ring(void);

#endif
