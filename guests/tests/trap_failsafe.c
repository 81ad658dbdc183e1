/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment register that cannot be loaded on the way back to the guest: the failsafe entry, not a dead
 * machine.
 */
#include "rt.h"

TEST("trap: segments that went bad while the guest was away");

static uint64_t data_segment(void *value) { __asm__ volatile("movw %w0, %%ds" : : "r"(value)); return 0; }
static uint16_t read_ds(void)
{
    uint16_t v;

    __asm__ volatile("movw %%ds, %0" : "=r"(v));
    return v;
}

void test_main(void)
{
    uint64_t *gdt = page_alloc();
    uint64_t frame = va_to_mfn(gdt);
    struct sched_poll nothing = { .timeout = 1 };

    gdt[1] = 0x00cff3000000ffff;                /* flat data, ring 3 */
    CHECK_EQ(page_protect(gdt), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, &frame, 512, 0, 0), 0);
    CHECK(!faults(data_segment, (void *)0x0b));
    CHECK_EQ(read_ds(), 0x0b);
    CHECK(faults(data_segment, (void *)0x13));  /* an empty slot */
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(caught.error, 0x10);
    /* the segment vanishes under the register: whatever the reload finds, we go on */
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, &frame, 1, 0, 0), 0);
    sched_op(SCHEDOP_poll, &nothing);
    CHECK(read_ds() == 0x0b || read_ds() == 0);
    CHECK(!faults(data_segment, 0));
}
