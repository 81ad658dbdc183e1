/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the control interface: bit maps in tools' memory, policies as lists. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include <hv/cpuid.h>
#include <hv/hypercall.h>
#include <hv/ops.h>

/* A set of processors or nodes of the machine. */
#define CONTROL_BITS MAX_CPUS
struct control_bits { uint8_t byte[DIV_ROUND_UP(CONTROL_BITS, 8)]; };

/* The first n bits of the tool's map; those it has no room for count as 0. 0 or -EFAULT. */
int  bits_read(const struct xenctl_bitmap *map, unsigned n, struct control_bits *out);
/*
 * Fills the tool's map with n bits and zeros behind; what it has no room for is left out. 0, -EFAULT, -E2BIG.
 */
int  bits_write(const struct xenctl_bitmap *map, unsigned n, const struct control_bits *in);
void bits_fill(struct control_bits *b, unsigned n);     /* bits 0..n-1 set, all others clear */
static inline bool bits_have(const struct control_bits *b, unsigned i) { return b->byte[i / 8] >> i % 8 & 1; }

/* The vCPU that an operation names, or NULL. */
struct vcpu *control_vcpu(const struct domain *d, uint32_t id);

/*
 * Writes a policy to tools' lists. nr_*: room in, number written out. Both handles 0: only tells how much
 * room is always enough. 0, -EFAULT, -ENOBUFS (a list is too short; nothing is written to it).
 */
int  policy_write(const struct cpu_policy *p, gaddr_t leaves, uint32_t *nr_leaves, gaddr_t msrs,
                  uint32_t *nr_msrs);

#endif
