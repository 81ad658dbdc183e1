/* SPDX-License-Identifier: BSD-2-Clause */
/* See uart.h. Facts: National Semiconductor PC16550D data sheet, section 8. */
#include "uart.h"

#include "insn.h"

enum { DATA = 0, INTERRUPTS = 1, FIFO = 2, FORMAT = 3, MODEM = 4, STATUS = 5, SCRATCH = 7,
       DIVISOR = 0, DIVISOR_HIGH = 1 };

#define FORMAT_DIVISOR  0x80
#define FIFO_ON_CLEARED 0x07
#define FIFO_WORKS      0xc0
#define MODEM_READY     0x0b    /* DTR, RTS, and OUT2, which lets interrupts through on a PC */
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY    0x20
#define STATUS_IDLE     0x40
#define RECEIVE         0x01
#define CLOCK           115200u
#define TURNS           200000u /* each a port access, about a microsecond: 16 bytes at 1200 baud */

static bool wait_for(const struct uart *u, uint8_t bits)
{
    for (unsigned i = 0; i < TURNS; i++)
        if (inb(u->port + STATUS) & bits)
            return true;
    return false;
}

static uint8_t format_bits(const struct serial_options *o)
{
    static const char parities[] = "noems";     /* none, odd, even, mark, space: 0, 1, 3, 5, 7 */
    unsigned parity = 0;

    for (unsigned i = 1; i < 5; i++)
        if (o->parity == parities[i])
            parity = 2 * i - 1;
    return (uint8_t)((o->data_bits - 5) | (o->stop_bits > 1 ? 4 : 0) | parity << 3);
}

static bool present(uint16_t port)
{
    outb(port + SCRATCH, 0x5a);
    if (inb(port + SCRATCH) != 0x5a)
        return false;
    outb(port + SCRATCH, 0xa5);
    return inb(port + SCRATCH) == 0xa5;
}

static void set_speed(uint16_t port, const struct serial_options *o)
{
    unsigned divisor = MAX(CLOCK / o->baud, 1u);

    outb(port + FORMAT, FORMAT_DIVISOR);
    outb(port + DIVISOR, (uint8_t)divisor);
    outb(port + DIVISOR_HIGH, (uint8_t)(divisor >> 8));
    outb(port + FORMAT, format_bits(o));
}

bool uart_init(struct uart *u, const struct serial_options *o)
{
    u->port = 0;
    if (!present(o->port))
        return false;
    u->port = o->port;
    (void)wait_for(u, STATUS_IDLE);     /* what was printed before goes out at the old speed */
    outb(o->port + INTERRUPTS, 0);
    if (o->baud)
        set_speed(o->port, o);
    outb(o->port + FIFO, FIFO_ON_CLEARED);
    u->burst = (inb(o->port + FIFO) & FIFO_WORKS) == FIFO_WORKS ? 16 : 1;
    outb(o->port + MODEM, MODEM_READY);
    return true;
}

static unsigned put(struct uart *u, char c, unsigned room)
{
    if (!room) {
        if (!wait_for(u, STATUS_EMPTY))
            return 0;
        room = u->burst;
    }
    outb(u->port + DATA, (uint8_t)c);
    return room - 1;
}

void uart_write(struct uart *u, const char *s, size_t len)
{
    unsigned room = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\n' && !u->after_return)
            room = put(u, '\r', room);
        room = put(u, s[i], room);
        u->after_return = s[i] == '\r';
    }
}

int uart_read(const struct uart *u)
{
    return inb(u->port + STATUS) & STATUS_RECEIVED ? inb(u->port + DATA) : -1;
}

void uart_irq_on(const struct uart *u) { outb(u->port + INTERRUPTS, RECEIVE); }
