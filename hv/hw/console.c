/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices behind the console: which are used, and which of them listens. Callers hold the console's
 * lock. */
#include <hv/machine.h>
#include <hw/hw.h>

#include "uart.h"
#include "vga.h"

static struct uart com[2];
static int com_irq[2];
static bool screen_ours;

static void com_setup(unsigned n, const struct serial_options *o, bool wanted)
{
    com[n].port = 0;
    if (wanted && uart_init(&com[n], o))
        com_irq[n] = o->irq ? o->irq : -1;
}

/* Machines that start by UEFI have no text mode, nor those whose loader set a graphics mode. */
static bool has_text_screen(void)
{
    switch (machine.boot.screen.kind) {
    case BOOT_SCREEN_TEXT:
        return true;
    case BOOT_SCREEN_UNKNOWN:
        return !machine.boot.efi.system_table;
    case BOOT_SCREEN_RGB:
    case BOOT_SCREEN_INDEXED:
        break;
    }
    return false;
}

void hw_console_setup(const struct cmdline_options *o)
{
    com_setup(0, &o->com1, o->console & CONSOLE_COM1);
    com_setup(1, &o->com2, o->console & CONSOLE_COM2);
    screen_ours = (o->console & CONSOLE_VGA) && has_text_screen();
    if (screen_ours)
        vga_init();
}

void hw_console_release_screen(void) { screen_ours = false; }

void hw_console_write(const char *s, size_t len)
{
    for (unsigned i = 0; i < 2; i++)
        if (com[i].port)
            uart_write(&com[i], s, len);
    if (screen_ours)
        vga_write(s, len);
}

/* The first serial port that is there. */
static int listener(void) { return com[0].port ? 0 : com[1].port ? 1 : -1; }

int hw_console_read(void)
{
    int n = listener();

    return n < 0 ? -1 : uart_read(&com[n]);
}

int hw_console_input_irq(void)
{
    int n = listener();

    return n < 0 ? -1 : com_irq[n];
}

void hw_console_input_irq_on(void)
{
    int n = listener();

    if (n >= 0)
        uart_irq_on(&com[n]);
}
