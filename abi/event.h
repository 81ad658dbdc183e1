/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_channel_op(operation, argument): one-bit signals between domains, from devices and from the
 * hypervisor. In each structure the fields under "out" are answers.
 */
#ifndef HAUCH_ABI_EVENT_H
#define HAUCH_ABI_EVENT_H

#include <abi/xen.h>

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq        1
#define EVTCHNOP_bind_pirq        2
#define EVTCHNOP_close            3
#define EVTCHNOP_send             4
#define EVTCHNOP_status           5
#define EVTCHNOP_alloc_unbound    6
#define EVTCHNOP_bind_ipi         7
#define EVTCHNOP_bind_vcpu        8
#define EVTCHNOP_unmask           9
#define EVTCHNOP_reset            10
#define EVTCHNOP_init_control     11
#define EVTCHNOP_expand_array     12
#define EVTCHNOP_set_priority     13

/* Two levels: a selector word of 64 bits, each for a word of 64 ports. */
#define EVTCHN_2L_NR_CHANNELS 4096

/* FIFO: a word a port, linked into a queue a priority (0 is the most urgent). */
#define EVTCHN_FIFO_PRIORITY_MAX     0
#define EVTCHN_FIFO_PRIORITY_DEFAULT 7
#define EVTCHN_FIFO_PRIORITY_MIN     15
#define EVTCHN_FIFO_MAX_QUEUES       16
#define EVTCHN_FIFO_PENDING          31 /* bit numbers in the event word */
#define EVTCHN_FIFO_MASKED           30
#define EVTCHN_FIFO_LINKED           29
#define EVTCHN_FIFO_BUSY             28
#define EVTCHN_FIFO_LINK_BITS        17
#define EVTCHN_FIFO_LINK_MASK        ((1 << EVTCHN_FIFO_LINK_BITS) - 1)
#define EVTCHN_FIFO_NR_CHANNELS      (1 << EVTCHN_FIFO_LINK_BITS)

/* struct evtchn_status.status */
#define EVTCHNSTAT_closed      0
#define EVTCHNSTAT_unbound     1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq        3
#define EVTCHNSTAT_virq        4
#define EVTCHNSTAT_ipi         5

#define BIND_PIRQ__WILL_SHARE 1

#ifndef __ASSEMBLER__
/* Opens a port in dom that remote_dom may bind. Only the privileged name a dom other than DOMID_SELF. */
struct evtchn_alloc_unbound {
    domid_t dom, remote_dom;
    evtchn_port_t port; /* out */
};
struct evtchn_bind_interdomain {
    domid_t remote_dom;
    evtchn_port_t remote_port;
    evtchn_port_t local_port; /* out */
};
struct evtchn_bind_virq {
    uint32_t virq;
    uint32_t vcpu; /* 0 for a global VIRQ */
    evtchn_port_t port; /* out */
};
struct evtchn_bind_pirq {
    uint32_t pirq;
    uint32_t flags; /* BIND_PIRQ__WILL_SHARE */
    evtchn_port_t port; /* out */
};
struct evtchn_bind_ipi {
    uint32_t vcpu;
    evtchn_port_t port; /* out */
};
struct evtchn_close {
    evtchn_port_t port;
};
struct evtchn_send {
    evtchn_port_t port;
};
struct evtchn_status {
    domid_t dom;
    evtchn_port_t port;
    uint32_t status; /* out from here: EVTCHNSTAT_* */
    uint32_t vcpu;
    union {
        struct {
            domid_t dom;
        } unbound;
        struct {
            domid_t dom;
            evtchn_port_t port;
        } interdomain;
        uint32_t pirq;
        uint32_t virq;
    } u;
};
struct evtchn_bind_vcpu {
    evtchn_port_t port;
    uint32_t vcpu;
};
struct evtchn_unmask {
    evtchn_port_t port;
};
struct evtchn_reset {
    domid_t dom;
};
struct evtchn_init_control {
    uint64_t control_gfn;
    uint32_t offset; /* of the control block in that page, a multiple of 8 */
    uint32_t vcpu;
    uint8_t link_bits; /* out */
    uint8_t _pad[7];
};
struct evtchn_expand_array {
    uint64_t array_gfn;
};
struct evtchn_set_priority {
    evtchn_port_t port;
    uint32_t priority;
};

/* Argument of the older hypercall 16, which has the operation inside. */
struct evtchn_op {
    uint32_t cmd;
    union {
        struct evtchn_alloc_unbound alloc_unbound;
        struct evtchn_bind_interdomain bind_interdomain;
        struct evtchn_bind_virq bind_virq;
        struct evtchn_bind_pirq bind_pirq;
        struct evtchn_bind_ipi bind_ipi;
        struct evtchn_close close;
        struct evtchn_send send;
        struct evtchn_status status;
        struct evtchn_bind_vcpu bind_vcpu;
        struct evtchn_unmask unmask;
    } u;
};
_Static_assert(sizeof(struct evtchn_status) == 24, "largest event operation");

struct evtchn_fifo_control_block {
    uint32_t ready; /* one bit a priority */
    uint32_t _rsvd;
    uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
};
#endif /* __ASSEMBLER__ */
#endif
