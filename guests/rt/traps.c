/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions, events and system calls of a test kernel. */
#include "rt.h"

void rt_traps_init(void);
void rt_trap(struct trap_frame *f);
void rt_event(struct trap_frame *f);

#define ENTRIES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(10) X(11) X(12) X(13) X(14) X(16) X(17) X(19)
#define DECLARE(n) extern char trap_##n[];
ENTRIES(DECLARE)
extern char event_entry[], failsafe_entry[], syscall_entry[], rt_try_end[];
extern uint64_t try_stack;

struct trap_frame caught;
bool was_caught;
void (*on_event)(void);
void (*on_interrupt)(struct trap_frame *f);
void (*on_syscall)(struct trap_frame *f);
volatile unsigned events_seen;

static void set_callback(uint16_t type, const void *at)
{
    struct callback_register r = { .type = type, .address = (uint64_t)at };

    hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &r, 0, 0);
}

void rt_traps_init(void)
{
#define ROW(n) { n, 0, FLAT_KERNEL_CS64, (uint64_t)trap_##n },
    static struct trap_info table[] = { ENTRIES(ROW){ 128, 3, FLAT_KERNEL_CS64, (uint64_t)trap_128 },
                                        { 0, 0, 0, 0 } };

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
    if (!try_stack) {
        say("unexpected exception %lu error %lx at %lx, cr2 %lx\n", f->vector, f->error, f->rip,
            shared->vcpu_info[0].arch.cr2);
        give_up("an exception that the test did not expect");
    }
    caught = *f;
    was_caught = true;
    f->rip = (uint64_t)rt_try_end;      /* the rest of the try, on the stack it has saved */
    f->cs = FLAT_KERNEL_CS64 & ~3ull;   /* in kernel mode, whatever mode it was */
    f->ss = FLAT_KERNEL_SS64;
    f->rsp = try_stack;
    f->rflags = 2 | (f->rflags & 0x200);
}

void rt_event(struct trap_frame *f)
{
    (void)f;
    shared->vcpu_info[0].evtchn_upcall_pending = 0;
    shared->vcpu_info[0].evtchn_pending_sel = 0;        /* who wants the ports looks at their words */
    events_seen++;
    if (on_event)
        on_event();
}

void events_unmask(void)
{
    struct vcpu_info *v = &shared->vcpu_info[0];

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
    const volatile struct vcpu_time_info *t = &shared->vcpu_info[0].time;
    uint32_t version;
    uint64_t ns;

    do {
        uint64_t delta;

        version = t->version & ~1u;
        __asm__ volatile("" ::: "memory");
        delta = rdtsc() - t->tsc_timestamp;
        delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        ns = t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
        __asm__ volatile("" ::: "memory");
    } while (version != t->version);
    return ns;
}
