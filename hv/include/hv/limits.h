/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every number a guest, or a machine, can raise. Each is a build parameter, so that tests can make it tiny:
 * the model tests are built with -D of their own.
 */
#ifndef HV_LIMITS_H
#define HV_LIMITS_H

#ifndef MAX_CPUS
#define MAX_CPUS 256            /* processors of the machine */
#endif
#ifndef MAX_VCPUS
#define MAX_VCPUS 64            /* virtual processors of one domain */
#endif
#ifndef MAX_DOMAINS
#define MAX_DOMAINS 0x7ff0      /* DOMID_FIRST_RESERVED */
#endif
#ifndef MAX_PORTS
#define MAX_PORTS 131072        /* event channels of one domain with the FIFO layout; 4096 with two levels */
#endif
#ifndef MAX_GRANT_FRAMES
#define MAX_GRANT_FRAMES 64     /* default; a domain's own limit is set when it is created */
#endif
#ifndef MAX_MAPTRACK_FRAMES
#define MAX_MAPTRACK_FRAMES 1024
#endif
#ifndef PREEMPT_BATCH
#define PREEMPT_BATCH 64        /* elements of a long operation between two looks for pending work */
#endif
#ifndef LINEAR_PT_MAX
#define LINEAR_PT_MAX 0xffff    /* references a page table may hold to itself or to tables of its own level */
#endif
#ifndef REFUSAL_RING
#define REFUSAL_RING 32         /* reasons kept per domain */
#endif

#endif
