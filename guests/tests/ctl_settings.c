/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of a domain that the tools make before it runs: each is taken, read back, and checked. */
#include "child.h"

TEST("ctl: affinity, weights, TSC, address size, policy, hypercall page");

static struct xen_domctl op;
static struct child c;

static void scheduling(void)
{
    uint8_t map = 1;

    memset(&op, 0, sizeof op);
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard = (struct xenctl_bitmap){ { (uint64_t)&map }, 8 };
    CHECK_EQ(domctl(XEN_DOMCTL_setvcpuaffinity, c.id, &op), 0);
    map = 0;
    CHECK_EQ(domctl(XEN_DOMCTL_getvcpuaffinity, c.id, &op), 0);
    CHECK_EQ(map & 1, 1);
    map = 0;                                            /* nowhere to run */
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    CHECK(domctl(XEN_DOMCTL_setvcpuaffinity, c.id, &op) < 0);
    op.u.vcpuaffinity.vcpu = 9;
    CHECK(domctl(XEN_DOMCTL_getvcpuaffinity, c.id, &op) < 0);

    memset(&op, 0, sizeof op);
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    CHECK_EQ(domctl(XEN_DOMCTL_scheduler_op, c.id, &op), 0);
    CHECK_EQ(op.u.scheduler_op.u.credit2.weight, 256);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit2.weight = 512;
    CHECK_EQ(domctl(XEN_DOMCTL_scheduler_op, c.id, &op), 0);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    CHECK_EQ(domctl(XEN_DOMCTL_scheduler_op, c.id, &op), 0);
    CHECK_EQ(op.u.scheduler_op.u.credit2.weight, 512);
    op.u.scheduler_op.sched_id = 99;
    CHECK(domctl(XEN_DOMCTL_scheduler_op, c.id, &op) < 0);
}

static void processor(void)
{
    memset(&op, 0, sizeof op);
    CHECK_EQ(domctl(XEN_DOMCTL_gettscinfo, c.id, &op), 0);
    CHECK(op.u.tsc_info.gtsc_khz > 1000);
    memset(&op, 0, sizeof op);
    CHECK_EQ(domctl(XEN_DOMCTL_get_address_size, c.id, &op), 0);
    CHECK_EQ(op.u.address_size.size, 64);
    op.u.address_size.size = 48;
    CHECK(domctl(XEN_DOMCTL_set_address_size, c.id, &op) < 0);
    memset(&op, 0, sizeof op);
    CHECK_EQ(domctl(XEN_DOMCTL_get_cpu_policy, c.id, &op), 0);
    CHECK(op.u.cpu_policy.nr_leaves > 4 && op.u.cpu_policy.nr_leaves < 200);
    op.u.cpu_policy.leaves.va = op.u.cpu_policy.msrs.va = 0x1000;
    CHECK(domctl(XEN_DOMCTL_get_cpu_policy, c.id, &op) < 0);
}

/* A stub has its number as the immediate of a MOV to EAX. */
static bool loads_number(const uint8_t *stub, uint8_t nr)
{
    const uint8_t load[] = { 0xb8, nr, 0, 0, 0 };

    for (unsigned i = 0; i + sizeof load <= 32; i++)
        if (memcmp(stub + i, load, sizeof load) == 0)
            return true;
    return false;
}

static void hypercall_page(void)
{
    uint8_t *at = page_alloc();

    CHECK_EQ(foreign_map(at, c.mfn[8], c.id, PTE_P), 0);
    memset(&op, 0, sizeof op);
    op.u.hypercall_init.gmfn = c.mfn[8];
    CHECK_EQ(domctl(XEN_DOMCTL_hypercall_init, c.id, &op), 0);
    CHECK(loads_number(at + 32 * __HYPERVISOR_xen_version, __HYPERVISOR_xen_version));
    op.u.hypercall_init.gmfn = c.mfn[6];                /* a page table */
    CHECK(domctl(XEN_DOMCTL_hypercall_init, c.id, &op) < 0);
    op.u.hypercall_init.gmfn = 0xffffffffff;
    CHECK(domctl(XEN_DOMCTL_hypercall_init, c.id, &op) < 0);
    CHECK_EQ(update_va((uint64_t)at, pte(va_to_mfn(at), PTE_KERNEL), UVMF_INVLPG), 0);
}

void test_main(void)
{
    if (!child_create(&c))
        return;
    scheduling();
    processor();
    hypercall_page();
    memset(&op, 0, sizeof op);
    memset(op.u.setdomainhandle.handle, 0x7e, 16);
    CHECK_EQ(domctl(XEN_DOMCTL_setdomainhandle, c.id, &op), 0);
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c.id, &op), 0);
    CHECK_EQ(op.u.getdomaininfo.handle[15], 0x7e);
    CHECK_EQ(child_call(&c, __HYPERVISOR_xen_version, XENVER_guest_handle, child_buffer(0), 0, 0), 0);
    CHECK_EQ(c.page->buffer[15], 0x7e);
    child_destroy(&c);
}
