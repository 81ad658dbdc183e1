/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events, grants and the end of domains on many processors (tests/host/many_cpus.c). The guests open, bind,
 * send on, close and reset ports, change over to queues, move their vcpu_info, and map, unmap and copy what
 * others grant them. dom0's first vCPU makes and ends them at any moment; its second one kills along with it,
 * and resets ports of domains that die. Whenever all processors are in their guests, everything fits
 * together: each wire has two ends that name each other and belong to domains that are there, the counts of
 * ports are right, and an entry of a grant table is in use as often as handles say. What is freed is filled
 * with rubbish, and a page that is nobody's is not written.
 */
#include "../host/many_cpus.h"

#include "../../hv/core/event_port.h"

#include <hv/ops.h>
#include <hv/pagetable.h>
#include <hv/print.h>

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define US 1000ull
#define IDS    4u               /* dom0 and numbers 1 to 3 */
#define VCPUS  2u
#define PORTS  7u
#define REFS   4u
#define HANDLES 2u              /* that a vCPU keeps */

/* A number, who has it now, and what that domain's kernel remembers. */
static struct life {
    struct domain *d;           /* a reference of the tool's; NULL: nobody, or not made yet */
    bool ending;
    mfn_t page[VCPUS][3];       /* vcpu_info, control block, array */
    bool moved[VCPUS];          /* vcpu_info is there */
    struct { uint32_t handle; bool mapped; } map[VCPUS][HANDLES];
} life[IDS];

static unsigned ends, wires, maps, resets;

static domid_t any_domain(void) { return (domid_t)fake_random(IDS); }
static uint32_t any_port(void) { return 1 + fake_random(PORTS); }

/* ---- what a guest does ---- */
static void open_or_bind(struct vcpu *v)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = any_domain() };
    struct evtchn_bind_interdomain b = { .remote_dom = any_domain(), .remote_port = any_port() };
    struct evtchn_bind_virq q = { .virq = VIRQ_DOM_EXC };

    switch (fake_random(8)) {
    case 0:
        (void)event_op_bind_virq(v, v->domain, &q);
        break;
    case 1: case 2: case 3:
        (void)event_op_alloc_unbound(v, v->domain, &a);
        break;
    default:
        wires += event_op_bind_interdomain(v, v->domain, &b) == 0;
    }
}

/* A reset that was preempted is not always taken up again. */
static void close_or_reset(struct vcpu *v)
{
    struct evtchn_reset r = { .dom = DOMID_SELF };

    if (v->domain->privileged || fake_random(8))
        (void)event_op_close(v, v->domain, &(struct evtchn_close){ any_port() });
    else
        resets += event_op_reset(v, v->domain, &r) == 0;
}

static void use_port(struct vcpu *v)
{
    struct domain *d = v->domain;

    if (fake_random(6))
        (void)event_op_send(v, d, &(struct evtchn_send){ any_port() });
    else if (fake_random(2))
        (void)event_op_unmask(v, d, &(struct evtchn_unmask){ any_port() });
    else
        (void)event_op_bind_vcpu(v, d, &(struct evtchn_bind_vcpu){ any_port(), fake_random(VCPUS) });
}

static void use_page(struct vcpu *v)
{
    const mfn_t *page = life[v->domain->id].page[v->id];
    struct evtchn_init_control c = { .control_gfn = page[1].n, .vcpu = v->id };
    struct vcpu_register_vcpu_info info = { .mfn = page[0].n, .offset = 128 };

    switch (fake_random(3)) {
    case 0:
        life[v->domain->id].moved[v->id] |= vcpu_op_register_info(v, v, &info) == 0;
        break;
    case 1:
        (void)event_op_init_control(v, v->domain, &c);
        break;
    default:
        (void)event_op_expand_array(v, v->domain, &(struct evtchn_expand_array){ page[2].n });
    }
}

static void map_or_unmap(struct vcpu *v)
{
    unsigned i = fake_random(HANDLES);
    uint64_t at = SLOT(v->id * HANDLES + i);
    uint32_t *handle = &life[v->domain->id].map[v->id][i].handle;
    bool *mapped = &life[v->domain->id].map[v->id][i].mapped;
    struct gnttab_map_grant_ref m = { .host_addr = at, .ref = fake_random(REFS), .dom = any_domain(),
                                      .flags = GNTMAP_host_map | (fake_random(2) ? GNTMAP_readonly : 0) };
    struct gnttab_unmap_grant_ref u = { .host_addr = at, .handle = *handle };

    if (*mapped) {
        BUG_ON(hc_grant_table_op(v, GNTTABOP_unmap_grant_ref, (uint64_t)&u, 1, 0, 0) || u.status);
        *mapped = false;
        return;
    }
    BUG_ON(hc_grant_table_op(v, GNTTABOP_map_grant_ref, (uint64_t)&m, 1, 0, 0));
    *mapped = m.status == GNTST_okay;
    *handle = m.handle;
    maps += *mapped;
}

static void copy(struct vcpu *v)
{
    struct gnttab_copy c = { .source = { .u.ref = fake_random(REFS), .domid = any_domain() },
                             .dest = { .u.ref = fake_random(REFS), .domid = any_domain() },
                             .len = 64, .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref };

    BUG_ON(hc_grant_table_op(v, GNTTABOP_copy, (uint64_t)&c, 1, 0, 0));
}

/* ---- what dom0 does besides ---- */
static void grants_make(struct domain *d)
{
    struct grant_entry_v1 *entry;
    mfn_t table;

    BUG_ON(grant_table_get_frame(d, 0, &table));
    entry = page_of_mfn(table);
    for (unsigned i = 0; i < REFS; i++)
        entry[i] = (struct grant_entry_v1){
            .flags = (uint16_t)(GTF_permit_access | (i ? 0 : GTF_readonly)),
            .domid = any_domain(),
            .frame = (uint32_t)fake_frame_new(d).n,
        };
}

static void pages_make(struct life *l)
{
    memset(l->map, 0, sizeof l->map);
    memset(l->moved, 0, sizeof l->moved);
    for (unsigned n = 0; n < VCPUS; n++)
        for (unsigned i = 0; i < ARRAY_LEN(l->page[n]); i++)
            l->page[n][i] = fake_frame_new(l->d);
}

/* The number may still be that of a dead one. */
static void make(domid_t id)
{
    const struct xen_domctl_createdomain c = {
        .max_vcpus = VCPUS, .max_evtchn_port = PORTS, .max_grant_frames = 1, .max_maptrack_frames = 1,
    };
    struct life *l = &life[id];
    int err;

    l->d = domain_create(id, &c, false, &err);
    if (!l->d)
        return;
    BUG_ON(!domain_get_again(l->d));
    l->ending = false;
    grants_make(l->d);
    pages_make(l);
    for (unsigned n = 0; n < VCPUS; n++) {
        BUG_ON(domain_add_vcpu(l->d, n));
        l->d->vcpu[n]->initialised = true;
        vcpu_unpause(l->d->vcpu[n], PAUSE_DOWN);
    }
    domain_unpause(l->d);
}

static void make_or_end(void)
{
    domid_t id = (domid_t)(1 + fake_random(IDS - 1));
    struct life *l = &life[id];
    struct domain *d = l->d;

    if (!d) {
        make(id);
        return;
    }
    l->ending |= fake_random(6) == 0;
    if (!l->ending || domain_kill(d))
        return;
    l->d = NULL;
    domain_put(d);
    ends++;
}

/* Another tool, and a mistaken one. */
static void meddle(struct vcpu *v)
{
    struct domain *d = domain_get((domid_t)(1 + fake_random(IDS - 1)));
    struct evtchn_reset r = { 0 };
    struct evtchn_alloc_unbound a = { .remote_dom = any_domain() };

    if (!d)
        return;
    r.dom = a.dom = d->id;
    if (fake_random(2))
        (void)event_op_alloc_unbound(v, d, &a);
    if (domain_dying(d))
        (void)(fake_random(2) ? domain_kill(d) : event_op_reset(v, d, &r));
    domain_put(d);
}

static uint64_t enter(struct pcpu *c, struct vcpu *v) { return now_ns() + 100 + fake_random(US); }

static void leave(struct pcpu *c, struct vcpu *v, uint64_t since, bool did)
{
    static void (*const what[])(struct vcpu *) = {
        open_or_bind, open_or_bind, close_or_reset, use_port, use_port,
        use_page, map_or_unmap, map_or_unmap, copy,
    };

    if (!did)
        return;
    if (v->domain->privileged && fake_random(3) == 0)
        v->id ? meddle(v) : make_or_end();
    else
        what[fake_random(ARRAY_LEN(what))](v);
    sched_op_yield(v, v->domain, NULL);         /* there are more vCPUs than processors */
}

/* ---- whether everything fits together ---- */
static struct domain *there[64];
static unsigned count, uses[64][REFS];

static unsigned index_of(const struct domain *d)
{
    unsigned i;

    for (i = 0; i < count && there[i] != d; i++)
        ;
    assert_true(i < count);
    return i;
}

static void check_ports(struct domain *d)
{
    unsigned used = 0;

    for (uint32_t p = 0; p < d->events.ports; p++) {
        struct event *e = event_at(d, p), *far;

        used += e->kind != EVENT_FREE;
        if (e->kind != EVENT_INTERDOMAIN)
            continue;
        index_of(e->remote);
        far = event_at(e->remote, e->number);
        assert_non_null(far);
        assert_int_equal(far->kind, EVENT_INTERDOMAIN);
        assert_ptr_equal(far->remote, d);
        assert_int_equal(far->number, p);
        assert_int_equal(e->remote_id, e->remote->id);
    }
    assert_int_equal(used, d->events.used);
}

static void count_uses(const struct domain *d)
{
    const struct grant_table *t = &d->grants;
    unsigned held = 0;

    for (uint32_t h = 0; h < t->map_frames * MAPS_PER_FRAME; h++) {
        const struct grant_map *m = &t->map[h / MAPS_PER_FRAME][h % MAPS_PER_FRAME];

        assert_int_equal(m->claims, 0);
        if (!m->flags)
            continue;
        held++;
        uses[index_of(m->granter)][m->ref]++;
    }
    assert_int_equal(held, t->maps_in_use);
}

static void check_grants(const struct domain *d, const unsigned *wanted)
{
    const struct grant_entry_v1 *entry = page_of_mfn(d->grants.frame[0]);

    for (unsigned i = 0; i < REFS; i++) {
        const struct grant_active *a = &d->grants.active[0][i];

        assert_int_equal(a->readers + a->writers, wanted[i]);
        assert_int_equal((entry[i].flags & GTF_reading) != 0, a->readers + a->writers != 0);
        assert_int_equal((entry[i].flags & GTF_writing) != 0, a->writers != 0);
    }
}

static void check_dead(const struct domain *d)
{
    assert_int_equal(d->events.used, 1);
    assert_null(d->events.fifo);
    assert_int_equal(d->grants.maps_in_use, 0);
    for_each_vcpu(d, v)
        assert_false(mfn_valid_number(v->info_mfn));
}

/* Whoever still may send tells it where it wants to be told. */
static void check_info(const struct life *l)
{
    for (unsigned n = 0; l->d && l->d->events.used > 1 && n < VCPUS; n++)
        assert_int_equal(mfn_valid_number(l->d->vcpu[n]->info_mfn), l->moved[n]);
}

static void check(void)
{
    count = 0;
    memset(uses, 0, sizeof uses);
    for (struct domain *d = domain_get_from(0); d; d = domain_get_from((domid_t)(d->id + 1)))
        there[count++] = d;
    for (unsigned i = 0; i < count; i++)
        count_uses(there[i]);
    for (unsigned i = 0; i < count; i++) {
        check_ports(there[i]);
        check_grants(there[i], uses[i]);
        if (there[i]->dying == DOMAIN_DEAD)
            check_dead(there[i]);
    }
    for (unsigned i = 0; i < IDS; i++)
        check_info(&life[i]);
    while (count)
        domain_put(there[--count]);
}

/* ---- a run ---- */
static void machine_with(unsigned cpus, uint64_t seed)
{
    struct many m = {
        .cpus = cpus, .seed = seed, .switch_one_in = 2, .hold_up_one_in = 60, .guest_enter = enter,
        .guest_leave = leave, .all_quiet = check,
    };

    fake_seed(seed);
    many_start(&m);
    memset(life, 0, sizeof life);
    life[0].d = fake_domain(0, VCPUS, true, PORTS);
    pages_make(&life[0]);
    grants_make(life[0].d);
    fake_preempt_one_in = 3;
}

static void stand_still(void)
{
    for (unsigned i = 0; i < IDS; i++)
        if (life[i].d)
            domain_pause(life[i].d, false);
    for (unsigned i = 0; i < pcpu_count; i++) {
        fake_be_cpu(i);
        fake_pending();
    }
    fake_be_cpu(0);
}

static void play(unsigned cpus, uint64_t seed, uint64_t ns)
{
    machine_with(cpus, seed);
    mallopt(M_PERTURB, 0x5a);
    many_run(ns);
    many_end();
    stand_still();
    check();
    for (unsigned i = IDS; i-- > 0;)
        if (life[i].d) {
            if (i)
                domain_put(life[i].d);
            fake_domain_end(life[i].d);
        }
    assert_int_equal(fake_leaks(), 0);
    mallopt(M_PERTURB, 0);              /* the machine's memory is large */
}

static void nothing_is_left_of_the_dead(void **state)
{
    unsigned runs = getenv("NIGHTLY") ? 6000 : 300;

    for (unsigned seed = 1; seed <= runs; seed++)
        play(2 + seed % 4, seed, 2000 * US);
    assert_true(ends > runs * 5 && wires > runs * 5 && maps > runs * 5 && resets > runs / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_left_of_the_dead) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
