/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints on memory that the hypervisor reads and writes for the guest: buffers of hypercalls, the
 * frame of iret, the stack that exceptions go to. They hit in ring 0, where nobody may be surprised by
 * them (XSA-12, XSA-260).
 */
#include "rt.h"

TEST("attack: breakpoints where the hypervisor works for the guest");

static volatile unsigned hits;
static char text[XEN_EXTRAVERSION_LEN] __attribute__((aligned(8)));
static struct xen_feature_info features __attribute__((aligned(8)));

static void note(struct trap_frame *f) { hits += f->vector == 1; }
static long set(unsigned reg, uint64_t value)
{
    return hypercall(__HYPERVISOR_set_debugreg, reg, value, 0, 0);
}

/* Reads and writes of the 8 bytes at p. */
static void watch(unsigned n, const volatile void *p)
{
    CHECK_EQ(set(n, (uint64_t)p), 0);
    CHECK_EQ(set(7, 3u << 2 * n | 0xfu << (16 + 4 * n)), 0);
}
static uint64_t invalid(void *p)
{
    __asm__ volatile("ud2");
    return 0;
}

/* The exception of the load is held back until after the next instruction, which is in ring 0 already. */
static long stack_segment_then_call(const uint16_t *ss)
{
    long r = __HYPERVISOR_xen_version;

    __asm__ volatile("movw (%1), %%ss; syscall"
                     : "+a"(r) : "r"(ss), "D"(XENVER_version), "S"(0) : "rcx", "r11", "memory");
    return r;
}

void test_main(void)
{
    static uint16_t ss[4] __attribute__((aligned(8))) = { FLAT_KERNEL_SS64 };
    uint64_t here;

    on_interrupt = note;
    watch(0, text);
    CHECK_EQ(hypercall(__HYPERVISOR_xen_version, XENVER_extraversion, text, 0, 0), 0);
    CHECK(text[0] != 0);
    CHECK(hits >= 1);                   /* our own look at it */
    hits = 0;
    watch(1, &features);
    CHECK_EQ(hypercall(__HYPERVISOR_xen_version, XENVER_get_features, &features, 0, 0), 0);
    CHECK_EQ(hits, 0);                  /* the hypervisor's is not ours */
    CHECK_EQ(hypercall(__HYPERVISOR_get_debugreg, 6, 0, 0, 0) & 0xf, 1);
    watch(2, (void *)((uint64_t)&here & ~63ul));
    for (unsigned at = 0; at < 512; at += 8) {          /* somewhere there is the frame of an exception */
        set(2, ((uint64_t)&here & ~63ul) - at);
        CHECK(faults(invalid, NULL));
        CHECK_EQ(caught.vector, 6);
    }
    watch(3, ss);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(stack_segment_then_call(ss), 4 << 16 | 17);
    CHECK_EQ(set(7, 0), 0);
}
