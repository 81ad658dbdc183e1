/* SPDX-License-Identifier: BSD-2-Clause */
/* Several calls in one: in order, each with its result, errors in the middle not stopping the rest. */
#include "rt.h"

TEST("call: multicall order, results, refusals");

static struct multicall_entry entry(uint64_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return (struct multicall_entry){ op, 0x5555, { a, b, c, d, 0, 0 } };
}
static long run(struct multicall_entry *list, unsigned n)
{
    return hypercall(__HYPERVISOR_multicall, list, n, 0, 0);
}

/* An event that is due comes between two calls that may take long, and not after a list of them. */
static struct multicall_entry pair[2];
static volatile bool between;

static void look(void) { between |= pair[0].result != 0x5555 && pair[1].result == 0x5555; }

static void events_come_between(void)
{
    struct vcpu_info *v = own_info();

    on_event = look;
    for (unsigned tries = 0; !between && tries < 100; tries++) {
        pair[0] = pair[1] = entry(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
        events_mask();
        v->evtchn_upcall_pending = 1;
        v->evtchn_upcall_mask = 0;      /* no call that would let it in */
        CHECK_EQ(run(pair, 2), 0);
        CHECK_EQ(pair[1].result, pair[0].result);
    }
    on_event = NULL;
    events_mask();
    CHECK(between);
}

void test_main(void)
{
    uint64_t *a = page_alloc(), *b = page_alloc();
    struct multicall_entry list[64];

    list[0] = entry(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
    list[1] = entry(99, 0, 0, 0, 0);
    list[2] =
        entry(__HYPERVISOR_update_va_mapping, (uint64_t)a, pte(va_to_mfn(b), PTE_KERNEL), UVMF_INVLPG, 0);
    list[3] = entry(__HYPERVISOR_event_channel_op, EVTCHNOP_send, 0x1000, 0, 0);
    list[4] = entry(__HYPERVISOR_multicall, (uint64_t)list, 1, 0, 0);
    list[5] = entry(__HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0);
    b[0] = 77;
    CHECK_EQ(run(list, 6), 0);
    CHECK(list[0].result >= (4 << 16 | 17));
    CHECK_EQ(list[1].result, -XEN_ENOSYS);
    CHECK_EQ(list[2].result, 0);
    CHECK_EQ(*(volatile uint64_t *)a, 77);
    CHECK_EQ(list[3].result, -XEN_EFAULT);
    CHECK((long)list[4].result < 0);                        /* not in itself */
    CHECK_EQ(list[5].result, PAGE_SIZE);
    CHECK_EQ(run(list, 0), 0);
    CHECK_EQ(run((void *)0x1000, 1), -XEN_EFAULT);
    CHECK(run((void *)0xffff830000000000, 1) < 0);
    for (unsigned i = 0; i < 64; i++)
        list[i] = entry(__HYPERVISOR_update_va_mapping, (uint64_t)a,
                        pte(va_to_mfn(i & 1 ? a : b), PTE_KERNEL), UVMF_INVLPG, 0);
    CHECK_EQ(run(list, 64), 0);
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQ(list[i].result, 0);
    CHECK_EQ(*(volatile uint64_t *)a, 0);                   /* the last one counts */
    CHECK(run(list, 0xffffffff) < 0);                       /* runs on until the list leaves our memory */
    events_come_between();
}
