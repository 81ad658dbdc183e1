/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables made by hand: what a PC has, and what is wrong with some. */
#include <hv/boot/acpi.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "boot_phys.h"

#define BASE 0x7ffe0000ull

static uint8_t memory[32 * 1024];
static size_t used;
static struct acpi_info info;

static void fix_checksum(uint8_t *p, size_t len, size_t at)
{
    uint8_t sum = 0;

    p[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + p[i]);
    p[at] = (uint8_t)-sum;
}

static uint8_t *new_table(const char *signature, uint32_t len)
{
    uint8_t *t = memory + used;

    memset(t, 0, len);
    memcpy(t, signature, 4);
    put32(t + 4, len);
    used += (len + 15) & ~15u;
    return t;
}

static uint64_t address(const uint8_t *t)
{
    return BASE + (uint64_t)(t - memory);
}

static uint64_t seal(uint8_t *t)
{
    fix_checksum(t, load_le32(t + 4), 9);
    return address(t);
}

static int parse(uint64_t xsdt, uint32_t rsdt)
{
    struct fake_phys fake = { .base = BASE, .bytes = memory, .len = used };
    struct boot_phys phys = { fake_phys_map, &fake };
    struct acpi_rsdp rsdp = { .revision = 2, .xsdt = xsdt, .rsdt = rsdt };
    int rc = parse_acpi(&rsdp, &phys, &info);

    fake_phys_free(&fake);
    return rc;
}

static uint64_t root(const char *name, uint32_t width, const uint64_t *tables, unsigned int count)
{
    uint8_t *t = new_table(name, 36 + width * count);

    for (unsigned int i = 0; i < count; i++)
        memcpy(t + 36 + width * i, &tables[i], width);
    return seal(t);
}

static uint8_t *make_madt(void)
{
    static const uint8_t entries[] = {
        0,  8,  0,   0, 1,    0, 0,    0,                                  /* processor 0, enabled */
        0,  8,  1,   2, 0,    0, 0,    0,                                  /* an empty socket */
        0,  8,  2,   4, 2,    0, 0,    0,                                  /* may come later */
        9,  16, 0,   0, 0x00, 1, 0,    0,    1,    0, 0, 0, 0x80, 0, 0, 0, /* x2APIC 256 */
        9,  16, 0,   0, 0,    0, 0,    0,    1,    0, 0, 0, 0,    0, 0, 0, /* processor 0 again */
        1,  12, 8,   0, 0,    0, 0xc0, 0xfe, 0,    0, 0, 0,                /* I/O APIC 8 */
        2,  10, 0,   0, 2,    0, 0,    0,    0,    0,                      /* timer on GSI 2 */
        2,  10, 0,   9, 9,    0, 0,    0,    0x0d, 0,                      /* SCI, level, high */
        2,  10, 7,   9, 9,    0, 0,    0,    0x0d, 0,                      /* not ISA */
        3,  8,  5,   0, 23,   0, 0,    0,                                  /* NMI on GSI 23 */
        4,  6,  255, 0, 0,    1,                                           /* LINT1 of all */
        77, 5,  1,   2, 3,                                                 /* what we do not know */
        5,  12, 0,   0, 0,    0, 0xe0, 0xfe, 1,    0, 0, 0,                /* local APIC elsewhere */
    };
    uint8_t *t = new_table("APIC", 44 + sizeof(entries));

    put32(t + 36, 0xfee00000);
    put32(t + 40, 1);
    memcpy(t + 44, entries, sizeof(entries));
    return t;
}

static void madt_is_read(void **state)
{
    uint64_t tables[1];

    used = 0;
    tables[0] = seal(make_madt());
    assert_int_equal(parse(root("XSDT", 8, tables, 1), 0), 0);
    assert_true(info.madt_present);
    assert_true(info.has_8259);
    assert_int_equal(info.lapic_addr, 0x1fee00000);
    assert_int_equal(info.cpus, 3);
    assert_true(info.cpu[0].enabled);
    assert_int_equal(info.cpu[1].apic_id, 4);
    assert_false(info.cpu[1].enabled);
    assert_true(info.cpu[1].online_able);
    assert_int_equal(info.cpu[2].apic_id, 256);
    assert_int_equal(info.cpu[2].uid, 128);
    assert_int_equal(info.ioapics, 1);
    assert_int_equal(info.ioapic[0].addr, 0xfec00000);
    assert_int_equal(info.overrides, 2);
    assert_int_equal(info.override[0].gsi, 2);
    assert_int_equal(info.override[1].polarity, ACPI_ACTIVE_HIGH);
    assert_int_equal(info.override[1].trigger, ACPI_LEVEL);
    assert_int_equal(info.nmis, 2);
    assert_int_equal(info.nmi[0].gsi, 23);
    assert_false(info.nmi[0].is_lint);
    assert_int_equal(info.nmi[1].uid, ACPI_NMI_ALL_CPUS);
    assert_int_equal(info.nmi[1].lint, 1);
    assert_int_equal(info.dropped, 1);
    assert_int_equal(info.bad_tables, 0);
}

static void madt_of_many_processors_is_cut(void **state)
{
    uint8_t *t;
    uint64_t table;

    used = 0;
    t = new_table("APIC", 44 + 300 * 16);
    for (unsigned int i = 0; i < 300; i++) {
        uint8_t *e = t + 44 + i * 16;
        e[0] = 9;
        e[1] = 16;
        put32(e + 4, i);
        put32(e + 8, 1);
    }
    table = seal(t);
    assert_int_equal(parse(root("XSDT", 8, &table, 1), 0), 0);
    assert_int_equal(info.cpus, ACPI_MAX_CPUS);
    assert_int_equal(info.dropped, 300 - ACPI_MAX_CPUS);
}

static void madt_broken_entry_keeps_what_came_before(void **state)
{
    uint8_t *t;
    uint64_t table;

    used = 0;
    t = make_madt();
    t[44 + 8 + 1] = 0; /* the second entry has no length */
    table = seal(t);
    assert_int_equal(parse(root("XSDT", 8, &table, 1), 0), 0);
    assert_int_equal(info.cpus, 1);
    assert_int_equal(info.bad_tables, 1);
}

static uint8_t *make_fadt(uint32_t len)
{
    uint8_t *t = new_table("FACP", len);

    put32(t + 36, 0x7ffe0000);
    put16(t + 46, 9);
    put32(t + 56, 0x600);
    put32(t + 64, 0x604);
    put32(t + 76, 0x608);
    t[88] = 4;
    t[89] = 2;
    t[91] = 4;
    put32(t + 112, 1 << 8 | 1 << 10);
    return t;
}

static void fadt_old_and_new(void **state)
{
    uint8_t *t;
    uint64_t table;

    used = 0;
    table = seal(make_fadt(116));
    assert_int_equal(parse(0, (uint32_t)root("RSDT", 4, &table, 1)), 0);
    assert_true(info.fadt.present);
    assert_int_equal(info.fadt.sci, 9);
    assert_int_equal(info.fadt.pm1a_event.addr, 0x600);
    assert_int_equal(info.fadt.pm1a_event.width, 32);
    assert_int_equal(info.fadt.pm1a_control.addr, 0x604);
    assert_int_equal(info.fadt.pm1b_control.addr, 0);
    assert_int_equal(info.fadt.pm_timer.addr, 0x608);
    assert_int_equal(info.fadt.pm_timer.space, ACPI_SPACE_IO);
    assert_true(info.fadt.pm_timer_32bit);
    assert_false(info.fadt.reset_supported); /* the flag is set, the register is not there */

    used = 0;
    t = make_fadt(244);
    t[116] = ACPI_SPACE_IO;
    t[117] = 8;
    put64(t + 120, 0xcf9);
    t[128] = 6;
    t[208] = ACPI_SPACE_MEMORY;
    t[209] = 32;
    put64(t + 212, 0xfed10000);
    table = seal(t);
    assert_int_equal(parse(root("XSDT", 8, &table, 1), 0), 0);
    assert_int_equal(info.fadt.reset.addr, 0xcf9);
    assert_int_equal(info.fadt.reset_value, 6);
    assert_int_equal(info.fadt.pm_timer.addr, 0xfed10000);
    assert_int_equal(info.fadt.pm_timer.space, ACPI_SPACE_MEMORY);
    assert_int_equal(info.fadt.pm1a_event.addr, 0x600);
}

static void hpet_and_mcfg(void **state)
{
    uint64_t tables[2];
    uint8_t *t;

    used = 0;
    t = new_table("HPET", 56);
    put32(t + 36, 0x8086a201);
    put64(t + 44, 0xfed00000);
    put16(t + 53, 100);
    tables[0] = seal(t);
    t = new_table("MCFG", 44 + 10 * 16);
    for (unsigned int i = 0; i < 10; i++) {
        put64(t + 44 + i * 16, 0xb0000000);
        put16(t + 52 + i * 16, (uint16_t)i);
        t[55 + i * 16] = 255;
    }
    tables[1] = seal(t);
    assert_int_equal(parse(root("XSDT", 8, tables, 2), 0), 0);
    assert_true(info.hpet.present);
    assert_int_equal(info.hpet.addr, 0xfed00000);
    assert_int_equal(info.hpet.min_tick, 100);
    assert_int_equal(info.mcfgs, ACPI_MAX_MCFG);
    assert_int_equal(info.mcfg[1].segment, 1);
    assert_int_equal(info.mcfg[1].bus_last, 255);
    assert_int_equal(info.dropped, 2);
    assert_int_equal(info.tables, 2);
    assert_memory_equal(info.table[1].signature, "MCFG", 4);
    assert_int_equal(info.table[1].addr, tables[1]);
}

static void broken_tables_are_skipped(void **state)
{
    uint64_t tables[5];
    uint8_t *t;

    used = 0;
    t = make_madt();
    tables[0] = address(t); /* no checksum */
    tables[1] = 0;
    tables[2] = 0x1000; /* unreachable */
    t = new_table("HPET", 56);
    put32(t + 4, 20); /* shorter than a header */
    tables[3] = address(t);
    t = new_table("HPET", 40);
    tables[4] = seal(t); /* a sound table that lacks its fields */
    assert_int_equal(parse(root("XSDT", 8, tables, 5), 0), 0);
    assert_int_equal(info.bad_tables, 5);
    assert_false(info.madt_present);
    assert_false(info.hpet.present);
}

static void falls_back_to_rsdt(void **state)
{
    uint64_t table, xsdt, rsdt;

    used = 0;
    table = seal(make_madt());
    rsdt = root("RSDT", 4, &table, 1);
    xsdt = root("XSDT", 8, &table, 1);
    memory[xsdt - BASE + 9] ^= 1;
    assert_int_equal(parse(xsdt, (uint32_t)rsdt), 0);
    assert_int_equal(info.cpus, 3);
    assert_int_equal(parse(xsdt, 0), -XEN_ENOENT);
}

static void rsdp_is_found_and_checked(void **state)
{
    uint8_t area[128] = { 0 }, *p = area + 48;
    struct acpi_rsdp rsdp;

    assert_int_equal(acpi_find_rsdp(area, sizeof(area)), -XEN_ENOENT);
    memcpy(p, "RSD PTR ", 8);
    p[15] = 2;
    put32(p + 16, 0x1000);
    put32(p + 20, 36);
    put64(p + 24, 0x123456789);
    fix_checksum(p, 20, 8);
    fix_checksum(p, 36, 32);
    memcpy(area + 16, "RSD PTR ", 8); /* one that does not sum up */
    area[17 + 16] = 1;
    assert_int_equal(acpi_find_rsdp(area, sizeof(area)), 48);
    assert_int_equal(parse_rsdp(p, 36, &rsdp), 0);
    assert_int_equal(rsdp.xsdt, 0x123456789);
    assert_int_equal(rsdp.rsdt, 0x1000);
    p[33] ^= 1;
    assert_int_equal(parse_rsdp(p, 36, &rsdp), 0); /* the old part is sound */
    assert_int_equal(rsdp.xsdt, 0);
    p[8] ^= 1;
    assert_int_equal(parse_rsdp(p, 36, &rsdp), -XEN_EILSEQ);
    p[0] = 'X';
    assert_int_equal(parse_rsdp(p, 36, &rsdp), -XEN_ENOEXEC);
    assert_int_equal(parse_rsdp(p, 19, &rsdp), -XEN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(madt_is_read),
        cmocka_unit_test(madt_of_many_processors_is_cut),
        cmocka_unit_test(madt_broken_entry_keeps_what_came_before),
        cmocka_unit_test(fadt_old_and_new),
        cmocka_unit_test(hpet_and_mcfg),
        cmocka_unit_test(broken_tables_are_skipped),
        cmocka_unit_test(falls_back_to_rsdt),
        cmocka_unit_test(rsdp_is_found_and_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
