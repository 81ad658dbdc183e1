/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nobody sees through a stale translation: processors that walk page tables whenever they like, also ahead of
 * what they run, keep what they found, and forget it only as the manual says (SDM vol. 3, 4.10); on them
 * several domains' vCPUs come and go, map, unmap, make tables, lend frames, give them up and ask for flushes.
 * The hypervisor's code is the real one (space_machine.c): requests between processors, change of address
 * space, types of frames, the clock.
 *
 * Looked at whenever a frame becomes something else, on all processors: no translation leads to a frame that
 * is a table or another domain's now, no upper entry or root to what is a table no more. When a flush
 * returns, what it was for is forgotten. A vCPU finds its registers, and nothing that was flushed for it,
 * wherever it runs.
 */
#include "../host/many_cpus.h"
#include "space_machine.h"

#include <hv/print.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOMAINS 3u
#define VCPUS   3u
#define UPPERS  3u              /* tables a domain: each vCPU changes its own */
#define PAGES   (UPPERS * TABLE_ENTRIES)
#define CPUS    8u
#define US      1000ull

/* An entry: [63] present, [62:16] its number, which no other has, [15:0] frame. */
#define PRESENT (1ull << 63)
static uint64_t entries_made;

static uint64_t entry_for(mfn_t m) { return PRESENT | ++entries_made << 16 | m.n; }
static mfn_t frame_in(uint64_t entry) { return MFN(entry & 0xffff); }

static struct space {
    struct domain *d;
    bool borrows;                         /* frames of others */
    uint64_t upper[UPPERS];
    bool shared[VCPUS][2];              /* its kernel's or user's root is one that another vCPU made */
    uint64_t forgotten[VCPUS][PAGES];   /* by a flush for that vCPU: entries up to this */
    uint64_t fs_base[VCPUS];
    struct timer alarm[VCPUS];
} space[DOMAINS];

static uint64_t table[SPACE_FRAMES][TABLE_ENTRIES];
static struct space *space_of_root[SPACE_FRAMES];
static uint32_t in_use[SPACE_FRAMES];       /* allocated, and not given up */
static uint32_t table_taken[SPACE_FRAMES];  /* somebody's upper entry leads there, or is about to */
/* In some runs nobody asks for anything: who waits for a processor that is held up does nothing harmful
 * meanwhile. */
static bool asking;
static unsigned idling;         /* a guest sleeps one in that many times */
static unsigned foreign_maps, flushes, retypes, leaves;

/* ---- the processors ---- */

static struct sim {
    uint64_t cr3, upper[UPPERS], page[PAGES], msr[3];
    struct { unsigned stage, page; uint64_t upper, entry; } walk;
    unsigned wbinvds;
} sim[CPUS];

static struct sim *here(void) { return &sim[this_cpu()->id]; }
uint64_t sim_read_cr3(void) { return here()->cr3; }

void sim_write_cr3(uint64_t v)
{
    struct sim *s = here();

    s->cr3 = v;
    s->walk.stage = 0;
    memset(s->upper, 0, sizeof s->upper);
    memset(s->page, 0, sizeof s->page);
}

/* All upper entries, too. */
void sim_invlpg(uint64_t va)
{
    struct sim *s = here();
    uint64_t page = (va >> PAGE_SHIFT) - 1;

    BUG_ON(page >= PAGES);
    s->page[page] = 0;
    s->walk.stage = 0;
    memset(s->upper, 0, sizeof s->upper);
}

void sim_wbinvd(void) { here()->wbinvds++; }
uint64_t *sim_msr(uint32_t n) { return &here()->msr[n - 0xc0000100]; }
void sim_interrupt(uint32_t apic_id) { fake_hooks.kick(pcpus[apic_id]); }

static struct space *space_loaded(const struct sim *s)
{
    return s->cr3 == space_idle_root() ? NULL : space_of_root[s->cr3 >> PAGE_SHIFT];
}

static void walk_begin(struct sim *s, const struct space *in, unsigned page)
{
    unsigned upper = page / TABLE_ENTRIES;

    s->walk.page = page;
    s->walk.upper = s->upper[upper] ? s->upper[upper] : in->upper[upper];
    s->walk.entry = 0;
    s->walk.stage = s->walk.upper ? 1 : 0;
}

/* A walk is three steps, between which other processors do what they want. */
static void walk_step(struct sim *s)
{
    const struct space *in = space_loaded(s);

    if (!in)
        return;
    if (s->walk.stage == 0) {
        walk_begin(s, in, fake_random(PAGES));
    } else if (s->walk.stage == 1) {
        s->upper[s->walk.page / TABLE_ENTRIES] = s->walk.upper;
        s->walk.entry = table[frame_in(s->walk.upper).n][s->walk.page % TABLE_ENTRIES];
        s->walk.stage = s->walk.entry ? 2 : 0;
    } else {
        s->page[s->walk.page] = s->walk.entry;
        s->walk.stage = 0;
    }
}

static void hardware_goes_on(void)
{
    if (fake_random(2))
        walk_step(&sim[fake_random(pcpu_count)]);
}

/* What the running guest sees at a page; 0: nothing. */
static uint64_t translate(struct sim *s, unsigned page)
{
    if (!s->page[page]) {
        walk_begin(s, space_loaded(s), page);
        for (unsigned i = 0; i < 2; i++) {
            many_point();
            if (s->walk.stage && s->walk.page == page)
                walk_step(s);
        }
    }
    return s->page[page];
}

/* ---- what no processor may hold ---- */

static bool leads_to(uint64_t entry, mfn_t m) { return entry && frame_in(entry).n == m.n; }

static bool held_as_page(const struct sim *s, mfn_t m)
{
    bool held = s->walk.stage && leads_to(s->walk.entry, m);

    for (unsigned i = 0; i < PAGES; i++)
        held |= leads_to(s->page[i], m);
    return held;
}

static bool held_as_table(const struct sim *s, mfn_t m)
{
    bool held = s->cr3 >> PAGE_SHIFT == m.n || (s->walk.stage && leads_to(s->walk.upper, m));

    for (unsigned i = 0; i < UPPERS; i++)
        held |= leads_to(s->upper[i], m);
    return held;
}

static void nobody_holds(mfn_t m, bool as_page, bool as_table)
{
    for (unsigned i = 0; i < pcpu_count; i++) {
        BUG_ON(as_page && held_as_page(&sim[i], m));
        BUG_ON(as_table && held_as_table(&sim[i], m));
    }
}

static void nobody_remembers(unsigned page, uint64_t entry)
{
    for (unsigned i = 0; entry && i < pcpu_count; i++) {
        BUG_ON(sim[i].page[page] == entry);
        BUG_ON(sim[i].walk.stage && sim[i].walk.entry == entry);
    }
}

/* ---- frames ---- */

/* Makes frame n d's, if it is free; maybe as a root. */
static mfn_t frame_claim(uint32_t n, struct domain *d, struct space *root_of)
{
    struct frame *f = &frame_table[n];
    uint64_t free_refs = FRAME_FREE;

    if (!__atomic_compare_exchange_n(&f->refs, &free_refs, FRAME_FREE | FRAME_HYP, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return MFN_INVALID;
    tlb_flush_since(f->type, tlb_stamp_owner(f->type), f->type & TLB_STAMP_LENT);
    nobody_holds(MFN(n), true, true);
    space_of_root[n] = root_of;
    in_use[n] = 1;
    f->type = 0;
    __atomic_store_n(&f->refs, FRAME_ALLOCATED | (uint64_t)d->id << FRAME_OWNER_SHIFT | 1, __ATOMIC_SEQ_CST);
    return MFN(n);
}

static mfn_t frame_new(struct domain *d, struct space *root_of)
{
    return frame_claim(1 + fake_random(SPACE_FRAMES - 1), d, root_of);
}

static void take_one_more(struct domain *d)
{
    unsigned used = 0;

    for (unsigned i = 0; i < SPACE_FRAMES; i++)
        used += in_use[i];
    if (used < SPACE_FRAMES * 2 / 3)
        frame_new(d, NULL);
}

static void frame_give_back(mfn_t m)
{
    uint32_t used = 1;

    BUG_ON(!__atomic_compare_exchange_n(&in_use[m.n], &used, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    space_put(m);
}

/* One of d's that is to be no table nor root: given up by whoever draws it. */
static void give_one_up(struct domain *d)
{
    mfn_t m = MFN(1 + fake_random(SPACE_FRAMES - 1));
    uint32_t used = 1;

    if (!space_get(m, d))
        return;
    if (!space_of_root[m.n] &&
        __atomic_compare_exchange_n(&in_use[m.n], &used, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        space_put(m);
    space_put(m);
}

static mfn_t one_of(const struct domain *d)
{
    uint32_t first = fake_random(SPACE_FRAMES);

    for (uint32_t i = 0; i < SPACE_FRAMES; i++) {
        mfn_t m = MFN(1 + (first + i) % (SPACE_FRAMES - 1));

        if (frame_owner_id(frame_of(m)) == d->id && in_use[m.n] && !space_of_root[m.n])
            return m;
    }
    return MFN_INVALID;
}

/* ---- entries ---- */

void sim_table_begins(mfn_t m)
{
    nobody_holds(m, true, false);
    memset(table[m.n], 0, sizeof table[m.n]);
}

static void entry_drop(uint64_t entry)
{
    if (entry)
        BUG_ON(space_put_typed(frame_in(entry)));
}

/* They stand there still: whoever walks from an old upper entry finds them. */
void sim_table_ends(mfn_t m)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        entry_drop(table[m.n][i]);
}

static uint64_t exchange(uint64_t *slot, uint64_t entry)
{
    many_point();
    return __atomic_exchange_n(slot, entry, __ATOMIC_SEQ_CST);
}

/* As l1_entry_get(): a reference, and others told first if it is somebody else's. */
static bool page_get(struct domain *d, mfn_t m, domid_t owner)
{
    if (owner != d->id && !__atomic_load_n(&d->foreign_told, __ATOMIC_ACQUIRE))
        tlb_domain_maps_foreign(d);
    if (frame_get_simple(m, owner, TYPE_WRITABLE))
        return false;
    if (owner != d->id)
        frame_lend(m, true);
    foreign_maps += owner != d->id;
    nobody_holds(m, false, true);
    return true;
}

static unsigned my_upper(const struct vcpu *v) { return v->id; }

/* Puts an entry or none into a page of v's, and returns what was there. */
static uint64_t page_set(struct space *s, unsigned page, uint64_t entry)
{
    uint64_t upper = s->upper[page / TABLE_ENTRIES];

    return exchange(&table[frame_in(upper).n][page % TABLE_ENTRIES], entry);
}

/* A table of one vCPU's alone. */
static void table_make(struct space *s, unsigned upper)
{
    mfn_t m = one_of(s->d);

    if (!mfn_valid_number(m) || __atomic_exchange_n(&table_taken[m.n], 1, __ATOMIC_SEQ_CST))
        return;
    if (space_get_typed(m, s->d, TYPE_L1)) {
        table_taken[m.n] = 0;
        return;
    }
    retypes++;
    nobody_holds(m, true, false);
    exchange(&s->upper[upper], entry_for(m));
}

static void table_end(struct space *s, unsigned upper)
{
    uint64_t old = exchange(&s->upper[upper], 0);

    entry_drop(old);
    table_taken[frame_in(old).n] = 0;
}

static void map_something(struct space *s, unsigned page, const struct domain *owner)
{
    mfn_t m = one_of(owner);

    if (!mfn_valid_number(m) || !page_get(s->d, m, owner->id))
        return;
    entry_drop(page_set(s, page, entry_for(m)));
}

/* What a page led to becomes something else before anybody has had time to forget: a table, or another
 * domain's. */
static void reuse(struct space *s, mfn_t m)
{
    uint32_t used = 1;

    if (fake_random(2)) {
        if (!space_get_typed(m, s->d, TYPE_L1)) {
            nobody_holds(m, true, false);
            BUG_ON(space_put_typed(m));
        }
    } else if (space_get(m, s->d)) {
        if (__atomic_compare_exchange_n(&in_use[m.n], &used, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            space_put(m);
        space_put(m);
        frame_claim((uint32_t)m.n, space[fake_random(DOMAINS)].d, NULL);
    }
}

/* ---- flushes that guests ask for ---- */

static void flush_after(struct space *s, unsigned page, uint64_t old)
{
    bool whole = fake_random(2);

    space_flush_domain(s->d, whole ? TLB_WHOLE : (page + 1ull) << PAGE_SHIFT);
    nobody_remembers(page, old);
    flushes++;
}

static void flush_vcpus_after(struct space *s, unsigned page, uint64_t old)
{
    uint64_t vcpus = 1 + fake_random((1u << s->d->max_vcpus) - 1);

    tlb_flush_vcpus(s->d, vcpus, fake_random(2) ? TLB_WHOLE : (page + 1ull) << PAGE_SHIFT);
    for (unsigned i = 0; i < s->d->max_vcpus; i++)
        if (vcpus >> i & 1 && old)
            s->forgotten[i][page] = old;
    flushes++;
}

static void write_back_all(void)
{
    unsigned before[CPUS];

    for (unsigned i = 0; i < pcpu_count; i++)
        before[i] = sim[i].wbinvds;
    hw_wbinvd_all();
    for (unsigned i = 0; i < pcpu_count; i++)
        BUG_ON(sim[i].wbinvds == before[i]);
}

/* ---- roots ---- */

static mfn_t root_new(struct space *s)
{
    mfn_t m;

    do
        m = frame_new(s->d, s);
    while (!mfn_valid_number(m));
    BUG_ON(space_get_typed(m, s->d, TYPE_L4));
    return m;
}

static mfn_t *root_slot(struct vcpu *v, bool user) { return user ? &v->pv.root_user : &v->pv.root_kernel; }

static mfn_t root_of_some_vcpu(struct space *s)
{
    mfn_t m = *root_slot(s->d->vcpu[fake_random(VCPUS)], fake_random(2));

    if (space_get_typed(m, s->d, TYPE_L4))
        return MFN_INVALID;
    if (space_of_root[m.n] == s)
        return m;
    BUG_ON(space_put_typed(m));         /* it is a root no more */
    return MFN_INVALID;
}

/* May share it, as the threads of a program do: it lasts as long as anybody has it, whoever made it. */
static void root_take(struct space *s, struct vcpu *v, bool user, bool share)
{
    mfn_t m = share ? root_of_some_vcpu(s) : MFN_INVALID;

    s->shared[v->id][user] = mfn_valid_number(m);
    *root_slot(v, user) = mfn_valid_number(m) ? m : root_new(s);
}

static void root_end(mfn_t m, bool shared)
{
    BUG_ON(space_put_typed(m));
    if (!shared)
        frame_give_back(m);
}

static void root_change(struct space *s, struct vcpu *v)
{
    bool user = fake_random(2), shared = s->shared[v->id][user];
    mfn_t old = *root_slot(v, user);

    root_take(s, v, user, fake_random(2));
    hw_load_root(v);
    root_end(old, shared);
}

static void mode_change(struct vcpu *v)
{
    v->pv.kernel_mode = !v->pv.kernel_mode;
    hw_load_root(v);
}

/* All of another domain's roots become other frames, while none of its vCPUs may run: as at its end. */
static void domain_afresh(struct space *s)
{
    leaves++;
    domain_pause(s->d, true);
    space_leave_domain(s->d);
    for (unsigned i = 0; i < pcpu_count; i++)
        BUG_ON(space_loaded(&sim[i]) == s);
    for_each_vcpu(s->d, v) {
        BUG_ON(__atomic_load_n(&v->loaded, __ATOMIC_SEQ_CST));
        for (unsigned user = 0; user < 2; user++) {
            root_end(*root_slot(v, user), s->shared[v->id][user]);
            root_take(s, v, user, false);
        }
    }
    domain_unpause(s->d);
}

/* Another domain's vCPU is looked into. */
static void look_into(struct vcpu *v)
{
    vcpu_pause(v, PAUSE_INTERNAL, true);
    hw_vcpu_save(v);
    BUG_ON(__atomic_load_n(&v->loaded, __ATOMIC_SEQ_CST));
    BUG_ON(v->pv.fs_base != space[v->domain->id].fs_base[v->id]);
    vcpu_unpause(v, PAUSE_INTERNAL);
}

/* ---- guests ---- */

static uint64_t guest_enter(struct pcpu *c, struct vcpu *v)
{
    struct space *s = &space[v->domain->id];
    struct sim *p = &sim[c->id];

    BUG_ON(p->cr3 != pv_current_root(&v->pv).n << PAGE_SHIFT);
    BUG_ON(p->msr[0] != s->fs_base[v->id]);
    p->msr[0] = s->fs_base[v->id] = fake_random(1u << 30);
    for (unsigned n = fake_random(6); n; n--) {
        unsigned page = fake_random(PAGES);
        uint64_t entry = translate(p, page);

        BUG_ON(entry && entry <= s->forgotten[v->id][page]);
    }
    return now_ns() + fake_random(US / 2);
}

static void page_work(struct space *s, struct vcpu *v, unsigned page)
{
    uint64_t old;

    switch (fake_random(8)) {
    case 0 ... 1:
        map_something(s, page, s->d);
        break;
    case 2 ... 3:
        map_something(s, page, s->borrows ? space[fake_random(DOMAINS)].d : s->d);
        break;
    case 4:
        table_end(s, my_upper(v));
        break;
    default:
        old = page_set(s, page, 0);
        if (asking && fake_random(3) == 0)
            fake_random(2) ? flush_after(s, page, old) : flush_vcpus_after(s, page, old);
        entry_drop(old);
        if (old && fake_random(2))
            reuse(s, frame_in(old));
    }
}

static void guest_work(struct space *s, struct vcpu *v)
{
    bool first = s == &space[0] && v->id == 0;

    switch (fake_random(24)) {
    case 0:
        root_change(s, v);
        break;
    case 1:
        if (asking)
            write_back_all();
        break;
    case 2 ... 4:
        mode_change(v);
        break;
    case 5:
        if (asking && first)
            domain_afresh(&space[1 + fake_random(DOMAINS - 1)]);
        break;
    case 6:
        if (asking && first)
            look_into(space[1].d->vcpu[fake_random(VCPUS)]);
        break;
    case 7 ... 9:
        take_one_more(s->d);
        break;
    case 10 ... 12:
        give_one_up(s->d);
        break;
    default:
        if (!s->upper[my_upper(v)])
            table_make(s, my_upper(v));
        else
            page_work(s, v, my_upper(v) * TABLE_ENTRIES + fake_random(TABLE_ENTRIES));
    }
}

static void guest_leave(struct pcpu *c, struct vcpu *v, uint64_t since, bool did)
{
    struct space *s = &space[v->domain->id];

    for (unsigned n = fake_random(4); n; n--)
        guest_work(s, v);
    if (fake_random(idling))
        return;
    timer_set(&s->alarm[v->id], now_ns() + fake_random(10 * US));
    vcpu_pause(v, PAUSE_BLOCKED, false);
}

static void alarm_rings(void *arg, uint64_t now) { vcpu_unpause(arg, PAUSE_BLOCKED); }

/* ---- from the beginning to the end ---- */

static void space_make(struct space *s, unsigned n, bool borrows)
{
    *s = (struct space){ .d = fake_domain((domid_t)n, VCPUS, n == 0, 31), .borrows = borrows };
    for_each_vcpu(s->d, v) {
        space_vcpu(v);
        root_take(s, v, false, false);
        root_take(s, v, true, false);
        v->pv.kernel_mode = true;
        timer_init(&s->alarm[v->id], alarm_rings, v, fake_random(pcpu_count));
    }
    while (!mfn_valid_number(frame_new(s->d, NULL)))
        ;
}

static void begin(unsigned cpus, uint64_t seed, bool all_borrow)
{
    struct many m = { .cpus = cpus, .seed = seed, 
                      .switch_one_in = 3, .hold_up_one_in = 30, .guest_enter = guest_enter,
                      .guest_leave = guest_leave, .interrupts = space_interrupt, .change_over = hw_switch,
                      .at_point = hardware_goes_on };
    static struct frame frames[SPACE_FRAMES];

    fake_seed(seed);
    many_start(&m);
    space_others_relax = fake_hooks.relax;
    fake_hooks.relax = space_relax;
    memset(sim, 0, sizeof sim);
    memset(in_use, 0, sizeof in_use);
    memset(table_taken, 0, sizeof table_taken);
    memset(space_of_root, 0, sizeof space_of_root);
    memset(frames, 0, sizeof frames);
    frame_table = frames;
    frame_count = SPACE_FRAMES;
    tlb_clock = fake_random(2) ? 5 : 0xffffff - fake_random(200);       /* the stamp's bits overflow */
    entries_made = 0;
    asking = seed / 2 % 2;
    idling = 2 + seed / 4 % 4;
    for (unsigned i = 0; i < SPACE_FRAMES; i++)
        frames[i] = (struct frame){ .refs = i ? FRAME_FREE : FRAME_BROKEN };
    for (unsigned i = 0; i < cpus; i++) {
        sim[i].cr3 = space_idle_root();
        space_cpu(pcpus[i]);
        space_requests_counted(pcpus[i], (uint16_t)(0xfff0 + fake_random(16)));
    }
    for (unsigned i = 0; i < DOMAINS; i++)
        space_make(&space[i], i, all_borrow || fake_random(2));
}

static void finish(void)
{
    many_end();
    for (unsigned i = 0; i < DOMAINS; i++) {
        domain_pause(space[i].d, false);
        for_each_vcpu(space[i].d, v)
            timer_stop(&space[i].alarm[v->id]);
    }
    for (unsigned i = 0; i < pcpu_count; i++) {
        fake_be_cpu(i);
        space_interrupt(pcpus[i]);
        fake_pending();
    }
    fake_be_cpu(0);
    for (unsigned i = 0; i < DOMAINS; i++) {
        for_each_vcpu(space[i].d, v)
            space_vcpu_free(v);
        fake_domain_end(space[i].d);
    }
    for (unsigned i = 0; i < pcpu_count; i++)
        space_cpu_free(pcpus[i]);
    assert_int_equal(fake_leaks(), 0);
}

static void nobody_sees_what_is_gone(void **state)
{
    unsigned runs = getenv("NIGHTLY") ? 6000 : 700;

    for (unsigned seed = 1; seed <= runs; seed++) {
        begin(2 + seed % 3, seed, false);
        many_run(seed % 2 ? 20 * US : 1200 * US);
        finish();
    }
    print_message("%u foreign mappings, %u flushes asked for, %u tables made, %u domains left\n",
                  foreign_maps, flushes, retypes, leaves);
    assert_true(foreign_maps > runs && flushes > runs && retypes > runs && leaves > 0);
}

/* Each domain's first foreign frame, again and again: all processors that enter its space meanwhile say what
 * it is. */
static void the_first_foreign_frame(void **state)
{
    unsigned runs = getenv("NIGHTLY") ? 100000 : 3000;

    for (unsigned seed = 1; seed <= runs; seed++) {
        begin(2 + seed % 3, seed, true);
        many_run(10 * US);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_sees_what_is_gone), cmocka_unit_test(the_first_foreign_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
