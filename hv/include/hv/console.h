/* SPDX-License-Identifier: BSD-2-Clause */
/* Where printed text goes: the ring that dom0 reads, and the devices. */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/boot/cmdline.h>
#include <hv/print.h>

/* Takes len bytes of one message, newline included. Any lock may be held by the caller except LOCK_CONSOLE. */
void console_emit(enum log_level level, const char *text, size_t len);

/* Boot (main.c): serial at its usual place before options are known; then as the command line says; then the screen
 * and the input belong to dom0. */
void console_init_early(void);
void console_init(const struct cmdline_options *o);
void console_give_to_dom0(void);

#endif
