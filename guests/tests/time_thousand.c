/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 1 2 */
/*
 * What sleeps costs nothing: a hundred domains (nightly a thousand) that have blocked for good, and the
 * machine waits a few seconds. Its timers then interrupt nobody but for the end of that wait. Half of the
 * domains block with events unmasked, the others poll without ports and without a time limit, as a kernel
 * without interrupts would; each has used its timer before. The hypervisor counts timer interrupts itself;
 * debug key a tells.
 */
#include "child.h"
#include "smp.h"

TEST("time: many blocked domains cause no timer interrupt");

#define SECOND 1000000000ull
#define LOG_PAGES 8
#define REACH (4 * SECOND)      /* of a local APIC's counter at 1 GHz: a longer wait takes several */
#define RENEWED (SECOND / 2)    /* where the TSC is no good clock, guests' clocks are set anew that often */

struct counts { uint64_t interrupts, programs; };

static char *text;
static uint32_t read_to;
static unsigned processors;

/* What the log has got since the last time; the last of it, if that is too much. */
static void log_read(bool incremental)
{
    struct xen_sysctl op = { 0 };

    op.u.readconsole.buffer.va = (uint64_t)text;
    op.u.readconsole.count = LOG_PAGES * PAGE_SIZE - 1;
    op.u.readconsole.incremental = incremental;
    op.u.readconsole.index = read_to;
    CHECK_EQ(sysctl(XEN_SYSCTL_readconsole, &op), 0);
    text[op.u.readconsole.count] = 0;
    read_to = op.u.readconsole.index;
}

/* The number before a word of ours, which is at `at`. */
static uint64_t number_before(const char *at)
{
    uint64_t n = 0, place = 1;

    for (at--; at > text && *at >= '0' && *at <= '9'; at--, place *= 10)
        n += (uint64_t)(*at - '0') * place;
    return n;
}

/* Of all processors together. */
static struct counts counts_now(void)
{
    static const char interrupts[] = " timer interrupts, ", programs[] = " times, ";
    struct xen_sysctl op = { 0 };
    struct counts c = { 0 };

    processors = 0;
    log_read(false);
    op.u.debug_keys.keys.va = (uint64_t)"a";
    op.u.debug_keys.nr_keys = 1;
    CHECK_EQ(sysctl(XEN_SYSCTL_debug_keys, &op), 0);
    log_read(true);
    for (const char *at = text; *at; at++)
        if (memcmp(at, interrupts, sizeof(interrupts) - 1) == 0) {
            c.interrupts += number_before(at);
            processors++;
        } else if (memcmp(at, programs, sizeof(programs) - 1) == 0) {
            c.programs += number_before(at);
        }
    memset(&op, 0, sizeof op);
    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &op), 0);
    CHECK_EQ(processors, op.u.physinfo.nr_cpus);
    CHECK(c.interrupts && c.programs);
    return c;
}

static uint32_t state_of(domid_t id)
{
    struct xen_domctl op = { 0 };

    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, id, &op), 0);
    return op.u.getdomaininfo.flags;
}

/* One structure serves for all: its windows go from one domain to the next. */
static void sleeper_create(struct child *c, bool polls)
{
    if (!child_create(c))
        give_up("no child");
    child_add(c, __HYPERVISOR_set_timer_op, system_time() + 3600 * SECOND, 0, 0, 0);
    child_add(c, __HYPERVISOR_set_timer_op, 0, 0, 0, 0);
    if (polls)
        child_add(c, __HYPERVISOR_sched_op, SCHEDOP_poll, child_buffer(0), 0, 0);   /* all zeroes */
    else
        child_add(c, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0);
    child_begin(c, 1);
    AWAIT(state_of(c->id) & XEN_DOMINF_blocked);
    CHECK_EQ(c->page->state, 1);                /* it is in its last call */
}

/*
 * Our own: the end of the wait, where the hardware's counter does not reach so far, and on each processor
 * once what it was set to before and nobody waits for any more.
 */
static uint64_t own(uint64_t ns)
{
    uint64_t n = 1 + ns / REACH + processors;

    return shared->vcpu_info[0].time.flags & XEN_PVCLOCK_TSC_STABLE_BIT ? n : n + ns / RENEWED + 1;
}

void test_main(void)
{
    static struct child c;
    bool many = rounds(1) > 1;
    unsigned domains = many ? 1000 : 100;
    uint64_t ns = many ? 10 * SECOND : 3 * SECOND;
    struct counts before, after;

    if (!on_hauch())
        skip("it reads Hauch's own counters");
    text = pages_alloc(LOG_PAGES);
    for (unsigned i = 0; i < domains; i++)
        sleeper_create(&c, i % 2);
    nap(SECOND / 10);                       /* the end of a turn, from when we and the last one competed */
    before = counts_now();
    nap(ns);
    after = counts_now();
    say("%u domains, %lu ms: %lu timer interrupts, the hardware was set %lu times\n", domains, ns / 1000000,
        after.interrupts - before.interrupts, after.programs - before.programs);
    CHECK(after.interrupts > before.interrupts);
    CHECK(after.interrupts - before.interrupts <= own(ns));
    CHECK(after.programs - before.programs <= own(ns));
    CHECK(state_of(c.id) & XEN_DOMINF_blocked);
}
