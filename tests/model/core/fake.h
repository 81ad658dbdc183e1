/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for the tests of hv/core: processors are threads, time stands still unless moved, frames have
 * the two counts that hv/frame.h promises, and a page table is an array of slots. Everything that is taken
 * can be counted.
 */
#ifndef TESTS_CORE_FAKE_H
#define TESTS_CORE_FAKE_H

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

#include "../../host/stand_in.h"

#ifndef FAKE_FRAMES
#define FAKE_FRAMES 512u
#endif
#define FAKE_SLOTS  64u             /* places where a domain can map something: addresses SLOT(0).. */
#define SLOT(i)     (0x100000ull + (i) * PAGE_SIZE)

/* free: it was had once, and nobody may have written to it since. */
struct fake_frame { uint16_t owner; bool allocated, shared, free; uint32_t refs, writers; };
extern struct fake_frame fake_frame[FAKE_FRAMES];

struct fake_pte { mfn_t frame; uint64_t flags; bool present; };
struct fake_space { struct fake_pte pte[FAKE_SLOTS]; };
struct fake_space *fake_space(domid_t id);

extern uint64_t fake_now;           /* ns; atomic */
extern uint64_t fake_programmed;    /* deadline the timer of processor 0 was given */
extern struct fake_tsc { uint64_t mhz, ahead; } fake_tsc[MAX_CPUS];     /* 2000 and 0 each */
extern bool     fake_tsc_unreliable;
extern unsigned fake_flushes, fake_kicks;
extern bool     fake_pirq_refuse;   /* irq_bind() says -EPERM */
extern uint32_t fake_pirq_bound;    /* PIRQs bound now */
extern unsigned fake_preempt_one_in;    /* preempt_due() says yes one in that many times; 0 never */
extern char     fake_console[65536];
extern size_t   fake_console_len;

/* What a finer machine puts in place of the fake's own; NULL: as it is. */
extern struct fake_hooks {
    void (*relax)(void);
    void (*kick)(struct pcpu *c);
    void (*program)(unsigned cpu, uint64_t deadline);
} fake_hooks;

/* A machine with that many processors; the calling thread becomes processor 0. */
void fake_machine(unsigned cpus);
/* The calling thread becomes processor n. */
void fake_be_cpu(unsigned n);
/* Work of processors that the loop of hw/ would do: tasks, timers, and who runs. */
void fake_pending(void);
/* Random sequences, 20 or as many as MODEL_SEEDS says: each on a fresh machine with one processor, with
 * preemption now and then, and nothing may be left behind. */
void fake_sequences(void (*sequence)(void));
/* Destroys what is left and returns how many allocations and frames stayed behind. */
unsigned fake_leaks(void);

/* A domain with vCPUs, unpaused and up; privileged: dom0. */
struct domain *fake_domain(domid_t id, unsigned vcpus, bool privileged, uint32_t max_port);
void fake_domain_end(struct domain *d);
/* A frame of d's. */
mfn_t fake_frame_new(struct domain *d);
void fake_frame_drop(struct domain *d, mfn_t m);
uint32_t fake_random(uint32_t below);
void fake_seed(uint64_t seed);

#endif
