/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID by the prefix that asks for the hypervisor's view: its own leaves, and the machine's without what PV
 * has not.
 */
#include "rt.h"

TEST("cpu: CPUID with the forced-emulation prefix");

struct leaf { uint32_t a, b, c, d; };
static struct leaf cpuid(uint32_t leaf, uint32_t sub)
{
    struct leaf l;

    __asm__ volatile(XEN_CPUID : "=a"(l.a), "=b"(l.b), "=c"(l.c), "=d"(l.d) : "a"(leaf), "c"(sub));
    return l;
}
static uint64_t bad_prefix(void *p)
{
    __asm__ volatile(XEN_EMULATE_PREFIX "nop");
    return 0;
}

void test_main(void)
{
    struct leaf l = cpuid(XEN_CPUID_LEAF(0), 0), plain;

    CHECK_EQ(l.b, XEN_CPUID_SIGNATURE_EBX);
    CHECK_EQ(l.c, XEN_CPUID_SIGNATURE_ECX);
    CHECK_EQ(l.d, XEN_CPUID_SIGNATURE_EDX);
    CHECK(l.a >= XEN_CPUID_LEAF(2) && l.a <= XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES));
    CHECK_EQ(cpuid(XEN_CPUID_LEAF(1), 0).a, hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0));
    l = cpuid(XEN_CPUID_LEAF(2), 0);
    CHECK_EQ(l.a, 1);                                       /* hypercall pages, one */
    CHECK_EQ(l.c & XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
    CHECK_EQ(cpuid(XEN_CPUID_LEAF(77), 0).a, 0);

    l = cpuid(0, 0);
    CHECK(l.a >= 1);
    l = cpuid(1, 0);
    CHECK_EQ(l.c >> 31, 1);                                 /* under a hypervisor */
    CHECK_EQ(l.d & (1 << 3 | 1 << 1), 0);                   /* no PSE, VME for PV guests */
    CHECK_EQ(l.d & (1 << 25 | 1 << 26 | 1 << 6), 1 << 25 | 1 << 26 | 1 << 6);
    l = cpuid(7, 0);
    CHECK_EQ(l.b & (1 << 7 | 1 << 20 | 1 << 10), 0);        /* SMEP, SMAP, INVPCID */
    l = cpuid(0x80000001, 0);
    CHECK_EQ(l.d >> 29 & 1, 1);
    CHECK_EQ(l.c >> 2 & 1, 0);                              /* no SVM */
    CHECK(faults(bad_prefix, NULL));
    CHECK_EQ(caught.vector, 6);
    __asm__ volatile("cpuid" : "=a"(plain.a), "=b"(plain.b), "=c"(plain.c), "=d"(plain.d) : "a"(0), "c"(0));
    CHECK_EQ(plain.b, cpuid(0, 0).b);
}
