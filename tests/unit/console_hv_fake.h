/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor's console needs of the rest: a device that keeps what is written and a keyboard. */
#ifndef TESTS_CONSOLE_HV_FAKE_H
#define TESTS_CONSOLE_HV_FAKE_H

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/hypercall.h>

#include "../host/stand_in.h"

extern char     fake_screen[1 << 20];
extern size_t   fake_screen_len;
extern char     fake_keys[64];          /* keys that came to the hypervisor */
extern unsigned fake_virq[NR_VIRQS];
extern uint64_t fake_now;
extern bool     fake_preempt;
extern uint64_t fake_restart[4];        /* arguments of the last restart */
extern unsigned fake_restarts;
extern bool     fake_no_irq;            /* the input device has no interrupt */
extern struct domain fake_dom0, fake_domu, fake_domu2;
extern struct vcpu   fake_v0, fake_vu, fake_vu2;

void fake_type(const char *text);       /* as if typed: console_input() and what follows */
void fake_tasks(void);
void fake_clear(void);                  /* forgets what was written and counted */

#endif
