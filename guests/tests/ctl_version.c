/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control calls: only of the version they were written for, only with a readable argument, only on what is
 * there.
 */
#include "rt.h"

TEST("ctl: interface versions, unknown commands, absent domains");

void test_main(void)
{
    struct xen_domctl d = { .cmd = XEN_DOMCTL_getdomaininfo,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION - 1 };
    struct xen_sysctl s = { .cmd = XEN_SYSCTL_physinfo,
                            .interface_version = XEN_SYSCTL_INTERFACE_VERSION + 1 };
    static const uint32_t ops[] = { XEN_DOMCTL_destroydomain,  XEN_DOMCTL_pausedomain,
                                    XEN_DOMCTL_unpausedomain,  XEN_DOMCTL_max_mem,
                                    XEN_DOMCTL_setvcpucontext, XEN_DOMCTL_getvcpuinfo,
                                    XEN_DOMCTL_max_vcpus,      XEN_DOMCTL_getpageframeinfo3,
                                    XEN_DOMCTL_hypercall_init };

    CHECK_EQ(hypercall(__HYPERVISOR_domctl, &d, 0, 0, 0), -XEN_EACCES);
    CHECK_EQ(hypercall(__HYPERVISOR_sysctl, &s, 0, 0, 0), -XEN_EACCES);
    CHECK_EQ(hypercall(__HYPERVISOR_domctl, 0x1000, 0, 0, 0), -XEN_EFAULT);
    CHECK_EQ(hypercall(__HYPERVISOR_sysctl, 0x1000, 0, 0, 0), -XEN_EFAULT);
    memset(&d, 0, sizeof d);
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
        CHECK_EQ(domctl(ops[i], 1234, &d), -XEN_ESRCH);
    CHECK_EQ(domctl(99999, 0, &d), -XEN_ENOSYS);
    CHECK_EQ(sysctl(99999, &s), -XEN_ENOSYS);
    CHECK_EQ(domctl(XEN_DOMCTL_pausedomain, 0, &d), -XEN_EINVAL);           /* oneself (XSA-127) */
    CHECK_EQ(domctl(XEN_DOMCTL_destroydomain, 0, &d), -XEN_EINVAL);
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, 0, &d), 0);
    CHECK_EQ(d.u.getdomaininfo.domain, 0);
    CHECK(d.u.getdomaininfo.tot_pages >= start_info_pointer->nr_pages);
    CHECK_EQ(d.u.getdomaininfo.shared_info_frame, start_info_pointer->shared_info >> 12);
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, DOMID_FIRST_RESERVED - 1, &d), -XEN_ESRCH);
}
