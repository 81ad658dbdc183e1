/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/* The last vCPU restarts the machine while the others are busy: it ends, from whatever processor the word
 * comes. */
#include "smp.h"

TEST("smp: the machine restarts under load");

static unsigned n;
static volatile uint64_t rounds_of[RT_VCPUS];

static void busy(unsigned self)
{
    for (;; rounds_of[self]++)
        self & 1 ? (void)hypercall(__HYPERVISOR_xen_version, 0, 0, 0, 0) : yield();
}

/* The verdict holds only if the machine ends now: whoever runs the test waits for that too. */
static void end(unsigned self)
{
    struct sched_shutdown how = { SHUTDOWN_reboot };

    if (self != n - 1)
        busy(self);
    for (unsigned v = 0; v < n - 1; v++)
        AWAIT(rounds_of[v] > 100);
    say("VERDICT: success\n");
    sched_op(SCHEDOP_shutdown, &how);
    CHECK(!"the machine goes on");
}

void test_main(void)
{
    n = smp_begin_all(2);
    smp_run(n, end);
}
