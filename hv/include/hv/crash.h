/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the hypervisor: what is told, and what is kept for the next boot.
 *
 * Panics come here from print.c, traps in our own code from hw/nmi.c. All other processors are stopped by
 * NMI, the state of each is printed, and the console's last text is written to a place in memory that a warm
 * restart leaves alone. The next boot finds it there; dom0 reads it by XEN_SYSCTL_hauch_last_crash.
 */
#ifndef HV_CRASH_H
#define HV_CRASH_H

#include <hv/boot/memmap.h>
#include <hv/types.h>
#include <hv/vcpu.h>

/*
 * From anywhere, any locks held, on any stack. text is one line; r is where it happened, NULL: here. A second
 * crash on the processor that is already here restarts (noreboot: halts) without another word; one on another
 * processor waits to be stopped.
 */
__noreturn void crash(const char *text, const struct regs *r);

/*
 * From now on this processor is alone: the others are stopped for good, the watchdog is silent, printing
 * waits for nobody. Before the machine is switched off or halted for good; any locks held.
 */
void crash_alone(void);

/* Addresses on the stack from sp on that may be return addresses, by name, at most CRASH_FRAMES. */
#define CRASH_FRAMES 24u
void crash_trace(uint64_t sp);
/* What c does, symbolised. r: its registers where it was stopped, NULL: it did not answer. */
void crash_show_cpu(const struct pcpu *c, const struct regs *r);

struct cpu_snapshot { struct regs regs; uint64_t now, tsc; };    /* now: ns of system time */

/* ---- the record (crash_record.c) ---- */
#define CRASH_RECORD_SIZE (64u << 10)

/*
 * Where the record of this machine lies, a physical address; 0: nowhere. It depends on nothing but the map,
 * so that the next boot finds it.
 */
uint64_t crash_record_place(const struct memmap *map);
/*
 * Boot, once there is an allocator: takes over the record of the boot before, if place holds a whole one,
 * says so, and makes place ready for the next. place NULL: no record is kept.
 */
void crash_record_init(void *place);
/* Writes the end of the console's text to the place; what was written since boot is written over. */
void crash_record_keep(void);
/* Copies at most len bytes from position `at` of the record that boot found; the number copied, 0: its end,
 * or none. */
size_t crash_last_read(char *buf, size_t len, uint32_t at);
void   crash_last_clear(void);

#endif
