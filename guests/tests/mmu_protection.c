/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest sees of the hypervisor's addresses: nothing, but for the read-only table at their start. */
#include "rt.h"

TEST("mmu: the hypervisor's memory is out of reach");

static uint64_t jump(void *to)
{
    ((void (*)(void))to)();
    return 0;
}

void test_main(void)
{
    for (uint64_t at = 0xffff808000000000; at < HYPERVISOR_VIRT_END; at += 1ul << 36) {
        CHECK(faults(read_word, (void *)at));
        CHECK(faults(write_word, (void *)at));
        CHECK(faults(jump, (void *)at));
        CHECK_EQ(caught.vector, 14);
        CHECK_EQ(caught.rip, at);
    }
    CHECK(faults(read_word, (void *)0x8000000000000000));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(caught.error, 0);
    CHECK(!faults(read_word, (void *)MACH2PHYS_VIRT_START));
    CHECK(faults(write_word, (void *)MACH2PHYS_VIRT_START));
    CHECK(faults(jump, (void *)MACH2PHYS_VIRT_START));
}
