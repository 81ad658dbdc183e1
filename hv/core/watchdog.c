/* SPDX-License-Identifier: BSD-2-Clause */
/* Beats: a timer on each processor writes down the time, twice a second. See watchdog.h. */
#include <hv/crash.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/watchdog.h>
#include <hw/hw.h>

#define SECOND   1000000000ull
#define INTERVAL (SECOND / 2)

struct beat {
    struct timer timer;
    uint64_t     last;          /* ns of system time; atomic */
    uint64_t     looked;        /* when it last looked while it waited */
    bool         begun;         /* its performance counter was tried */
};

static struct beat *beats;      /* one a processor; NULL: no watchdog */

static bool overdue(const struct beat *b, uint64_t now)
{
    uint64_t last = __atomic_load_n(&b->last, __ATOMIC_RELAXED);

    return now > last && now - last > machine.options.watchdog_timeout * SECOND;
}

/*
 * Who is late himself does not accuse: the whole machine may have stood still (firmware, or whoever emulates
 * it). A beat of the future only says that the clocks differ a little.
 */
static void look_at_next(unsigned cpu, uint64_t now)
{
    struct pcpu *next = pcpus[(cpu + 1) % pcpu_count];
    char text[80];

    if (next->id == cpu || !overdue(&beats[next->id], now) || hw_accuse(next))
        return;
    format(text, sizeof(text), "watchdog: CPU %u hangs and does not answer an NMI", next->id);
    crash(text, NULL);
}

static void beat(void *arg, uint64_t now)
{
    struct beat *b = arg;
    bool late = now - b->last > machine.options.watchdog_timeout * SECOND / 2;

    if (!__atomic_load_n(&beats, __ATOMIC_ACQUIRE))
        return;
    __atomic_store_n(&b->last, now, __ATOMIC_RELAXED);
    if (!b->begun)
        hw_counter_start();
    b->begun = true;
    if (!late)
        look_at_next((unsigned)(b - beats), now);
    timer_set(&b->timer, now + INTERVAL);
}

/* It does not count as a beat: whoever waits for good hangs too. Two looks in a row show that time went on
 * between. */
void watchdog_waiting(void)
{
    struct beat *all = __atomic_load_n(&beats, __ATOMIC_ACQUIRE), *b;
    uint64_t now, since;

    if (!all)
        return;
    b = &all[this_cpu()->id];
    now = now_ns();
    since = now - b->looked;
    if (since < INTERVAL)
        return;
    b->looked = now;
    if (since < machine.options.watchdog_timeout * SECOND / 2)
        look_at_next(this_cpu()->id, now);
}

void watchdog_nmi(const struct regs *r)
{
    if (beats && overdue(&beats[this_cpu()->id], now_ns()))
        crash("watchdog: this processor hangs", r);
}

void watchdog_touch(void)
{
    if (beats)
        __atomic_store_n(&beats[this_cpu()->id].last, now_ns(), __ATOMIC_RELAXED);
}

void watchdog_stop(void) { __atomic_store_n(&beats, NULL, __ATOMIC_RELEASE); }

void watchdog_start(void)
{
    bool counter = hw_counter_present();
    uint64_t now = now_ns();
    struct beat *b;

    if (!machine.options.watchdog)
        return;
    if (pcpu_count == 1 && !counter) {
        printk(LOG_WARNING, "watchdog: none: one processor, without a performance counter\n");
        return;
    }
    b = kalloc(pcpu_count * sizeof(*b));
    if (!b || timer_reserve(1)) {
        printk(LOG_ERROR, "watchdog: none: no memory\n");
        return;
    }
    printk(LOG_INFO, "watchdog: %u s, by %s\n", machine.options.watchdog_timeout,
           counter ? "performance counters" : "looking at each other");
    for (unsigned i = 0; i < pcpu_count; i++) {
        timer_init(&b[i].timer, beat, &b[i], i);
        b[i].last = now;
    }
    __atomic_store_n(&beats, b, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < pcpu_count; i++)
        timer_set(&b[i].timer, now + INTERVAL);
}
