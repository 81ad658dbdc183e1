/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * Every vCPU maps, unmaps and copies pages that a child grants, while the child makes copies of ours; and two
 * unmap one handle at once. At the end the entries say that nobody uses them.
 */
#include "child.h"
#include "smp.h"

TEST("smp: grants mapped, copied and unmapped by several vCPUs at once");

#define ROUNDS rounds(60)
#define REF 30

static unsigned n;
static struct child c;
static struct grant_entry_v1 *table;
static uint8_t *at[RT_VCPUS], *copy[RT_VCPUS];

/* The child's table, mapped; an entry for each of us for a page of its own, and one for all. */
static bool grants_make(void)
{
    struct gnttab_setup_table *s;
    uint64_t *frames;

    if (!child_create(&c))
        return false;
    s = (void *)c.page->buffer;
    frames = (uint64_t *)(c.page->buffer + 64);
    *s = (struct gnttab_setup_table){ .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { child_buffer(64) } };
    CHECK_EQ(child_call(&c, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, child_buffer(0), 1, 0), 0);
    table = page_alloc();
    CHECK_EQ(foreign_map(table, frames[0], c.id, PTE_KERNEL), 0);
    for (unsigned i = 0; i <= n; i++)
        table[REF + i] = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)c.mfn[8 + i] };
    return true;
}

static int16_t map(unsigned self, unsigned ref, uint32_t *handle)
{
    struct gnttab_map_grant_ref m = { .host_addr = (uint64_t)at[self], .flags = GNTMAP_host_map, .ref = ref,
                                      .dom = c.id };

    CHECK_EQ(grant_op(GNTTABOP_map_grant_ref, &m, 1), 0);
    *handle = m.handle;
    return m.status;
}

static int16_t unmap(unsigned self, uint32_t handle)
{
    struct gnttab_unmap_grant_ref u = { .host_addr = (uint64_t)at[self], .handle = handle };

    CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
    return u.status;
}

static void copy_from(unsigned self, unsigned ref)
{
    struct gnttab_copy g = { .source = { .u.ref = ref, .domid = c.id },
                             .dest = { .u.gmfn = va_to_mfn(copy[self]), .domid = DOMID_SELF },
                             .len = PAGE_SIZE, .flags = GNTCOPY_source_gref };

    CHECK_EQ(grant_op(GNTTABOP_copy, &g, 1), 0);
    CHECK_EQ(g.status, GNTST_okay);
}

/* Alone on its own entry, all on the common one. */
static void use(unsigned self)
{
    for (unsigned r = 1; r <= ROUNDS; r++) {
        uint32_t own, common;
        uint64_t mark = (uint64_t)self << 32 | r;

        CHECK_EQ(map(self, REF + self, &own), GNTST_okay);
        *(volatile uint64_t *)at[self] = mark;
        CHECK_EQ(unmap(self, own), GNTST_okay);
        CHECK(faults(read_word, at[self]));
        copy_from(self, REF + self);
        CHECK_EQ(*(volatile uint64_t *)copy[self], mark);
        CHECK_EQ(map(self, REF + n, &common), GNTST_okay);
        count((volatile uint64_t *)at[self]);
        copy_from(self, REF + n);
        CHECK_EQ(unmap(self, common), GNTST_okay);
    }
}

/* One handle, unmapped by all at once: one of them does it. */
static void contest(unsigned self)
{
    static struct barrier b;
    static uint32_t handle;
    static volatile uint64_t good;

    for (unsigned r = 0; r < ROUNDS / 6; r++) {
        struct gnttab_unmap_grant_ref u = { .host_addr = (uint64_t)at[0] };

        if (self == 0) {
            good = 0;
            CHECK_EQ(map(0, REF, &handle), GNTST_okay);
        }
        barrier_wait(&b, n);
        u.handle = handle;
        CHECK_EQ(grant_op(GNTTABOP_unmap_grant_ref, &u, 1), 0);
        if (u.status == GNTST_okay)
            count(&good);
        barrier_wait(&b, n);
        if (self == 0)
            CHECK_EQ(good, 1);
        CHECK_EQ(table[REF].flags, GTF_permit_access);
        barrier_wait(&b, n);
    }
}

void test_main(void)
{
    struct gnttab_copy *g;

    n = smp_begin_all(2);
    for (unsigned i = 0; i < n; i++) {
        at[i] = page_alloc();
        copy[i] = page_alloc();
        CHECK_EQ(update_va((uint64_t)at[i], 0, UVMF_INVLPG), 0);
    }
    if (!grants_make())
        return;
    /* meanwhile it copies from one of its pages to another by its own entry */
    g = (void *)c.page->buffer;
    *g = (struct gnttab_copy){ .source = { .u.gmfn = c.mfn[2], .domid = DOMID_SELF },
                               .dest = { .u.gmfn = c.mfn[14], .domid = DOMID_SELF }, .len = 512 };
    child_add(&c, __HYPERVISOR_grant_table_op, GNTTABOP_copy, child_buffer(0), 1, 0);
    child_begin(&c, 1u << 30);
    smp_run(n, use);
    CHECK_EQ(g->status, GNTST_okay);
    CHECK(c.page->again < (1u << 30) - 2);
    c.page->again = 0;
    for (unsigned i = 0; i <= n; i++)
        CHECK_EQ(table[REF + i].flags, GTF_permit_access);
    copy_from(0, REF + n);
    CHECK_EQ(*(uint64_t *)copy[0], n * ROUNDS);
    smp_run(n, contest);
    CHECK_EQ(update_va((uint64_t)table, pte(va_to_mfn(table), PTE_KERNEL), UVMF_INVLPG), 0);
    AWAIT(c.page->state == 2);
    child_destroy(&c);
}
