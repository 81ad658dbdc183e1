/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test of the hypervisor's code on a developer's Linux does not care about. stand_in.c has the whole
 * seam (hw/hw.h) and the few functions of core and mm that nearly everything calls, each as plain as can be,
 * and each weak: what a test models it defines itself, and what it links from hv/ is taken from there.
 *
 * Processors are threads or one thread, memory is an array that the test provides, guest virtual addresses
 * are addresses of the test program.
 */
#ifndef TESTS_STAND_IN_H
#define TESTS_STAND_IN_H

#include <hv/timer.h>
#include <hv/vcpu.h>

extern uint8_t *host_memory;            /* frame 0 and all behind it; NULL: frames are not looked into */
extern uint64_t host_frames;            /* how many there are; 0: not checked */
extern int      host_mapped_max;        /* frame_map()s of one thread at once; 0: not checked */
extern _Thread_local int host_mapped;
extern _Thread_local struct pcpu *host_cpu;     /* this_cpu() */

extern uint32_t host_guest_fault_in;            /* the guest access after that many fails; 0: none */
extern void   (*host_midway)(void);             /* called once, before the next guest_write() */

/* What the last hypercall_restart() of this thread was told. */
extern _Thread_local bool     host_restarted;
extern _Thread_local uint64_t host_restart_arg[4];

extern struct timer *host_timer;    /* the one that was set last, and not stopped; the test runs it */

/* A sequence of its own for each thread. */
void     host_random_seed(uint64_t seed);
uint64_t host_random(void);

#endif
