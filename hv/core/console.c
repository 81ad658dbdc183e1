/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages on their way to the devices and to the ring that dom0 reads.
 *
 * Printing must work from anywhere, a panic in the middle of printing included: nobody waits for the
 * console's lock for ever. After a bounded wait the text goes out without it, garbled rather than lost.
 */
#include <hv/console.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/lock.h>
#include <hv/machine.h>
#include <hv/task.h>
#include <hv/timer.h>
#include <hw/hw.h>

#include <string.h>

#define SECOND          1000000000ull
#define LOCK_TURNS      2000000u        /* some ten milliseconds */
#define LIMITED_LINES   20u             /* a second, of messages above "always" */
#define GUEST_LINES     10u
#define RING_DEFAULT    65536u
#define POLL_INTERVAL   (SECOND / 50)

/* ---- the ring: under the lock ---- */

static char first_ring[RING_DEFAULT];
static struct { char *text; uint32_t size, written, cleared; } ring = { first_ring, RING_DEFAULT, 0, 0 };
static spinlock_t lock = SPINLOCK(LOCK_CONSOLE);

static uint32_t ring_oldest(void)
{
    return ring.written - ring.cleared > ring.size ? ring.written - ring.size : ring.cleared;
}

static void ring_put(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ring.text[ring.written++ & (ring.size - 1)] = text[i];
    if (ring.written - ring.cleared > ring.size)
        ring.cleared = ring.written - ring.size;
}

static bool crashed;        /* one processor is left, and nobody gives locks back */

static bool console_lock(void)
{
    if (crashed)
        return false;
    for (unsigned i = 0; i < LOCK_TURNS; i++) {
        if (spin_trylock(&lock))
            return true;
        hw_relax();
    }
    return false;
}

static void console_unlock(bool locked)
{
    if (locked)
        spin_unlock(&lock);
}

size_t console_read_ring(char *buf, size_t len, uint32_t *index, bool incremental)
{
    bool locked = console_lock();
    uint32_t oldest = ring_oldest(), at = incremental ? *index : oldest;
    size_t n;

    if (at - oldest > ring.written - oldest)
        at = oldest;
    n = MIN(len, (size_t)(ring.written - at));
    for (size_t i = 0; i < n; i++)
        buf[i] = ring.text[at++ & (ring.size - 1)];
    *index = at;
    console_unlock(locked);
    return n;
}

void console_clear_ring(uint32_t upto)
{
    bool locked = console_lock();

    if (ring.written - upto <= ring.written - ring_oldest())
        ring.cleared = upto;
    console_unlock(locked);
}

size_t console_tail(char *buf, size_t len)
{
    bool locked = console_lock();
    size_t n = MIN(len, (size_t)(ring.written - ring_oldest()));

    for (size_t i = 0; i < n; i++)
        buf[i] = ring.text[(uint32_t)(ring.written - n + i) & (ring.size - 1)];
    console_unlock(locked);
    return n;
}

/* Once there is an allocator: the size that conring_size= asks for, rounded up to a power of two of pages. */
static void ring_grow(uint64_t want)
{
    unsigned order = 0;
    uint32_t size, oldest;
    char *text;
    bool locked;

    while ((PAGE_SIZE << order) < want)
        order++;
    size = (uint32_t)(PAGE_SIZE << order);
    text = size > ring.size ? page_alloc(order) : NULL;
    if (!text)
        return;
    locked = console_lock();
    oldest = ring_oldest();
    for (uint32_t i = oldest; i != ring.written; i++)
        text[i & (size - 1)] = ring.text[i & (ring.size - 1)];
    ring.text = text;
    ring.size = size;
    console_unlock(locked);
}

/* ---- what is shown ---- */

struct rate { uint64_t second; uint32_t lines, dropped; };

static struct log_options levels = { LOG_INFO, LOG_INFO }, guest_levels = { LOG_NONE, LOG_WARNING };
static struct rate rate, guest_rate;
static bool stamps, booted, line_begun;

static void output(const char *text, size_t len)
{
    ring_put(text, len);
    hw_console_write(text, len);
}

static void stamp(void)
{
    char text[32];
    uint64_t us = now_ns() / 1000;

    output(text, format(text, sizeof(text), "[%6lu.%06lu] ", us / 1000000, us % 1000000));
}

static void output_message(const char *text, size_t len)
{
    if (stamps && !line_begun)
        stamp();
    output(text, len);
    line_begun = len && text[len - 1] != '\n';
}

/* At most `most` lines in each second; the number of those left out is told with the first of a later one. */
static bool rate_allows(struct rate *r, uint32_t most)
{
    uint64_t second = now_ns() / SECOND;
    char text[64];

    if (r->second != second) {
        if (r->dropped)
            output_message(text, format(text, sizeof(text), "(%u messages left out)\n", r->dropped));
        *r = (struct rate){ .second = second };
    }
    if (r->lines < most) {
        r->lines++;
        return true;
    }
    r->dropped++;
    return false;
}

/* dom0 may wait for news in the ring. Raising an event takes locks that the printing code may hold: later. */
static void notify(void *arg)
{
    event_raise_global_virq(VIRQ_CON_RING);
}

static struct task notify_task = { .fn = notify };

static void emit(const struct log_options *o, struct rate *r, uint32_t most, enum log_level level,
                 const char *text, size_t len)
{
    bool locked;

    if (level > o->always && level > o->limited)
        return;
    locked = console_lock();
    if (level <= o->always || rate_allows(r, most))
        output_message(text, len);
    console_unlock(locked);
    if (booted)
        task_queue(&notify_task);
}

void console_emit(enum log_level level, const char *text, size_t len)
{
    emit(&levels, &rate, LIMITED_LINES, level, text, len);
}

void console_emit_guest(enum log_level level, const char *text, size_t len)
{
    emit(&guest_levels, &guest_rate, GUEST_LINES, level, text, len);
}

void console_pass(const char *text, size_t len)
{
    bool locked = console_lock();

    hw_console_write(text, len);
    console_unlock(locked);
}

void console_crashed(void)
{
    booted = false;
    crashed = true;
}

/* ---- boot ---- */

void console_init_early(void)
{
    struct cmdline_options serial = machine.options;

    serial.console = CONSOLE_COM1;
    hw_console_setup(&serial);
}

/* How the machine came up is always told; afterwards loglvl= counts. */
void console_init(const struct cmdline_options *o)
{
    hw_console_setup(o);
    stamps = o->console_timestamps;
    guest_levels = o->guest_loglvl;
    levels.always = MAX((uint8_t)LOG_INFO, o->loglvl.always);
    levels.limited = o->loglvl.limited;
}

static struct timer poll_timer;

static void poll(void *arg, uint64_t now)
{
    console_input();
    timer_set(&poll_timer, now + POLL_INTERVAL);
}

/* By interrupt if the device has one that nobody else uses, else by looking every now and then. */
static void input_start(void)
{
    int isa = hw_console_input_irq();

    if (isa >= 0 && irq_own(irq_isa_gsi((unsigned)isa)) == 0) {
        hw_console_input_irq_on();
        return;
    }
    if (timer_reserve(1))
        return;
    timer_init(&poll_timer, poll, NULL, 0);
    timer_set(&poll_timer, now_ns() + POLL_INTERVAL);
}

void console_give_to_dom0(void)
{
    ring_grow(machine.options.conring_size);
    input_start();
    printk(LOG_INFO, "input goes to dom0; three times Ctrl-A: to Hauch and back\n");
    hw_console_release_screen();
    levels = machine.options.loglvl;
    booted = true;
}
