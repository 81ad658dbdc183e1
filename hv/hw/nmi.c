/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traps with stacks of their own, NMI, double fault and machine check; and how a trap of ours is told.
 *
 * An NMI may come in the midst of anything, printing included. So it does one of four things that need no
 * lock: it stops for a crash, accuses its processor of hanging, hands out the registers that another
 * processor asked for, or is noted, and told when the processor is on its way out.
 */
#include <hv/crash.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/symbol.h>
#include <hv/vcpu.h>
#include <hv/watchdog.h>
#include <hw/hw.h>

#include "cpu.h"
#include "insn.h"

#define NMI_PORT      0x61      /* system control port B: [7] memory, [6] I/O channel */
#define NMI_REASONS   0xc0
#define ANSWER_TURNS  5000000u

void own_stack_trap(struct regs *r);

/* ---- NMIs that nobody expects ---- */
struct note { uint64_t rip; bool guest; uint8_t reason; uint32_t fresh, total; };

static struct note note[MAX_CPUS];

static void note_nmi(const struct regs *r)
{
    struct pcpu *c = this_cpu();
    struct note *n = &note[c->id];

    n->rip = r->rip;
    n->guest = r->cs & 3;
    n->reason = c->id == 0 ? inb(NMI_PORT) & NMI_REASONS : 0;   /* the platform's go to the first processor */
    n->total++;
    __atomic_fetch_add(&n->fresh, 1, __ATOMIC_RELEASE);
    pcpu_raise(c, PENDING_TASK);
}

void nmi_tell(void)
{
    struct note *n = &note[this_cpu()->id];
    uint32_t fresh = __atomic_exchange_n(&n->fresh, 0, __ATOMIC_ACQUIRE);
    char text[SYMBOL_TEXT];

    if (!fresh)
        return;
    printk(LOG_WARNING, "CPU %u: %u NMI, the last at %s%s%s%s\n", this_cpu()->id, fresh,
           symbol_text(text, n->rip), n->guest ? " in a guest" : "", n->reason & 0x80 ? ", memory error" : "",
           n->reason & 0x40 ? ", I/O error" : "");
}

uint32_t hw_nmi_count(const struct pcpu *c) { return note[c->id].total; }
void hw_nmi_self(void) { lapic_send_nmi(this_cpu()->apic_id); }

/* ---- registers of another processor ---- */
static struct {
    bool busy;                  /* one at a time */
    bool done;
    uint32_t wanted;            /* number + 1 of the processor that is asked */
    struct cpu_snapshot out;
} snapshot;

static bool snapshot_give(const struct regs *r)
{
    uint32_t wanted = this_cpu()->id + 1;

    if (!__atomic_compare_exchange_n(&snapshot.wanted, &wanted, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return false;
    snapshot.out = (struct cpu_snapshot){ *r, now_ns(), rdtsc() };
    __atomic_store_n(&snapshot.done, true, __ATOMIC_RELEASE);
    return true;
}

static bool snapshot_wait(struct pcpu *c)
{
    uint32_t wanted = c->id + 1;

    for (unsigned n = 0; n < ANSWER_TURNS; n++) {
        if (__atomic_load_n(&snapshot.done, __ATOMIC_ACQUIRE))
            return true;
        __builtin_ia32_pause();
    }
    /* Taken back, or it came in the last moment: then it is about to be done. */
    if (__atomic_compare_exchange_n(&snapshot.wanted, &wanted, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return false;
    while (!__atomic_load_n(&snapshot.done, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    return true;
}

bool hw_snapshot(struct pcpu *c, struct cpu_snapshot *out)
{
    bool answered;

    if (c == this_cpu() || __atomic_exchange_n(&snapshot.busy, true, __ATOMIC_ACQUIRE))
        return false;
    snapshot.done = false;
    __atomic_store_n(&snapshot.wanted, c->id + 1, __ATOMIC_SEQ_CST);
    lapic_send_nmi(c->apic_id);
    answered = snapshot_wait(c);
    if (answered)
        *out = snapshot.out;
    __atomic_store_n(&snapshot.busy, false, __ATOMIC_RELEASE);
    return answered;
}

/* ---- processors that hang ---- */
static uint32_t accused;        /* number + 1 */

bool hw_accuse(struct pcpu *c)
{
    __atomic_store_n(&accused, c->id + 1, __ATOMIC_SEQ_CST);
    lapic_send_nmi(c->apic_id);
    for (unsigned n = 0; n < ANSWER_TURNS; n++)
        __builtin_ia32_pause();         /* it stops us while we wait, or it does not react at all */
    return false;
}

/* ---- the entries ---- */
void trap_die(const struct regs *r, const char *what)
{
    char text[96];

    format(text, sizeof(text), "%s, vector %lu error %lx, cr2 %lx cr3 %lx", what, r->vector, r->error,
           read_cr2(), read_cr3());
    crash(text, r);
}

static void nmi(struct regs *r)
{
    if (crash_stops_us())
        crash_stop(r);
    if (__atomic_load_n(&accused, __ATOMIC_ACQUIRE) == this_cpu()->id + 1)
        crash("watchdog: this processor hangs", r);
    if (snapshot_give(r))
        return;
    if (counter_nmi())
        watchdog_nmi(r);
    else
        note_nmi(r);
}

void own_stack_trap(struct regs *r)
{
    if (r->vector == 2)
        nmi(r);
    else if (r->vector == 8)
        trap_die(r, "double fault");
    else if (machine_check_tell())
        trap_die(r, "machine check");
}
