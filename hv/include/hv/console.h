/* SPDX-License-Identifier: BSD-2-Clause */
/* Where printed text goes: the ring that dom0 reads, and the devices. */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/print.h>

/* Takes len bytes of one message, newline included. Any lock may be held by the caller except LOCK_CONSOLE. */
void console_emit(enum log_level level, const char *text, size_t len);

#endif
