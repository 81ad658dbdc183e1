/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of PCI devices: what stands in the device's registers, and who hears it. */
#include "irq_fake.h"

#include <hv/ops.h>
#include <hv/pci.h>

#include <abi/physdev.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS 0xfee03000u     /* the processor's APIC number is 3 */
#define TABLE   0x800000000ull

static struct domain *const d0 = &fake_domain[0], *const d1 = &fake_domain[1];

static int reset(void **state)
{
    (void)pci_device_remove(0, FAKE_BDF);
    fake_reset();
    assert_int_equal(pci_device_add(0, FAKE_BDF), 0);
    return 0;
}

static int map(struct domain *d, struct physdev_map_pirq *m) { return physdev_op_map_pirq(&fake_vcpu, d, m); }

static struct physdev_map_pirq request(int32_t type, int32_t entry, uint64_t table)
{
    return (struct physdev_map_pirq){ .type = type, .index = -1, .pirq = -1, .bus = 0, .devfn = FAKE_BDF,
                                      .entry_nr = entry, .table_base = table };
}

static uint32_t config(unsigned at, unsigned bytes)
{
    uint32_t v = 0;

    memcpy(&v, &fake_config[at], bytes);
    return v;
}

static void one_message(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MSI_SEG, 0, 0);

    assert_int_equal(map(d0, &m), 0);
    assert_in_range(m.pirq, FAKE_GSIS, MAX_PIRQS - 1);
    assert_int_equal(config(0x54, 4), ADDRESS);
    assert_int_equal(config(0x58, 4), 0);
    assert_in_range(config(0x5c, 2), 0x30, 0xef);
    assert_false(fake_msi_send(0));                 /* masked until somebody is bound */
    assert_int_equal(irq_bind(d0, (uint32_t)m.pirq, 5, false), 0);
    assert_true(fake_msi_send(0));
    assert_int_equal(fake_events[0][m.pirq], 1);
    assert_int_equal(irq_status(d0, (uint32_t)m.pirq), 0);
    assert_int_equal(irq_eoi(d0, (uint32_t)m.pirq), 0);
    irq_unbind(d0, (uint32_t)m.pirq);
    assert_false(fake_msi_send(0));
}

static void four_messages(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MULTI_MSI, 4, 0);

    assert_int_equal(map(d0, &m), 0);
    assert_int_equal(config(0x52, 2) >> 4 & 7, 2);
    assert_int_equal(config(0x5c, 2) & 3, 0);   /* aligned: the device puts the number into the low bits */
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(irq_bind(d0, (uint32_t)m.pirq + i, 5 + i, false), 0);
    assert_true(fake_msi_send(2));
    assert_int_equal(fake_events[0][m.pirq + 2], 1);
    assert_int_equal(fake_events[0][m.pirq], 0);
    assert_int_equal(irq_unmap(d0, (uint32_t)m.pirq + 1), -XEN_EINVAL);
    assert_int_equal(irq_unmap(d0, (uint32_t)m.pirq), 0);
    assert_int_equal(irq_eoi(d0, (uint32_t)m.pirq + 3), -XEN_EINVAL);
}

static void counts_are_checked(void **state)
{
    struct physdev_map_pirq m;

    m = request(MAP_PIRQ_TYPE_MULTI_MSI, 8, 0);
    assert_int_equal(map(d0, &m), -XEN_EINVAL);
    m = request(MAP_PIRQ_TYPE_MULTI_MSI, 3, 0);
    assert_int_equal(map(d0, &m), -XEN_EINVAL);
    m = request(MAP_PIRQ_TYPE_MULTI_MSI, 33, 0);
    assert_int_equal(map(d0, &m), -XEN_EDOM);
    m = request(MAP_PIRQ_TYPE_MSI_SEG, FAKE_ENTRIES, TABLE);
    assert_int_equal(map(d0, &m), -XEN_EINVAL);
    m = request(MAP_PIRQ_TYPE_MSI_SEG, -1, TABLE);
    assert_int_equal(map(d0, &m), -XEN_EINVAL);
    m = request(MAP_PIRQ_TYPE_MSI_SEG, 0, 0);
    m.devfn = FAKE_BDF + 1;
    assert_int_equal(map(d0, &m), -XEN_ENODEV);
    m = request(MAP_PIRQ_TYPE_MSI_SEG, 0, 0);
    m.bus = 1 << 16;
    assert_int_equal(map(d0, &m), -XEN_ENODEV);
    m = request(99, 0, 0);
    assert_int_equal(map(d0, &m), -XEN_EINVAL);
}

static void table_entries(void **state)
{
    struct physdev_map_pirq a = request(MAP_PIRQ_TYPE_MSI_SEG, 1, TABLE),
                            b = request(MAP_PIRQ_TYPE_MSI_SEG, 6, TABLE);
    struct physdev_map_pirq again = a;

    fake_table[7] = 0;                              /* not masked: it must be, before it has a message */
    assert_int_equal(map(d0, &a), 0);
    assert_int_equal(map(d1, &b), 0);
    assert_int_equal(map(d0, &again), -XEN_EEXIST);
    assert_int_equal(fake_table[4], ADDRESS);
    assert_int_equal(fake_table[5], 0);
    assert_int_not_equal(fake_table[6], fake_table[26]);
    assert_false(fake_msix_send(1));
    assert_int_equal(irq_bind(d0, (uint32_t)a.pirq, 5, false), 0);
    assert_int_equal(irq_bind(d1, (uint32_t)b.pirq, 5, false), 0);
    assert_true(fake_msix_send(1));
    assert_true(fake_msix_send(6));
    assert_int_equal(fake_events[0][a.pirq], 1);
    assert_int_equal(fake_events[1][b.pirq], 1);
    assert_false(fake_msix_send(0));
    irq_domain_release(d1);
    assert_false(fake_msix_send(6));
    assert_true(fake_msix_send(1));
}

static void a_table_needs_memory_decoding(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MSI_SEG, 1, TABLE);

    fake_config[4] = 0;
    assert_int_equal(map(d0, &m), -XEN_ENXIO);
    fake_config[4] = 6;
    fake_config[0x24] = 0x55;                       /* a BAR where nothing can be mapped */
    assert_int_equal(map(d0, &m), -XEN_ENXIO);
}

/* A virtual function's BARs read zero; dom0 knows where its memory is. */
static void a_virtual_functions_table(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MSI_SEG, 2, TABLE);

    memset(&fake_config[0x20], 0, 8);
    assert_int_equal(map(d0, &m), 0);
    assert_int_equal(fake_table[8], ADDRESS);
}

static void restored_after_a_reset(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MSI_SEG, 3, TABLE);
    struct physdev_pci_device p = { .devfn = FAKE_BDF };

    assert_int_equal(map(d0, &m), 0);
    assert_int_equal(irq_bind(d0, (uint32_t)m.pirq, 5, false), 0);
    memset(fake_table, 0, sizeof(fake_table));
    fake_table[15] = 1;
    assert_false(fake_msix_send(3));
    assert_int_equal(physdev_op_restore_msi_ext(&fake_vcpu, d0, &p), 0);
    assert_true(fake_msix_send(3));
    assert_int_equal(fake_events[0][m.pirq], 1);
    p.devfn++;
    assert_int_equal(physdev_op_restore_msi_ext(&fake_vcpu, d0, &p), -XEN_ENODEV);
}

static void a_device_that_goes_takes_its_messages(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MSI_SEG, 3, TABLE);

    assert_int_equal(map(d0, &m), 0);
    assert_int_equal(irq_bind(d0, (uint32_t)m.pirq, 5, false), 0);
    assert_int_equal(pci_device_remove(0, FAKE_BDF), 0);
    assert_int_equal(pci_device_remove(0, FAKE_BDF), -XEN_ENODEV);
    assert_false(fake_msix_send(3));
    assert_int_equal(irq_unmap(d0, (uint32_t)m.pirq), -XEN_EINVAL);
}

static void a_reserved_pirq_is_used(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MSI_SEG, 0, 0);
    struct physdev_get_free_pirq f = { .type = MAP_PIRQ_TYPE_MSI };

    assert_int_equal(physdev_op_get_free_pirq(&fake_vcpu, d0, &f), 0);
    assert_int_equal(irq_bind(d0, f.pirq, 5, false), -XEN_EINVAL);
    m.pirq = (int32_t)f.pirq;
    assert_int_equal(map(d0, &m), 0);
    assert_int_equal(m.pirq, f.pirq);
    assert_int_equal(irq_bind(d0, f.pirq, 5, false), 0);
}

static void vectors_run_out_and_come_back(void **state)
{
    unsigned n = 0;
    int p[256];

    /* One device has few messages; many domains' worth of pins and entries are enough to see the end by
     * numbers. */
    while (n < 256 && (p[n] = irq_reserve(d0)) >= 0)
        n++;
    assert_int_equal(n, 256);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(irq_unmap(d0, (uint32_t)p[i]), 0);
    for (unsigned round = 0; round < 300; round++) {
        struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MULTI_MSI, 4, 0);

        assert_int_equal(map(d0, &m), 0);
        assert_int_equal(irq_unmap(d0, (uint32_t)m.pirq), 0);
    }
}

/* A chain of capabilities that leads back to itself ends. */
static void a_looped_chain(void **state)
{
    assert_int_equal(pci_device_remove(0, FAKE_BDF), 0);
    fake_config[0x71] = 0x50;
    assert_int_equal(pci_device_add(0, FAKE_BDF), 0);
    assert_int_equal(pci_device_find(0, FAKE_BDF)->msix, 0x70);
    assert_int_equal(pci_device_add(0, FAKE_BDF + 8), -XEN_ENODEV);
    assert_int_equal(pci_device_add(1, FAKE_BDF), -XEN_EOPNOTSUPP);
}

/* Whoever comes between a domain's two accesses: another domain, or we. */
static void an_address_latch_for_each_domain(void **state)
{
    uint32_t value = 0;

    assert_true(pci_port_write(d0, 0xcf8, 4, 1u << 31 | FAKE_BDF << 8 | 0x20));
    assert_true(pci_port_write(&fake_domain[1], 0xcf8, 4, 1u << 31 | FAKE_BDF << 8 | 0x70));
    assert_int_equal(pci_config_read(FAKE_BDF, 0, 4), 0x12341af4);
    assert_true(pci_port_read(d0, 0xcfc, 4, &value));
    assert_int_equal(value, 0x0c);
    assert_true(pci_port_read(&fake_domain[1], 0xcfe, 2, &value));
    assert_int_equal(value, FAKE_ENTRIES - 1 + 0x8000);
    assert_true(pci_port_write(d0, 0xcfd, 1, 0x55));
    assert_int_equal(config(0x20, 4), 0x550c);
    assert_true(pci_port_read(d0, 0xcf8, 4, &value));
    assert_int_equal(value, 1u << 31 | FAKE_BDF << 8 | 0x20);
    assert_false(pci_port_write(d0, 0xcf9, 1, 6));              /* the reset register */
    assert_false(pci_port_read(d0, 0xcf8, 2, &value));
    assert_true(pci_port_write(d0, 0xcf8, 4, FAKE_BDF << 8));   /* not enabled: the ports are only ports */
    assert_false(pci_port_read(d0, 0xcfc, 4, &value));
}

static void messages_follow_their_vcpu(void **state)
{
    struct physdev_map_pirq m = request(MAP_PIRQ_TYPE_MULTI_MSI, 4, 0);

    assert_int_equal(map(d0, &m), 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(irq_bind(d0, (uint32_t)m.pirq + i, 5 + i, false), 0);
    fake_vcpu.cpu = &fake_cpu[1];
    assert_true(fake_msi_send(2));                      /* one address for all: the first message decides */
    assert_int_equal(config(0x54, 4), ADDRESS);
    assert_true(fake_msi_send(0));
    assert_int_equal(config(0x54, 4), ADDRESS + 0x4000);
    assert_true(fake_msi_send(0));
    assert_int_equal(fake_events[0][m.pirq], 2);

    assert_int_equal(irq_unmap(d0, (uint32_t)m.pirq), 0);
    m = request(MAP_PIRQ_TYPE_MSI_SEG, 1, TABLE);
    assert_int_equal(map(d0, &m), 0);
    assert_int_equal(fake_table[4], ADDRESS);
    assert_int_equal(irq_bind(d0, (uint32_t)m.pirq, 5, false), 0);
    assert_int_equal(fake_table[4], ADDRESS + 0x4000);  /* where the vCPU is when it binds */
    assert_true(fake_msix_send(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_message, reset),
        cmocka_unit_test_setup(four_messages, reset),
        cmocka_unit_test_setup(counts_are_checked, reset),
        cmocka_unit_test_setup(table_entries, reset),
        cmocka_unit_test_setup(a_table_needs_memory_decoding, reset),
        cmocka_unit_test_setup(a_virtual_functions_table, reset),
        cmocka_unit_test_setup(restored_after_a_reset, reset),
        cmocka_unit_test_setup(a_device_that_goes_takes_its_messages, reset),
        cmocka_unit_test_setup(a_reserved_pirq_is_used, reset),
        cmocka_unit_test_setup(vectors_run_out_and_come_back, reset),
        cmocka_unit_test_setup(a_looped_chain, reset),
        cmocka_unit_test_setup(messages_follow_their_vcpu, reset),
        cmocka_unit_test_setup(an_address_latch_for_each_domain, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
