/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include <hv/crash.h>
#include <hv/console.h>
#include <hv/irq.h>
#include <hv/machine.h>
#include <hv/pagetable.h>
#include <hv/print.h>
#include <hv/task.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_frame fake_frame[FAKE_FRAMES];
uint64_t fake_now, fake_programmed;
struct fake_tsc fake_tsc[MAX_CPUS];
bool fake_tsc_unreliable;
unsigned fake_flushes, fake_kicks, fake_preempt_one_in;
bool fake_pirq_refuse;
uint32_t fake_pirq_bound;
char fake_console[65536];
size_t fake_console_len;

static pthread_mutex_t frames_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned allocations;
static struct vcpu idle_vcpu[MAX_CPUS];
static struct pcpu pcpu[MAX_CPUS];

/* ---- random numbers: one stream a thread ---- */
static _Thread_local uint64_t random_state = 88172645463325252ull;

void fake_seed(uint64_t seed) { random_state = seed * 6364136223846793005ull + 1442695040888963407ull; }

uint32_t fake_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % below);
}

/* ---- hw.h ---- */
uint64_t now_ns(void) { return __atomic_load_n(&fake_now, __ATOMIC_RELAXED); }
uint64_t tsc_now(void)
{
    return (uint64_t)((__int128)now_ns() * fake_tsc[host_cpu->id].mhz / 1000) + fake_tsc[host_cpu->id].ahead;
}
bool tsc_reliable(void) { return !fake_tsc_unreliable; }
struct fake_hooks fake_hooks;

void hw_timer_program(uint64_t deadline)
{
    if (host_cpu->id == 0)
        fake_programmed = deadline;
    if (fake_hooks.program)
        fake_hooks.program(host_cpu->id, deadline);
}

void hw_relax(void)
{
    if (fake_hooks.relax)
        fake_hooks.relax();
    else
        sched_yield();
}

void hw_kick(struct pcpu *c)
{
    __atomic_fetch_add(&fake_kicks, 1, __ATOMIC_RELAXED);
    if (fake_hooks.kick)
        fake_hooks.kick(c);
}

void tlb_flush_domain(struct domain *d, uint64_t va)
{
    __atomic_fetch_add(&fake_flushes, 1, __ATOMIC_RELAXED);
}

void hw_halt(void)
{
    fprintf(stderr, "machine halted; its console said:\n%s\n", fake_console);
    abort();
}

void console_emit(enum log_level level, const char *text, size_t len)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&m);
    if (fake_console_len + len < sizeof(fake_console)) {
        memcpy(fake_console + fake_console_len, text, len);
        fake_console_len += len;
        fake_console[fake_console_len] = '\0';
    }
    pthread_mutex_unlock(&m);
}

/* ---- heap ---- */
void *kalloc(size_t size)
{
    void *p;

    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    if (size <= PAGE_SIZE / 2)
        return calloc(1, (size + 15) & ~15ul);
    size = (size + 63) & ~63ul;                 /* larger ones are pages, and some rely on their alignment */
    p = aligned_alloc(64, size);
    return p ? memset(p, 0, size) : NULL;
}

void kfree(void *p)
{
    if (p)
        __atomic_fetch_sub(&allocations, 1, __ATOMIC_RELAXED);
    free(p);
}

/* ---- frames ---- */
#define OWNER_NONE 0xffff
#define NOBODYS    0xdb         /* what stands in frames that are free: whoever writes there is found */

static void becomes_nobodys(uint32_t n)
{
    fake_frame[n].free = true;
    memset(host_memory + n * PAGE_SIZE, NOBODYS, PAGE_SIZE);
}

static void must_be_nobodys(uint32_t n)
{
    const uint8_t *page = host_memory + n * PAGE_SIZE;

    BUG_ON(fake_frame[n].free && (page[0] != NOBODYS || memcmp(page, page + 1, PAGE_SIZE - 1)));
}

static mfn_t frame_new(uint16_t owner, bool shared)
{
    mfn_t m = MFN_INVALID;

    pthread_mutex_lock(&frames_mutex);
    for (uint32_t n = 1; n < FAKE_FRAMES; n++)
        if (fake_frame[n].refs == 0) {
            must_be_nobodys(n);
            fake_frame[n] =
                (struct fake_frame){ .owner = owner, .allocated = true, .shared = shared, .refs = 1 };
            memset(host_memory + n * PAGE_SIZE, 0, PAGE_SIZE);
            m = MFN(n);
            break;
        }
    pthread_mutex_unlock(&frames_mutex);
    return m;
}

static bool frame_ref(mfn_t m, domid_t owner, bool writable)
{
    bool ok;

    pthread_mutex_lock(&frames_mutex);
    ok = m.n < FAKE_FRAMES && fake_frame[m.n].refs && fake_frame[m.n].owner == owner;
    if (ok) {
        fake_frame[m.n].refs++;
        fake_frame[m.n].writers += writable;
    }
    pthread_mutex_unlock(&frames_mutex);
    return ok;
}

static void frame_unref(mfn_t m, bool writable)
{
    pthread_mutex_lock(&frames_mutex);
    BUG_ON(!fake_frame[m.n].refs || (writable && !fake_frame[m.n].writers));
    fake_frame[m.n].refs--;
    fake_frame[m.n].writers -= writable;
    if (fake_frame[m.n].refs == 0) {
        fake_frame[m.n].owner = OWNER_NONE;
        becomes_nobodys((uint32_t)m.n);
    }
    pthread_mutex_unlock(&frames_mutex);
}

mfn_t frames_alloc(unsigned order, unsigned flags) { return frame_new(OWNER_NONE, true); }
void frames_free(mfn_t m, unsigned order) { frame_unref(m, false); }
void frame_share(mfn_t m, struct domain *d, bool writable)
{
    pthread_mutex_lock(&frames_mutex);
    fake_frame[m.n].owner = d->id;
    pthread_mutex_unlock(&frames_mutex);
}

void frame_share_end(mfn_t m, struct domain *d) { frame_unref(m, false); }
bool frame_get(mfn_t m, const struct domain *d) { return frame_ref(m, d->id, false); }
void frame_put(mfn_t m) { frame_unref(m, false); }
int frame_get_typed(mfn_t m, struct domain *d, enum frame_type t)
{
    return frame_ref(m, d->id, true) ? 0 : -XEN_EINVAL;
}
void frame_put_writable(mfn_t m) { frame_unref(m, true); }
mfn_t fake_frame_new(struct domain *d) { return frame_new(d->id, false); }
void fake_frame_drop(struct domain *d, mfn_t m) { frame_unref(m, false); }

/* ---- page tables: one slot an address ---- */
static struct fake_space space[16];

struct fake_space *fake_space(domid_t id) { return &space[id % 16]; }

static struct fake_pte *slot_of(struct vcpu *v, uint64_t va)
{
    uint64_t i = (va - SLOT(0)) / PAGE_SIZE;

    return va >= SLOT(0) && i < FAKE_SLOTS && va % PAGE_SIZE == 0 ? &space[v->domain->id % 16].pte[i] : NULL;
}

static void pte_drop(const struct fake_pte *p)
{
    if (p->present)
        frame_unref(p->frame, p->flags & PTE_RW);
}

int pt_grant_map(struct vcpu *v, uint64_t va, bool is_pte, mfn_t m, const struct domain *owner,
                 uint64_t flags)
{
    struct fake_pte *p = slot_of(v, va), old;

    if (!p)
        return -XEN_EINVAL;
    if (!frame_ref(m, owner->id, flags & PTE_RW))
        return -XEN_EPERM;
    old = *p;
    *p = (struct fake_pte){ .frame = m, .flags = flags, .present = true };
    pte_drop(&old);
    return 0;
}

int pt_grant_unmap(struct vcpu *v, uint64_t va, bool is_pte, mfn_t m)
{
    struct fake_pte *p = slot_of(v, va), old;

    if (!p)
        return -XEN_EINVAL;
    if (!p->present || !mfn_eq(p->frame, m))
        return -XEN_ENOENT;
    old = *p;
    p->present = false;
    pte_drop(&old);
    return 0;
}

int pt_grant_replace(struct vcpu *v, uint64_t va, mfn_t m, uint64_t new_va)
{
    struct fake_pte *from = new_va ? slot_of(v, new_va) : NULL;
    int rc;

    if (new_va && !from)
        return -XEN_EINVAL;
    rc = pt_grant_unmap(v, va, false, m);
    if (rc || !from)
        return rc;
    *slot_of(v, va) = *from;
    if (from != slot_of(v, va))
        from->present = false;
    return 0;
}

/* ---- what pv/ and the dispatcher give ---- */
int pv_undo_pending(struct vcpu *v) { return 0; }
int pv_domain_init(struct domain *d) { return 0; }
void pv_domain_free(struct domain *d) { }
int pv_vcpu_init(struct vcpu *v) { return 0; }
void pv_vcpu_free(struct vcpu *v) { }
int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c) { return 0; }

static bool allocation_drop(uint32_t n, domid_t id)
{
    struct fake_frame *f = &fake_frame[n];
    bool mine;

    pthread_mutex_lock(&frames_mutex);
    mine = f->refs && f->owner == id && f->allocated && !f->shared;
    f->allocated &= !mine;
    pthread_mutex_unlock(&frames_mutex);
    return mine;
}

int pv_domain_relinquish(struct domain *d)
{
    for (unsigned i = 0; i < FAKE_SLOTS; i++) {
        pte_drop(&fake_space(d->id)->pte[i]);
        fake_space(d->id)->pte[i].present = false;
    }
    for_each_vcpu(d, v)
        vcpu_release_info(v);
    for (uint32_t n = 1; n < FAKE_FRAMES; n++)
        if (allocation_drop(n, d->id))
            frame_unref(MFN(n), false);
    return 0;
}

int irq_bind(struct domain *d, uint32_t pirq, uint32_t port, bool share)
{
    if (fake_pirq_refuse)
        return -XEN_EPERM;
    fake_pirq_bound++;
    return 0;
}

void irq_unbind(struct domain *d, uint32_t pirq) { fake_pirq_bound--; }
void irq_follow(struct domain *d, uint32_t pirq) { }
void irq_domain_release(struct domain *d) { }
void irq_domain_free(struct domain *d) { }

struct domain *target_get(struct vcpu *v, domid_t id)
{
    if (id == DOMID_SELF || id == v->domain->id)
        return v->domain;
    return v->domain->privileged ? domain_get(id) : NULL;
}

void target_put(struct vcpu *v, struct domain *d)
{
    if (d && d != v->domain)
        domain_put(d);
}

bool preempt_due(struct vcpu *v) { return fake_preempt_one_in && fake_random(fake_preempt_one_in) == 0; }

/* As the processor would: the tester calls again with these. */
long hypercall_restart(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    v->regs.rdi = a1;
    v->regs.rsi = a2;
    v->regs.rdx = a3;
    v->restart = true;
    return 0;
}

/* ---- the machine ---- */
void fake_be_cpu(unsigned n) { host_cpu = pcpus[n]; }

void fake_machine(unsigned cpus)
{
    free(host_memory);
    host_frames = FAKE_FRAMES;
    host_memory = aligned_alloc(PAGE_SIZE, FAKE_FRAMES * PAGE_SIZE);
    memset(fake_frame, 0, sizeof(fake_frame));
    memset(space, 0, sizeof(space));
    fake_now = 1000000000;
    fake_programmed = ~0ull;
    fake_preempt_one_in = host_guest_fault_in = fake_pirq_bound = 0;
    fake_pirq_refuse = fake_tsc_unreliable = false;
    fake_console_len = 0;
    fake_console[0] = '\0';
    pcpu_count = cpus;
    for (unsigned i = 0; i < cpus; i++) {
        free(pcpu[i].timers.slot);
        pcpu[i] = (struct pcpu){ .id = i };
        idle_vcpu[i] = (struct vcpu){ .cpu = &pcpu[i] };
        pcpu[i].idle = pcpu[i].current = &idle_vcpu[i];
        pcpus[i] = &pcpu[i];
        fake_tsc[i] = (struct fake_tsc){ 2000, 0 };
        timer_heap_init(&pcpu[i].timers);
        sched_init_cpu(&pcpu[i]);
    }
    fake_be_cpu(0);
    allocations = 0;
}

void fake_pending(void)
{
    struct pcpu *c = host_cpu;

    for (unsigned round = 0; round < 64; round++) {
        uint32_t work = __atomic_exchange_n(&c->pending, 0, __ATOMIC_SEQ_CST);

        if (!work)
            return;
        if (work & PENDING_TIMER)
            timer_run(c);
        if (work & PENDING_TASK)
            task_run(c);
        if (work & PENDING_SCHED) {
            struct vcpu *prev = c->current, *next = sched_pick(c, now_ns());

            __atomic_store_n(&c->current, next, __ATOMIC_RELEASE);
            sched_switched(c, prev, next);
        }
    }
}

unsigned fake_leaks(void)
{
    unsigned n = allocations;

    for (uint32_t i = 0; i < FAKE_FRAMES; i++) {
        n += fake_frame[i].refs != 0;
        must_be_nobodys(i);
    }
    return n;
}

void fake_sequences(void (*sequence)(void))
{
    const char *more = getenv("MODEL_SEEDS");
    unsigned seeds = more ? (unsigned)atoi(more) : 20;

    for (unsigned seed = 1; seed <= seeds; seed++) {
        fake_machine(1);
        fake_seed(seed);
        fake_preempt_one_in = 3;
        sequence();
        fake_pending();
        BUG_ON(fake_leaks());
    }
}

struct domain *fake_domain(domid_t id, unsigned vcpus, bool privileged, uint32_t max_port)
{
    struct xen_domctl_createdomain c = {
        .max_vcpus = vcpus, .max_evtchn_port = max_port, .max_grant_frames = 2, .max_maptrack_frames = 1,
    };
    int err;
    struct domain *d = domain_create(id, &c, privileged, &err);

    /* Another processor may be about to free a dead domain of that number. */
    for (unsigned tries = 0; !d && err == -XEN_EEXIST && tries < 100000; tries++) {
        fake_pending();
        hw_relax();
        d = domain_create(id, &c, privileged, &err);
    }
    BUG_ON(!d);
    if (privileged)
        dom0 = d;
    d->max_frames = FAKE_FRAMES;
    for (unsigned n = 0; n < vcpus; n++) {
        BUG_ON(domain_add_vcpu(d, n));
        d->vcpu[n]->initialised = true;
        vcpu_unpause(d->vcpu[n], PAUSE_DOWN);
    }
    domain_unpause(d);
    return d;
}

void fake_domain_end(struct domain *d)
{
    if (d->privileged) {
        d->privileged = false;
        dom0 = NULL;
    }
    domain_pause(d, false);     /* the caller of domain_kill() never is a vCPU of d */
    fake_pending();
    while (domain_kill(d) == -XEN_ERESTART)
        fake_pending();
    fake_pending();
}
