/* SPDX-License-Identifier: BSD-2-Clause */
/* See vga.h. Characters with their colours stand in memory at 0xb8000; the cursor in two registers. */
#include "vga.h"

#include <hw/layout.h>

#include "insn.h"

#define COLUMNS 80u
#define ROWS    25u
#define BLANK   0x0720          /* light grey on black */

enum { CRTC_INDEX = 0x3d4, CRTC_DATA = 0x3d5, CURSOR_HIGH = 0x0e, CURSOR_LOW = 0x0f };

static volatile uint16_t *const screen = (volatile uint16_t *)(DIRECT_MAP + 0xb8000);
static unsigned column, row;

static void cursor_show(void)
{
    unsigned at = row * COLUMNS + column;

    outb(CRTC_INDEX, CURSOR_HIGH);
    outb(CRTC_DATA, (uint8_t)(at >> 8));
    outb(CRTC_INDEX, CURSOR_LOW);
    outb(CRTC_DATA, (uint8_t)at);
}

static void scroll(void)
{
    for (unsigned i = 0; i < COLUMNS * (ROWS - 1); i++)
        screen[i] = screen[i + COLUMNS];
    for (unsigned i = COLUMNS * (ROWS - 1); i < COLUMNS * ROWS; i++)
        screen[i] = BLANK;
}

static void next_line(void)
{
    column = 0;
    if (row < ROWS - 1)
        row++;
    else
        scroll();
}

static void put(char c)
{
    if (c == '\n') {
        next_line();
    } else if (c == '\r') {
        column = 0;
    } else {
        if (column == COLUMNS)
            next_line();
        screen[row * COLUMNS + column++] = (uint16_t)(0x0700 | (uint8_t)c);
    }
}

void vga_init(void)
{
    for (unsigned i = 0; i < COLUMNS * ROWS; i++)
        screen[i] = BLANK;
    column = row = 0;
    cursor_show();
}

void vga_write(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(s[i]);
    cursor_show();
}
