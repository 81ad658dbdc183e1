/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 4 */
/* hv-args: maxcpus=2 dom0_max_vcpus=3 */
/* The option maxcpus: processors beyond it are left alone, and more vCPUs than processors still all run. */
#include "smp.h"

TEST("smp: maxcpus=2 of four processors, three vCPUs");

static volatile uint64_t ran[3];

static void work(unsigned self)
{
    for (unsigned i = 0; i < 1000; i++)
        ran[self]++;
}

void test_main(void)
{
    struct xen_sysctl op = { 0 };

    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &op), 0);
    CHECK_EQ(op.u.physinfo.nr_cpus, 2);
    smp_begin(3);
    smp_run(3, work);
    for (unsigned v = 0; v < 3; v++)
        CHECK_EQ(ran[v], 1000);
}
