/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces on many processors: hv/hw/context.c, hv/hw/request.c, hv/mm/tlb.c and hv/mm/frame.c as they
 * are, on a processor whose translations are arrays that the test can look into. What the instructions do
 * stands in space_smp.c.
 */
#ifndef TESTS_SPACE_MACHINE_H
#define TESTS_SPACE_MACHINE_H

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/vcpu.h>

#define TABLE_ENTRIES 2u
#define SPACE_FRAMES  48u

/* ---- the instructions and the rest of the machine; by the test ---- */
uint64_t sim_read_cr3(void);
void     sim_write_cr3(uint64_t v);
void     sim_invlpg(uint64_t va);
void     sim_wbinvd(void);
uint64_t *sim_msr(uint32_t n);
void     sim_interrupt(uint32_t apic_id);
/* A table comes to be, all entries empty; and what its entries hold is given back, though they stand there
 * still. */
void     sim_table_begins(mfn_t m);
void     sim_table_ends(mfn_t m);

/* ---- what is tested, where the fake has functions of the same names ---- */
void space_cpu(struct pcpu *c);             /* what hardware knows of c; it holds nothing */
void space_cpu_free(struct pcpu *c);
void space_vcpu(struct vcpu *v);
void space_vcpu_free(struct vcpu *v);
/* c has been asked and has answered so often */
void space_requests_counted(struct pcpu *c, uint16_t so_far);
uint64_t space_idle_root(void);
void space_relax(void);
extern void (*space_others_relax)(void);    /* lets other processors go on */
void space_interrupt(struct pcpu *c);       /* VECTOR_REQUEST */
void space_leave_domain(struct domain *d);
void space_flush_domain(struct domain *d, uint64_t va);
bool space_get(mfn_t m, const struct domain *d);
void space_put(mfn_t m);
int  space_get_typed(mfn_t m, struct domain *d, enum frame_type t);
int  space_put_typed(mfn_t m);

#endif
