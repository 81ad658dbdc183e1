/* SPDX-License-Identifier: BSD-2-Clause */
/* Where printed text goes: the ring that dom0 reads, and the devices; and where typed text goes. */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/boot/cmdline.h>
#include <hv/print.h>

/*
 * Takes len bytes of one message, newline included; shown if the command line's loglvl= lets that level
 * through. LOG_NONE always is. Any lock may be held by the caller except LOCK_CONSOLE.
 */
void console_emit(enum log_level level, const char *text, size_t len);
/* The same for a message about or of a guest: guest_loglvl= decides. */
void console_emit_guest(enum log_level level, const char *text, size_t len);
/* Text of dom0's: to the devices as it is, not to the ring. */
void console_pass(const char *text, size_t len);

/*
 * The ring is a stream whose positions run freely in 32 bits. Copies what stands at *index (incremental) or
 * at the oldest byte, at most len bytes, and sets *index behind it; an index whose text is lost counts as the
 * oldest. The number of bytes copied; 0: nothing more. console_clear_ring(): text before `upto` is no longer
 * the oldest.
 */
size_t console_read_ring(char *buf, size_t len, uint32_t *index, bool incremental);
void   console_clear_ring(uint32_t upto);

/* The input device has bytes, or may have: deals with all of them. No locks may be held from LOCK_SCHED
 * on. */
void console_input(void);
/* Bytes typed for dom0: how many were copied, at most len. */
size_t console_take_input(char *buf, size_t len);

/* Does what the key stands for ('h' lists them). No locks may be held. */
void debug_key(char key);

/*
 * The last bytes of the ring, at most len; their number. console_crashed(): from now on one processor prints,
 * whoever held the lock is gone, and dom0 hears of nothing.
 */
size_t console_tail(char *buf, size_t len);
void   console_crashed(void);

/* Boot (main.c): serial at its usual place before options are known; then as the command line says; then the
 * screen and the input belong to dom0. */
void console_init_early(void);
void console_init(const struct cmdline_options *o);
void console_give_to_dom0(void);

#endif
