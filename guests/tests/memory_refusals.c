/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists, orders, counts and domains that are wrong. */
#include "rt.h"

TEST("memory: refused reservations");

static long op(int cmd, uint64_t list, uint64_t n, unsigned order, unsigned flags, domid_t dom)
{
    struct xen_memory_reservation r = { { list }, n, order, flags, dom };

    return memory_op(cmd, &r);
}

void test_main(void)
{
    uint64_t mfn = va_to_mfn(page_alloc()), bad = 0xffffffffff, one[1] = { 1 };
    struct xen_memory_domain d = { 1234 };
    static const int ops[] = { XENMEM_increase_reservation, XENMEM_decrease_reservation,
                               XENMEM_populate_physmap };
    long before, after;

    CHECK_EQ(memory_op(XENMEM_current_reservation, &d), -XEN_ESRCH);
    CHECK_EQ(memory_op(XENMEM_maximum_reservation, &d), -XEN_ESRCH);
    d.domid = DOMID_SELF;
    before = memory_op(XENMEM_current_reservation, &d);
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        CHECK(op(ops[i], (uint64_t)one, 1, 0, 0, 1234) <= 0);         /* no extent done */
        CHECK(op(ops[i], (uint64_t)one, 1, 40, 0, DOMID_SELF) <= 0);
        CHECK(op(ops[i], (uint64_t)one, 1, 0xffffffff, 0, DOMID_SELF) <= 0);
        CHECK(op(ops[i], (uint64_t)one, ~0ul, 0, 0, DOMID_SELF) <= 0);
        CHECK(op(ops[i], (uint64_t)one, 1ul << 58, 0, 0, DOMID_SELF) <= 0);
        CHECK_EQ(op(ops[i], (uint64_t)one, 0, 0, 0, DOMID_SELF), 0);
        CHECK(memory_op(ops[i], (void *)0x1000) <= 0);
    }
    CHECK(op(XENMEM_decrease_reservation, 0x1000, 1, 0, 0, DOMID_SELF) <= 0);
    CHECK(op(XENMEM_populate_physmap, 0x1000, 1, 0, 0, DOMID_SELF) <= 0);
    CHECK(op(XENMEM_decrease_reservation, (uint64_t)&bad, 1, 0, 0, DOMID_SELF) <= 0);
    CHECK(op(XENMEM_populate_physmap, (uint64_t)&bad, 1, 0, 0, DOMID_SELF) <= 0);
    after = memory_op(XENMEM_current_reservation, &d);
    CHECK_EQ(after, before);
    /* a frame that is mapped may be given back: it goes when the mapping goes, not before */
    CHECK_EQ(op(XENMEM_decrease_reservation, (uint64_t)&mfn, 1, 0, 0, DOMID_SELF), 1);
    CHECK(memory_op(63, one) == -XEN_ENOSYS);
    CHECK(memory_op(40, one) == -XEN_ENOSYS);
}
