/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways in which a guest kernel ends itself: each costs the domain its life, and nobody else anything. */
#include "child.h"

TEST("dom: fatal returns, handlers and stacks");

static struct child c;
static struct iret_context *stack;

/* A new child whose stack holds a frame for the iret hypercall. */
static bool fresh(struct iret_context frame)
{
    static void *window;

    if (!window)
        window = page_alloc();
    if (!child_create(&c))
        return false;
    CHECK_EQ(foreign_map(window, c.mfn[2], c.id, PTE_KERNEL), 0);
    stack = (void *)((char *)window + (CHILD_RSP & 0xfff));
    *stack = frame;
    CHECK_EQ(update_va((uint64_t)window, pte(va_to_mfn(window), PTE_KERNEL), UVMF_INVLPG), 0);
    return true;
}

static void dies(void)
{
    child_add(&c, __HYPERVISOR_iret, 0, 0, 0, 0);
    CHECK(child_run_crash(&c));
    child_destroy(&c);
}

static void user_root(void)
{
    *(struct mmuext_op *)c.page->buffer =
        (struct mmuext_op){ .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = c.mfn[3] };
    child_add(&c, __HYPERVISOR_mmuext_op, child_buffer(0), 1, 0, DOMID_SELF);
}

void test_main(void)
{
    struct iret_context kernel = { .rip = 0x1000,
                                   .cs = FLAT_KERNEL_CS64 & ~3,
                                   .rflags = 2,
                                   .rsp = VIRT_BASE + 0x2800,
                                   .ss = FLAT_KERNEL_SS64 };
    struct iret_context user = kernel;
    struct trap_info *table;

    user.cs = FLAT_USER_CS64;
    if (fresh(kernel))              /* a fault without a handler */
        dies();
    if (fresh(user))                /* user mode without a root */
        dies();
    if (fresh(user)) {              /* a fault in user mode, no stack for the kernel */
        user_root();
        child_add(&c, __HYPERVISOR_stack_switch, FLAT_KERNEL_SS64, 0x2000, 0, 0);
        dies();
    }
    if (fresh(user)) {              /* a stack that is a page table */
        user_root();
        child_add(&c, __HYPERVISOR_stack_switch, FLAT_KERNEL_SS64, VIRT_BASE + 0x7000, 0, 0);
        dies();
    }
    if (fresh(kernel)) {            /* a handler that faults, for as long as there is stack */
        table = (void *)c.page->buffer;
        table[0] = (struct trap_info){ 14, 0, FLAT_KERNEL_CS64, 0x5000 };
        memset(&table[1], 0, sizeof *table);
        child_add(&c, __HYPERVISOR_set_trap_table, child_buffer(0), 0, 0, 0);
        dies();
    }
    kernel.rip = 0x8000000000000000;
    if (fresh(kernel))
        dies();
    kernel.ss = 0x1230;
    if (fresh(kernel))
        dies();
}
