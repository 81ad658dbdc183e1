/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * Where a vCPU's time went: the four sums with what has passed since the last change make up the time it has
 * existed, to the nanosecond, however often one looks; in its registered area and by the hypercall.
 */
#include "smp.h"

TEST("time: run states of several vCPUs sum up exactly");

static unsigned n;
static struct vcpu_runstate_info *area[RT_VCPUS];
static volatile bool quit;

static uint64_t sum(const struct vcpu_runstate_info *r)
{
    return r->time[0] + r->time[1] + r->time[2] + r->time[3];
}

static void move(unsigned self)
{
    uint64_t seed = 5 + self;

    while (!quit) {
        uint64_t until = system_time() + random_next(&seed) % 200000;

        if (seed >> 20 & 1)
            sched_op(SCHEDOP_poll, &(struct sched_poll){ .timeout = until });
        else if (seed >> 21 & 1)
            yield();
        else
            while (system_time() < until)
                relax();
    }
}

/* The area as one piece: read again while the state changes. */
static struct vcpu_runstate_info area_read(unsigned v)
{
    struct vcpu_runstate_info r, again;

    memcpy(&again, area[v], sizeof again);
    do {
        r = again;
        __asm__ volatile("mfence" ::: "memory");
        memcpy(&again, area[v], sizeof again);
    } while (memcmp(&r, &again, sizeof r) != 0 || r.state_entry_time & XEN_RUNSTATE_UPDATE);
    return r;
}

/* In the area the sums reach to the last change of state: the birth they say is always the same. */
static void look_area(unsigned v)
{
    static uint64_t born[RT_VCPUS];
    struct vcpu_runstate_info r = area_read(v);

    if (!born[v])
        born[v] = r.state_entry_time - sum(&r);
    CHECK_EQ(r.state_entry_time - sum(&r), born[v]);
}

/* The hypercall adds the time in the present state: the sums reach to a moment within the call. */
static void look_call(unsigned v)
{
    static uint64_t earliest[RT_VCPUS], latest[RT_VCPUS], previous[RT_VCPUS][4];
    struct vcpu_runstate_info r;
    uint64_t before = system_time(), after;

    CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, (int)v, &r), 0);
    after = system_time();
    CHECK(r.state_entry_time <= after);
    /* another's change of state may have a moment a little before the one up to which we were told */
    for (unsigned s = 0; s < 4; s++) {
        CHECK(v || r.time[s] >= previous[v][s]);
        previous[v][s] = r.time[s];
    }
    if (!latest[v] || after - sum(&r) < latest[v])
        latest[v] = after - sum(&r);
    if (before - sum(&r) > earliest[v])
        earliest[v] = before - sum(&r);
    CHECK(earliest[v] <= latest[v]);                /* one birth fits all answers */
}

static void look(void)
{
    for (unsigned i = 0; i < rounds(300); i++)
        for (unsigned v = 0; v < n; v++) {
            look_call(v);
            look_area(v);
            if (i % 50 == 0)
                sched_op(SCHEDOP_poll, &(struct sched_poll){ .timeout = system_time() + 100000 });
        }
}

void test_main(void)
{
    n = smp_begin_all(2);
    for (unsigned v = 0; v < n; v++) {
        struct vcpu_register_runstate_memory_area r;

        area[v] = page_alloc();
        r.addr.h.va = (uint64_t)area[v];
        CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, (int)v, &r), 0);
    }
    for (unsigned v = 1; v < n; v++)
        smp_start(v, move);
    look();
    quit = true;
    for (unsigned v = 1; v < n; v++)
        smp_wait(v);
}
