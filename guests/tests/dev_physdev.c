/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of the machine by number: states asked, lines mapped, bound, and what is no line refused. */
#include "rt.h"

TEST("dev: physdev_op, PIRQs");

void test_main(void)
{
    struct physdev_irq_status_query q = { .irq = 9 };
    struct physdev_setup_gsi gsi = { 9, 1, 1 };
    struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 9, .pirq = 9 };
    struct physdev_unmap_pirq unmap = { DOMID_SELF, 9 };
    struct evtchn_bind_pirq bind = { .pirq = 9 };
    struct evtchn_close close;
    struct physdev_eoi eoi = { 9 };
    struct physdev_get_free_pirq pirq = { .type = MAP_PIRQ_TYPE_MSI };
    struct physdev_apic apic = { .apic_physbase = 0xfec00000, .reg = 1 };
    uint64_t *page = page_alloc();

    CHECK_EQ(physdev_op(PHYSDEVOP_irq_status_query, &q), 0);
    q.irq = 0xffffffff;
    CHECK(physdev_op(PHYSDEVOP_irq_status_query, &q) < 0);
    q.irq = 5000;
    CHECK(physdev_op(PHYSDEVOP_irq_status_query, &q) < 0);
    CHECK_EQ(physdev_op(PHYSDEVOP_setup_gsi, &gsi), 0);
    gsi.gsi = 4711;
    CHECK(physdev_op(PHYSDEVOP_setup_gsi, &gsi) < 0);
    CHECK_EQ(physdev_op(PHYSDEVOP_map_pirq, &map), 0);
    CHECK_EQ(map.pirq, 9);
    CHECK_EQ(event_op(EVTCHNOP_bind_pirq, &bind), 0);
    CHECK(event_op(EVTCHNOP_bind_pirq, &bind) < 0);                 /* once */
    CHECK_EQ(physdev_op(PHYSDEVOP_eoi, &eoi), 0);
    close.port = bind.port;
    CHECK_EQ(event_op(EVTCHNOP_close, &close), 0);
    CHECK_EQ(physdev_op(PHYSDEVOP_unmap_pirq, &unmap), 0);
    CHECK(physdev_op(PHYSDEVOP_unmap_pirq, &unmap) < 0);
    map.index = 4711;
    map.pirq = -1;
    CHECK(physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
    map.index = -1;
    CHECK(physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
    map.domid = 1234;
    CHECK(physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
    map = (struct physdev_map_pirq){ .domid = DOMID_SELF, .type = 77, .index = 9, .pirq = -1 };
    CHECK(physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
    map = (struct physdev_map_pirq){ .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MSI, .pirq = -1, .bus = 200,
                                     .devfn = 0x40 };               /* no such device */
    CHECK(physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
    eoi.irq = 0xffffffff;
    CHECK_EQ(physdev_op(PHYSDEVOP_eoi, &eoi), -XEN_EINVAL);
    CHECK_EQ(physdev_op(PHYSDEVOP_get_free_pirq, &pirq), 0);
    CHECK(pirq.pirq > 15);
    CHECK_EQ(physdev_op(PHYSDEVOP_apic_read, &apic), 0);
    CHECK((apic.value >> 16 & 0xff) >= 15);                         /* redirection entries of the IO-APIC */
    apic.apic_physbase = 0x12345000;
    CHECK(physdev_op(PHYSDEVOP_apic_read, &apic) < 0);
    CHECK_EQ(physdev_op(99, page), -XEN_ENOSYS);
    CHECK_EQ(physdev_op(PHYSDEVOP_eoi, (void *)0x1000), -XEN_EFAULT);
}
