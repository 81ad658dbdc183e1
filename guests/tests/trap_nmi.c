/* SPDX-License-Identifier: BSD-2-Clause */
/* A non-maskable interrupt sent to oneself, by the callback of either registration, and by the trap table. */
#include "rt.h"

TEST("trap: NMI callback");

static volatile unsigned nmis;
static void nmi(struct trap_frame *f) { nmis += f->vector == 2; }

void test_main(void)
{
    struct callback_register r = { .type = CALLBACKTYPE_nmi, .address = (uint64_t)trap_2 };
    struct callback_unregister u = { .type = CALLBACKTYPE_nmi };
    struct xennmi_callback old = { .handler_address = (uint64_t)trap_2 };

    on_interrupt = nmi;
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &r, 0, 0), 0);
    CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
    CHECK_EQ(nmis, 1);
    CHECK_EQ(hypercall(__HYPERVISOR_callback_op, CALLBACKOP_unregister, &u, 0, 0), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_nmi_op, XENNMI_register_callback, &old, 0, 0), 0);
    CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
    CHECK_EQ(nmis, 2);
    CHECK_EQ(hypercall(__HYPERVISOR_nmi_op, XENNMI_unregister_callback, NULL, 0, 0), 0);
    /* without either, by the trap table */
    CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
    CHECK_EQ(nmis, 3);
    CHECK_EQ(hypercall(__HYPERVISOR_nmi_op, 99, NULL, 0, 0), -XEN_ENOSYS);
    CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 999, NULL), -XEN_ENOENT);
}
