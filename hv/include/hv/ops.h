/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prototypes of the operation handlers, from the rows of abi/ops/NAME.def. Row:
 *   OP(number, name, argument type, copy, who, target)
 *     copy    NONE (register argument passed as is), IN, OUT, INOUT
 *     who     ANYONE or CONTROL (privileged domain only)
 *     target  SELF, or the expression of the domid inside the argument: TARGET(arg->dom)
 * Handler: int FAMILY_op_NAME(struct vcpu *v, struct domain *d, TYPE *arg); >= 0 or -errno; -ERESTART: call
 * me again.
 */
#ifndef HV_OPS_H
#define HV_OPS_H

#include <hv/hypercall.h>

#include <abi/callback.h>
#include <abi/domctl.h>
#include <abi/event.h>
#include <abi/memory.h>
#include <abi/physdev.h>
#include <abi/platform.h>
#include <abi/sched.h>
#include <abi/sysctl.h>
#include <abi/vcpu.h>

typedef struct { uint8_t none; } no_argument_t;

#define OP(nr, name, type, copy, who, target) \
    int OP_FAMILY(name)(struct vcpu *v, struct domain *d, type *arg);
#define OP_FAMILY(name) event_op_##name
#include <abi/ops/event.def>
#undef OP_FAMILY
#define OP_FAMILY(name) sched_op_##name
#include <abi/ops/sched.def>
#undef OP_FAMILY
#define OP_FAMILY(name) memory_op_##name
#include <abi/ops/memory.def>
#undef OP_FAMILY
#define OP_FAMILY(name) physdev_op_##name
#include <abi/ops/physdev.def>
#undef OP_FAMILY
#undef OP

/* vCPU operations act on a vCPU of the caller's own domain, already found: target. */
#define OP(nr, name, type, copy, who, state) \
    int vcpu_op_##name(struct vcpu *v, struct vcpu *target, type *arg);
#include <abi/ops/vcpu.def>
#undef OP

/* Control, system and platform operations: a member of the big argument's union. */
#define OP(nr, name, member, copy, target) \
    int domctl_##name(struct vcpu *v, struct domain *d, struct xen_domctl *op);
#include <abi/ops/domctl.def>
#undef OP
#define OP(nr, name, member, copy) int sysctl_##name(struct vcpu *v, struct xen_sysctl *op);
#include <abi/ops/sysctl.def>
#undef OP
#define OP(nr, name, member, copy) int platform_op_##name(struct vcpu *v, struct xen_platform_op *op);
#include <abi/ops/platform.def>
#undef OP

#endif
