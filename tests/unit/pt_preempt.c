/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long page-table code keeps a processor: whatever the tree looks like, it asks for pending work once a
 * batch of entries, on the way down and on the way back; and it does not wait for another processor while
 * somebody wants this one. The batch is 8 here.
 */
#include "../host/hv_host.h"

#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDE 7u                 /* entries of each table: less than a batch */
#define TABLES (1 + WIDE + WIDE * WIDE + WIDE * WIDE * WIDE)
#define ENTRIES (TABLES * WIDE)

static struct domain dom;
static struct vcpu *v;
static mfn_t data;

static mfn_t frame(void)
{
    mfn_t m = frames_alloc_domain(&dom, 0, 64);

    assert_true(mfn_valid_number(m));
    return m;
}

/* A tree of that many levels, each table of its own. */
static mfn_t tree(unsigned level)
{
    mfn_t m = level ? frame() : data;

    for (unsigned i = 0; level && i < WIDE; i++)
        ((uint64_t *)page_of_mfn(m))[i * 3] = pte_make(tree(level - 1), PTE_P | PTE_RW);
    return m;
}

static void never_waits(void) { abort(); }

static int setup(void **state)
{
    host_machine_init(1024, 4, 1);
    host_domain_init(&dom, 1, false, 1000, 1);
    v = dom.vcpu[0];
    host_cpu->current = v;
    data = frame();
    host_relax_hook = never_waits;
    return 0;
}

static int teardown(void **state)
{
    host_preempt_one_in(0);
    host_relax_hook = NULL;
    dom.dying = DOMAIN_DYING;
    assert_int_equal(pv_domain_relinquish(&dom), 0);
    assert_int_equal(dom.frames, 0);
    host_domain_free(&dom);
    host_machine_free();
    return 0;
}

static long ext(unsigned cmd, mfn_t m)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = m.n };

    return hc_mmuext_op(v, (uintptr_t)&op, 1, 0, DOMID_SELF, 0);
}

static void narrow_tables_are_no_way_round_the_batch(void **state)
{
    mfn_t root = tree(4);

    host_preempt_looks = 0;
    assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, root), 0);
    assert_true(host_preempt_looks >= ENTRIES / PREEMPT_BATCH / 2);
    host_preempt_looks = 0;
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, root), 0);
    assert_true(host_preempt_looks >= ENTRIES / PREEMPT_BATCH / 2);
}

/* Stopped at each look, it comes to the same end. */
static void stopped_at_each_look(void **state)
{
    mfn_t root = tree(4);
    unsigned stops = 0;

    host_preempt_one_in(1);
    while (ext(MMUEXT_PIN_L4_TABLE, root) == -XEN_ERESTART)
        stops++;
    assert_true(stops >= ENTRIES / PREEMPT_BATCH / 2);
    assert_true(frame_of(root)->type & TYPE_PINNED);
    assert_int_equal(frame_of(data)->type & TYPE_COUNT_MASK, WIDE * WIDE * WIDE * WIDE);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, root), -XEN_ERESTART);
    while (pv_undo_pending(v) == -XEN_ERESTART)
        ;
    assert_int_equal(frame_of(root)->type & TYPE_COUNT_MASK, 0);
    assert_int_equal(frame_of(data)->type & TYPE_COUNT_MASK, 0);
}

/* As if another processor were at work on it, for as long as it likes. */
static uint64_t busy(mfn_t m, uint64_t word)
{
    uint64_t was = frame_of(m)->type;

    frame_of(m)->type = (word & ~TYPE_VALIDATED) | TYPE_BUSY | TYPE_PARTIAL;
    return was;
}

static void nobody_waits_who_is_wanted(void **state)
{
    mfn_t l2 = tree(2), l3 = frame();
    uint64_t was = busy(l2, (uint64_t)TYPE_L2 << TYPE_SHIFT | TYPE_OWN | 1);
    uint64_t refs = frame_of(l2)->refs;
    struct mmu_update u = { l2.n << PAGE_SHIFT, 0 };

    *(uint64_t *)page_of_mfn(l3) = pte_make(l2, PTE_P);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, l2), -XEN_EINVAL);
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, l2), -XEN_EINVAL);
    assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, DOMID_SELF, 0), -XEN_EINVAL);
    assert_int_equal(frame_get_table(l2, &dom), TYPE_NONE);
    host_preempt_one_in(1);
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, l2), -XEN_ERESTART);
    assert_int_equal(ext(MMUEXT_PIN_L3_TABLE, l3), -XEN_ERESTART);
    assert_int_equal(frame_abandon(l2), -XEN_ERESTART);
    host_preempt_one_in(0);
    assert_true(frame_of(l2)->refs == refs);
    frame_of(l2)->type = was;
    assert_int_equal(ext(MMUEXT_PIN_L3_TABLE, l3), 0);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, l3), 0);
}

/* Letting go of what another processor validates again: it waits with the vCPU. */
static void letting_go_can_wait(void **state)
{
    mfn_t l2 = tree(2);
    uint64_t was;

    assert_int_equal(frame_get_typed(l2, &dom, TYPE_L2), 0);
    was = busy(l2, frame_of(l2)->type + 1);
    host_preempt_one_in(1);
    assert_int_equal(pv_put_table(v, l2), -XEN_ERESTART);
    assert_int_equal(v->pv.undo_count, 1);
    /* No operation on tables before that is done. */
    host_restarted = false;
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, 0, 0, 0, 0), -XEN_ERESTART);
    assert_true(host_restarted);
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, data), -XEN_ERESTART);
    frame_of(l2)->type = was;
    host_preempt_one_in(0);
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, 0, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(v->pv.undo_count, 0);
    assert_int_equal(frame_of(l2)->type & TYPE_COUNT_MASK, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(narrow_tables_are_no_way_round_the_batch),
        CASE(stopped_at_each_look),
        CASE(nobody_waits_who_is_wanted),
        CASE(letting_go_can_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
