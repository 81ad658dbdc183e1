/* SPDX-License-Identifier: BSD-2-Clause */
/* A serial port of the 16550 family, polled for output. */
#ifndef HW_UART_H
#define HW_UART_H

#include <hv/boot/cmdline.h>

struct uart {
    uint16_t port;              /* 0: not there */
    uint8_t  burst;             /* bytes that may be written once the transmitter is empty */
    bool     after_return;      /* the last byte was a carriage return */
};

/* Sets the port up as asked (baud 0: as it is). False: nothing answers there. */
bool uart_init(struct uart *u, const struct serial_options *o);
/* A line feed gets its carriage return. A port that is stuck loses text and costs a bounded time. */
void uart_write(struct uart *u, const char *s, size_t len);
int  uart_read(const struct uart *u);       /* a byte, or -1 */
void uart_irq_on(const struct uart *u);     /* interrupts for received bytes */

#endif
