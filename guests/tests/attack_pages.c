/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that the hypervisor writes to at any time: queues of events, the shared page, grant tables,
 * vcpu_info. None may become a table, none goes to somebody else while it is in use, and no table
 * becomes one of them.
 */
#include "rt.h"

TEST("attack: pages that the hypervisor writes to, as tables, and given up");

static long hand_back(uint64_t mfn)
{
    struct xen_memory_reservation r = { .extent_start = { (uint64_t)&mfn }, .nr_extents = 1,
                                        .domid = DOMID_SELF };

    return memory_op(XENMEM_decrease_reservation, &r);
}

/* Not a table of any level, nor of descriptors. */
static void no_table(uint64_t mfn)
{
    struct mmuext_op op = { .arg1.mfn = mfn };

    for (unsigned level = 0; level < 4; level++) {
        op.cmd = MMUEXT_PIN_L1_TABLE + level;
        CHECK(mmuext(&op, 1, NULL, DOMID_SELF) < 0);
    }
    op.cmd = MMUEXT_NEW_BASEPTR;
    CHECK(mmuext(&op, 1, NULL, DOMID_SELF) < 0);
    op.cmd = MMUEXT_NEW_USER_BASEPTR;
    CHECK(mmuext(&op, 1, NULL, DOMID_SELF) < 0);
    CHECK(hypercall(__HYPERVISOR_set_gdt, &mfn, 512, 0, 0) < 0);
}

/* Nobody gets one of these frames while something still uses it. */
static void not_handed_out(const uint64_t *mfns, unsigned n)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t frame = i;
        struct xen_memory_reservation r = { .extent_start = { (uint64_t)&frame }, .nr_extents = 1,
                                            .domid = DOMID_SELF };

        if (memory_op(XENMEM_populate_physmap, &r) != 1)
            return;
        for (unsigned k = 0; k < n; k++)
            CHECK(frame != mfns[k]);
    }
}

void test_main(void)
{
    void *control = page_alloc(), *words = page_alloc(), *info = page_alloc();
    uint64_t own[] = { va_to_mfn(control), va_to_mfn(words), va_to_mfn(info) }, grant = 0;
    struct evtchn_init_control i = { .control_gfn = own[0], .vcpu = 0 };
    struct evtchn_expand_array e = { own[1] };
    struct gnttab_setup_table g = { .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { (uint64_t)&grant } };
    struct vcpu_register_vcpu_info v = { .mfn = own[2], .offset = 64 };
    struct evtchn_bind_ipi b = { .vcpu = 0 };
    struct evtchn_send s;
    struct tree t;

    tree_make(&t);
    CHECK_EQ(table_pin(1, t.l1), 0);
    i.control_gfn = e.array_gfn = va_to_mfn(t.l1);
    CHECK(event_op(EVTCHNOP_init_control, &i) < 0);
    i.control_gfn = own[0];
    CHECK_EQ(event_op(EVTCHNOP_init_control, &i), 0);
    CHECK(event_op(EVTCHNOP_expand_array, &e) < 0);
    e.array_gfn = own[1];
    CHECK_EQ(event_op(EVTCHNOP_expand_array, &e), 0);
    CHECK_EQ(grant_op(GNTTABOP_setup_table, &g, 1), 0);
    CHECK_EQ(g.status, GNTST_okay);
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &v), 0);

    no_table(grant);
    no_table(start_info_pointer->shared_info >> 12);
    CHECK_EQ(hand_back(grant), 0);                        /* how many were given up: none */
    CHECK_EQ(hand_back(start_info_pointer->shared_info >> 12), 0);
    CHECK_EQ(page_protect(control), 0);                 /* no writable mapping of ours is left */
    CHECK_EQ(page_protect(words), 0);
    for (unsigned k = 0; k < ARRAY_LEN(own); k++)
        no_table(own[k]);
    CHECK_EQ(update_va((uint64_t)control, 0, UVMF_INVLPG), 0);
    CHECK_EQ(update_va((uint64_t)words, 0, UVMF_INVLPG), 0);
    CHECK_EQ(hand_back(own[0]), 1);
    CHECK_EQ(hand_back(own[1]), 1);
    not_handed_out(own, 2);
    CHECK_EQ(event_op(EVTCHNOP_bind_ipi, &b), 0);
    s.port = b.port;
    for (unsigned k = 0; k < 4; k++)
        CHECK_EQ(event_op(EVTCHNOP_send, &s), 0);       /* written where nobody looks any more */
}
