/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prim: what the primitives of the interface cost, in guest instructions. Booted as dom0 by tests/bench/prim
 * with QEMU's -icount shift=0, where the time-stamp counter advances by one an instruction, of guest and
 * hypervisor together. Each line is "prim NAME INSTRUCTIONS"; the cost of the loop itself is taken off, that
 * of the guest's own entry stubs (prim_entry.S, about ten instructions a round trip) is not. Nothing measured
 * here idles.
 */
#include "rt.h"

TEST("bench: primitives");

#define ROUNDS 256
#define LIST   64

extern char bench_syscall[], bench_fault[], bench_event[];
void bench_user_syscalls(void);
void bench_user_faults(void);
extern uint64_t bench_result, bench_rounds;
extern uint32_t bench_port;

static uint64_t loop_cost;

static void nothing(void *arg) { __asm__ volatile("" : : "r"(arg) : "memory"); }

static void measure(const char *name, void (*fn)(void *), void *arg, unsigned per_round)
{
    uint64_t begin, cost;

    fn(arg);
    begin = rdtsc();
    for (unsigned i = 0; i < ROUNDS; i++)
        fn(arg);
    cost = rdtsc() - begin;
    if (fn == nothing)
        loop_cost = cost;
    say("prim %s %lu\n", name, (cost - loop_cost) / (ROUNDS * per_round));
}

/* ---- calls that do little ---- */
static void version(void *arg) { hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0); }
static void stack_switch(void *arg) { hypercall(__HYPERVISOR_stack_switch, 0xe02b, arg, 0, 0); }
static void segment_base(void *arg) { hypercall(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0, 0, 0); }
static void taskswitch(void *arg) { hypercall(__HYPERVISOR_fpu_taskswitch, 0, 0, 0, 0); }
static void timer_stop(void *arg) { hypercall(__HYPERVISOR_set_timer_op, 0, 0, 0, 0); }
static void timer_later(void *arg)
{
    hypercall(__HYPERVISOR_set_timer_op, system_time() + 1000000000, 0, 0, 0);
}
static void yield(void *arg) { sched_op(SCHEDOP_yield, NULL); }

static struct multicall_entry calls[LIST];
static void multicall(void *arg)
{
    hypercall(__HYPERVISOR_multicall, calls, (uint64_t)arg, 0, 0);
}

static void measure_small(void *page)
{
    measure("loop", nothing, NULL, 1);
    measure("xen_version", version, NULL, 1);
    measure("stack_switch", stack_switch, (uint8_t *)page + PAGE_SIZE, 1);
    measure("set_segment_base", segment_base, NULL, 1);
    measure("fpu_taskswitch", taskswitch, NULL, 1);
    measure("set_timer_stop", timer_stop, NULL, 1);
    measure("set_timer_future", timer_later, NULL, 1);
    timer_stop(NULL);
    measure("yield_alone", yield, NULL, 1);
    for (unsigned i = 0; i < LIST; i++)
        calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
    measure("multicall_1", multicall, (void *)1, 1);
    measure("multicall_8_each", multicall, (void *)8, 8);
}

/* ---- page tables: pages of ours that nobody else uses ---- */
static uint8_t *pages[LIST];
static struct mmu_update updates[2][LIST];
static unsigned which;

static uint64_t own(unsigned i, uint64_t flags) { return pte(va_to_mfn(pages[i]), flags); }

static void va_flags(void *arg)
{
    update_va((uint64_t)pages[0], own(0, which++ & 1 ? PTE_KERNEL : PTE_KERNEL & ~PTE_RW), 0);
}
static void va_clear_set(void *arg)
{
    update_va((uint64_t)pages[0], which++ & 1 ? own(0, PTE_KERNEL) : 0, 0);
}
static void va_clear_set_invlpg(void *arg)
{
    update_va((uint64_t)pages[0], which++ & 1 ? own(0, PTE_KERNEL) : 0, UVMF_INVLPG);
}
static void list(void *arg)
{
    unsigned done;

    mmu_update(updates[which++ & 1], (unsigned)(uint64_t)arg, &done, DOMID_SELF);
}

static void updates_fill(uint64_t flags0, uint64_t flags1)
{
    for (unsigned i = 0; i < LIST; i++) {
        uint64_t at = pte_address(pages[i], 1);

        updates[0][i] = (struct mmu_update){ at, flags0 ? own(i, flags0) : 0 };
        updates[1][i] = (struct mmu_update){ at, flags1 ? own(i, flags1) : 0 };
    }
    which = 0;
}

/* An entry written directly: the hypervisor decodes and emulates it. */
static volatile uint64_t *direct_entry;
static void direct(void *arg) { *direct_entry = which++ & 1 ? own(0, PTE_KERNEL) : 0; }

static void measure_tables(void)
{
    struct tree t;

    for (unsigned i = 0; i < LIST; i++)
        pages[i] = page_alloc();
    measure("update_va_clear_set", va_clear_set, NULL, 1);
    measure("update_va_flags", va_flags, NULL, 1);
    measure("update_va_clear_set_invlpg", va_clear_set_invlpg, NULL, 1);
    update_va((uint64_t)pages[0], own(0, PTE_KERNEL), UVMF_INVLPG);
    updates_fill(0, PTE_KERNEL);
    measure("mmu_update_1_clear_set", list, (void *)1, 1);
    measure("mmu_update_64_clear_set_each", list, (void *)LIST, LIST);
    updates_fill(PTE_KERNEL & ~PTE_RW, PTE_KERNEL);
    measure("mmu_update_1_flags", list, (void *)1, 1);
    measure("mmu_update_64_flags_each", list, (void *)LIST, LIST);
    which = 1;
    list((void *)LIST);
    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 6), 0);
    direct_entry = t.l1;
    which = 1;
    measure("entry_written_directly", direct, NULL, 1);
    CHECK_EQ(tree_detach(6), 0);
}

/* ---- roots ---- */
static uint64_t roots[2];
static struct mmuext_op root_ops[2][2];

static void ext_flush(void *arg)
{
    struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };

    mmuext(&op, 1, NULL, DOMID_SELF);
}
static void ext_invlpg(void *arg)
{
    struct mmuext_op op = { .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (uint64_t)pages[0] };

    mmuext(&op, 1, NULL, DOMID_SELF);
}
static void ext_roots(void *arg) { mmuext(root_ops[which++ & 1], (unsigned)(uint64_t)arg, NULL, DOMID_SELF); }

static void switch_guest(void *arg)
{
    calls[1].args[0] = (uint64_t)root_ops[which++ & 1];
    hypercall(__HYPERVISOR_multicall, calls, 2, 0, 0);
}

static void pin_unpin(void *arg)
{
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = (uint64_t)arg };

    mmuext(&op, 1, NULL, DOMID_SELF);
    op.cmd = MMUEXT_UNPIN_TABLE;
    mmuext(&op, 1, NULL, DOMID_SELF);
}

/* All of ours appears in the lower half as well: user programs run there. */
static uint64_t low(uint64_t va) { return va & ((1ul << 39) - 1); }
static uint64_t root_copy(void)
{
    const uint64_t *root = (const uint64_t *)start_info_pointer->pt_base;
    uint64_t *l4 = page_alloc();

    l4[511] = l4[0] = root[511];
    CHECK_EQ(page_protect(l4), 0);
    return va_to_mfn(l4);
}

static void measure_roots(void *page)
{
    uint64_t user[2] = { root_copy(), root_copy() }, third = root_copy();

    roots[0] = root_mfn();
    roots[1] = root_copy();
    for (unsigned i = 0; i < 2; i++) {
        if (i)
            CHECK_EQ(mmuext_one(MMUEXT_PIN_L4_TABLE, roots[i], 0), 0);
        CHECK_EQ(mmuext_one(MMUEXT_PIN_L4_TABLE, user[i], 0), 0);
        root_ops[i][0] = (struct mmuext_op){ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = roots[i] };
        root_ops[i][1] = (struct mmuext_op){ .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = user[i] };
    }
    measure("tlb_flush_local", ext_flush, NULL, 1);
    measure("invlpg_local", ext_invlpg, NULL, 1);
    which = 1;
    measure("new_baseptr", ext_roots, (void *)1, 1);
    measure("new_baseptr_and_user", ext_roots, (void *)2, 1);
    calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_stack_switch,
                                         .args = { 0xe02b, (uint64_t)page + PAGE_SIZE } };
    calls[1] = (struct multicall_entry){ .op = __HYPERVISOR_mmuext_op, .args = { 0, 2, 0, DOMID_SELF } };
    measure("guest_switch_multicall", switch_guest, NULL, 1);
    which = 0;
    ext_roots((void *)2);
    measure("pin_and_unpin_l4", pin_unpin, (void *)third, 1);
}

/* ---- events ---- */
static void send(void *arg)
{
    struct evtchn_send s = { (evtchn_port_t)(uint64_t)arg };

    event_op(EVTCHNOP_send, &s);
}
static void nothing_pending(void)
{
    port_clear(bench_port);
    shared->vcpu_info[0].evtchn_pending_sel = 0;
    shared->vcpu_info[0].evtchn_upcall_pending = 0;
}
static void send_again(void *arg)
{
    nothing_pending();
    send(arg);
}

static void callback_register(uint16_t type, void *entry)
{
    struct callback_register r = { .type = type, .address = (uint64_t)entry };

    if (type == CALLBACKTYPE_syscall)
        r.flags = CALLBACKF_mask_events;
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &r, 0, 0), 0);
}

static void measure_events(void)
{
    struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
    struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };

    CHECK_EQ(event_op(EVTCHNOP_alloc_unbound, &a), 0);
    b.remote_port = a.port;
    CHECK_EQ(event_op(EVTCHNOP_bind_interdomain, &b), 0);
    bench_port = a.port;
    events_mask();
    measure("event_send_already_pending", send, (void *)(uint64_t)b.local_port, 1);
    measure("event_send_masked", send_again, (void *)(uint64_t)b.local_port, 1);
    nothing_pending();
    callback_register(CALLBACKTYPE_event, bench_event);
    events_unmask();
    measure("event_send_upcall_iret", send, (void *)(uint64_t)b.local_port, 1);
}

/* ---- entries ---- */
static void kernel_fault(void *arg)
{
    __asm__ volatile("movb (%%rdi), %%al" : : "D"(0x1000) : "rax", "memory");
}

static void from_user(const char *name, void (*fn)(void), uint64_t stack)
{
    bench_rounds = ROUNDS;
    rt_user(low((uint64_t)fn), stack);
    say("prim %s %lu\n", name, bench_result / ROUNDS);
}

static void measure_entries(void *page)
{
    struct trap_info traps[2] = {
        { .vector = 14, .flags = 4, .cs = 0xe033, .address = (uint64_t)bench_fault },
    };

    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, traps, 0, 0, 0), 0);
    callback_register(CALLBACKTYPE_syscall, bench_syscall);
    measure("kernel_fault_iret", kernel_fault, NULL, 1);
    CHECK_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, root_copy(), 0), 0);
    from_user("user_syscall_iret", bench_user_syscalls, (uint64_t)page + PAGE_SIZE);
    from_user("user_fault_iret", bench_user_faults, (uint64_t)page + PAGE_SIZE);
}

void test_main(void)
{
    void *kernel_stack = page_alloc(), *user_stack = page_alloc();

    measure_small(kernel_stack);
    measure_tables();
    measure_roots(kernel_stack);
    measure_events();
    measure_entries(user_stack);
}
