/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen in text mode, 80 by 25. */
#ifndef HW_VGA_H
#define HW_VGA_H

#include <hv/types.h>

void vga_init(void);            /* clears it */
void vga_write(const char *s, size_t len);

#endif
