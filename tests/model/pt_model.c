/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests against the page-typing machine: random sequences of every operation on page tables,
 * descriptors, grants and memory, on a machine of few frames so that everything collides, preempted at any
 * step, continued or given up. After each operation the judge (pt_recount.c) counts all references from
 * scratch.
 *
 *   pt_model [seeds [steps [first seed]]]
 */
#include "../host/hv_host.h"
#include "pt_recount.h"

#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/machine.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESERVED 4
#define GUEST_FRAMES 40

static struct domain dom[MODEL_DOMAINS], *doms[MODEL_DOMAINS];
static struct domain control;                   /* who ends domains: only its being there matters */
static struct vcpu   controller = { .domain = &control };
static uint64_t seed;
static unsigned step;
static char     last[160];

/* An interrupted hypercall that the guest may continue. */
static struct pending { bool set; uint64_t nr, arg[4]; } pending[MODEL_DOMAINS];

static uint64_t some(uint64_t n) { return host_random() % n; }
static bool one_in(unsigned n) { return some(n) == 0; }

static void on_abort(int sig)
{
    char line[256];
    int n = snprintf(line, sizeof line, "seed %lu step %u: %s\n", (unsigned long)seed, step, last);

    if (write(2, line, (size_t)n) != n)
        _exit(3);
    signal(sig, SIG_DFL);
}

/* ---- hostile values ---- */
static uint64_t own_frame(const struct domain *d)
{
    uint64_t i = some(GUEST_FRAMES);
    uint32_t n = d->frames_head;

    while (n != FRAME_NIL && i--)
        n = frame_table[n].next;
    return n == FRAME_NIL ? some(frame_count) : n;
}

static uint64_t any_frame(const struct domain *d)
{
    if (!one_in(8))
        return own_frame(d);
    return one_in(4) ? frame_count + some(4) : some(frame_count);
}

static unsigned any_index(void)
{
    static const unsigned index[] = { 0, 0, 0, 1, 1, 2, 3, 255, 256, 260, 272, 511 };

    return index[some(ARRAY_LEN(index))];
}

static uint64_t any_entry(const struct domain *d, uint64_t table)
{
    uint64_t e = pte_make(MFN(one_in(16) ? table : any_frame(d)), 0);

    if (one_in(6))
        return one_in(2) ? 0 : host_random() & ~PTE_P;
    e |= PTE_P | (one_in(2) ? PTE_RW : 0) | (one_in(2) ? PTE_U : 0) | (one_in(4) ? PTE_A | PTE_D : 0);
    if (one_in(12))
        e |= 1ull << some(64);
    if (one_in(8))
        e |= PTE_NX;
    return e;
}

/* ---- operations ---- */

/* What a guest can do to its memory without asking: write where a writable mapping is, or could be made. */
static void op_write(struct domain *d)
{
    mfn_t m = MFN(own_frame(d));
    uint64_t *page;

    snprintf(last, sizeof last, "domain %u writes frame %lu", d->id, (unsigned long)m.n);
    if (!frame_exists(m) || !frame_get_writable(m, d))
        return;
    page = page_of_mfn(m);
    if (one_in(3))
        memset(page, 0, PAGE_SIZE);
    for (unsigned i = 0; i < 4; i++)
        __atomic_store_n(&page[any_index()], any_entry(d, m.n), __ATOMIC_RELAXED);
    frame_put_writable(m);
}

static long call(unsigned who, struct vcpu *v, uint64_t nr, const uint64_t *a)
{
    long r;

    host_restarted = false;
    r = nr == __HYPERVISOR_mmu_update ? hc_mmu_update(v, a[0], a[1], a[2], a[3], 0)
                                      : hc_mmuext_op(v, a[0], a[1], a[2], a[3], 0);
    if (host_restarted) {
        pending[who] = (struct pending){ .set = true, .nr = nr };
        memcpy(pending[who].arg, host_restart_arg, sizeof pending[who].arg);
    }
    return r;
}

static uint64_t any_domid(const struct domain *d)
{
    static const uint64_t id[] = { DOMID_IO, DOMID_XEN, 0, 1, 2, DOMID_INVALID, 0x20000 | DOMID_SELF };

    return one_in(4) ? id[some(ARRAY_LEN(id))] : DOMID_SELF;
}

static struct mmu_update  updates[MODEL_DOMAINS][8];
static struct mmuext_op   exts[MODEL_DOMAINS][4];
static uint32_t           done[MODEL_DOMAINS];

static void op_mmu_update(unsigned who, struct vcpu *v)
{
    uint64_t n = 1 + some(ARRAY_LEN(updates[0])), table = any_frame(v->domain);
    uint64_t a[4] = { (uintptr_t)updates[who], n, (uintptr_t)&done[who], any_domid(v->domain) };

    for (uint64_t i = 0; i < n; i++) {
        if (one_in(3))
            table = any_frame(v->domain);
        updates[who][i].ptr = (table << PAGE_SHIFT) + any_index() * 8 + (one_in(3) ? some(4) : 0);
        updates[who][i].val = any_entry(v->domain, table);
    }
    snprintf(last, sizeof last, "domain %u mmu_update of %lu, first %lx = %lx", v->domain->id,
             (unsigned long)n, (unsigned long)updates[who][0].ptr, (unsigned long)updates[who][0].val);
    call(who, v, __HYPERVISOR_mmu_update, a);
}

static void op_mmuext(unsigned who, struct vcpu *v)
{
    static const uint8_t cmd[] = {
        MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L1_TABLE,     MMUEXT_PIN_L2_TABLE,    MMUEXT_PIN_L2_TABLE,
        MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L3_TABLE,     MMUEXT_PIN_L4_TABLE,    MMUEXT_PIN_L4_TABLE,
        MMUEXT_UNPIN_TABLE,  MMUEXT_UNPIN_TABLE,      MMUEXT_UNPIN_TABLE,     MMUEXT_NEW_BASEPTR,
        MMUEXT_NEW_BASEPTR,  MMUEXT_NEW_USER_BASEPTR, MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_CLEAR_PAGE,
        MMUEXT_COPY_PAGE,    MMUEXT_SET_LDT,          MMUEXT_INVLPG_ALL,      MMUEXT_MARK_SUPER,
    };
    uint64_t n = 1 + some(ARRAY_LEN(exts[0]));
    uint64_t a[4] = { (uintptr_t)exts[who], n, (uintptr_t)&done[who], any_domid(v->domain) };

    for (uint64_t i = 0; i < n; i++)
        exts[who][i] = (struct mmuext_op){ .cmd = cmd[some(ARRAY_LEN(cmd))], .arg1.mfn = any_frame(v->domain),
                                           .arg2.src_mfn = any_frame(v->domain) };
    snprintf(last, sizeof last, "domain %u mmuext of %lu, first %u frame %lu", v->domain->id,
             (unsigned long)n, exts[who][0].cmd, (unsigned long)exts[who][0].arg1.mfn);
    call(who, v, __HYPERVISOR_mmuext_op, a);
}

/* Mostly sensible, so that whole trees come to be: entries that fit the level below. */
static void op_build(unsigned who, struct vcpu *v)
{
    uint64_t f[5];

    for (unsigned i = 0; i < 5; i++)
        f[i] = own_frame(v->domain);
    snprintf(last, sizeof last, "domain %u builds %lu<-%lu<-%lu<-%lu<-%lu", v->domain->id,
             (unsigned long)f[0], (unsigned long)f[1], (unsigned long)f[2], (unsigned long)f[3],
             (unsigned long)f[4]);
    for (unsigned level = 1; level <= 4; level++) {
        mfn_t m = MFN(f[level]);
        uint64_t *page;

        if (!frame_exists(m) || !frame_get_writable(m, v->domain))
            return;
        page = page_of_mfn(m);
        memset(page, 0, PAGE_SIZE);
        page[0] = pte_make(MFN(f[level - 1]), PTE_P | (one_in(4) ? 0 : PTE_RW));
        if (one_in(2))
            page[any_index()] = pte_make(MFN(own_frame(v->domain)), PTE_P);
        if (one_in(4))
            page[2] = pte_make(m, PTE_P);
        frame_put_writable(m);
    }
    exts[who][0] =
        (struct mmuext_op){ .cmd = one_in(3) ? MMUEXT_NEW_BASEPTR : MMUEXT_PIN_L4_TABLE, .arg1.mfn = f[4] };
    call(who, v, __HYPERVISOR_mmuext_op,
         (uint64_t[]){ (uintptr_t)exts[who], 1, (uintptr_t)&done[who], DOMID_SELF });
}

static void op_continue(unsigned who, struct vcpu *v)
{
    struct pending p = pending[who];

    pending[who].set = false;
    if (!p.set || one_in(10))
        return;                         /* the guest changed its mind */
    snprintf(last, sizeof last, "domain %u continues hypercall %lu", v->domain->id, (unsigned long)p.nr);
    call(who, v, p.nr, p.arg);
}

static void op_va(struct vcpu *v)
{
    uint64_t va = one_in(2) ? 0 : (uint64_t)some(4) << 12 | (uint64_t)some(3) << 21;
    uint64_t entry = any_entry(v->domain, 0);

    snprintf(last, sizeof last, "domain %u maps va %lx: %lx", v->domain->id, (unsigned long)va,
             (unsigned long)entry);
    if (one_in(4))
        hc_update_va_mapping_otherdomain(v, va, entry, UVMF_NONE, any_domid(v->domain), 0);
    else
        hc_update_va_mapping(v, va, entry, one_in(2) ? UVMF_INVLPG : UVMF_NONE, 0, 0);
}

static void op_grant(struct vcpu *v)
{
    struct domain *owner = &dom[some(MODEL_DOMAINS)];
    mfn_t m = MFN(own_frame(owner));
    bool is_pte = one_in(2);
    uint64_t at = is_pte ? (own_frame(v->domain) << PAGE_SHIFT) + any_index() * 8 : (uint64_t)some(4) << 12;
    int rc;

    if (doms[owner->id] == NULL)
        return;
    snprintf(last, sizeof last, "domain %u grant of frame %lu of %u at %lx", v->domain->id,
             (unsigned long)m.n, owner->id, (unsigned long)at);
    switch (some(4)) {
    case 0:
        rc = pt_grant_unmap(v, at, is_pte, m);
        break;
    case 1:
        rc = pt_grant_replace(v, some(4) << 12, m, some(4) << 12);
        break;
    default:
        rc = pt_grant_map(v, at, is_pte, m, owner, one_in(2) ? PTE_RW : 0);
        break;
    }
    (void)rc;
}

static void op_descriptors(struct vcpu *v)
{
    uint64_t frames[2] = { own_frame(v->domain), own_frame(v->domain) };

    snprintf(last, sizeof last, "domain %u descriptors in %lu", v->domain->id, (unsigned long)frames[0]);
    if (one_in(2)) {
        for (unsigned i = 0; i < 2; i++) {
            mfn_t m = MFN(frames[i]);

            if (!frame_exists(m) || !frame_get_writable(m, v->domain))
                continue;
            memset(page_of_mfn(m), 0, PAGE_SIZE);
            if (one_in(6))
                ((uint64_t *)page_of_mfn(m))[3] = 1ull << 47 | 11ull << 40;     /* a task segment */
            frame_put_writable(m);
        }
        hc_set_gdt(v, (uintptr_t)frames, one_in(4) ? 0 : 1 + some(1024), 0, 0, 0);
    } else {
        hc_update_descriptor(v, (frames[0] << PAGE_SHIFT) + any_index() * 8, host_random(), 0, 0, 0);
    }
    if (one_in(3))
        (void)!pv_ldt_set(v, some(4) << 12, (unsigned)some(1024));
    pv_ldt_fault(v, WINDOW_VA(v->id) + (WINDOW_LDT_PAGE + some(2)) * PAGE_SIZE, 0);
}

static void op_memory(struct domain *d)
{
    mfn_t m = MFN(own_frame(d));

    snprintf(last, sizeof last, "domain %u memory, frame %lu", d->id, (unsigned long)m.n);
    switch (some(3)) {
    case 0:
        m = frames_alloc_domain(d, (unsigned)some(2), 64);
        break;
    case 1:
        (void)!frame_give_up(m, d);
        break;
    default:
        if (frame_detach(m, d) == 0)
            frame_detached_free(m);
        break;
    }
}

static void born(unsigned who)
{
    host_domain_init(&dom[who], (domid_t)who, who == 0, GUEST_FRAMES, 1);
    if (who == 0 && ranges_add(&dom[who].pv.io_frames, frame_count, frame_count + 1))
        abort();
    doms[who] = &dom[who];
    for (unsigned i = 0; i < GUEST_FRAMES; i++)
        (void)frames_alloc_domain(&dom[who], 0, 64);
}

/* The domain dies, step by step; a new one takes its number once its last frame is gone. */
static void op_die(unsigned who)
{
    struct domain *d = &dom[who];

    host_cpu->current = &controller;
    snprintf(last, sizeof last, "domain %u dies", who);
    d->dying = DOMAIN_DYING;
    pending[who].set = false;
    if (pv_domain_relinquish(d) == -XEN_ERESTART)
        return;
    if (d->frames) {                    /* others still map some: they let go when they die */
        bool other = false;

        for (unsigned i = 0; i < MODEL_DOMAINS; i++)
            other |= i != who && doms[i] && !doms[i]->dying;
        if (!other && d->frames) {
            uint64_t before = d->frames;

            for (unsigned i = 0; i < MODEL_DOMAINS; i++)
                while (doms[i] && pv_domain_relinquish(doms[i]) == -XEN_ERESTART)
                    recount(doms, MODEL_DOMAINS);
            if (d->frames) {
                fprintf(stderr, "domain %u: %lu frames left of %lu after all have died\n", who,
                        (unsigned long)d->frames, (unsigned long)before);
                abort();
            }
        }
        return;
    }
    doms[who] = NULL;
    host_domain_free(d);
    born(who);
}

static void one_step(void)
{
    unsigned who = (unsigned)some(MODEL_DOMAINS);
    struct domain *d = &dom[who];
    struct vcpu *v = d->vcpu[0];

    host_cpu->current = v;
    if (d->dying || one_in(400)) {
        op_die(who);
        return;
    }
    if (pending[who].set) {
        op_continue(who, v);
        return;
    }
    switch (some(16)) {
    case 0: case 1: op_write(d); break;
    case 2: case 3: case 4: case 5: op_mmu_update(who, v); break;
    case 6: case 7: case 8: op_mmuext(who, v); break;
    case 9: case 10: op_build(who, v); break;
    case 11: op_va(v); break;
    case 12: case 13: op_grant(v); break;
    case 14: op_descriptors(v); break;
    default: op_memory(d); break;
    }
}

static void run(unsigned steps)
{
    host_random_seed(seed);
    host_machine_init(MODEL_FRAMES, RESERVED, 1);
    recount_reset();
    host_flush_hook = recount_forget;
    memset(pending, 0, sizeof pending);
    host_preempt_one_in(0);
    for (unsigned i = 0; i < MODEL_DOMAINS; i++)
        born(i);
    host_preempt_one_in((unsigned)some(4));
    for (step = 0; step < steps; step++) {
        one_step();
        recount(doms, MODEL_DOMAINS);
    }
    host_preempt_one_in(0);
    host_cpu->current = &controller;
    for (unsigned i = 0; i < MODEL_DOMAINS; i++) {
        snprintf(last, sizeof last, "domain %u dies at the end", i);
        dom[i].dying = DOMAIN_DYING;
        if (pv_domain_relinquish(&dom[i]))
            abort();
        recount(doms, MODEL_DOMAINS);
    }
    for (unsigned i = 0; i < MODEL_DOMAINS; i++) {
        if (dom[i].frames)
            abort();
        doms[i] = NULL;
        host_domain_free(&dom[i]);
    }
    host_machine_free();
}

int main(int argc, char **argv)
{
    unsigned seeds = argc > 1 ? (unsigned)atoi(argv[1]) : 30,
             steps = argc > 2 ? (unsigned)atoi(argv[2]) : 600;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

    signal(SIGABRT, on_abort);
    for (seed = first; seed < first + seeds; seed++)
        run(steps);
    printf("%u sequences of %u steps; validated tables seen: L1 %lu, L2 %lu, L3 %lu, L4 %lu\n", seeds, steps,
           (unsigned long)recount_tables[1], (unsigned long)recount_tables[2],
           (unsigned long)recount_tables[3], (unsigned long)recount_tables[4]);
    if (!recount_tables[1] || !recount_tables[2] || !recount_tables[3] || !recount_tables[4])
        return 1;
    puts("1..1\nok 1 - references agree after every step");     /* anything else ends by abort() */
    return 0;
}
