/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants against a model: three domains grant, end access, change entries under way, map, unmap, replace,
 * copy and die at random. After each step everything is counted anew from what the model knows: the flags
 * of each entry, the users of each grant, the handles of each domain, and every reference of every frame.
 */
#include "fake.h"

#include <hv/pagetable.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOMAINS 3u
#define FRAMES  4u              /* of each domain that can be granted */
#define GRANTS  6u              /* references in use, of 1024 */
#define MAPS    24u             /* mappings of a domain that the model keeps */
#define ADDRS   6u              /* places to map at: few, so that they collide */

struct mapping {
    bool live, host, device, readonly;
    uint32_t handle, ref;
    domid_t granter;
    mfn_t frame;
    uint64_t addr;
};
struct guest {
    struct domain *d;
    mfn_t frame[FRAMES];
    struct { bool used; domid_t user; mfn_t frame; uint32_t readers, writers; } grant[GRANTS];
    struct mapping map[MAPS];
};

static struct guest guest[DOMAINS];

static struct vcpu *vcpu_of(const struct guest *g) { return g->d->vcpu[0]; }

static struct grant_entry_v1 *entry(const struct guest *g, uint32_t ref)
{
    return (struct grant_entry_v1 *)frame_map(g->d->grants.frame[0]) + ref;
}

/* ---- counting anew ---- */

static void check_grants(const struct guest *g)
{
    for (uint32_t r = 0; r < GRANTS; r++) {
        const struct grant_active *a = &g->d->grants.active[0][r];
        uint16_t flags = entry(g, r)->flags;

        assert_int_equal(a->readers, g->grant[r].readers);
        assert_int_equal(a->writers, g->grant[r].writers);
        if (a->writers)
            assert_true(flags & GTF_writing);
        else
            assert_false(flags & GTF_writing);
        assert_int_equal(!!(flags & GTF_reading), a->readers || a->writers);
    }
}

static void check_handles(const struct guest *g)
{
    uint32_t live = 0;

    for (unsigned i = 0; i < MAPS; i++)
        live += g->map[i].live;
    assert_int_equal(g->d->grants.maps_in_use, live);
}

static struct { uint32_t refs, writers; } count[FAKE_FRAMES];

static void count_mapping(mfn_t frame, bool writable)
{
    count[frame.n].refs++;
    count[frame.n].writers += writable;
}

static void check_frames(void)
{
    for (uint32_t n = 1; n < FAKE_FRAMES; n++) {
        count[n].refs = fake_frame[n].allocated;
        count[n].writers = 0;
    }
    for (unsigned i = 0; i < DOMAINS; i++) {
        for (const struct fake_pte *p = fake_space((domid_t)i)->pte;
             p < fake_space((domid_t)i)->pte + FAKE_SLOTS; p++)
            if (p->present)
                count_mapping(p->frame, p->flags & PTE_RW);
        for (const struct mapping *m = guest[i].map; m < guest[i].map + MAPS; m++)
            if (m->live && m->device)
                count_mapping(m->frame, !m->readonly);
    }
    for (uint32_t n = 1; n < FAKE_FRAMES; n++) {
        assert_int_equal(fake_frame[n].refs, count[n].refs);
        assert_int_equal(fake_frame[n].writers, count[n].writers);
    }
}

static void check_all(void)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        check_grants(&guest[i]);
        check_handles(&guest[i]);
    }
    check_frames();
}

/* ---- the guest writes its table, wisely or not ---- */

static void op_grant(struct guest *g)
{
    uint32_t r = fake_random(GRANTS);
    struct grant_entry_v1 *e = entry(g, r);
    uint16_t in_use = e->flags & (GTF_reading | GTF_writing);

    e->frame = (uint32_t)(fake_random(16) ? g->frame[fake_random(FRAMES)].n : fake_random(FAKE_FRAMES + 9));
    e->domid = (domid_t)fake_random(DOMAINS);
    e->flags = (uint16_t)(GTF_permit_access | (fake_random(3) ? 0 : GTF_readonly) | in_use);
}

static void op_end_access(struct guest *g)
{
    struct grant_entry_v1 *e = entry(g, fake_random(GRANTS));

    e->flags &= (uint16_t)~GTF_type_mask;
}

/* Whether `user` may begin to use the grant, and which frame it gets; as the published rules say. */
static int may_use(const struct guest *g, uint32_t ref, domid_t user, bool write, mfn_t *frame)
{
    const struct grant_entry_v1 *e;
    bool active;

    if (ref >= g->d->grants.frames * 512)
        return GNTST_bad_gntref;
    e = entry(g, ref);
    active = ref < GRANTS && (g->grant[ref].readers || g->grant[ref].writers);
    if (active && g->grant[ref].user != user)
        return GNTST_general_error;
    if (!active || (write && !g->grant[ref].writers)) {
        if ((e->flags & GTF_type_mask) != GTF_permit_access || e->domid != user ||
            (write && (e->flags & GTF_readonly)))
            return GNTST_general_error;
    }
    *frame = active ? g->grant[ref].frame : MFN(e->frame);
    return GNTST_okay;
}

static bool owns(const struct guest *g, mfn_t m)
{
    return m.n < FAKE_FRAMES && fake_frame[m.n].refs && fake_frame[m.n].owner == g->d->id;
}

static void use(struct guest *g, uint32_t ref, domid_t user, bool write, mfn_t frame, int n)
{
    g->grant[ref].user = user;
    g->grant[ref].frame = frame;
    if (write)
        g->grant[ref].writers += (uint32_t)n;
    else
        g->grant[ref].readers += (uint32_t)n;
}

/* ---- mapping ---- */

static struct mapping *free_mapping(struct guest *g)
{
    for (unsigned i = 0; i < MAPS; i++)
        if (!g->map[i].live)
            return &g->map[i];
    return NULL;
}

static long call(struct guest *g, uint64_t cmd, void *list, uint64_t n)
{
    struct vcpu *v = vcpu_of(g);
    long rc = hc_grant_table_op(v, cmd, (uint64_t)list, n, 0, 0);

    while (v->restart) {
        v->restart = false;
        rc = hc_grant_table_op(v, v->regs.rdi, v->regs.rsi, v->regs.rdx, 0, 0);
    }
    return rc;
}

static void op_map(struct guest *g)
{
    struct mapping *m = free_mapping(g);
    struct guest *from = &guest[fake_random(DOMAINS)];
    struct gnttab_map_grant_ref op = {
        .host_addr = fake_random(20)  ? SLOT(fake_random(ADDRS))
                     : fake_random(2) ? 0x10
                                      : SLOT(FAKE_SLOTS),
        .flags = fake_random(8) ? GNTMAP_host_map : fake_random(4),
        .ref = fake_random(GRANTS),
        .dom = from->d->id,
    };
    bool host, device, write;
    int expected = GNTST_okay;
    mfn_t frame = MFN(0);

    if (!m)
        return;
    op.flags |= fake_random(2) ? GNTMAP_readonly : 0;
    op.ref = fake_random(30) ? op.ref : 1024 + fake_random(9);
    op.dom = fake_random(30) ? op.dom : 9;
    host = op.flags & GNTMAP_host_map;
    device = op.flags & GNTMAP_device_map;
    write = !(op.flags & GNTMAP_readonly);

    if (!host && !device)
        expected = GNTST_bad_gntref;
    else if (op.dom == 9)
        expected = GNTST_bad_domain;
    else
        expected = may_use(from, op.ref, g->d->id, write, &frame);
    if (expected == GNTST_okay && device && !owns(from, frame))
        expected = GNTST_bad_page;
    if (expected == GNTST_okay && host && (op.host_addr < SLOT(0) || op.host_addr >= SLOT(FAKE_SLOTS)))
        expected = GNTST_general_error;
    if (expected == GNTST_okay && !owns(from, frame))
        expected = GNTST_bad_page;
    assert_int_equal(call(g, GNTTABOP_map_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, expected);
    if (expected)
        return;
    *m = (struct mapping){ true, host, device, !write, op.handle, op.ref, op.dom, frame, op.host_addr };
    assert_int_equal(op.dev_bus_addr, frame.n << PAGE_SHIFT);
    use(from, op.ref, g->d->id, write, frame, host + device);
}

static struct mapping *find(struct guest *g, uint32_t handle)
{
    for (unsigned i = 0; i < MAPS; i++)
        if (g->map[i].live && g->map[i].handle == handle)
            return &g->map[i];
    return NULL;
}

static int expect_unmap(const struct guest *g, const struct mapping *m,
                        const struct gnttab_unmap_grant_ref *op)
{
    bool host = op->host_addr, device = op->dev_bus_addr;
    const struct fake_pte *p;

    if (!m || (!host && !device) || (host && !m->host) || (device && !m->device))
        return GNTST_bad_handle;
    if (device && op->dev_bus_addr >> PAGE_SHIFT != m->frame.n)
        return GNTST_bad_dev_addr;
    if (!host)
        return GNTST_okay;
    if (op->host_addr < SLOT(0) || op->host_addr >= SLOT(FAKE_SLOTS) || op->host_addr % PAGE_SIZE)
        return GNTST_bad_virt_addr;
    p = &fake_space(g->d->id)->pte[(op->host_addr - SLOT(0)) / PAGE_SIZE];
    return p->present && mfn_eq(p->frame, m->frame) ? GNTST_okay : GNTST_general_error;
}

static void unmapped(struct guest *g, struct mapping *m, bool host, bool device)
{
    use(&guest[m->granter], m->ref, g->d->id, !m->readonly, m->frame, -(host + device));
    m->host &= !host;
    m->device &= !device;
    m->live = m->host || m->device;
}

static void choose_unmap(struct guest *g, struct gnttab_unmap_grant_ref *op)
{
    struct mapping *m = &g->map[fake_random(MAPS)];

    *op = (struct gnttab_unmap_grant_ref){
        .handle = m->live && fake_random(20) ? m->handle : fake_random(300),
        .host_addr = fake_random(30) ? m->host ? m->addr : 0 : SLOT(fake_random(ADDRS)),
        .dev_bus_addr = m->device && fake_random(3) ? m->frame.n << PAGE_SHIFT : fake_random(30) ? 0 : 4096,
    };
}

/* Three at once: a handle may come twice in one batch, and its PTE be gone the second time. */
static void op_unmap(struct guest *g)
{
    struct gnttab_unmap_grant_ref op[3];
    unsigned flushes = fake_flushes;
    bool any = false;

    for (unsigned i = 0; i < 3; i++)
        choose_unmap(g, &op[i]);
    if (fake_random(2))
        op[1] = op[0];
    /*
     * What the model expects of each depends on those before it, so they are tried one by one first if
     * distinct.
     */
    if (op[0].handle == op[1].handle || op[1].handle == op[2].handle || op[0].handle == op[2].handle) {
        struct mapping *m = find(g, op[0].handle);
        int first = expect_unmap(g, m, &op[0]);

        op[1] = op[0];
        assert_int_equal(call(g, GNTTABOP_unmap_grant_ref, op, 2), 0);
        assert_int_equal(op[0].status, first);
        assert_int_equal(op[1].status, first ? first : GNTST_bad_handle);
        if (first == GNTST_okay)
            unmapped(g, m, op[0].host_addr, op[0].dev_bus_addr);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        struct mapping *m = find(g, op[i].handle);
        int expected = expect_unmap(g, m, &op[i]);

        assert_int_equal(call(g, GNTTABOP_unmap_grant_ref, &op[i], 1), 0);
        assert_int_equal(op[i].status, expected);
        any |= expected == GNTST_okay && op[i].host_addr;
        if (expected == GNTST_okay)
            unmapped(g, m, op[i].host_addr, op[i].dev_bus_addr);
    }
    if (any)
        assert_true(fake_flushes > flushes);
}

/* The guest overwrites a granted mapping by other means: the entry gives the frame back, the handle stays. */
static void op_overwrite(struct guest *g)
{
    struct fake_pte *p = &fake_space(g->d->id)->pte[fake_random(ADDRS)];

    if (!p->present)
        return;
    assert_int_equal(
        pt_grant_unmap(vcpu_of(g), SLOT((uint64_t)(p - fake_space(g->d->id)->pte)), false, p->frame), 0);
}

static void op_replace(struct guest *g)
{
    struct mapping *m = &g->map[fake_random(MAPS)];
    struct gnttab_unmap_and_replace op = { .host_addr = m->addr, .handle = m->handle };
    const struct fake_pte *p;

    if (!m->live || !m->host)
        return;
    p = &fake_space(g->d->id)->pte[(m->addr - SLOT(0)) / PAGE_SIZE];
    op.new_addr = fake_random(2) ? 0 : SLOT(ADDRS + 1);
    assert_int_equal(call(g, GNTTABOP_unmap_and_replace, &op, 1), 0);
    if (p->present || op.status == GNTST_okay)
        assert_true(op.status == GNTST_okay || op.status == GNTST_general_error);
    if (op.status == GNTST_okay)
        unmapped(g, m, true, false);
}

/* ---- copying ---- */

static int expect_end(const struct guest *g, const struct gnttab_copy_ptr *p, bool by_ref, bool write,
                      mfn_t *frame)
{
    int status;

    if (!by_ref) {
        *frame = MFN(p->u.gmfn);
        return p->domid != DOMID_SELF ? GNTST_permission_denied
               : owns(g, *frame)      ? GNTST_okay
                                      : GNTST_bad_page;
    }
    if (p->domid >= DOMAINS)
        return GNTST_bad_domain;
    status = may_use(&guest[p->domid], p->u.ref, g->d->id, write, frame);
    return status ? status : owns(&guest[p->domid], *frame) ? GNTST_okay : GNTST_bad_page;
}

static void choose_end(const struct guest *g, struct gnttab_copy_ptr *p, bool by_ref)
{
    p->offset = (uint16_t)fake_random(4100);
    if (by_ref) {
        p->u.ref = fake_random(GRANTS);
        p->domid = (domid_t)(fake_random(30) ? fake_random(DOMAINS) : 9);
    } else {
        p->u.gmfn = fake_random(20) ? g->frame[fake_random(FRAMES)].n : fake_random(FAKE_FRAMES + 5);
        p->domid = fake_random(20) ? DOMID_SELF : 1;
    }
}

static void op_copy(struct guest *g)
{
    struct gnttab_copy op[4];
    mfn_t from = MFN(0), to = MFN(0);
    char before[4096];

    for (unsigned i = 0; i < 4; i++) {
        op[i] = (struct gnttab_copy){ .len = (uint16_t)fake_random(200), .flags = (uint16_t)fake_random(4) };
        choose_end(g, &op[i].source, op[i].flags & GNTCOPY_source_gref);
        choose_end(g, &op[i].dest, op[i].flags & GNTCOPY_dest_gref);
    }
    if (fake_random(3) == 0)
        op[1] = op[0];                          /* the same ends again: they stay open */
    assert_int_equal(call(g, GNTTABOP_copy, op, 4), 0);
    for (unsigned i = 0; i < 4; i++) {
        bool fits = op[i].source.offset + op[i].len <= 4096 && op[i].dest.offset + op[i].len <= 4096 &&
                    op[i].source.offset < 4096 && op[i].dest.offset < 4096;
        int expected = !fits ? GNTST_bad_copy_arg
                       : expect_end(g, &op[i].source, op[i].flags & GNTCOPY_source_gref, false, &from);

        if (expected == GNTST_okay)
            expected = expect_end(g, &op[i].dest, op[i].flags & GNTCOPY_dest_gref, true, &to);
        /* A use that is still open for another element of the batch can only allow more, not less. */
        if (op[i].status != expected)
            assert_int_equal(op[i].status, GNTST_okay);
    }
    if (op[3].status == GNTST_okay && op[3].len && !mfn_eq(from, to)) {
        memcpy(before, frame_map(from), 4096);
        assert_memory_equal((char *)frame_map(to) + op[3].dest.offset, before + op[3].source.offset,
                            op[3].len);
    }
}

/* ---- life ---- */

static void begin(struct guest *g, domid_t id)
{
    mfn_t table;

    memset(g, 0, sizeof(*g));
    g->d = fake_domain(id, 1, id == 0, 63);
    for (unsigned i = 0; i < FRAMES; i++) {
        g->frame[i] = fake_frame_new(g->d);
        for (unsigned b = 0; b < PAGE_SIZE; b++)
            ((uint8_t *)frame_map(g->frame[i]))[b] = (uint8_t)fake_random(256);
    }
    assert_int_equal(grant_table_get_frame(g->d, 1, &table), 0);
}

/*
 * A domain dies with mappings of others' frames. Only one whose own frames nobody maps, for its number comes
 * back.
 */
static void op_die(struct guest *g)
{
    domid_t id = g->d->id;

    if (id == 0)
        return;
    for (unsigned i = 0; i < DOMAINS; i++)
        for (unsigned m = 0; m < MAPS; m++)
            if (&guest[i] != g && guest[i].map[m].live && guest[i].map[m].granter == id)
                return;
    for (unsigned m = 0; m < MAPS; m++)
        if (g->map[m].live)
            unmapped(g, &g->map[m], g->map[m].host, g->map[m].device);
    fake_domain_end(g->d);
    assert_null(domain_get(id));
    begin(g, id);
}

static void step(void)
{
    struct guest *g = &guest[fake_random(DOMAINS)];

    switch (fake_random(40)) {
    case 0 ... 7:   op_grant(g); break;
    case 8 ... 10:  op_end_access(g); break;
    case 11 ... 19: op_map(g); break;
    case 20 ... 28: op_unmap(g); break;
    case 29:        op_overwrite(g); break;
    case 30:        op_replace(g); break;
    case 31 ... 38: op_copy(g); break;
    case 39:
        if (fake_random(10) == 0)
            op_die(g);
        break;
    }
}

static void sequence(void)
{
    for (unsigned i = 0; i < DOMAINS; i++)
        begin(&guest[i], (domid_t)i);
    for (unsigned n = 0; n < 1500; n++) {
        step();
        check_all();
    }
    for (unsigned i = 0; i < DOMAINS; i++)
        fake_domain_end(guest[i].d);
}

static void sequences_agree_with_the_model(void **state) { fake_sequences(sequence); }

/* ---- single rules ---- */

static void versions_sizes_and_limits(void **state)
{
    struct gnttab_set_version sv = { .version = 2 };
    struct gnttab_get_version gv = { .dom = DOMID_SELF };
    struct gnttab_query_size qs = { .dom = DOMID_SELF };
    struct gnttab_setup_table st = { .dom = DOMID_SELF, .nr_frames = 2 };
    struct gnttab_transfer tr[2] = { { .ref = 1 }, { .ref = 2 } };
    xen_pfn_t list[3];
    struct guest *g = &guest[0];

    fake_machine(1);
    begin(g, 0);
    assert_int_equal(call(g, GNTTABOP_set_version, &sv, 1), -XEN_ENOSYS);
    assert_int_equal(sv.version, 1);
    assert_int_equal(call(g, GNTTABOP_set_version, &sv, 1), 0);
    assert_int_equal(call(g, GNTTABOP_get_version, &gv, 1), 0);
    assert_int_equal(gv.version, 1);
    assert_int_equal(call(g, GNTTABOP_query_size, &qs, 1), 0);
    assert_int_equal(qs.nr_frames, 2);
    assert_int_equal(qs.max_nr_frames, 2);
    st.frame_list = GADDR((uint64_t)list);
    assert_int_equal(call(g, GNTTABOP_setup_table, &st, 1), 0);
    assert_int_equal(st.status, GNTST_okay);
    assert_int_equal(list[1], g->d->grants.frame[1].n);
    st.nr_frames = 3;
    assert_int_equal(call(g, GNTTABOP_setup_table, &st, 1), 0);
    assert_int_equal(st.status, GNTST_general_error);
    st.nr_frames = 1;
    st.frame_list = GADDR(0);
    assert_int_equal(call(g, GNTTABOP_setup_table, &st, 1), 0);
    assert_int_equal(st.status, GNTST_bad_virt_addr);
    st.dom = 77;
    assert_int_equal(call(g, GNTTABOP_setup_table, &st, 1), 0);
    assert_int_equal(st.status, GNTST_bad_domain);
    assert_int_equal(call(g, GNTTABOP_setup_table, &st, 2), -XEN_EINVAL);
    assert_int_equal(call(g, GNTTABOP_transfer, tr, 2), 0);
    assert_int_equal(tr[1].status, GNTST_permission_denied);
    assert_int_equal(call(g, GNTTABOP_map_grant_ref, NULL, 1), -XEN_EFAULT);
    assert_int_equal(call(g, GNTTABOP_map_grant_ref, NULL, 1ull << 31), -XEN_EINVAL);
    assert_int_equal(call(g, GNTTABOP_cache_flush, NULL, 1), -XEN_EOPNOTSUPP);
    assert_int_equal(call(g, 99, NULL, 1), -XEN_ENOSYS);
    fake_domain_end(g->d);
    assert_int_equal(fake_leaks(), 0);
}

static void entries_can_be_swapped_while_unused(void **state)
{
    struct gnttab_swap_grant_ref sw = { 1, 2, 0 };
    struct gnttab_map_grant_ref op = {
        .host_addr = SLOT(0), .flags = GNTMAP_host_map, .ref = 2, .dom = DOMID_SELF
    };
    struct guest *g = &guest[0];

    fake_machine(1);
    begin(g, 0);
    *entry(g, 1) = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)g->frame[0].n };
    assert_int_equal(call(g, GNTTABOP_swap_grant_ref, &sw, 1), 0);
    assert_int_equal(sw.status, GNTST_okay);
    assert_int_equal(entry(g, 1)->flags, 0);
    assert_int_equal(call(g, GNTTABOP_map_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(call(g, GNTTABOP_swap_grant_ref, &sw, 1), 0);
    assert_int_equal(sw.status, GNTST_eagain);
    sw.ref_b = 5000;
    assert_int_equal(call(g, GNTTABOP_swap_grant_ref, &sw, 1), 0);
    assert_int_equal(sw.status, GNTST_bad_gntref);
    fake_domain_end(g->d);
    assert_int_equal(fake_leaks(), 0);
}

/* What a dead domain lent lives on until it is given back, and then the domain goes too. */
static void grants_outlive_their_domain(void **state)
{
    struct gnttab_map_grant_ref op = { .host_addr = SLOT(0), .flags = GNTMAP_host_map, .ref = 3, .dom = 1 };
    struct gnttab_unmap_grant_ref un = { .host_addr = SLOT(0) };
    struct domain *d;

    fake_machine(1);
    begin(&guest[0], 0);
    begin(&guest[1], 1);
    *entry(&guest[1], 3) = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)guest[1].frame[2].n };
    assert_int_equal(call(&guest[0], GNTTABOP_map_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, GNTST_okay);
    fake_domain_end(guest[1].d);
    d = domain_get(1);
    assert_ptr_equal(d, guest[1].d);
    assert_int_equal(d->dying, DOMAIN_DEAD);
    domain_put(d);
    assert_int_equal(fake_frame[guest[1].frame[2].n].refs, 1);
    un.handle = op.handle;
    assert_int_equal(call(&guest[0], GNTTABOP_unmap_grant_ref, &un, 1), 0);
    assert_int_equal(un.status, GNTST_okay);
    fake_pending();
    assert_null(domain_get(1));
    fake_domain_end(guest[0].d);
    assert_int_equal(fake_leaks(), 0);
}

static void handles_end_at_the_limit(void **state)
{
    struct gnttab_map_grant_ref op = { .flags = GNTMAP_device_map, .ref = 0, .dom = DOMID_SELF };
    struct guest *g = &guest[0];

    fake_machine(1);
    begin(g, 0);
    *entry(g, 0) = (struct grant_entry_v1){ GTF_permit_access, 0, (uint32_t)g->frame[0].n };
    for (unsigned i = 0; i <= MAPS_PER_FRAME; i++) {
        assert_int_equal(call(g, GNTTABOP_map_grant_ref, &op, 1), 0);
        assert_int_equal(op.status, i < MAPS_PER_FRAME ? GNTST_okay : GNTST_no_device_space);
    }
    assert_int_equal(fake_frame[g->frame[0].n].refs, 1 + MAPS_PER_FRAME);
    fake_preempt_one_in = 2;
    fake_domain_end(g->d);
    assert_int_equal(fake_leaks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_sizes_and_limits),
        cmocka_unit_test(entries_can_be_swapped_while_unused),
        cmocka_unit_test(grants_outlive_their_domain),
        cmocka_unit_test(handles_end_at_the_limit),
        cmocka_unit_test(sequences_agree_with_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
