/* SPDX-License-Identifier: BSD-2-Clause */
/* A running second domain: paused and unpaused by count, its state seen, its vCPU's registers read. */
#include "child.h"

TEST("ctl: pause, unpause, contexts, vCPU information");

static struct xen_domctl op;
static struct vcpu_guest_context context;

static uint32_t flags(struct child *c)
{
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c->id, &op), 0);
    return op.u.getdomaininfo.flags;
}

void test_main(void)
{
    struct child c = { 0 };

    if (!child_create(&c))
        return;
    CHECK_EQ(child_call(&c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
    CHECK_EQ(flags(&c) & (XEN_DOMINF_paused | XEN_DOMINF_dying), 0);
    CHECK_EQ(op.u.getdomaininfo.nr_online_vcpus, 1);
    CHECK_EQ(domctl(XEN_DOMCTL_pausedomain, c.id, &op), 0);
    CHECK_EQ(flags(&c) & XEN_DOMINF_paused, XEN_DOMINF_paused);
    child_add(&c, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0);
    c.page->state = 1;
    nap(5000000);
    CHECK_EQ(c.page->state, 1);                             /* it does not run */

    memset(&op, 0, sizeof op);
    op.u.vcpucontext.ctxt.va = (uint64_t)&context;
    CHECK_EQ(domctl(XEN_DOMCTL_getvcpucontext, c.id, &op), 0);
    CHECK_EQ(context.user_regs.rip & ~0xffful, VIRT_BASE);
    CHECK_EQ(context.user_regs.rbx, CHILD_SHARED);
    CHECK_EQ(context.flags & VGCF_in_kernel, VGCF_in_kernel);
    CHECK_EQ(xen_cr3_to_pfn(context.ctrlreg[3]), c.mfn[3]);
    op.u.vcpucontext.vcpu = 7;
    CHECK(domctl(XEN_DOMCTL_getvcpucontext, c.id, &op) < 0);
    memset(&op, 0, sizeof op);
    CHECK_EQ(domctl(XEN_DOMCTL_getvcpuinfo, c.id, &op), 0);
    CHECK_EQ(op.u.getvcpuinfo.online, 1);
    CHECK(op.u.getvcpuinfo.cpu_time > 0);

    CHECK_EQ(domctl(XEN_DOMCTL_unpausedomain, c.id, &op), 0);
    CHECK(domctl(XEN_DOMCTL_unpausedomain, c.id, &op) < 0);         /* not paused */
    CHECK(child_run(&c));
    CHECK_EQ(c.page->call[0].result, PAGE_SIZE);

    memset(&op, 0, sizeof op);
    op.u.max_mem.max_memkb = 1;                                     /* below what it has: only no more */
    CHECK_EQ(domctl(XEN_DOMCTL_max_mem, c.id, &op), 0);
    child_destroy(&c);
}
