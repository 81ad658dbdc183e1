/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judge of the page-typing machine: counts all references from scratch, by looking at every table, pin,
 * root and descriptor table, and compares with what the frames say; and follows a processor that remembers
 * translations as long as it may.
 */
#ifndef PT_RECOUNT_H
#define PT_RECOUNT_H

#include <hv/domain.h>

#define MODEL_FRAMES  256
#define MODEL_DOMAINS 3

/* Stops with a message if anything is wrong. Nobody else may be at work. */
void recount(struct domain *const *d, unsigned domains);
/* To be called by host_flush_hook: the processor forgets. */
void recount_forget(void);
/* A fresh machine. */
void recount_reset(void);
/* How many validated tables there were in all recounts, by level: a run that never built any proves
 * nothing. */
extern uint64_t recount_tables[5];

#endif
