/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports: by I/O privilege of the kernel, of user mode, and by a bitmap; what is the hypervisor's stays with
 * it.
 */
#include "rt.h"

TEST("cpu: port access by iopl and by bitmap");

static uint64_t in(void *port)
{
    uint8_t v;

    __asm__ volatile("inb %w1, %0" : "=a"(v) : "d"((uint16_t)(uint64_t)port));
    return v;
}
static uint64_t out_index(void *v)
{
    __asm__ volatile("outb %b0, $0x70" : : "a"((uint8_t)(uint64_t)v));
    return 0;
}
static void user_in(void)
{
    in((void *)0x71);
    user_exit(0);
}
static uint64_t run(void *fn) { return run_user(fn); }
static long iopl(uint32_t level)
{
    struct physdev_set_iopl s = { level };

    return physdev_op(PHYSDEVOP_set_iopl, &s);
}

void test_main(void)
{
    static uint8_t map[8192];
    struct physdev_set_iobitmap bitmap = { { (uint64_t)map }, 65536 };

    CHECK_EQ(iopl(1), 0);
    CHECK(!faults(out_index, (void *)0x0d));
    CHECK(!faults(in, (void *)0x71));
    CHECK(faults(run, user_in));
    CHECK_EQ(caught.vector, 13);
    CHECK_EQ(iopl(3), 0);
    CHECK(!faults(run, user_in));
    CHECK_EQ(iopl(4), -XEN_EINVAL);
    CHECK_EQ(iopl(0), 0);
    CHECK(faults(in, (void *)0x71));
    CHECK_EQ(caught.vector, 13);

    memset(map, 0xff, sizeof map);
    CHECK_EQ(physdev_op(PHYSDEVOP_set_iobitmap, &bitmap), 0);
    CHECK(faults(in, (void *)0x71));
    map[0x71 / 8] &= ~(1 << 0x71 % 8);                      /* read at each access */
    CHECK(!faults(in, (void *)0x71));
    CHECK(faults(in, (void *)0x72));
    CHECK(!faults(run, user_in));                           /* the bitmap counts for both modes */
    bitmap.nr_ports = 0x71;
    CHECK_EQ(physdev_op(PHYSDEVOP_set_iobitmap, &bitmap), 0);
    CHECK(faults(in, (void *)0x71));                        /* beyond its end */
    bitmap.nr_ports = 65537;
    CHECK_EQ(physdev_op(PHYSDEVOP_set_iobitmap, &bitmap), -XEN_EINVAL);
    CHECK_EQ(iopl(1), 0);
    rt_try(in, (void *)0x20); /* the interrupt controller's: hidden, but not deadly */
}
