/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for tests of the hypervisor's own code on a developer's Linux: memory, processors that are
 * threads, and a processor's memory of translations, which is where page-table code goes wrong without
 * anybody noticing.
 */
#ifndef HV_HOST_H
#define HV_HOST_H

#include <hv/domain.h>
#include <hv/pcpu.h>

#include "stand_in.h"

/* Memory of `frames` frames, all but the first `reserved` free; `cpus` processors, the calling thread
 * being the first. May be called again for a fresh machine. */
void host_machine_init(uint64_t frames, uint64_t reserved, unsigned cpus);
void host_machine_free(void);
/* The calling thread is processor n from now on. */
void host_be_cpu(unsigned n);

/* A domain with vCPUs as core would make it, as far as mm/ and pv/ look; found by domain_get() until its
 * frames and references are gone. */
void host_domain_init(struct domain *d, domid_t id, bool privileged, uint64_t max_frames, unsigned vcpus);
/* After pv_domain_relinquish(): gives back what is not frames. */
void host_domain_free(struct domain *d);

/* preempt_due() answers from here; each processor has its own sequence. n == 0: never. */
void host_preempt_one_in(unsigned n);
extern _Thread_local uint64_t host_preempt_looks;   /* how often it was asked */
/* What a processor does that waits for another; NULL: it lets the other run. */
extern void (*host_relax_hook)(void);

/* Called when this processor, or all, forgot translations; a model may watch. */
extern void (*host_flush_hook)(void);
extern uint64_t host_flushes;
extern _Thread_local struct cpu_set host_flush_asked;   /* the last time: which processors. All forget. */
/* How often a domain's translations were dropped wherever they are, and the last address. */
extern uint64_t host_domain_flushes, host_domain_flushed;

#endif
