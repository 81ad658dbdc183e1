/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * Each vCPU builds, fills, attaches and takes apart a tree of its own, all at once; then all do the same with
 * one tree. At the end every page is an ordinary one again, which the counts allow only if none is off by
 * one.
 */
#include "smp.h"

TEST("smp: page tables built and changed by several vCPUs at once");

#define ROUNDS rounds(9)
#define ENTRIES 24
#define SLOT 300

static unsigned n;
static struct tree tree[RT_VCPUS], common;
static void *page[RT_VCPUS];
static volatile uint64_t refused;

static void own_tree(unsigned self)
{
    const struct tree *t = &tree[self];
    const uint64_t *at = (uint64_t *)slot_va(SLOT + self);

    for (unsigned r = 0; r < ROUNDS; r++) {
        CHECK_EQ(table_pin(r % 3 + 1, r % 3 == 0 ? t->l1 : r % 3 == 1 ? t->l2 : t->l3), 0);
        CHECK_EQ(tree_attach(t, SLOT + self), 0);
        for (unsigned i = 0; i < ENTRIES; i++)
            CHECK_EQ(table_write(t->l1, i, pte(va_to_mfn(page[self]), PTE_KERNEL)), 0);
        *(uint64_t *)page[self] = r;
        for (unsigned i = 0; i < ENTRIES; i++)
            CHECK_EQ(*(const volatile uint64_t *)(at + i * 512), r);
        for (unsigned i = 0; i < ENTRIES; i += 2)
            CHECK_EQ(update_va((uint64_t)(at + i * 512), 0, UVMF_INVLPG), 0);
        CHECK_EQ(tree_detach(SLOT + self), 0);
        CHECK_EQ(table_unpin(r % 3 == 0 ? t->l1 : r % 3 == 1 ? t->l2 : t->l3), 0);
        for (unsigned i = 1; r % 3 == 0 && i < ENTRIES; i += 2)         /* it still is a table, of the L2 */
            CHECK(t->l1[i] & PTE_P);
    }
}

/* All write the same few entries: each write is whole, the last one counts, no reference stays behind. */
static void same_entries(unsigned self)
{
    uint64_t seed = 77 + self;

    for (unsigned r = 0; r < ROUNDS * 40; r++) {
        unsigned i = random_next(&seed) % 4;
        uint64_t flags = seed >> 20 & 1 ? PTE_KERNEL : PTE_P | PTE_A;
        uint64_t entry = seed >> 21 & 3 ? pte(va_to_mfn(page[seed >> 23 & (n - 1)]), flags) : 0;
        struct mmu_update u = { (va_to_mfn(common.l1) << 12) + i * 8, entry };

        if (seed >> 40 & 1)
            CHECK_EQ(mmu_update(&u, 1, NULL, DOMID_SELF), 0);
        else
            CHECK_EQ(update_va((uint64_t)slot_va(SLOT) + i * PAGE_SIZE, entry, UVMF_NONE), 0);
    }
}

/*
 * The same page as a table of two levels, or as one and writable, at once: one of them must be refused.
 * Empty, it would do as either.
 */
static void pin_contest(unsigned self)
{
    static struct barrier b;
    static volatile long result[RT_VCPUS];
    static uint8_t *p;

    if (self == 0) {
        p = page_alloc();
        CHECK_EQ(page_protect(p), 0);
    }
    for (unsigned r = 0; r < ROUNDS * 4; r++) {
        struct mmuext_op op = { .cmd = MMUEXT_PIN_L1_TABLE + self % 2 };
        long unpinned;

        barrier_wait(&b, n);
        op.arg1.mfn = va_to_mfn(p);
        result[self] = mmuext(&op, 1, NULL, DOMID_SELF);
        barrier_wait(&b, n);
        if (self == 0) {
            unsigned good = 0;

            for (unsigned i = 0; i < n; i++)
                good += result[i] == 0;
            CHECK_EQ(good, 1);                      /* a second pin of the same kind is refused as well */
            CHECK(page_unprotect(p) < 0);
        }
        barrier_wait(&b, n);
        op.cmd = MMUEXT_UNPIN_TABLE;
        unpinned = mmuext(&op, 1, NULL, DOMID_SELF);
        result[self] = unpinned;
        barrier_wait(&b, n);
        for (unsigned i = 0, good = 0; self == 0 && i < n; i++) {
            good += result[i] == 0;
            if (i == n - 1)
                CHECK_EQ(good, 1);
        }
    }
    barrier_wait(&b, n);
    if (self == 0)
        CHECK_EQ(page_unprotect(p), 0);
}

/* One makes a page writable while another makes it a table: never both. */
static void write_contest(unsigned self)
{
    static struct barrier b;
    static volatile bool writable, table;
    static uint64_t *p;

    if (self == 0)
        p = page_alloc();
    for (unsigned r = 0; r < ROUNDS * 4; r++) {
        if (self == 0)
            CHECK_EQ(page_protect(p), 0);
        barrier_wait(&b, n);
        if (self == 0) {
            writable = page_unprotect(p) == 0;
        } else if (self == 1) {
            struct mmuext_op op = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = va_to_mfn(p) };

            table = mmuext(&op, 1, NULL, DOMID_SELF) == 0;
        }
        barrier_wait(&b, n);
        CHECK(writable != table);
        if (self == 1 && table)
            CHECK_EQ(table_unpin(p), 0);
        barrier_wait(&b, n);
    }
    if (self == 0)
        CHECK_EQ(page_unprotect(p), 0);
}

void test_main(void)
{
    n = smp_begin_all(2);
    for (unsigned i = 0; i < n; i++) {
        tree_make(&tree[i]);
        page[i] = page_alloc();
    }
    smp_run(n, own_tree);
    for (unsigned i = 0; i < n; i++) {
        tree_free(&tree[i]);
        memset(tree[i].l1, 0, PAGE_SIZE);
    }
    tree_make(&common);
    CHECK_EQ(tree_attach(&common, SLOT), 0);
    smp_run(n, same_entries);
    CHECK_EQ(tree_detach(SLOT), 0);
    tree_free(&common);
    for (unsigned i = 0; i < n; i++) {                      /* nothing maps them writable any more */
        CHECK_EQ(page_protect(page[i]), 0);
        memset(&tree[i], 0, sizeof tree[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(page_unprotect(page[i]), 0);
        memset(page[i], 0, PAGE_SIZE);
        CHECK_EQ(page_protect(page[i]), 0);
        CHECK_EQ(table_pin(1, page[i]), 0);
        CHECK_EQ(table_unpin(page[i]), 0);
    }
    smp_run(n, pin_contest);
    smp_run(n, write_contest);
}
