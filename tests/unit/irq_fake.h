/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt hardware for tests: two IO-APICs of eight pins each whose lines can be held, and one PCI function
 * with MSI and MSI-X. Pins behave as the data sheet says: a level that stays up interrupts again after each
 * EOI, unless the pin is masked. Domains have only what interrupts need; events that they get are counted.
 */
#ifndef TESTS_IRQ_FAKE_H
#define TESTS_IRQ_FAKE_H

#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/pcpu.h>

#include "../host/stand_in.h"

#define FAKE_GSIS      20u      /* IO-APIC 0: 0..7, a gap, IO-APIC 1: 12..19 */
#define FAKE_DOMAINS   3u
#define FAKE_BDF       0x0010
#define FAKE_ENTRIES   8u
#define FAKE_CPUS      3u       /* APIC numbers 3, 7, and one that no pin reaches */

extern struct domain fake_domain[FAKE_DOMAINS];
extern struct vcpu   fake_vcpu;         /* every event goes to it */
extern struct pcpu   fake_cpu[FAKE_CPUS];
extern uint32_t fake_events[FAKE_DOMAINS][MAX_PIRQS];
extern uint32_t fake_console_inputs, fake_acks, fake_unmasked_port;
extern uint32_t fake_table[FAKE_ENTRIES * 4];   /* the MSI-X table */
extern uint8_t  fake_config[256];
extern uint8_t  fake_eoi_page[PAGE_SIZE];
extern unsigned fake_eoi_page_refs;

/* Everything as after power-on and irq_init_boot(). */
void fake_reset(void);
/* The device holds its line, or lets go. Interrupts that follow are delivered at once. */
void fake_hold(unsigned gsi, bool held);
/* A short pulse. */
void fake_pulse(unsigned gsi);
bool fake_masked(unsigned gsi);
uint32_t fake_redirection(unsigned gsi, bool upper);
/* The device sends message n: true if it went out (MSI is on and the message not masked). */
bool fake_msi_send(unsigned n);
bool fake_msix_send(unsigned entry);
uint32_t fake_random(uint32_t below);

#endif
