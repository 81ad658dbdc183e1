/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As much of the machine and of core/ as page-table code asks for: memory with its frames, translations that
 * a processor may remember, and domains.
 */
#include "hv_host.h"

#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*host_flush_hook)(void), (*host_relax_hook)(void);
_Thread_local uint64_t host_preempt_looks;
uint64_t host_flushes, host_domain_flushes, host_domain_flushed;
_Thread_local struct cpu_set host_flush_asked;

static struct frame *table;
static struct pcpu  *cpu_array;
static _Thread_local unsigned preempt_one_in;

#define MAX_MAPPED 6    /* four levels, a linear target, a page written */
#define HOST_DOMAINS 16

static struct domain *domains[HOST_DOMAINS];

/* ---- the machine ---- */
void host_machine_init(uint64_t frames, uint64_t reserved, unsigned cpus)
{
    host_machine_free();
    host_frames = frames;
    host_mapped_max = MAX_MAPPED;
    host_memory = aligned_alloc(PAGE_SIZE, frames << PAGE_SHIFT);
    table = calloc(frames, sizeof *table);
    m2p = calloc(frames, sizeof *m2p);
    cpu_array = aligned_alloc(64, cpus * sizeof *cpu_array);
    if (!host_memory || !table || !m2p || !cpu_array)
        abort();
    memset(cpu_array, 0, cpus * sizeof *cpu_array);
    memset(host_memory, 0xa5, frames << PAGE_SHIFT);
    for (unsigned i = 0; i < cpus; i++) {
        cpu_array[i].id = i;
        pcpus[i] = &cpu_array[i];
        tlb_flushed[i] = (struct tlb_moment){ .space = TLB_SPACE_ANY };
    }
    pcpu_count = cpus;
    tlb_clock = 0;
    host_be_cpu(0);
    frame_table_init(table, frames);
    frames_reserve(0, reserved);
    frames_add(reserved, frames - reserved);
}

void host_machine_free(void)
{
    free(host_memory);
    free(table);
    free(m2p);
    free(cpu_array);
    host_memory = NULL;
    table = NULL;
    m2p = NULL;
    cpu_array = NULL;
    memset(domains, 0, sizeof domains);
}

void host_be_cpu(unsigned n) { host_cpu = pcpus[n]; }

/* ---- chance ---- */
void host_preempt_one_in(unsigned n) { preempt_one_in = n; }
bool preempt_due(struct vcpu *v)
{
    host_preempt_looks++;
    return preempt_one_in && host_random() % preempt_one_in == 0;
}

/* ---- translations ---- */
static void forget(void)
{
    __atomic_fetch_add(&host_flushes, 1, __ATOMIC_RELAXED);
    if (host_flush_hook)
        host_flush_hook();
}

void hw_relax(void)
{
    if (host_relax_hook)
        host_relax_hook();
    else
        sched_yield();
}

static void tlb_flush_all(void)
{
    uint64_t begun = tlb_flush_begins();

    forget();
    for (unsigned i = 0; i < pcpu_count; i++)
        tlb_flush_ended(i, begun);
}
void tlb_flush_cpus(const struct cpu_set *who)
{
    host_flush_asked = *who;
    tlb_flush_all();
}
void tlb_flush_local(void) { tlb_flush_all(); }
void tlb_flush_domain(struct domain *d, uint64_t va)            /* no promise that our stamps may build on */
{
    __atomic_fetch_add(&host_domain_flushes, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&host_domain_flushed, va, __ATOMIC_RELAXED);
}
void hw_load_root(struct vcpu *v) { if (pcpu_count == 1) tlb_flush_all(); }
void hw_leave_domain(struct domain *d) { if (pcpu_count == 1) tlb_flush_all(); }

void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error) { v->pv.cr2 = cr2; }

/* ---- domains ---- */
bool domain_get_again(struct domain *d)
{
    uint32_t n = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

    while (n)
        if (__atomic_compare_exchange_n(&d->refs, &n, n + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    return false;
}

struct domain *domain_get(domid_t id)
{
    for (unsigned i = 0; i < HOST_DOMAINS; i++)
        if (domains[i] && domains[i]->id == id && domain_get_again(domains[i]))
            return domains[i];
    return NULL;
}

void domain_put(struct domain *d)
{
    uint32_t before = __atomic_fetch_sub(&d->refs, 1, __ATOMIC_ACQ_REL);

    BUG_ON(before == 0);
    if (before > 1)
        return;
    for (unsigned i = 0; i < HOST_DOMAINS; i++)
        if (domains[i] == d)
            domains[i] = NULL;
}

static void vcpu_make(struct domain *d, unsigned n)
{
    struct vcpu *v = aligned_alloc(_Alignof(struct vcpu), sizeof *v);

    if (!v)
        abort();
    memset(v, 0, sizeof *v);
    v->domain = d;
    v->id = n;
    v->pv.root_kernel = v->pv.root_user = MFN_INVALID;
    v->pv.kernel_mode = true;
    d->vcpu[n] = v;
    if (perdomain_add_vcpu(v))
        abort();
}

void host_domain_init(struct domain *d, domid_t id, bool privileged, uint64_t max_frames, unsigned vcpus)
{
    unsigned slot = 0;

    memset(d, 0, sizeof *d);
    d->id = id;
    d->privileged = privileged;
    d->refs = 1;
    d->max_vcpus = vcpus;
    d->max_frames = max_frames;
    d->frames_head = FRAME_NIL;
    spin_init(&d->lock, LOCK_DOMAIN);
    spin_init(&d->frames_lock, LOCK_FRAMES);
    if (perdomain_init(d))
        abort();
    for (unsigned n = 0; n < vcpus; n++)
        vcpu_make(d, n);
    while (slot < HOST_DOMAINS && domains[slot])
        slot++;
    BUG_ON(slot == HOST_DOMAINS);
    domains[slot] = d;
}

void host_domain_free(struct domain *d)
{
    for (unsigned n = 0; n < d->max_vcpus; n++)
        free(d->vcpu[n]);
    perdomain_free(d);
    ranges_free(&d->pv.io_frames);
    ranges_free(&d->pv.io_ports);
    domain_put(d);
}
