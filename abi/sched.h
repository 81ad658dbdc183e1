/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op(operation, argument): giving up the processor, waiting, and ending a domain. */
#ifndef HAUCH_ABI_SCHED_H
#define HAUCH_ABI_SCHED_H

#include <abi/event.h>

#define SCHEDOP_yield           0
#define SCHEDOP_block           1 /* unmasks events, then waits for one */
#define SCHEDOP_shutdown        2
#define SCHEDOP_poll            3
#define SCHEDOP_remote_shutdown 4
#define SCHEDOP_shutdown_code   5
#define SCHEDOP_watchdog        6
#define SCHEDOP_pin_override    7

/* Why a domain stopped. */
#define SHUTDOWN_poweroff   0
#define SHUTDOWN_reboot     1
#define SHUTDOWN_suspend    2
#define SHUTDOWN_crash      3
#define SHUTDOWN_watchdog   4
#define SHUTDOWN_soft_reset 5
#define SHUTDOWN_MAX        5

#ifndef __ASSEMBLER__
/* shutdown and shutdown_code (which only notes the reason for a later shutdown) */
struct sched_shutdown {
    uint32_t reason;
};
struct sched_poll {
    guest_handle_t ports; /* of evtchn_port_t */
    uint32_t nr_ports;
    uint64_t timeout; /* system time in ns, 0 for none */
};
struct sched_remote_shutdown {
    domid_t domain_id;
    uint32_t reason;
};
struct sched_watchdog {
    uint32_t id;      /* 0 asks for a new one: the result is its number */
    uint32_t timeout; /* seconds from now, 0 stops it */
};
struct sched_pin_override {
    int32_t pcpu; /* negative: end it */
};
#endif /* __ASSEMBLER__ */
#endif
