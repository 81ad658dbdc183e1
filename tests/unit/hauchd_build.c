/* SPDX-License-Identifier: BSD-2-Clause */
/* The domain builder's layout and page tables, checked by walking them as a processor would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "lib/build_layout.h"

#define LINUX_BASE UINT64_C(0xffffffff80000000)
#define LINUX_P2M  UINT64_C(0x8000000000)
#define MIB(n)     ((uint64_t)(n) << 20)

/* A machine whose frames are scattered: neighbours in pfn are never neighbours in mfn. */
static uint64_t *scatter(uint64_t pages)
{
    uint64_t *mfns = malloc(pages * sizeof(*mfns));

    assert_non_null(mfns);
    for (uint64_t i = 0; i < pages; i++)
        mfns[i] = 0x100000 + (i ^ 0x155) * 3;
    return mfns;
}

struct world {
    struct build_layout l;
    uint64_t           *mfns, *tables;
};

static uint64_t *table_of(const struct world *w, uint64_t entry)
{
    uint64_t mfn = (entry & UINT64_C(0x000ffffffffff000)) >> 12;

    for (uint64_t i = 0; i < w->l.tables.pages; i++)
        if (w->mfns[w->l.tables.pfn + i] == mfn)
            return w->tables + i * 512;
    fail_msg("entry %#llx leads to no table", (unsigned long long)entry);
    return NULL;
}

/* Leaf entry for @va, 0 if not mapped. */
static uint64_t walk(const struct world *w, uint64_t va)
{
    uint64_t *t = w->tables;

    for (int level = 4; level > 1; level--) {
        uint64_t e = t[va >> (12 + 9 * (level - 1)) & 511];

        if (!(e & 1))
            return 0;
        assert_int_equal(e & 7, 7);
        t = table_of(w, e);
    }
    return t[va >> 12 & 511];
}

static void check_map(const struct world *w, const struct build_map *m, uint64_t step)
{
    for (uint64_t i = 0; i < m->pages; i += step) {
        uint64_t e = walk(w, m->va + (i << 12)), pfn = m->pfn + i;
        bool     table = pfn >= w->l.tables.pfn && pfn < w->l.tables.pfn + w->l.tables.pages;

        assert_int_equal((e & UINT64_C(0x000ffffffffff000)) >> 12, w->mfns[pfn]);
        assert_int_equal(e & 1, 1);
        assert_int_equal(!!(e & 2), !table);
    }
}

/* Every present leaf must be one of the pages of the maps: nothing else may be reachable. */
static uint64_t count_leaves(const struct world *w, uint64_t *t, int level)
{
    uint64_t n = 0;

    for (int i = 0; i < 512; i++)
        if (t[i])
            n += level == 1 ? 1 : count_leaves(w, table_of(w, t[i]), level - 1);
    return n;
}

static void check_runs_apart(const struct build_layout *l)
{
    struct build_run run[] = { l->kernel, l->ramdisk, l->p2m, l->tables, { l->start_info_pfn, 1 },
                               { l->store_pfn, 1 }, { l->console_pfn, 1 }, { l->stack_pfn, 1 } };

    for (unsigned i = 0; i < 8; i++) {
        assert_true(run[i].pfn + run[i].pages <= l->pages);
        for (unsigned j = 0; j < i; j++)
            if (run[i].pages && run[j].pages)
                assert_true(run[i].pfn >= run[j].pfn + run[j].pages ||
                            run[j].pfn >= run[i].pfn + run[i].pages);
    }
}

static void build_and_check(const struct build_request *rq, uint64_t step)
{
    struct world w;
    struct fault f = { 0 };
    uint64_t     boot_end;

    if (build_layout_plan(rq, &w.l, &f))
        fail_msg("%s", f.text);
    check_runs_apart(&w.l);
    boot_end = (w.l.stack_pfn + 1) << 12;
    if (w.l.maps[0].pages < rq->pages) {
        assert_true((w.l.maps[0].pages << 12) >= boot_end + (512 << 10));
        assert_int_equal((w.l.maps[0].pages << 12) & (MIB(4) - 1), 0);
    }
    w.mfns = scatter(rq->pages);
    w.tables = malloc(w.l.tables.pages << 12);
    memset(w.tables, 0xa5, w.l.tables.pages << 12);
    build_tables_fill(&w.l, w.mfns, w.tables);
    check_map(&w, &w.l.maps[0], step);
    if (w.l.maps[1].pages)
        check_map(&w, &w.l.maps[1], step);
    for (uint64_t i = 0; i < w.l.tables.pages; i++)
        assert_int_equal(walk(&w, build_va(&w.l, w.l.tables.pfn + i)) & 2, 0);
    assert_int_equal(count_leaves(&w, w.tables, 4), w.l.maps[0].pages + w.l.maps[1].pages);
    assert_int_equal(walk(&w, w.l.virt_base + (w.l.maps[0].pages << 12)), 0);
    free(w.mfns);
    free(w.tables);
}

static void test_linux_sizes(void **state)
{
    static const uint64_t mib[] = { 96, 128, 129, 512, 1000, 4096, 16384, 65536 };

    for (unsigned i = 0; i < sizeof(mib) / sizeof(mib[0]); i++) {
        struct build_request rq = { .virt_base = LINUX_BASE,
                                    .kernel_start = LINUX_BASE + MIB(16),
                                    .kernel_end = LINUX_BASE + MIB(74),
                                    .init_p2m = LINUX_P2M,
                                    .ramdisk_bytes = MIB(5) + 123,
                                    .ramdisk_unmapped = true,
                                    .pages = MIB(mib[i]) >> 12 };

        build_and_check(&rq, mib[i] > 4096 ? 61 : 1);
        rq.ramdisk_unmapped = false;
        if (mib[i] <= 1000)
            build_and_check(&rq, 1);
    }
}

static void test_list_in_map(void **state)
{
    struct build_request rq = { .virt_base = LINUX_BASE,
                                .kernel_start = LINUX_BASE,
                                .kernel_end = LINUX_BASE + 0x3000,
                                .init_p2m = BUILD_NO_ADDRESS };

    for (uint64_t mib = 1; mib <= 8192; mib *= 2) {
        rq.pages = MIB(mib) >> 12;
        build_and_check(&rq, mib > 1024 ? 31 : 1);
    }
}

/* Maps that share an upper table: the list lies in the same 512 GiB, even the same 1 GiB, as the kernel. */
static void test_shared_tables(void **state)
{
    struct build_request rq = { .virt_base = LINUX_BASE, .kernel_start = LINUX_BASE + MIB(1),
                                .kernel_end = LINUX_BASE + MIB(3), .pages = MIB(64) >> 12 };

    rq.init_p2m = LINUX_BASE - MIB(512);
    build_and_check(&rq, 1);
    rq.init_p2m = LINUX_BASE + MIB(512);
    build_and_check(&rq, 1);
    rq.init_p2m = LINUX_BASE + MIB(9);       /* the same 2 MiB table as nothing else, next to the map's end */
    build_and_check(&rq, 1);
}

static void test_every_small_size(void **state)
{
    struct build_request rq = { .virt_base = LINUX_BASE,
                                .kernel_start = LINUX_BASE,
                                .kernel_end = LINUX_BASE + 0x1000,
                                .init_p2m = BUILD_NO_ADDRESS };
    struct build_layout  l;

    for (rq.pages = 1; rq.pages < 3000; rq.pages++)
        if (!build_layout_plan(&rq, &l, NULL))
            build_and_check(&rq, 1);
        else
            assert_true(rq.pages < 20);
}

static void refuse(struct build_request rq, int code, const char *text)
{
    struct build_layout l;
    struct fault        f = { 0 };

    assert_int_equal(build_layout_plan(&rq, &l, &f), code);
    if (!strstr(f.text, text))
        fail_msg("'%s' does not say '%s'", f.text, text);
}

static void test_refusals(void **state)
{
    struct build_request good = { .virt_base = LINUX_BASE,
                                  .kernel_start = LINUX_BASE + MIB(16),
                                  .kernel_end = LINUX_BASE + MIB(74),
                                  .init_p2m = LINUX_P2M,
                                  .pages = MIB(128) >> 12 };
    struct build_request rq;

    rq = good, rq.pages = MIB(64) >> 12, refuse(rq, -ENOMEM,
        "memory of 65536 KiB is too small for this kernel and ramdisk: at least 76072 KiB are needed to "
        "start; raise memory=");
    rq = good, rq.pages = 0, refuse(rq, -EINVAL, "domain of 0 pages: outside 1 to 17179869184");
    rq = good, rq.pages = UINT64_MAX, refuse(rq, -EINVAL, "outside");
    rq = good, rq.virt_base++, refuse(rq, -EINVAL,
        "kernel's virtual base 0xffffffff80000001 is not a multiple of 4 MiB");
    rq = good, rq.kernel_end = rq.kernel_start, refuse(rq, -EINVAL,
        "kernel range 0xffffffff81000000-0xffffffff81000000 is not whole pages above its base "
        "0xffffffff80000000");
    rq = good, rq.kernel_start = 0, refuse(rq, -EINVAL, "kernel range");
    rq = good, rq.init_p2m = LINUX_BASE, refuse(rq, -EINVAL,
        "kernel's P2M list at 0xffffffff80000000 overlaps its initial map");
    rq = good, rq.init_p2m = UINT64_C(0xffff800000000000), refuse(rq, -EINVAL,
        "kernel's P2M list at 0xffff800000000000 (64 pages) does not fit into the address space that a "
        "guest may use");
    rq = good, rq.init_p2m = UINT64_C(0x7ffffffff000), refuse(rq, -EINVAL, "address space");
    rq = good, rq.init_p2m = 12, refuse(rq, -EINVAL,
        "kernel wants its P2M list at 0xc: not a page-aligned address with room for 262144 bytes");
    rq = good, rq.ramdisk_bytes = UINT64_MAX, refuse(rq, -EINVAL, "outside");
    rq = good, rq.virt_base = rq.kernel_start = 0, rq.kernel_end = UINT64_C(1) << 60,
    refuse(rq, -ENOMEM, "too small");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linux_sizes),   cmocka_unit_test(test_list_in_map),
        cmocka_unit_test(test_shared_tables), cmocka_unit_test(test_every_small_size),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
