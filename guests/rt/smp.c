/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Further vCPUs: see smp.h. A vCPU is initialised once. Its main loop runs what is handed to it, says that it
 * is done and goes down; going up again continues behind the hypercall that brought it down, so each run is a
 * hotplug cycle as well.
 */
#include "smp.h"

#define PATIENCE_NS 40000000000ull
#define SPINS 64
#define YIELDS 4
#define NAP_NS 50000
#define PORTS 4096

static struct {
    void (*fn)(unsigned self);
    volatile bool done;
} work[RT_VCPUS];

/* ---- waiting ---- */
/* Spins, then yields, then sleeps: the machine may have fewer processors than the vCPUs that wait. */
void be_patient(struct patience *p, const char *what)
{
    struct sched_poll sleep = { 0 };
    uint64_t now;

    if (++p->spins % SPINS) {
        relax();
        return;
    }
    now = system_time();
    if (!p->end)
        p->end = now + PATIENCE_NS;
    if (now > p->end) {
        say("vCPU %u waited in vain for: %s\n", self(), what);
        give_up("a wait came to its limit");
    }
    sleep.timeout = now + NAP_NS;
    if (p->spins < YIELDS * SPINS)
        yield();
    else
        sched_op(SCHEDOP_poll, &sleep);
}

unsigned rounds(unsigned n)
{
    const char *line = (const char *)start_info_pointer->cmd_line;

    for (unsigned i = 0; line[i]; i++)
        if (memcmp(line + i, "long", 4) == 0)
            return n * 20;
    return n;
}

void barrier_wait(struct barrier *b, unsigned n)
{
    unsigned round = b->round;

    if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_SEQ_CST) == n) {
        b->arrived = 0;
        __atomic_store_n(&b->round, round + 1, __ATOMIC_SEQ_CST);
    } else {
        AWAIT(b->round != round);
    }
}

void ticket_lock(struct ticket_lock *l)
{
    unsigned mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_SEQ_CST);

    AWAIT(l->owner == mine);
}

void ticket_unlock(struct ticket_lock *l) { __atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_SEQ_CST); }

/* ---- vCPUs ---- */
static void vcpu_main(void)
{
    unsigned n = self();

    for (;;) {
        work[n].fn(n);
        events_mask();
        work[n].done = true;
        vcpu_op(VCPUOP_down, (int)n, NULL);
    }
}

/* From 32 on there is no place in shared_info, and none is initialised without. All move, so all are
 * alike. */
static void vcpu_move_info(unsigned n)
{
    static struct vcpu_info *page;
    struct vcpu_register_vcpu_info r = { .offset = n * sizeof(struct vcpu_info) };

    if (!page)
        page = page_alloc();
    r.mfn = va_to_mfn(page);
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, (int)n, &r), 0);
    page[n].evtchn_upcall_mask = 1;
    rt_info_moved(n, page + n);
}

static void vcpu_prepare(unsigned n)
{
    static struct vcpu_guest_context c;

    memset(&c, 0, sizeof c);
    c.flags = VGCF_in_kernel;
    c.user_regs.rip = (uint64_t)vcpu_main;
    c.user_regs.cs = FLAT_KERNEL_CS64;
    c.user_regs.ss = FLAT_KERNEL_SS64;
    c.user_regs.rflags = 0x2;
    c.user_regs.rsp = (uint64_t)rt_stacks + n * RT_STACK - 8;
    c.kernel_ss = FLAT_KERNEL_SS64;
    c.kernel_sp = c.user_regs.rsp - 1024;
    c.ctrlreg[3] = xen_pfn_to_cr3(root_mfn());
    rt_traps_fill(&c);
    vcpu_move_info(n);
    CHECK_EQ(vcpu_op(VCPUOP_initialise, (int)n, &c), 0);
}

void smp_begin(unsigned n)
{
    if (n > RT_VCPUS || (n > 1 && vcpu_op(VCPUOP_is_up, (int)n - 1, NULL) < 0))
        skip("the domain has too few vCPUs: the hypervisor's option dom0_max_vcpus is missing");
    rt_stacks_make(n - 1);
    for (unsigned i = 1; i < n; i++)
        vcpu_prepare(i);
}

unsigned smp_begin_all(unsigned want)
{
    unsigned n = 1;

    while (n < RT_VCPUS && vcpu_op(VCPUOP_is_up, (int)n, NULL) >= 0)
        n++;
    if (n < want)
        n = want;
    smp_begin(n);
    return n;
}

void smp_start(unsigned n, void (*fn)(unsigned self))
{
    work[n].fn = fn;
    work[n].done = false;
    CHECK_EQ(vcpu_op(VCPUOP_up, (int)n, NULL), 0);
}

/* Done is not yet down: only then can it go up again. */
void smp_wait(unsigned n)
{
    AWAIT(work[n].done);
    AWAIT(vcpu_op(VCPUOP_is_up, (int)n, NULL) == 0);
}

void smp_run(unsigned n, void (*fn)(unsigned self))
{
    for (unsigned i = 1; i < n; i++)
        smp_start(i, fn);
    fn(0);
    for (unsigned i = 1; i < n; i++)
        smp_wait(i);
}

/* ---- ports ---- */
static void (*handler[PORTS])(evtchn_port_t);
static uint64_t owned[RT_VCPUS][PORTS / 64];    /* the ports of each vCPU, as in shared_info */

/* The selector has been cleared already: every word with ports of ours is looked at. */
static void ports_dispatch(void)
{
    unsigned n = self();

    for (unsigned w = 0; w < PORTS / 64; w++) {
        uint64_t due = owned[n][w] ? shared->evtchn_pending[w] & ~shared->evtchn_mask[w] & owned[n][w] : 0;

        for (; due; due &= due - 1) {
            evtchn_port_t port = w * 64 + (unsigned)__builtin_ctzll(due);

            port_clear(port);
            handler[port](port);
        }
    }
}

void port_handle(evtchn_port_t port, unsigned vcpu, void (*fn)(evtchn_port_t))
{
    handler[port] = fn;
    owned[vcpu][port / 64] |= 1ull << port % 64;
    on_event = ports_dispatch;
}

evtchn_port_t ipi_port(unsigned vcpu, void (*fn)(evtchn_port_t))
{
    struct evtchn_bind_ipi b = { .vcpu = vcpu };

    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    port_handle(b.port, vcpu, fn);
    return b.port;
}

evtchn_port_t timer_port(unsigned vcpu, void (*fn)(evtchn_port_t))
{
    struct evtchn_bind_virq b = { .virq = VIRQ_TIMER, .vcpu = vcpu };

    CHECK_EQ(event_op(EVTCHNOP_bind_virq, &b), 0);
    port_handle(b.port, vcpu, fn);
    return b.port;
}
