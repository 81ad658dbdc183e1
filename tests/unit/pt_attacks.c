/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on page typing that were known to work somewhere once, one test each, named for what the attacker
 * did. The numbers are those of the advisories that told of them.
 */
#include "../host/hv_host.h"
#include "../model/pt_recount.h"

#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct domain dom, other, *doms[] = { &dom, &other };
static struct vcpu  *v;
static mfn_t data, l1, l2, l3, l4, foreign;

static uint64_t *slot(mfn_t table, unsigned i) { return (uint64_t *)page_of_mfn(table) + i; }
static uint64_t at(mfn_t table, unsigned i) { return (table.n << PAGE_SHIFT) + i * 8; }

static mfn_t frame(struct domain *d)
{
    mfn_t m = frames_alloc_domain(d, 0, 64);

    assert_true(mfn_valid_number(m));
    return m;
}

static int setup(void **state)
{
    host_machine_init(128, 4, 1);
    recount_reset();
    host_flush_hook = recount_forget;
    host_domain_init(&dom, 1, false, 40, 1);
    host_domain_init(&other, 2, false, 40, 1);
    v = dom.vcpu[0];
    host_cpu->current = v;
    data = frame(&dom), l1 = frame(&dom), l2 = frame(&dom), l3 = frame(&dom), l4 = frame(&dom);
    foreign = frame(&other);
    *slot(l1, 0) = pte_make(data, PTE_P | PTE_RW);
    *slot(l2, 0) = pte_make(l1, PTE_P | PTE_RW);
    *slot(l3, 0) = pte_make(l2, PTE_P | PTE_RW);
    *slot(l4, 0) = pte_make(l3, PTE_P | PTE_RW);
    assert_int_equal(pv_roots_set(v, l4, MFN_INVALID), 0);
    recount(doms, 2);
    return 0;
}

static int teardown(void **state)
{
    recount(doms, 2);
    dom.dying = other.dying = DOMAIN_DYING;
    assert_int_equal(pv_domain_relinquish(&dom), 0);
    assert_int_equal(pv_domain_relinquish(&other), 0);
    assert_int_equal(dom.frames + other.frames, 0);
    host_domain_free(&dom);
    host_domain_free(&other);
    host_machine_free();
    return 0;
}

static long update(uint64_t ptr, uint64_t val)
{
    struct mmu_update u = { ptr, val };
    uint32_t done = 99;
    long rc = hc_mmu_update(v, (uintptr_t)&u, 1, (uintptr_t)&done, DOMID_SELF, 0);

    assert_int_equal(done, rc == 0);
    return rc;
}

static long ext(unsigned cmd, uint64_t arg1, uint64_t arg2)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = arg1, .arg2.src_mfn = arg2 };

    return hc_mmuext_op(v, (uintptr_t)&op, 1, 0, DOMID_SELF, 0);
}

#define REFUSED -XEN_EINVAL

/* 148: a superpage by the quick way, where only flags change. */
static void test_148_superpage_by_flags(void **state)
{
    assert_int_equal(update(at(l2, 0), *slot(l2, 0) | PTE_PS), REFUSED);
    assert_int_equal(update(at(l3, 0), *slot(l3, 0) | PTE_PS), REFUSED);
    assert_int_equal(update(at(l4, 0), *slot(l4, 0) | PTE_PS), REFUSED);
}

/* 182: a linear entry becomes writable by a change of flags. */
static void test_182_writable_linear_by_flags(void **state)
{
    assert_int_equal(update(at(l4, 5), pte_make(l4, PTE_P)), 0);
    assert_int_equal(update(at(l4, 5), pte_make(l4, PTE_P | PTE_RW)), REFUSED);
    assert_false(*slot(l4, 5) & PTE_RW);
}

/* 109: an update of a page-table entry in a frame that is another domain's, or no memory at all. */
static void test_109_not_a_table(void **state)
{
    assert_int_equal(update(at(foreign, 0), 1), REFUSED);
    assert_int_equal(update(at(MFN(0), 0), 1), REFUSED);
    assert_int_equal(update(at(MFN(1ull << 36), 0), 1), REFUSED);
    assert_int_equal(update(at(l4, 256), 0), REFUSED);
    assert_int_equal(update(at(l1, 0) + 4, 0), REFUSED);
}

/* 113: the M2P of a frame that is not the caller's; and no reference is left behind. */
static void test_113_m2p(void **state)
{
    uint64_t before = m2p[foreign.n];

    assert_int_equal(update(at(foreign, 0) | MMU_MACHPHYS_UPDATE, 7), REFUSED);
    assert_true(m2p[foreign.n] == before);
    assert_int_equal(update(at(data, 0) | MMU_MACHPHYS_UPDATE, 7), 0);
    assert_int_equal(m2p[data.n], 7);
}

/* 58: pinning fails, twice pinning, unpinning what is not pinned: references stay as they are (the recount
 * sees). */
static void test_58_pin_errors(void **state)
{
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, data.n, 0), REFUSED);     /* mapped writable */
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, l1.n, 0), REFUSED);       /* another level */
    assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, foreign.n, 0), REFUSED);
    assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, l4.n, 0), 0);
    assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, l4.n, 0), REFUSED);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, l4.n, 0), 0);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, l4.n, 0), REFUSED);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, foreign.n, 0), REFUSED);
}

/* The rule itself: a table is never mapped writable, whichever comes first. */
static void test_table_never_writable(void **state)
{
    mfn_t t = frame(&dom);

    for (unsigned level = 1; level <= 4; level++) {
        mfn_t table = level == 1 ? l1 : level == 2 ? l2 : level == 3 ? l3 : l4;

        assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(table, PTE_P | PTE_RW), 0, 0, 0), REFUSED);
        assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(table, PTE_P), 0, 0, 0), 0);
        assert_int_equal(update(at(l1, 1), *slot(l1, 1) | PTE_RW), REFUSED);
        assert_int_equal(ext(MMUEXT_CLEAR_PAGE, table.n, 0), REFUSED);
        assert_int_equal(ext(MMUEXT_COPY_PAGE, table.n, data.n), REFUSED);
    }
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(t, PTE_P | PTE_RW), 0, 0, 0), 0);
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, t.n, 0), REFUSED);
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(t, PTE_P), 0, 0, 0), 0);
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, t.n, 0), 0);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, t.n, 0), 0);
}

/* 185, 240: chains of linear tables: one step is allowed, a second is not, in either order. */
static void test_240_linear_chain(void **state)
{
    mfn_t a = frame(&dom), b = frame(&dom), c = frame(&dom);

    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, a.n, 0), 0);
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, b.n, 0), 0);
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, c.n, 0), 0);
    assert_int_equal(update(at(a, 1), pte_make(b, PTE_P)), 0);
    assert_int_equal(update(at(b, 1), pte_make(c, PTE_P)), REFUSED);
    assert_int_equal(update(at(c, 1), pte_make(a, PTE_P)), REFUSED);
    assert_int_equal(update(at(c, 1), pte_make(b, PTE_P | PTE_RW)), REFUSED);
    assert_int_equal(update(at(c, 1), pte_make(b, PTE_P)), 0);
    assert_int_equal(update(at(a, 1), 0), 0);
    assert_int_equal(update(at(c, 1), 0), 0);
    assert_int_equal(update(at(b, 1), pte_make(c, PTE_P)), 0);      /* the count has come back */
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, a.n, 0) | ext(MMUEXT_UNPIN_TABLE, b.n, 0) |
                     ext(MMUEXT_UNPIN_TABLE, c.n, 0), 0);
}

/* 299, 310, 290: preempted at every entry, up and down, the count stays right; the recount looks at each
 * step. */
static void test_299_preempted_everywhere(void **state)
{
    mfn_t root = frame(&dom), below = frame(&dom);
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = root.n };
    uint64_t a[4] = { (uintptr_t)&op, 1, 0, DOMID_SELF };
    unsigned stops = 0;

    for (unsigned i = 0; i < 6; i++) {
        *slot(root, i) = pte_make(below, PTE_P);
        *slot(below, i) = pte_make(l2, PTE_P);
    }
    host_preempt_one_in(1);
    for (unsigned round = 0; round < 2; round++) {
        do {
            host_restarted = false;
            hc_mmuext_op(v, a[0], a[1], a[2], a[3], 0);
            memcpy(a, host_restart_arg, sizeof a);
            recount(doms, 2);
            stops += host_restarted;
        } while (host_restarted);
        op.cmd = MMUEXT_UNPIN_TABLE;
        memcpy(a, (uint64_t[]){ (uintptr_t)&op, 1, 0, DOMID_SELF }, sizeof a);
    }
    host_preempt_one_in(0);
    assert_true(stops > 10);
    assert_int_equal(frame_table[root.n].type & TYPE_COUNT_MASK, 0);
}

/* A refusal in the middle of a preempted validation gives back what it took, and says so in the end. */
static void test_264_refused_while_preempted(void **state)
{
    mfn_t root = frame(&dom), below = frame(&dom);
    unsigned stops = 0;
    int rc;

    for (unsigned i = 0; i < 6; i++)
        *slot(root, i) = pte_make(below, PTE_P);
    *slot(root, 6) = pte_make(foreign, PTE_P);
    host_preempt_one_in(1);
    while ((rc = frame_get_typed(root, &dom, TYPE_L4)) == -XEN_ERESTART) {
        recount(doms, 2);
        assert_true(++stops < 100);
    }
    host_preempt_one_in(0);
    assert_int_equal(rc, REFUSED);
    assert_true(stops > 6);
    assert_int_equal(frame_table[root.n].refs & FRAME_COUNT_MASK, 1);
}

/* 214, 217, 242: a frame changes hands: no type, no contents, no old translation goes with it. */
static void test_214_change_of_owner(void **state)
{
    mfn_t m = frame(&dom);
    uint64_t flushes;

    assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(m, PTE_P | PTE_RW), 0, 0, 0), 0);
    *slot(m, 0) = 0x5ec7e7;
    recount(doms, 2);
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, 0, 0, 0, 0), 0);
    assert_int_equal(frame_detach(m, &dom), 0);
    frame_detached_free(m);
    flushes = host_flushes;
    for (mfn_t n = frame(&other); n.n != m.n; n = frame(&other))
        ;
    assert_true(host_flushes > flushes);
    assert_int_equal(*slot(m, 0), 0);
    assert_false(frame_get(m, &dom));
    assert_int_equal(type_of(frame_table[m.n].type), TYPE_NONE);
}

/* 401, 408: written through an old translation while it is checked: the flush comes before the check. */
static void test_401_flush_before_check(void **state)
{
    mfn_t t = frame(&dom);
    uint64_t flushes;

    assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(t, PTE_P | PTE_RW), 0, 0, 0), 0);
    recount(doms, 2);
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, 0, 0, 0, 0), 0);
    flushes = host_flushes;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, t.n, 0), 0);
    assert_true(host_flushes > flushes);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, t.n, 0), 0);
}

/* 227, 234: a grant is mapped into something that is no L1 entry of the caller's. */
static void test_227_grant_places(void **state)
{
    const uint64_t bad[] = { at(l1, 0) + 4, at(l2, 0), at(l4, 0), at(data, 0), at(foreign, 0), at(MFN(0), 0),
                             at(MFN(1ull << 36), 0), ~0ull };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(pt_grant_map(v, bad[i], true, foreign, &other, PTE_RW), REFUSED);
        assert_int_equal(pt_grant_unmap(v, bad[i], true, foreign), REFUSED);
    }
    assert_int_equal(pt_grant_map(v, 1ull << 39, false, foreign, &other, PTE_RW), REFUSED);
    assert_int_equal(pt_grant_map(v, at(l1, 9), true, data, &other, 0), -XEN_EPERM);     /* not the other's */
    assert_int_equal(pt_grant_map(v, at(l1, 9), true, foreign, &other, PTE_RW), 0);
    recount(doms, 2);
    assert_int_equal(pt_grant_unmap(v, at(l1, 9), true, data), -XEN_ENOENT);
    assert_int_equal(update(at(l1, 8), pte_make(foreign, PTE_P)), REFUSED); /* no second mapping of it */
    assert_int_equal(update(at(l1, 9), 0), 0);                              /* behind the grant's back */
    assert_int_equal(pt_grant_unmap(v, at(l1, 9), true, foreign), -XEN_ENOENT);
}

/* Not for a domain that is not privileged: frames of others, of the hypervisor, of devices. */
static void test_foreign_domids(void **state)
{
    struct mmu_update u = { at(l1, 9), pte_make(foreign, PTE_P) };
    const uint64_t id[] = { 2, DOMID_IO, DOMID_XEN, 3ull << 16 | DOMID_SELF };

    for (unsigned i = 0; i < ARRAY_LEN(id); i++)
        assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, id[i], 0), -XEN_EPERM);
    dom.privileged = true;
    assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, 77, 0), -XEN_ESRCH);
    assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, 2, 0), 0);
    u.val = pte_make(MFN(1), PTE_P);                                                /* the hypervisor's own */
    assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, DOMID_XEN, 0), REFUSED);
    u.val = pte_make(data, PTE_P);
    assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, DOMID_IO, 0), REFUSED);
    dom.privileged = false;
    u.val = 0;
    assert_int_equal(hc_mmu_update(v, (uintptr_t)&u, 1, 0, DOMID_SELF, 0), 0);
}

/* 212 and the descriptor tables: system descriptors are refused, ring 0 becomes ring 3, tables are not
 * writable. */
static void test_descriptors(void **state)
{
    mfn_t g = frame(&dom);
    const uint64_t code0 = 0x00af9b000000ffffull, task = 0x0000890000000067ull, gate = 0x00008c0000000000ull;

    *slot(g, 2) = code0;
    assert_int_equal(hc_set_gdt(v, (uintptr_t)&g.n, 512, 0, 0, 0), 0);
    assert_true(*slot(g, 2) == (code0 | 3ull << 45));
    assert_int_equal(hc_update_va_mapping(v, 1 << 12, pte_make(g, PTE_P | PTE_RW), 0, 0, 0), REFUSED);
    assert_int_equal(hc_update_descriptor(v, at(g, 3), task, 0, 0, 0), REFUSED);
    assert_int_equal(hc_update_descriptor(v, at(g, 3), gate, 0, 0, 0), REFUSED);
    assert_int_equal(hc_update_descriptor(v, at(l1, 3), code0, 0, 0, 0), REFUSED);
    assert_int_equal(hc_update_descriptor(v, at(g, 3), code0, 0, 0, 0), 0);
    assert_true(*slot(g, 3) == (code0 | 3ull << 45));
    assert_int_equal(hc_set_gdt(v, (uintptr_t)&g.n, FIRST_RESERVED_GDT_ENTRY + 1, 0, 0, 0), REFUSED);
    assert_int_equal(hc_set_gdt(v, (uintptr_t)&g.n, 0, 0, 0, 0), 0);
    *slot(g, 4) = task;
    assert_int_equal(hc_set_gdt(v, (uintptr_t)&g.n, 512, 0, 0, 0), REFUSED);
}

/* A descriptor table is taken from a vCPU that does not run: where it ran, its sisters may run in the same
 * tables. */
static void test_window_of_who_does_not_run(void **state)
{
    mfn_t g = frame(&dom);
    uint64_t flushes = host_domain_flushes;

    assert_int_equal(pv_gdt_set(v, &g.n, 512), 0);
    pv_gdt_release(v);
    /* it runs here: this processor forgets, that is enough */
    assert_int_equal(host_domain_flushes, flushes);
    host_cpu->current = NULL;
    assert_int_equal(pv_gdt_set(v, &g.n, 512), 0);
    assert_int_equal(host_domain_flushes, flushes + 1);
    assert_true(host_domain_flushed == WINDOW_VA(v->id));
    pv_gdt_release(v);
    assert_int_equal(host_domain_flushes, flushes + 2);
    host_cpu->current = v;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_148_superpage_by_flags),
        T(test_182_writable_linear_by_flags),
        T(test_109_not_a_table),
        T(test_113_m2p),
        T(test_58_pin_errors),
        T(test_table_never_writable),
        T(test_240_linear_chain),
        T(test_299_preempted_everywhere),
        T(test_264_refused_while_preempted),
        T(test_214_change_of_owner),
        T(test_401_flush_before_check),
        T(test_227_grant_places),
        T(test_foreign_domids),
        T(test_descriptors),
        T(test_window_of_who_does_not_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
