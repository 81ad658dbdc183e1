/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls. The tables abi/hypercalls.def and abi/ops/NAME.def say what exists; core/hypercall.c makes from
 * them the dispatcher, which copies arguments in, finds and references the target domain, checks the right,
 * calls NAME_OP(), and copies back. A handler sees hypervisor memory only.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/types.h>

/* Entry from the trap path: number in rax, arguments in rdi rsi rdx r10 r8 r9, result to rax. */
void hypercall(struct vcpu *v);

/*
 * Long operations. preempt_due() takes pending interrupts and says whether the processor has better things to
 * do; call it every PREEMPT_BATCH elements. A streaming handler then stores its progress with
 * hypercall_restart() and returns what that returned; the guest repeats the instruction with the new
 * arguments. A struct handler returns -ERESTART after putting its progress into its argument (row INOUT) or
 * into the objects.
 */
bool preempt_due(struct vcpu *v);
long hypercall_restart(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);

/* Streaming hypercalls, one function each (class STREAM or LEAF in the table). */
#define HYPERCALL(nr, name, who, class, what) long hc_##name(struct vcpu *v, uint64_t a1, uint64_t a2, \
                                                             uint64_t a3, uint64_t a4, uint64_t a5);
#include <abi/hypercalls.def>
#undef HYPERCALL

/* The target of a domid in an argument: DOMID_SELF gives v's own domain without a reference. */
struct domain *target_get(struct vcpu *v, domid_t id);  /* NULL: no such domain */
void target_put(struct vcpu *v, struct domain *d);

/* Tells the refusal ring which two values matter for the error about to be returned: return refuse(v,
 * -EINVAL, a, b). */
int refuse(struct vcpu *v, int error, uint64_t a, uint64_t b);

#endif
