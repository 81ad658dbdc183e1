/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four vCPUs of one domain change the same page tables at once, each on a processor (thread) of its own,
 * under ThreadSanitizer. They meet now and then; while nobody works all references are counted from scratch.
 *
 *   pt_threads [rounds [operations a round [seed]]]
 */
#include "../host/hv_host.h"
#include "pt_recount.h"

#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS   4
#define OWN    40       /* few frames, so that the vCPUs meet in them */

static struct domain dom, *doms[1] = { &dom };
static uint64_t frame_number[OWN];
static unsigned rounds = 60, operations = 200;
static uint64_t seed = 1;
static unsigned trees;          /* roots built and pinned */
static pthread_barrier_t meeting;
static pthread_mutex_t forgetting = PTHREAD_MUTEX_INITIALIZER;

static uint64_t some(uint64_t n) { return host_random() % n; }
static mfn_t own(void) { return MFN(frame_number[some(OWN)]); }

static void forget(void)
{
    pthread_mutex_lock(&forgetting);
    recount_forget();
    pthread_mutex_unlock(&forgetting);
}

static uint64_t entry(void)
{
    return some(6) ? pte_make(own(), PTE_P | (some(2) ? PTE_RW : 0) | (some(3) ? 0 : PTE_A)) : 0;
}

static void op_write(void)
{
    mfn_t m = own();
    uint64_t *page;

    if (!frame_get_writable(m, &dom))
        return;
    page = page_of_mfn(m);
    for (unsigned i = 0; i < 5; i++)
        __atomic_store_n(&page[i], some(2) ? entry() : 0, __ATOMIC_RELAXED);
    frame_put_writable(m);
}

/* An interrupted call is continued until it ends, but for one in fifty that is given up. */
static long complete(struct vcpu *v, bool ext, uint64_t list, uint64_t count)
{
    uint64_t a[4] = { list, count, 0, DOMID_SELF };
    long r;

    do {
        host_restarted = false;
        r = ext ? hc_mmuext_op(v, a[0], a[1], a[2], a[3], 0) : hc_mmu_update(v, a[0], a[1], a[2], a[3], 0);
        memcpy(a, host_restart_arg, sizeof a);
    } while (host_restarted && some(50));
    return r;
}

static void op_update(struct vcpu *v)
{
    struct mmu_update u[4];
    uint64_t table = own().n;

    for (unsigned i = 0; i < ARRAY_LEN(u); i++)
        u[i] = (struct mmu_update){
            (table << PAGE_SHIFT) + some(5) * 8 + (some(2) ? MMU_PT_UPDATE_PRESERVE_AD : 0), entry()
        };
    complete(v, false, (uintptr_t)u, ARRAY_LEN(u));
}

static void op_ext(struct vcpu *v)
{
    static const uint8_t cmd[] = { MMUEXT_PIN_L1_TABLE,    MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
                                   MMUEXT_PIN_L4_TABLE,    MMUEXT_UNPIN_TABLE,  MMUEXT_UNPIN_TABLE,
                                   MMUEXT_UNPIN_TABLE,     MMUEXT_UNPIN_TABLE,  MMUEXT_NEW_BASEPTR,
                                   MMUEXT_NEW_USER_BASEPTR };
    struct mmuext_op op[4];

    for (unsigned i = 0; i < ARRAY_LEN(op); i++)
        op[i] = (struct mmuext_op){ .cmd = cmd[some(ARRAY_LEN(cmd))], .arg1.mfn = own().n };
    if (op[0].cmd == MMUEXT_NEW_USER_BASEPTR && some(2))
        op[0].arg1.mfn = 0;
    complete(v, true, (uintptr_t)op, ARRAY_LEN(op));
}

static void op_va(struct vcpu *v)
{
    int rc;

    switch (some(3)) {
    case 0:
        rc = pt_grant_map(v, some(4) << 12, false, own(), &dom, some(2) ? PTE_RW : 0);
        break;
    case 1:
        rc = pt_grant_unmap(v, (own().n << PAGE_SHIFT) + some(5) * 8, true, own());
        break;
    default:
        rc = (int)hc_update_va_mapping(v, some(4) << 12, entry(), UVMF_NONE, 0, 0);
        break;
    }
    (void)rc;
}

/* Entries that fit the level below, so that whole trees come to be. */
static void op_build(struct vcpu *v)
{
    mfn_t below = own(), m = below;
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE };

    for (unsigned level = 1; level <= 4; level++, below = m) {
        uint64_t *page;

        m = own();
        if (!frame_get_writable(m, &dom))
            return;
        page = page_of_mfn(m);
        for (unsigned i = 0; i < 5; i++)
            __atomic_store_n(&page[i], i == 0 ? pte_make(below, PTE_P) : 0, __ATOMIC_RELAXED);
        frame_put_writable(m);
    }
    op.arg1.mfn = m.n;
    if (complete(v, true, (uintptr_t)&op, 1) == 0)
        __atomic_fetch_add(&trees, 1, __ATOMIC_RELAXED);
}

static void *vcpu_main(void *arg)
{
    struct vcpu *v = arg;

    host_be_cpu(v->id);
    host_cpu->current = v;
    host_random_seed(seed * 10 + v->id);
    host_preempt_one_in(6);
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < operations; i++)
            switch (some(8)) {
            case 0: op_write(); break;
            case 1: case 2: op_update(v); break;
            case 3: case 4: op_ext(v); break;
            case 5: op_va(v); break;
            default: op_build(v); break;
            }
        pthread_barrier_wait(&meeting);
        if (v->id == 0)
            recount(doms, 1);
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread[CPUS];

    if (argc > 1)
        rounds = (unsigned)atoi(argv[1]);
    if (argc > 2)
        operations = (unsigned)atoi(argv[2]);
    if (argc > 3)
        seed = strtoull(argv[3], NULL, 10);
    host_machine_init(128, 4, CPUS);
    host_domain_init(&dom, 1, false, OWN, CPUS);
    for (unsigned i = 0; i < OWN; i++) {
        frame_number[i] = frames_alloc_domain(&dom, 0, 64).n;
        if (frame_number[i] == MFN_INVALID.n)
            abort();
    }
    host_flush_hook = forget;
    pthread_barrier_init(&meeting, NULL, CPUS);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_create(&thread[i], NULL, vcpu_main, dom.vcpu[i]);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(thread[i], NULL);
    dom.dying = DOMAIN_DYING;
    while (pv_domain_relinquish(&dom) == -XEN_ERESTART)
        recount(doms, 1);
    if (dom.frames) {
        fprintf(stderr, "%lu frames left\n", (unsigned long)dom.frames);
        return 1;
    }
    host_domain_free(&dom);
    host_machine_free();
    printf("%u rounds of %u operations on %u processors; %u trees built; tables seen: L1 %lu, L2 %lu, L3 "
           "%lu, L4 %lu\n",
           rounds, operations, CPUS, trees, (unsigned long)recount_tables[1],
           (unsigned long)recount_tables[2], (unsigned long)recount_tables[3],
           (unsigned long)recount_tables[4]);
    if (!trees || !recount_tables[1] || !recount_tables[2] || !recount_tables[3] || !recount_tables[4])
        return 1;
    puts("1..1\nok 1 - references agree after every round");
    return 0;
}
