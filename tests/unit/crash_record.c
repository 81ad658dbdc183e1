/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions; the record of a crash: what is written is found by the next boot, and nothing else
 * is. */
#include "domctl_machine.h"

#include <hv/console.h>
#include <hv/crash.h>
#include <hv/machine.h>
#include <hv/print.h>
#include <hv/symbol.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- symbols ---- */
struct table { uint32_t count, start[4]; char names[16]; };
static const struct table three = { 3, { 0x10, 0x20, 0x50, 0x58 }, "a\0long_name\0c" };

static void functions_have_names(void **state)
{
    const uint32_t *t = &three.count;
    struct symbol s;

    assert_false(symbol_find(t, 0xf, &s));
    assert_false(symbol_find(t, 0x58, &s));
    assert_false(symbol_find(t, ~0ull, &s));
    assert_true(symbol_find(t, 0x10, &s));
    assert_string_equal(s.name, "a");
    assert_int_equal(s.offset, 0);
    assert_int_equal(s.size, 0x10);
    assert_true(symbol_find(t, 0x4f, &s));
    assert_string_equal(s.name, "long_name");
    assert_int_equal(s.offset, 0x2f);
    assert_int_equal(s.size, 0x30);
    assert_true(symbol_find(t, 0x57, &s));
    assert_string_equal(s.name, "c");
}

static void every_offset_has_the_function_around_it(void **state)
{
    struct symbol s;

    for (uint32_t at = 0; at < 0x60; at++) {
        bool found = symbol_find(&three.count, at, &s);

        assert_int_equal(found, at >= 0x10 && at < 0x58);
        if (found)
            assert_true(s.offset < s.size);
    }
}

static void an_empty_table_has_none(void **state)
{
    static const uint32_t none[2];
    char text[SYMBOL_TEXT];
    struct symbol s;

    assert_false(symbol_find(none, 0, &s));
    assert_string_equal(symbol_text(text, 0x1234), "1234");
    assert_false(symbol_is_text(0x1234));
}

/* ---- where the record lies ---- */
#define MIB (1ull << 20)

static void place_is_within_ram_below_4g(void **state)
{
    struct memmap map = { 0 };
    uint64_t at;

    assert_int_equal(crash_record_place(&map), 0);
    memmap_paint(&map, 0, 640 << 10, MEMMAP_RAM);
    assert_int_equal(crash_record_place(&map), 0);
    memmap_paint(&map, MIB, 511 * MIB, MEMMAP_RAM);
    at = crash_record_place(&map);
    assert_true(at >= 200 * MIB && at + CRASH_RECORD_SIZE <= 300 * MIB);
    assert_int_equal(at % (2 * MIB), 0);
    memmap_paint(&map, 4096 * MIB, 65536 * MIB, MEMMAP_RAM);
    assert_int_equal(crash_record_place(&map), at);
    memmap_paint(&map, 1024 * MIB, 65536 * MIB, MEMMAP_RAM);
    at = crash_record_place(&map);
    assert_true(at >= 1024 * MIB && at + CRASH_RECORD_SIZE <= 4096 * MIB);
}

/* ---- the record ---- */
static uint8_t memory[CRASH_RECORD_SIZE] __attribute__((aligned(16)));

static size_t read_back(char *buf, size_t len)
{
    size_t n, done = 0;

    while ((n = crash_last_read(buf + done, MIN(len - 1 - done, (size_t)100), (uint32_t)done)) != 0)
        done += n;
    buf[done] = 0;
    return done;
}

/* As a crash does, then as the next boot does. */
static void crash_and_boot(const char *text)
{
    console_emit(LOG_NONE, text, strlen(text));
    crash_record_keep();
}

static bool boot_finds(const char *text)
{
    static char buf[CRASH_RECORD_SIZE + 1];

    crash_last_clear();
    crash_record_init(memory);
    return read_back(buf, sizeof buf) && strstr(buf, text);
}

static void a_crash_is_found_once(void **state)
{
    static char log[65536];
    uint32_t index = 0;

    assert_false(boot_finds(""));
    crash_and_boot("\nPANIC on CPU 3: the cause\nmore\n");
    assert_true(boot_finds("PANIC on CPU 3: the cause\nmore\n"));
    console_read_ring(log, sizeof log - 1, &index, false);
    assert_non_null(strstr(log, "crashed before: PANIC on CPU 3: the cause; in dom0"));
    assert_false(boot_finds(""));
}

static void dom0_reads_and_clears(void **state)
{
    static char buf[CRASH_RECORD_SIZE];
    struct xen_sysctl op = { .u.readconsole = {
                                 .buffer = GADDR((uint64_t)buf), .count = 5, .incremental = 1 } };

    crash_record_init(memory);
    crash_and_boot("\nPANIC on CPU 0: for dom0\n");
    assert_true(boot_finds("for dom0"));
    assert_int_equal(system_call(XEN_SYSCTL_hauch_last_crash, &op), 0);
    assert_int_equal(op.u.readconsole.count, 5);
    assert_int_equal(op.u.readconsole.index, 5);
    op.u.readconsole.buffer = GADDR((uint64_t)buf + 5);
    op.u.readconsole.count = sizeof buf - 6;
    assert_int_equal(system_call(XEN_SYSCTL_hauch_last_crash, &op), 0);
    assert_non_null(strstr(buf, "PANIC on CPU 0: for dom0\n"));
    op.u.readconsole.count = 10;
    op.u.readconsole.clear = 1;
    assert_int_equal(system_call(XEN_SYSCTL_hauch_last_crash, &op), 0);
    assert_int_equal(op.u.readconsole.count, 0);
    op.u.readconsole = (struct xen_sysctl_readconsole){ .buffer = GADDR((uint64_t)buf), .count = 10 };
    assert_int_equal(system_call(XEN_SYSCTL_hauch_last_crash, &op), 0);
    assert_int_equal(op.u.readconsole.count, 0);
    op.u.readconsole = (struct xen_sysctl_readconsole){ .buffer = GADDR(1), .count = 10 };
    assert_int_equal(system_call(XEN_SYSCTL_hauch_last_crash, &op), 0);
}

/* One byte that changed anywhere in what counts, and it is no record. */
static void damage_is_noticed(void **state)
{
    static uint8_t good[CRASH_RECORD_SIZE];
    uint32_t length;

    crash_record_init(memory);
    crash_and_boot("\nPANIC on CPU 1: damaged\n");
    memcpy(good, memory, sizeof good);
    memcpy(&length, good + 20, sizeof length);
    for (size_t i = 0; i < 32 + (size_t)length; i += i < 40 ? 1 : 97) {
        memcpy(memory, good, sizeof good);
        memory[i] ^= 0x10;
        assert_false(boot_finds(""));
    }
    memcpy(memory, good, sizeof good);
    assert_true(boot_finds("damaged"));
}

static void lengths_out_of_range(void **state)
{
    static const uint32_t bad[] = { 0, CRASH_RECORD_SIZE - 31, CRASH_RECORD_SIZE, ~0u };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        crash_record_init(memory);
        crash_and_boot("\nPANIC on CPU 1: too long\n");
        memcpy(memory + 20, &bad[i], 4);
        assert_false(boot_finds(""));
    }
}

static void without_a_place_nothing_is_kept(void **state)
{
    crash_last_clear();
    crash_record_init(NULL);
    crash_record_keep();
    assert_int_equal(crash_last_read((char[4]){ 0 }, 4, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_names),
        cmocka_unit_test(every_offset_has_the_function_around_it),
        cmocka_unit_test(an_empty_table_has_none),
        cmocka_unit_test(place_is_within_ram_below_4g),
        cmocka_unit_test(a_crash_is_found_once),
        cmocka_unit_test(dom0_reads_and_clears),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(lengths_out_of_range),
        cmocka_unit_test(without_a_place_nothing_is_kept),
    };

    machine_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
