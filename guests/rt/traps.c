/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions, events and system calls of a test kernel. */
#include "rt.h"

void rt_traps_init(void);
void rt_trap(struct trap_frame *f);
void rt_event(struct trap_frame *f);
uint64_t *rt_try_slot(void);

#define ENTRIES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(10) X(11) X(12) X(13) X(14) X(16) X(17) X(19)
#define DECLARE(n) extern char trap_##n[];
ENTRIES(DECLARE)
extern char event_entry[], failsafe_entry[], syscall_entry[], rt_try_end[];

struct trap_frame caught;
bool was_caught;
void (*on_event)(void);
void (*on_interrupt)(struct trap_frame *f);
void (*on_syscall)(struct trap_frame *f);
volatile unsigned events_seen;
uint8_t *rt_stacks;
unsigned rt_stack_count;
static uint64_t try_stacks[RT_VCPUS];           /* of the try that a vCPU is in, or 0 */
static volatile bool caught_here[RT_VCPUS];
static struct vcpu_info *moved_info[RT_VCPUS];

uint64_t *rt_try_slot(void) { return &try_stacks[self()]; }

bool faults(uint64_t (*fn)(void *), void *arg)
{
    unsigned n = self();

    was_caught = caught_here[n] = false;
    rt_try(fn, arg);
    return caught_here[n];
}

struct vcpu_info *own_info(void)
{
    unsigned n = self();

    return moved_info[n] ? moved_info[n] : &shared->vcpu_info[n];
}

void rt_info_moved(unsigned vcpu, struct vcpu_info *to) { moved_info[vcpu] = to; }

void rt_stacks_make(unsigned n)
{
    rt_stacks = pages_alloc(n * (RT_STACK / PAGE_SIZE));
    rt_stack_count = n;
}

void events_mask(void)
{
    own_info()->evtchn_upcall_mask = 1;
    __asm__ volatile("" ::: "memory");
}

static void set_callback(uint16_t type, const void *at)
{
    struct callback_register r = { .type = type, .address = (uint64_t)at };

    hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &r, 0, 0);
}

#define ROW(n) { n, 0, FLAT_KERNEL_CS64, (uint64_t)trap_##n },
static struct trap_info table[] = { ENTRIES(ROW){ 128, 3, FLAT_KERNEL_CS64, (uint64_t)trap_128 },
                                    { 0, 0, 0, 0 } };

void rt_traps_fill(struct vcpu_guest_context *c)
{
    for (const struct trap_info *t = table; t->address; t++)
        c->trap_ctxt[t->vector] = *t;
    c->event_callback_eip = (uint64_t)event_entry;
    c->failsafe_callback_eip = (uint64_t)failsafe_entry;
    c->syscall_callback_eip = (uint64_t)syscall_entry;
}

void rt_traps_init(void)
{
    table[3].flags = 3;
    table[4].flags = 3;
    hypercall(__HYPERVISOR_set_trap_table, table, 0, 0, 0);
    set_callback(CALLBACKTYPE_event, event_entry);
    set_callback(CALLBACKTYPE_failsafe, failsafe_entry);
    set_callback(CALLBACKTYPE_syscall, syscall_entry);
    hypercall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS64, (uint64_t)page_alloc() + PAGE_SIZE - 16, 0, 0);
}

void rt_trap(struct trap_frame *f)
{
    if (f->vector == 0x22 && on_syscall) {
        on_syscall(f);
        return;
    }
    if (on_interrupt && (f->vector == 1 || f->vector == 2 || f->vector == 128)) {
        on_interrupt(f);
        return;
    }
    if (!*rt_try_slot()) {
        say("unexpected exception %lu error %lx at %lx, cr2 %lx, vCPU %u\n", f->vector, f->error, f->rip,
            own_info()->arch.cr2, self());
        give_up("an exception that the test did not expect");
    }
    caught = *f;
    was_caught = caught_here[self()] = true;
    f->rip = (uint64_t)rt_try_end;      /* the rest of the try, on the stack it has saved */
    f->cs = FLAT_KERNEL_CS64 & ~3ull;   /* in kernel mode, whatever mode it was */
    f->ss = FLAT_KERNEL_SS64;
    f->rsp = *rt_try_slot();
    f->rflags = 2 | (f->rflags & 0x200);
}

void rt_event(struct trap_frame *f)
{
    struct vcpu_info *v = own_info();

    (void)f;
    v->evtchn_upcall_pending = 0;
    /* who wants the ports looks at their words */
    __atomic_store_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    events_seen++;
    if (on_event)
        on_event();
}

void events_unmask(void)
{
    struct vcpu_info *v = own_info();

    v->evtchn_upcall_mask = 0;
    __asm__ volatile("" ::: "memory");
    if (v->evtchn_upcall_pending)
        hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);   /* any exit delivers it */
}

void port_clear(evtchn_port_t p)
{
    __atomic_and_fetch(&shared->evtchn_pending[p / 64], ~(1ull << p % 64), __ATOMIC_SEQ_CST);
}
bool port_pending(evtchn_port_t p) { return shared->evtchn_pending[p / 64] >> (p % 64) & 1; }

uint64_t read_word(void *va) { return *(volatile uint64_t *)va; }

uint64_t write_word(void *va)
{
    *(volatile uint64_t *)va = 0x1122334455667788;
    return 0;
}

uint64_t system_time(void)
{
    uint64_t tsc;

    return system_time_at(&tsc);
}

uint64_t system_time_at(uint64_t *tsc)
{
    const struct vcpu_time_info *t = &own_info()->time;
    uint32_t version;
    uint64_t ns;

    do {                            /* a vCPU moved to another processor must not use the old one's stamp */
        version = ((const volatile struct vcpu_time_info *)t)->version & ~1u;
        *tsc = rdtsc();
        ns = clock_at(t, *tsc);
    } while (version != ((const volatile struct vcpu_time_info *)t)->version);
    return ns;
}

uint64_t clock_at(const volatile struct vcpu_time_info *t, uint64_t tsc)
{
    uint32_t version;
    uint64_t ns;

    do {
        int64_t delta;

        version = t->version & ~1u;
        __asm__ volatile("" ::: "memory");
        delta = (int64_t)(tsc - t->tsc_timestamp);
        delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        ns = t->system_time + (uint64_t)(((__int128)delta * t->tsc_to_system_mul) >> 32);
        __asm__ volatile("" ::: "memory");
    } while (version != t->version);
    return ns;
}
