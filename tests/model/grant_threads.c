/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants from four processors at once, under ThreadSanitizer: two map and unmap for domain 0 what domain 1
 * grants (their handles come from one table), one copies for domain 2, and one, domain 1, changes its
 * entries all the time. In the end no use, handle or reference may be left.
 */
#include "fake.h"

#include <hv/pagetable.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GRANTS 8u
#define STEPS  2000u

static struct domain *d[3];
static mfn_t lent[4], inbox[2];
static bool failed, stop;

static void must(bool ok) { if (!ok) __atomic_store_n(&failed, true, __ATOMIC_RELAXED); }

static uint64_t *entry(uint32_t ref) { return (uint64_t *)page_of_mfn(d[1]->grants.frame[0]) + ref; }

/*
 * Writes whole entries, as no sane guest does while they are in use, but keeps the two flags that are not its
 * own.
 */
static void *granter(void *arg)
{
    fake_be_cpu(3);
    fake_seed(9);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint64_t *e = entry(fake_random(GRANTS)), old = __atomic_load_n(e, __ATOMIC_RELAXED), new;
        uint64_t flags = fake_random(5) ? GTF_permit_access | (fake_random(3) ? 0 : GTF_readonly) : 0;

        new = (old & (GTF_reading | GTF_writing)) | flags | (uint64_t)(fake_random(2) * 2) << 16 |
              lent[fake_random(4)].n << 32;
        __atomic_compare_exchange_n(e, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        hw_relax();
    }
    return NULL;
}

/* Each processor has places of its own to map at. */
/*
 * The other processor's second unmapping of a handle that is ours by now holds it for a moment before it is
 * refused; in that moment we are told that the handle is bad. The same guest's own fault, and over at once.
 */
static bool unmap(struct vcpu *v, struct gnttab_unmap_grant_ref *un)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        if (hc_grant_table_op(v, GNTTABOP_unmap_grant_ref, (uint64_t)un, 1, 0, 0))
            return false;
        if (un->status != GNTST_bad_handle)
            break;
    }
    return un->status == GNTST_okay;
}

static void *mapper(void *arg)
{
    unsigned cpu = (unsigned)(uintptr_t)arg;
    struct vcpu *v = d[0]->vcpu[cpu];

    fake_be_cpu(cpu);
    fake_seed(cpu + 1);
    for (unsigned n = 0; n < STEPS; n++) {
        struct gnttab_map_grant_ref map[3];
        struct gnttab_unmap_grant_ref un;

        for (unsigned i = 0; i < 3; i++)
            map[i] = (struct gnttab_map_grant_ref){
                .host_addr = SLOT(cpu * 8 + i), .ref = fake_random(GRANTS), .dom = 1,
                .flags = GNTMAP_host_map | (fake_random(2) ? GNTMAP_readonly : 0),
            };
        must(hc_grant_table_op(v, GNTTABOP_map_grant_ref, (uint64_t)map, 3, 0, 0) == 0);
        for (unsigned i = 0; i < 3; i++) {
            if (map[i].status)
                continue;
            un = (struct gnttab_unmap_grant_ref){ .host_addr = map[i].host_addr, .handle = map[i].handle };
            must(unmap(v, &un));
            must(hc_grant_table_op(v, GNTTABOP_unmap_grant_ref, (uint64_t)&un, 1, 0, 0) == 0);
        }
    }
    return NULL;
}

static void *copier(void *arg)
{
    fake_be_cpu(2);
    fake_seed(5);
    for (unsigned n = 0; n < STEPS; n++) {
        struct gnttab_copy op = {
            .source = { .u.ref = fake_random(GRANTS), .domid = 1 },
            .dest = { .u.gmfn = inbox[fake_random(2)].n, .domid = DOMID_SELF },
            .len = 64, .flags = GNTCOPY_source_gref,
        };

        must(hc_grant_table_op(d[2]->vcpu[0], GNTTABOP_copy, (uint64_t)&op, 1, 0, 0) == 0);
        must(op.status == GNTST_okay || op.status == GNTST_general_error);
    }
    return NULL;
}

static void four_processors_agree(void **state)
{
    pthread_t t[4];
    mfn_t table;

    fake_machine(4);
    for (unsigned i = 0; i < 3; i++)
        d[i] = fake_domain((domid_t)i, 2, i == 0, 31);
    for (unsigned i = 0; i < 4; i++)
        lent[i] = fake_frame_new(d[1]);
    for (unsigned i = 0; i < 2; i++)
        inbox[i] = fake_frame_new(d[2]);
    assert_int_equal(grant_table_get_frame(d[1], 0, &table), 0);
    assert_int_equal(pthread_create(&t[3], NULL, granter, NULL), 0);
    assert_int_equal(pthread_create(&t[2], NULL, copier, NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, mapper, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(t[3], NULL);
    assert_false(failed);

    assert_int_equal(d[0]->grants.maps_in_use, 0);
    for (uint32_t r = 0; r < GRANTS; r++) {
        assert_int_equal(d[1]->grants.active[0][r].readers, 0);
        assert_int_equal(d[1]->grants.active[0][r].writers, 0);
        assert_int_equal(*entry(r) & (GTF_reading | GTF_writing), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fake_frame[lent[i].n].refs, 1);
    for (unsigned i = 4; i-- > 0;) {
        fake_be_cpu(i);
        for (unsigned n = 0; n < 3; n++)
            domain_pause(d[n], false);
        fake_pending();
    }
    for (unsigned n = 3; n-- > 0;)
        fake_domain_end(d[n]);
    assert_int_equal(fake_leaks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(four_processors_agree) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
