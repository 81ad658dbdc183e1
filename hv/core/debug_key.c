/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor tells and does when a key is typed for it, or sent by dom0's tools. Letters mean what
 * users of Xen expect of them; those without a counterpart there are F, M and !.
 */
#include <hv/console.h>
#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/missing.h>
#include <hv/timer.h>
#include <hv/watchdog.h>
#include <hw/hw.h>

#include "debug_key.h"

#define TEXT_ORDER 3u
#define TEXT_SIZE  (PAGE_SIZE << TEXT_ORDER)
#define PIECE      400u

static void help(void);

/* ---- for the others ---- */
void debug_each_domain(void (*fn)(struct domain *d))
{
    for (struct domain *d = domain_get_from(0), *next; d; d = next) {
        fn(d);
        next = domain_get_from((domid_t)(d->id + 1));
        domain_put(d);
    }
}

/* The console takes a piece at a time. */
void debug_show_text(const char *text, size_t len)
{
    while (len) {
        size_t n = 0;

        while (n < len && n < PIECE && text[n] != '\n')
            n++;
        n += n < len;
        console_emit(LOG_NONE, text, n);
        text += n;
        len -= n;
    }
}

void debug_show_formatted(size_t (*fn)(char *buf, size_t len))
{
    char *text = page_alloc(TEXT_ORDER);

    if (!text)
        return;
    debug_show_text(text, fn(text, TEXT_SIZE));
    page_free(text, TEXT_ORDER);
}

/* ---- the keys ---- */
static void interrupts(void) { debug_show_formatted(irq_format); }
static void missing(void) { debug_show_formatted(missing_format); }

static void clocks(void)
{
    debug_clocks();
    debug_show_formatted(hw_clock_format);
}

static void timers(void)
{
    debug_show_formatted(timer_format);
    debug_timers();
}

static void crash_now(void) { panic("asked for by debug key C"); }
static void nmi(void) { hw_nmi_self(); }

static void reboot(void)
{
    printk(LOG_NONE, "rebooting\n");
    hw_reboot();
}

/* For trying the watchdog: nothing but an NMI gets through to this processor any more. */
static void hang(void)
{
    printk(LOG_NONE, "this processor hangs now\n");
    for (;;)
        continue;
}

static const struct { char key; void (*fn)(void); const char *what; } keys[] = {
    { '!', hang, "DANGEROUS: this processor hangs, to try the watchdog" },
    { '0', debug_dom0_registers, "registers of dom0's vCPUs" },
    { 'C', crash_now, "DANGEROUS: crash, record the state of the machine and restart" },
    { 'F', debug_refusals, "refused calls of each domain" },
    { 'M', missing, "calls that are missing here, by number, operation, count" },
    { 'N', nmi, "send this processor an NMI" },
    { 'R', reboot, "DANGEROUS: reboot at once" },
    { 'a', timers, "timers of each processor" },
    { 'd', debug_registers, "what each processor is doing" },
    { 'e', debug_events, "event channels" },
    { 'g', debug_grants, "grant tables" },
    { 'h', help, "this help" },
    { 'i', interrupts, "interrupt lines" },
    { 'm', debug_memory, "memory" },
    { 'n', debug_nmis, "NMIs" },
    { 'q', debug_domains, "domains and vCPUs" },
    { 'r', debug_run_queues, "who runs where, and shares" },
    { 's', debug_tsc, "the time stamp counter" },
    { 't', clocks, "clocks of the processors compared" },
    { 'w', debug_ring, "the end of the log once more, to the serial line only" },
    { 'z', debug_ioapics, "IO-APICs" },
};

static void help(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        printk(LOG_NONE, "key '%c': %s\n", keys[i].key, keys[i].what);
}

/* A key may print for seconds. */
void debug_key(char key)
{
    watchdog_touch();
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].key == key) {
            keys[i].fn();
            watchdog_touch();
            return;
        }
    if (key >= ' ' && key < 0x7f)
        printk(LOG_NONE, "'%c' is no key of ours; h lists them\n", key);
}
