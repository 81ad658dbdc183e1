/* SPDX-License-Identifier: BSD-2-Clause */
/* A context that says user mode must bring a root for it, however its number is spelled. */
#include "child.h"

TEST("attack: a context for user mode with a root that is none");

static struct child c;
static struct vcpu_guest_context x;

static long context(uint32_t cmd)
{
    struct xen_domctl op = { .u.vcpucontext = { .vcpu = 0, .ctxt.va = (uint64_t)&x } };

    return domctl(cmd, c.id, &op);
}

void test_main(void)
{
    static const uint64_t none[] = { 0, ~0ul, ~0ul << 12, 0xfff, 1ul << 63, 0xffful << 52 };
    struct xen_domctl op = { 0 };

    if (!child_create(&c))
        return;
    CHECK_EQ(domctl(XEN_DOMCTL_pausedomain, c.id, &op), 0);
    CHECK_EQ(context(XEN_DOMCTL_getvcpucontext), 0);
    CHECK_EQ(context(XEN_DOMCTL_setvcpucontext), 0);
    for (unsigned i = 0; i < ARRAY_LEN(none); i++) {
        CHECK_EQ(context(XEN_DOMCTL_getvcpucontext), 0);
        x.flags &= ~VGCF_in_kernel;
        x.ctrlreg[1] = none[i];
        CHECK_EQ(context(XEN_DOMCTL_setvcpucontext), -XEN_EINVAL);
    }
    CHECK_EQ(domctl(XEN_DOMCTL_unpausedomain, c.id, &op), 0);
    CHECK_EQ(child_call(&c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
    child_destroy(&c);
}
