/* SPDX-License-Identifier: BSD-2-Clause */
/* Watchdogs are numbered, set again, stopped; and a reason for a later shutdown can be left. */
#include "rt.h"

TEST("sched: watchdog, shutdown code, remote shutdown refused");

static long dog(uint32_t id, uint32_t seconds)
{
    struct sched_watchdog w = { id, seconds };

    return sched_op(SCHEDOP_watchdog, &w);
}

void test_main(void)
{
    struct sched_shutdown code = { SHUTDOWN_crash };
    struct sched_remote_shutdown far = { 1234, SHUTDOWN_poweroff };
    long id = dog(0, 1000);

    CHECK(id > 0 && id < 32);
    CHECK_EQ(dog(id, 2000), 0);
    CHECK_EQ(dog(id, 0), 0);
    CHECK(dog(99, 1000) < 0);
    CHECK(dog(0xffffffff, 1000) < 0);
    CHECK_EQ(sched_op(SCHEDOP_shutdown_code, &code), 0);
    CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &far), -XEN_ESRCH);
}
