/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user program that faults with the direction flag set while its kernel's stack cannot be written:
 * the hypervisor ends the domain, and does so with a direction flag of its own.
 */
#include "child.h"

TEST("attack: the direction flag of a user program");

static struct child c;

void test_main(void)
{
    struct iret_context user = { .rip = 0x1000, .cs = FLAT_USER_CS64, .rflags = 0x402, .rsp = 0x2000,
                                 .ss = FLAT_USER_SS64 };
    char *window = page_alloc();
    struct mmuext_op *root;
    struct trap_info *table;

    if (!child_create(&c))
        return;
    CHECK_EQ(foreign_map(window, c.mfn[2], c.id, PTE_KERNEL), 0);
    *(struct iret_context *)(window + (CHILD_RSP & 0xfff)) = user;
    CHECK_EQ(update_va((uint64_t)window, pte(va_to_mfn(window), PTE_KERNEL), UVMF_INVLPG), 0);
    root = (void *)c.page->buffer;
    *root = (struct mmuext_op){ .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = c.mfn[3] };
    table = (void *)(c.page->buffer + 64);
    table[0] = (struct trap_info){ 14, 0, FLAT_KERNEL_CS64, 0x5000 };
    table[1] = (struct trap_info){ 0 };
    child_add(&c, __HYPERVISOR_set_trap_table, child_buffer(64), 0, 0, 0);
    child_add(&c, __HYPERVISOR_set_callbacks, 0, 0, 0x5000, 0);     /* now the short way is open */
    child_add(&c, __HYPERVISOR_mmuext_op, child_buffer(0), 1, 0, DOMID_SELF);
    child_add(&c, __HYPERVISOR_stack_switch, FLAT_KERNEL_SS64, 0x2000, 0, 0);
    child_add(&c, __HYPERVISOR_iret, 0, 0, 0, 0);
    CHECK(child_run_crash(&c));
    child_destroy(&c);
}
