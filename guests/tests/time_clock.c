/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock page: it moves forward, agrees with the timer, and the wall clock is one of this age. */
#include "rt.h"

TEST("time: clock page, wall clock");

void test_main(void)
{
    uint64_t last = system_time(), now;
    const struct vcpu_time_info *t = &shared->vcpu_info[0].time;
    struct sched_poll p = { 0 };

    CHECK(t->tsc_to_system_mul != 0);
    CHECK_EQ(t->version & 1, 0);
    for (unsigned i = 0; i < 20000; i++) {
        now = system_time();
        if (now < last)
            break;
        last = now;
    }
    CHECK(now >= last);
    for (unsigned i = 1; i <= 5; i++) {
        p.timeout = system_time() + i * 200000;
        CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
        CHECK(system_time() >= p.timeout);
    }
    CHECK_EQ(shared->wc_version & 1, 0);
    CHECK(shared->wc_sec > 1600000000u || shared->wc_sec_hi);
    CHECK(shared->wc_nsec < 1000000000u);
}
