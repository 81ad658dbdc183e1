/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot information of both versions, and the memory map painted from it. */
#include <hv/boot/multiboot.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "boot_phys.h"

static uint8_t memory[64 * 1024];
static struct boot_info info;

static int parse(uint32_t magic, size_t len)
{
    struct fake_phys fake = { .base = 0x10000, .bytes = memory, .len = len };
    struct boot_phys phys = { fake_phys_map, &fake };
    int rc;

    memset(&info, 0xa5, sizeof(info));
    rc = parse_multiboot(magic, 0x10000, &phys, &info);
    fake_phys_free(&fake);
    return rc;
}

static void expect_region(unsigned int i, uint64_t base, uint64_t len, uint32_t type)
{
    assert_true(i < info.memmap.count);
    assert_int_equal(info.memmap.region[i].base, base);
    assert_int_equal(info.memmap.region[i].len, len);
    assert_int_equal(info.memmap.region[i].type, type);
}

/* ---- memory map ---------------------------------------------------------------------------------------- */

static uint32_t type_at(const struct memmap *map, uint64_t at)
{
    for (unsigned int i = 0; i < map->count; i++)
        if (at >= map->region[i].base && at - map->region[i].base < map->region[i].len)
            return map->region[i].type;
    return 0;
}

/* Every possible stroke over a small map, checked against an array with one cell a byte. */
static void memmap_agrees_with_cells(void **state)
{
    static struct memmap map;
    uint32_t cells[32] = { 0 };
    uint32_t seed = 12345;

    map.count = 0;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t base = (seed >> 8) % 32, len = (seed >> 16) % (33 - base);
        uint32_t type = 1 + (seed >> 24) % 5;

        assert_int_equal(memmap_paint(&map, base, len, type), 0);
        for (uint64_t i = base; i < base + len; i++)
            cells[i] = type;
        for (uint64_t i = 0; i < 32; i++)
            assert_int_equal(type_at(&map, i), cells[i]);
        for (uint64_t i = 0; i < 31; i++)
            assert_int_equal(memmap_has(&map, i, i + 2, type), cells[i] == type || cells[i + 1] == type);
        for (unsigned int i = 1; i < map.count; i++) {
            uint64_t end = map.region[i - 1].base + map.region[i - 1].len;
            assert_true(end <= map.region[i].base);
            assert_true(end < map.region[i].base || map.region[i - 1].type != map.region[i].type);
        }
    }
}

static void memmap_refuses_when_full(void **state)
{
    static struct memmap map;
    int rc = 0;
    unsigned int before;

    map.count = 0;
    for (uint64_t i = 0; i < 1000 && !rc; i++) {
        before = map.count;
        rc = memmap_paint(&map, i * 0x2000, 0x1000, MEMMAP_RAM);
    }
    assert_int_equal(rc, -XEN_E2BIG);
    assert_int_equal(map.count, before);
    for (uint64_t i = 0; i < before; i++)
        assert_int_equal(type_at(&map, i * 0x2000 + 0xfff), MEMMAP_RAM);
}

static void memmap_cuts_at_the_end_of_the_address_space(void **state)
{
    static struct memmap map;

    map.count = 0;
    assert_int_equal(memmap_paint(&map, UINT64_MAX - 10, 100, MEMMAP_RESERVED), 0);
    assert_int_equal(map.region[0].len, 10);
}

/* ---- version 1 ----------------------------------------------------------------------------------------- */

static void mb1_memory_entry(uint8_t *e, uint64_t base, uint64_t len, uint32_t type)
{
    put32(e, 20);
    put64(e + 4, base);
    put64(e + 12, len);
    put32(e + 20, type);
}

/* As QEMU hands it over: command line, one module, loader name, map; no frame buffer. */
static size_t make_mb1(void)
{
    memset(memory, 0, sizeof(memory));
    put32(memory, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    put32(memory + 16, 0x10200);
    strcpy((char *)memory + 0x200, "hauch.elf com1=115200,8n1");
    put32(memory + 20, 1);
    put32(memory + 24, 0x10100);
    put32(memory + 0x100, 0x200000);
    put32(memory + 0x104, 0x300000);
    put32(memory + 0x108, 0x10300);
    strcpy((char *)memory + 0x300, "vmlinuz root=/dev/xvda");
    put32(memory + 44, 4 * 24);
    put32(memory + 48, 0x10400);
    mb1_memory_entry(memory + 0x400, 0x100000, 0x7ff00000, 1);
    mb1_memory_entry(memory + 0x418, 0, 0x9fc00, 1);
    mb1_memory_entry(memory + 0x430, 0x7ffe0000, 0x20000, 2);
    mb1_memory_entry(memory + 0x448, 0x9fc00, 0x400, 77);
    put32(memory + 64, 0x10500);
    strcpy((char *)memory + 0x500, "qemu");
    return 0x1000;
}

static void mb1_is_read(void **state)
{
    assert_int_equal(parse(MULTIBOOT1_MAGIC, make_mb1()), 0);
    assert_string_equal(info.cmdline, "hauch.elf com1=115200,8n1");
    assert_string_equal(info.loader, "qemu");
    assert_int_equal(info.modules, 1);
    assert_int_equal(info.module[0].start, 0x200000);
    assert_int_equal(info.module[0].end, 0x300000);
    assert_string_equal(info.module[0].cmdline, "vmlinuz root=/dev/xvda");
    assert_int_equal(info.memmap.count, 4);
    expect_region(0, 0, 0x9fc00, MEMMAP_RAM);
    expect_region(1, 0x9fc00, 0x400, MEMMAP_RESERVED); /* type 77 is not known: keep away */
    expect_region(2, 0x100000, 0x7fee0000, MEMMAP_RAM);
    expect_region(3, 0x7ffe0000, 0x20000, MEMMAP_RESERVED);
    assert_false(info.truncated);
}

static void mb1_without_map_uses_the_two_sizes(void **state)
{
    make_mb1();
    put32(memory, 1);
    put32(memory + 4, 639);
    put32(memory + 8, 64512);
    assert_int_equal(parse(MULTIBOOT1_MAGIC, 88), 0);
    assert_int_equal(info.memmap.count, 2);
    expect_region(0, 0, 639 * 1024, MEMMAP_RAM);
    expect_region(1, 0x100000, 64512 * 1024, MEMMAP_RAM);
}

static void mb1_frame_buffer(void **state)
{
    size_t len = make_mb1();

    put32(memory, load_le32(memory) | 1 << 12);
    put64(memory + 88, 0xfd000000);
    put32(memory + 96, 4096);
    put32(memory + 100, 1024);
    put32(memory + 104, 768);
    memory[108] = 32;
    memory[109] = 1;
    memcpy(memory + 110, "\x10\x08\x08\x08\x00\x08", 6);
    assert_int_equal(parse(MULTIBOOT1_MAGIC, len), 0);
    assert_int_equal(info.screen.kind, BOOT_SCREEN_RGB);
    assert_int_equal(info.screen.addr, 0xfd000000);
    assert_int_equal(info.screen.height, 768);
    assert_int_equal(info.screen.red_pos, 16);
    assert_int_equal(info.screen.blue_size, 8);
}

static void mb1_mistakes(void **state)
{
    make_mb1();
    put32(memory, 1 << 2); /* neither sizes nor map */
    assert_int_equal(parse(MULTIBOOT1_MAGIC, 0x1000), -XEN_ENOENT);
    make_mb1();
    put32(memory + 0x418, 3); /* entry shorter than an entry */
    assert_int_equal(parse(MULTIBOOT1_MAGIC, 0x1000), -XEN_EINVAL);
    make_mb1();
    put32(memory + 0x104, 0x100000); /* module ends before it starts */
    assert_int_equal(parse(MULTIBOOT1_MAGIC, 0x1000), -XEN_EINVAL);
    make_mb1();
    put32(memory + 16, 0xfffffff0);
    assert_int_equal(parse(MULTIBOOT1_MAGIC, 0x1000), -XEN_EFAULT);
    make_mb1();
    put32(memory + 44, 0xffffffff);
    assert_int_equal(parse(MULTIBOOT1_MAGIC, 0x1000), -XEN_EFAULT);
    assert_int_equal(parse(0x12345678, 0x1000), -XEN_ENOEXEC);
}

static void mb1_long_strings_and_many_modules(void **state)
{
    make_mb1();
    memset(memory + 0x3000, 'x', 0x3000);
    put32(memory + 16, 0x13000);
    put32(memory + 20, 11);
    put32(memory + 24, 0x18000);
    assert_int_equal(parse(MULTIBOOT1_MAGIC, sizeof(memory)), 0);
    assert_true(info.truncated);
    assert_int_equal(strlen(info.cmdline), BOOT_CMDLINE_MAX - 1);
    assert_int_equal(info.modules, BOOT_MAX_MODULES);
    assert_int_equal(info.modules_dropped, 11 - BOOT_MAX_MODULES);
}

/* ---- version 2 ----------------------------------------------------------------------------------------- */

static size_t mb2_at;

static uint8_t *mb2_tag(uint32_t type, uint32_t body)
{
    uint8_t *tag = memory + mb2_at;

    put32(tag, type);
    put32(tag + 4, 8 + body);
    mb2_at += (8 + body + 7) & ~7u;
    return tag + 8;
}

static size_t mb2_finish(void)
{
    mb2_tag(0, 0);
    put32(memory, (uint32_t)mb2_at);
    return mb2_at;
}

static void mb2_start(void)
{
    memset(memory, 0, sizeof(memory));
    mb2_at = 8;
}

static void mb2_map_entry(uint8_t *e, uint64_t base, uint64_t len, uint32_t type)
{
    put64(e, base);
    put64(e + 8, len);
    put32(e + 16, type);
}

static void mb2_add_map(void)
{
    uint8_t *b = mb2_tag(6, 8 + 3 * 24);

    put32(b, 24);
    mb2_map_entry(b + 8, 0x100000, 0x1000000, 1);
    mb2_map_entry(b + 32, 0x200000, 0x1000, 3);
    mb2_map_entry(b + 56, 0x200800, 0x1000, 2);
}

static void mb2_is_read(void **state)
{
    uint8_t *b;

    mb2_start();
    strcpy((char *)mb2_tag(1, 12), "loglvl=all");
    strcpy((char *)mb2_tag(2, 10), "GRUB 2.06");
    b = mb2_tag(3, 8 + 5);
    put32(b, 0x1000000);
    put32(b + 4, 0x1800000);
    strcpy((char *)b + 8, "quie");
    mb2_add_map();
    b = mb2_tag(8, 24);
    put64(b, 0xb8000);
    put32(b + 8, 160);
    put32(b + 12, 80);
    put32(b + 16, 25);
    b[20] = 16;
    b[21] = 2;
    put64(mb2_tag(12, 8), 0x7f000000);
    memcpy(mb2_tag(15, 36), "RSD PTR new", 11);
    memcpy(mb2_tag(14, 20), "RSD PTR old", 11);
    mb2_tag(18, 0);
    mb2_tag(999, 3);
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_finish()), 0);
    assert_string_equal(info.cmdline, "loglvl=all");
    assert_string_equal(info.loader, "GRUB 2.06");
    assert_int_equal(info.modules, 1);
    assert_int_equal(info.module[0].end, 0x1800000);
    assert_string_equal(info.module[0].cmdline, "quie");
    assert_int_equal(info.memmap.count, 4);
    expect_region(0, 0x100000, 0x100000, MEMMAP_RAM);
    expect_region(1, 0x200000, 0x800, MEMMAP_ACPI);
    expect_region(2, 0x200800, 0x1000, MEMMAP_RESERVED);
    expect_region(3, 0x201800, 0xefe800, MEMMAP_RAM);
    assert_int_equal(info.screen.kind, BOOT_SCREEN_TEXT);
    assert_int_equal(info.screen.width, 80);
    assert_int_equal(info.efi.system_table, 0x7f000000);
    assert_true(info.efi.boot_services);
    assert_int_equal(info.rsdp_len, 36);
    assert_memory_equal(info.rsdp, "RSD PTR new", 11);
    assert_int_equal(info.info_end - info.info_start, mb2_at);
}

static void mb2_efi_map_stands_in(void **state)
{
    uint8_t *b;

    mb2_start();
    b = mb2_tag(17, 8 + 2 * 48);
    put32(b, 48);
    put32(b + 4, 1);
    put32(b + 8, 7);
    put64(b + 16, 0x100000);
    put64(b + 32, 16);
    put32(b + 56, 6);
    put64(b + 64, 0x104000);
    put64(b + 80, UINT64_MAX);
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_finish()), 0);
    expect_region(0, 0x100000, 0x4000, MEMMAP_RAM);
    assert_int_equal(info.memmap.region[1].type, MEMMAP_RESERVED);
    assert_int_equal(info.efi.desc_size, 48);
    assert_int_equal(info.efi.map, 0x10000 + 8 + 8 + 8);
}

static void mb2_mistakes(void **state)
{
    mb2_start();
    mb2_finish();
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_at), -XEN_ENOENT);
    mb2_start();
    mb2_add_map();
    put32(memory, (uint32_t)mb2_at); /* no end tag */
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_at), -XEN_EINVAL);
    mb2_start();
    mb2_tag(3, 4); /* module tag without room for its range */
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_finish()), -XEN_EINVAL);
    mb2_start();
    put32(mb2_tag(6, 8), 0); /* entries of no size */
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_finish()), -XEN_EINVAL);
    mb2_start();
    mb2_add_map();
    mb2_finish();
    put32(memory + 12, 4); /* a tag shorter than its header */
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_at), -XEN_EINVAL);
    put32(memory, 0xffffffff);
    assert_int_equal(parse(MULTIBOOT2_MAGIC, mb2_at), -XEN_EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memmap_agrees_with_cells),
        cmocka_unit_test(memmap_refuses_when_full),
        cmocka_unit_test(memmap_cuts_at_the_end_of_the_address_space),
        cmocka_unit_test(mb1_is_read),
        cmocka_unit_test(mb1_without_map_uses_the_two_sizes),
        cmocka_unit_test(mb1_frame_buffer),
        cmocka_unit_test(mb1_mistakes),
        cmocka_unit_test(mb1_long_strings_and_many_modules),
        cmocka_unit_test(mb2_is_read),
        cmocka_unit_test(mb2_efi_map_stands_in),
        cmocka_unit_test(mb2_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
