/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI devices reported, taken back, and asked for things that they are not there for. */
#include "rt.h"

TEST("dev: PCI device add and remove");

void test_main(void)
{
    struct physdev_pci_device d = { .seg = 0, .bus = 0, .devfn = 0 };
    struct physdev_pci_device_add add = { .seg = 0, .bus = 0, .devfn = 0 };
    struct physdev_pci_device ghost = { .seg = 0, .bus = 250, .devfn = 0x38 };
    struct physdev_manage_pci old = { 250, 0x38 };

    CHECK_EQ(physdev_op(PHYSDEVOP_pci_device_add, &add), 0);
    CHECK_EQ(physdev_op(PHYSDEVOP_pci_device_add, &add), 0);        /* Linux does so after a rescan */
    CHECK_EQ(physdev_op(PHYSDEVOP_pci_device_remove, &d), 0);
    CHECK(physdev_op(PHYSDEVOP_pci_device_remove, &ghost) < 0);
    CHECK(physdev_op(PHYSDEVOP_prepare_msix, &ghost) < 0);
    CHECK(physdev_op(PHYSDEVOP_release_msix, &ghost) < 0);
    CHECK(physdev_op(PHYSDEVOP_restore_msi_ext, &ghost) < 0);
    CHECK(physdev_op(PHYSDEVOP_manage_pci_remove, &old) < 0);
    CHECK_EQ(physdev_op(PHYSDEVOP_pci_device_add, (void *)0x1000), -XEN_EFAULT);
}
