/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug keys about the machine: memory, processors, clocks, timers, interrupt controllers. */
#include <hv/console.h>
#include <hv/crash.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/symbol.h>
#include <hw/hw.h>

#include "debug_key.h"
#include "irq_line.h"

#define TIMERS_SHOWN 64u
#define RING_SHOWN   16384u     /* a second and a half of a fast serial line */
#define FRAME_BITS   52u

/* ---- m: memory. heap[N]: frames whose numbers have N bits, as tools expect that ---- */
static void show_domain_memory(struct domain *d)
{
    printk(LOG_NONE, "domain %u: %lu KiB, claimed %lu KiB\n", d->id, d->frames << 2, d->claimed << 2);
}

void debug_memory(void)
{
    printk(LOG_NONE, "Physical memory information:\n");
    for (unsigned bits = 0; bits <= FRAME_BITS; bits++)
        if (frames_free_of_width(bits))
            printk(LOG_NONE, "    heap[%02u]: %lukB free\n", bits, frames_free_of_width(bits) << 2);
    printk(LOG_NONE, "    Dom heap: %lukB free\n", frames_free_count() << 2);
    printk(LOG_NONE, "memory: %lu MiB, free %lu KiB, claimed %lu KiB\n", machine.ram_frames >> 8,
           frames_free_count() << 2, frames_claimed() << 2);
    debug_each_domain(show_domain_memory);
}

/* ---- d: processors. The one that prints has nothing to show but its way here ---- */
void debug_registers(void)
{
    struct cpu_snapshot s;

    for (unsigned i = 0; i < pcpu_count; i++)
        if (pcpus[i] == this_cpu()) {
            printk(LOG_NONE, "CPU %u (APIC %u): prints this\n", i, pcpus[i]->apic_id);
            crash_trace((uint64_t)__builtin_frame_address(0));
        } else {
            crash_show_cpu(pcpus[i], hw_snapshot(pcpus[i], &s) ? &s.regs : NULL);
        }
}

/* ---- t: clocks. What the other said lies between our two looks at the clock ---- */
static void compare(struct pcpu *c)
{
    struct cpu_snapshot s;
    uint64_t before = now_ns(), after;
    int64_t skew;

    if (!hw_snapshot(c, &s)) {
        printk(LOG_NONE, "CPU %u: no answer\n", c->id);
        return;
    }
    after = now_ns();
    skew = (int64_t)(s.now - (before + (after - before) / 2));
    printk(LOG_NONE, "CPU %u: skew %ld ns, known to %lu ns; %s\n", c->id, skew, (after - before) / 2,
           s.now >= before && s.now <= after ? "in order" : "OUT OF ORDER");
}

void debug_clocks(void)
{
    printk(LOG_NONE, "CPU %u: now %lu ns, TSC %lu\n", this_cpu()->id, now_ns(), tsc_now());
    for (unsigned i = 0; i < pcpu_count; i++)
        if (pcpus[i] != this_cpu())
            compare(pcpus[i]);
}

/* ---- s ---- */
void debug_tsc(void)
{
    printk(LOG_NONE, "TSC: %lu kHz, %s; no domain has an emulated TSC\n", tsc_khz(),
           tsc_reliable() ? "constant and the same on all processors" :
                            "not marked as constant and the same everywhere");
}

/* ---- a: timers ---- */
struct shown { uint64_t deadline; void (*fn)(void *, uint64_t); void *arg; };

static unsigned timers_of(struct pcpu *c, struct shown *out, uint32_t *all)
{
    unsigned n = 0;

    spin_lock(&c->timers.lock);
    for (; n < c->timers.used && n < TIMERS_SHOWN; n++)
        out[n] = (struct shown){ c->timers.slot[n]->deadline, c->timers.slot[n]->fn, c->timers.slot[n]->arg };
    *all = c->timers.used;
    spin_unlock(&c->timers.lock);
    return n;
}

void debug_timers(void)
{
    struct shown t[TIMERS_SHOWN];
    char text[SYMBOL_TEXT];
    uint32_t all;

    for (unsigned i = 0; i < pcpu_count; i++) {
        unsigned n = timers_of(pcpus[i], t, &all);
        uint64_t now = now_ns();

        printk(LOG_NONE, "CPU %u: %u timers\n", i, all);
        for (unsigned k = 0; k < n; k++)
            printk(LOG_NONE, "  in %ld us: %s (%lx)\n", (int64_t)(t[k].deadline - now) / 1000,
                   symbol_text(text, (uint64_t)t[k].fn), (uint64_t)t[k].arg);
    }
}

/* ---- z: IO-APICs ---- */
static void show_ioapic(unsigned n)
{
    unsigned pins = (ioapic_register(n, 1) >> 16 & 0xff) + 1;

    printk(LOG_NONE, "IO-APIC %u: %u inputs from %u\n", n, pins, machine.acpi.ioapic[n].gsi_base);
    for (unsigned p = 0; p < pins; p++) {
        uint32_t low = ioapic_register(n, (uint8_t)(0x10 + 2 * p)),
                 high = ioapic_register(n, (uint8_t)(0x11 + 2 * p));

        printk(LOG_NONE, "  %2u vector %02x APIC %u %s %s%s%s%s\n", p, low & 0xff, high >> 24,
               low & 1u << 15 ? "level" : "edge", low & 1u << 13 ? "low" : "high",
               low & 1u << 16 ? " masked" : "", low & 1u << 14 ? " in service" : "",
               low & 1u << 12 ? " sending" : "");
    }
}

void debug_ioapics(void)
{
    for (unsigned i = 0; i < machine.acpi.ioapics; i++)
        show_ioapic(i);
}

/* ---- w: the log again. Through the ring it would chase its own tail ---- */
void debug_ring(void)
{
    char *text = page_alloc(2);

    if (!text)
        return;
    console_pass(text, console_tail(text, RING_SHOWN));
    page_free(text, 2);
}
