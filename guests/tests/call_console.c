/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's console: bytes written, counts and buffers that are wrong, nothing to read. */
#include "rt.h"

TEST("call: console_io");

static long io(int cmd, long n, const void *buffer)
{
    return hypercall(__HYPERVISOR_console_io, cmd, n, buffer, 0);
}

void test_main(void)
{
    char buffer[64] = "bytes of a \1\2 kind\n";

    CHECK_EQ(io(CONSOLEIO_write, 18, buffer), 0);
    CHECK_EQ(io(CONSOLEIO_write, 0, buffer), 0);
    CHECK_EQ(io(CONSOLEIO_write, 16, (void *)0x1000), -XEN_EFAULT);
    CHECK_EQ(io(CONSOLEIO_write, 16, (void *)0xffff830000000000), -XEN_EFAULT);
    CHECK_EQ(io(CONSOLEIO_read, sizeof buffer, buffer), 0);
    CHECK_EQ(io(99, 1, buffer), -XEN_ENOSYS);
}
