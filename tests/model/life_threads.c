/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that come and go on four processors at once, under ThreadSanitizer. Two create, run, shut down,
 * resume and end domains of a few numbers, which they fight for; one lists all of them and looks at each; one
 * holds references, maps what they grant, sends to them, and shuts them down from outside. Each domain ends
 * once, nothing is left, and whoever is not shut down at the end of a fight between shutdown and resume can
 * run.
 */
#include "fake.h"

#include <abi/sched.h>
#include <hv/ops.h>
#include <hv/pagetable.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CPUS   4u
#define IDS    4u               /* numbers 1..4 */
#define LIVES  300u

static struct domain *d0;
static bool failed;
static unsigned makers;

static void must(bool ok) { if (!ok) __atomic_store_n(&failed, true, __ATOMIC_RELAXED); }

/* ---- who makes domains ---- */
static void live(struct domain *d)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };
    mfn_t table;

    for (unsigned n = 0; n < 3; n++)
        must(domain_add_vcpu(d, n) == 0);
    must(domain_add_vcpu(d, 1) == -XEN_EEXIST);
    must(vcpu_register_info(d->vcpu[0], fake_frame_new(d), 64) == 0);   /* who sends writes there */
    must(grant_table_get_frame(d, 0, &table) == 0);
    __atomic_store_n((uint64_t *)page_of_mfn(table), GTF_permit_access | fake_frame_new(d).n << 32,
                     __ATOMIC_RELEASE);
    must(event_op_alloc_unbound(d->vcpu[0], d, &a) == 0);
    for (unsigned n = fake_random(20); n; n--) {
        switch (fake_random(4)) {
        case 0:
            domain_pause(d, true);
            domain_unpause(d);
            break;
        case 1:
            domain_shutdown(d, SHUTDOWN_suspend);
            break;
        case 2:
            (void)domain_resume(d);
            break;
        default:
            fake_pending();
        }
    }
}

static void end(struct domain *d)
{
    must(domain_get_again(d));
    while (domain_kill(d) == -XEN_ERESTART)
        fake_pending();
    must(domain_kill(d) == 0);
    must(domain_dying(d));
    domain_put(d);
    fake_pending();
}

static void *maker(void *arg)
{
    const struct xen_domctl_createdomain c = {
        .max_vcpus = 3, .max_evtchn_port = 15, .max_grant_frames = 1, .max_maptrack_frames = 1,
    };

    fake_be_cpu((unsigned)(uintptr_t)arg);
    fake_seed((uintptr_t)arg + 1);
    for (unsigned made = 0; made < LIVES;) {
        int err;
        struct domain *d = domain_create((domid_t)(1 + fake_random(IDS)), &c, false, &err);

        if (!d) {
            must(err == -XEN_EEXIST);
            fake_pending();
            hw_relax();
            continue;
        }
        made++;
        live(d);
        end(d);
    }
    __atomic_fetch_sub(&makers, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* ---- who looks ---- */
static void *lister(void *arg)
{
    fake_be_cpu(2);
    while (__atomic_load_n(&makers, __ATOMIC_ACQUIRE)) {
        struct domain *d = domain_get_from(0), *next;
        uint32_t before = 0;

        must(d == d0);
        for (; d; d = next) {
            struct xen_domctl_getdomaininfo info;

            must(d == d0 || d->id > before);
            before = d->id;
            domain_info(d, &info);
            must(info.domain == d->id);
            next = domain_get_from((domid_t)(d->id + 1));
            domain_put(d);
        }
        event_raise_global_virq(VIRQ_DOM_EXC);
        fake_pending();
    }
    fake_pending();
    return NULL;
}

static void use_grant(struct vcpu *v, struct domain *d)
{
    struct gnttab_map_grant_ref m = { .host_addr = SLOT(1), .dom = d->id, .flags = GNTMAP_host_map };
    struct gnttab_unmap_grant_ref u = { .host_addr = SLOT(1) };

    must(hc_grant_table_op(v, GNTTABOP_map_grant_ref, (uint64_t)&m, 1, 0, 0) == 0);
    if (m.status)
        return;
    u.handle = m.handle;
    must(hc_grant_table_op(v, GNTTABOP_unmap_grant_ref, (uint64_t)&u, 1, 0, 0) == 0 &&
         u.status == GNTST_okay);
}

static void *user(void *arg)
{
    struct vcpu *v = d0->vcpu[0];

    fake_be_cpu(3);
    fake_seed(99);
    while (__atomic_load_n(&makers, __ATOMIC_ACQUIRE)) {
        struct domain *d = domain_get((domid_t)(1 + fake_random(IDS)));
        struct evtchn_bind_interdomain b = { .remote_port = 1 };

        if (!d) {
            hw_relax();
            continue;
        }
        b.remote_dom = d->id;
        if (event_op_bind_interdomain(v, d0, &b) == 0) {
            event_op_send(v, d0, &(struct evtchn_send){ b.local_port });
            event_op_close(v, d0, &(struct evtchn_close){ b.local_port });
        }
        use_grant(v, d);
        if (fake_random(2))
            domain_shutdown(d, SHUTDOWN_poweroff);
        while (domain_dying(d) && domain_kill(d) == -XEN_ERESTART)      /* a second tool that ends it */
            fake_pending();
        domain_put(d);
        fake_pending();
    }
    fake_pending();
    return NULL;
}

static void lives_on_four_processors(void **state)
{
    void *(*const work[CPUS])(void *) = { maker, maker, lister, user };
    pthread_t t[CPUS];

    fake_machine(CPUS);
    d0 = fake_domain(0, 1, true, 31);
    makers = 2;
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work[i], (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(t[i], NULL);
    assert_false(failed);
    for (unsigned i = CPUS; i-- > 0;) {
        fake_be_cpu(i);
        domain_pause(d0, false);
        fake_pending();
    }
    fake_domain_end(d0);
    assert_int_equal(fake_leaks(), 0);
}

/* ---- a shutdown that falls into a resume: right where the first vCPU was let go ---- */
static struct domain *fought;

static void shut_down_now(struct pcpu *c)
{
    fake_hooks.kick = NULL;
    domain_shutdown(fought, SHUTDOWN_crash);
}

static void a_shutdown_during_a_resume_stays(void **state)
{
    fake_machine(4);
    d0 = fake_domain(0, 1, true, 31);
    fought = fake_domain(1, 8, false, 31);
    domain_shutdown(fought, SHUTDOWN_suspend);
    fake_hooks.kick = shut_down_now;
    assert_int_equal(domain_resume(fought), 0);
    assert_null(fake_hooks.kick);                           /* it did come in between */
    assert_true(fought->shut_down);
    assert_int_equal(fought->shutdown_reason, SHUTDOWN_crash);
    for_each_vcpu(fought, v)
        assert_true(v->pause_flags & PAUSE_SHUTDOWN);
    assert_int_equal(domain_resume(fought), 0);
    for_each_vcpu(fought, v)
        assert_false(v->pause_flags & PAUSE_SHUTDOWN);
    for (unsigned i = 4; i-- > 0;) {
        fake_be_cpu(i);
        domain_pause(d0, false);
        domain_pause(fought, false);
        fake_pending();
    }
    fake_domain_end(fought);
    fake_domain_end(d0);
    assert_int_equal(fake_leaks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_on_four_processors),
        cmocka_unit_test(a_shutdown_during_a_resume_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
