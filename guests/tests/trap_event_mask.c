/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The upcall mask is the interrupt flag: set on entry where the trap table says so, and put back by iret's
 * flags.
 */
#include "rt.h"

TEST("trap: event mask on entry and at iret");

static uint8_t mask_inside;
static uint64_t flags_inside;
static volatile uint8_t *mask = &shared_info_page[1];

static void gate(struct trap_frame *f)
{
    mask_inside = *mask;
    flags_inside = f->rflags;
}
static void gate_that_masks(struct trap_frame *f)
{
    gate(f);
    f->rflags &= ~0x200ul;
}
static void set_gate(uint8_t flags)
{
    struct trap_info table[2] = { { 128, flags, FLAT_KERNEL_CS64, (uint64_t)trap_128 }, { 0, 0, 0, 0 } };

    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, table, 0, 0, 0), 0);
}

void test_main(void)
{
    on_interrupt = gate;
    *mask = 0;
    set_gate(3);
    __asm__ volatile("int $0x80" ::: "memory");
    CHECK_EQ(mask_inside, 0);
    CHECK_EQ(flags_inside & 0x200, 0x200);
    CHECK_EQ(*mask, 0);
    set_gate(3 | 4);
    __asm__ volatile("int $0x80" ::: "memory");
    CHECK_EQ(mask_inside, 1);
    CHECK_EQ(flags_inside & 0x200, 0x200);      /* as it was before */
    CHECK_EQ(*mask, 0);                         /* and is again */
    *mask = 1;
    __asm__ volatile("int $0x80" ::: "memory");
    CHECK_EQ(flags_inside & 0x200, 0);
    CHECK_EQ(*mask, 1);
    *mask = 0;
    on_interrupt = gate_that_masks;
    __asm__ volatile("int $0x80" ::: "memory");
    CHECK_EQ(*mask, 1);

    CHECK_EQ(hypercall(__HYPERVISOR_set_trap_table, 0x1000, 0, 0, 0), -XEN_EFAULT);
}
