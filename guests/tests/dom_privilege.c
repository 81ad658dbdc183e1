/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordinary domain asks for what is dom0's: control, the machine, other domains' memory. It gets nothing.
 */
#include "child.h"

TEST("dom: privileged calls of an unprivileged domain");

static struct child c;

static int64_t on_buffer(uint64_t nr, const void *arg, size_t size)
{
    memcpy(c.page->buffer, arg, size);
    return child_call(&c, nr, child_buffer(0), 1, 0, DOMID_SELF);
}
static int64_t op_on_buffer(uint64_t nr, uint64_t cmd, const void *arg, size_t size)
{
    memcpy(c.page->buffer, arg, size);
    return child_call(&c, nr, cmd, child_buffer(0), 0, 0);
}

void test_main(void)
{
    struct xen_domctl d = { .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
    struct xen_sysctl s = { .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
    struct xen_platform_op p = { .interface_version = XENPF_INTERFACE_VERSION };
    struct mmu_update update;
    struct physdev_set_iopl iopl = { 3 };
    struct physdev_apic apic = { .apic_physbase = 0xfec00000, .reg = 1 };
    struct xen_memory_domain other = { 0 };
    struct sched_remote_shutdown kill = { 0, SHUTDOWN_poweroff };
    uint64_t page = va_to_mfn(page_alloc());

    if (!child_create(&c))
        return;
    for (d.cmd = 1; d.cmd < 90; d.cmd++) {
        d.domain = d.cmd & 1 ? c.id : 0;
        CHECK(on_buffer(__HYPERVISOR_domctl, &d, sizeof d) < 0);
    }
    d.cmd = XEN_DOMCTL_destroydomain;
    d.domain = 0;
    CHECK_EQ(on_buffer(__HYPERVISOR_domctl, &d, sizeof d), -XEN_EPERM);
    for (s.cmd = 1; s.cmd < 30; s.cmd++)
        CHECK(on_buffer(__HYPERVISOR_sysctl, &s, sizeof s) < 0);
    for (p.cmd = 17; p.cmd < 64; p.cmd++)
        CHECK(on_buffer(__HYPERVISOR_platform_op, &p, sizeof p) < 0);

    /* into its own table an entry for our page: named as its own, as ours */
    update = (struct mmu_update){ (c.mfn[6] << 12) + 12 * 8, pte(page, PTE_KERNEL) };
    memcpy(c.page->buffer, &update, sizeof update);
    CHECK(child_call(&c, __HYPERVISOR_mmu_update, child_buffer(0), 1, 0, DOMID_SELF) < 0);
    CHECK_EQ(child_call(&c, __HYPERVISOR_mmu_update, child_buffer(0), 1, 0, 0), -XEN_EPERM);
    CHECK(child_call(&c, __HYPERVISOR_mmu_update, child_buffer(0), 1, 0, DOMID_IO) < 0);
    CHECK(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xc000, pte(page, PTE_KERNEL), 0, 0) <
          0);
    CHECK_EQ(child_call(&c, __HYPERVISOR_update_va_mapping_otherdomain, VIRT_BASE + 0xc000,
                        pte(page, PTE_KERNEL), 0, 0),
             -XEN_EPERM);
    CHECK(child_call(&c, __HYPERVISOR_update_va_mapping, VIRT_BASE + 0xc000, pte(0xb8, PTE_KERNEL), 0, 0) <
          0);
    update.ptr = root_mfn() << 12;                                          /* our table itself */
    memcpy(c.page->buffer, &update, sizeof update);
    CHECK(child_call(&c, __HYPERVISOR_mmu_update, child_buffer(0), 1, 0, DOMID_SELF) < 0);

    CHECK(op_on_buffer(__HYPERVISOR_physdev_op, PHYSDEVOP_apic_read, &apic, sizeof apic) < 0);
    /* its own flag; no port opens */
    op_on_buffer(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl, sizeof iopl);
    CHECK_EQ(op_on_buffer(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &other, sizeof other),
             -XEN_EPERM);
    CHECK(op_on_buffer(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &kill, sizeof kill) < 0);
    CHECK(child_call(&c, __HYPERVISOR_console_io, CONSOLEIO_read, 16, child_buffer(0), 0) < 0);
    CHECK_EQ(child_call(&c, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
    child_destroy(&c);
}
