/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's options: each form, each mistake. */
#include <hv/boot/cmdline.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static struct cmdline_options o;
static char problems[4096];

static void note_problem(void *ctx, enum cmdline_problem what, const char *name, const char *value,
                         const char *help)
{
    static const char *const words[] = { "unknown", "bad", "long" };
    size_t n = strlen(problems);

    snprintf(problems + n, sizeof(problems) - n, "%s:%s=%s;", words[what], name, value);
    assert_true(what != CMDLINE_BAD_VALUE || *help);
}

/* Parses, and says what was reported. */
static const char *parse(const char *line)
{
    struct cmdline_report report = { note_problem, NULL };

    problems[0] = 0;
    parse_cmdline(line, &report, &o);
    return problems;
}

static void defaults(void **state)
{
    assert_string_equal(parse(""), "");
    assert_false(o.noreboot);
    assert_int_equal(o.conring_size, 65536);
    assert_int_equal(o.com1.port, 0x3f8);
    assert_int_equal(o.com2.port, 0x2f8);
    assert_int_equal(o.console, CONSOLE_COM1 | CONSOLE_VGA);
    assert_int_equal(o.loglvl.always, LOG_WARNING);
    assert_int_equal(o.guest_loglvl.always, LOG_NONE);
    assert_false(o.dom0_mem.set);
}

static void a_usual_line(void **state)
{
    assert_string_equal(parse("placeholder dom0_mem=512M,max:1G com1=38400,7e2,0x3e8,5 console=com1,vga "
                              "loglvl=all guest_loglvl=error/info noreboot maxcpus=2 dom0_max_vcpus=1-4 "
                              "conring_size=128k no-real-mode edd=off sync_console=no watchdog"),
                        "");
    assert_int_equal(o.dom0_mem.bytes, 512 * MIB);
    assert_int_equal(o.dom0_mem_max.bytes, GIB);
    assert_false(o.dom0_mem_min.set);
    assert_int_equal(o.com1.baud, 38400);
    assert_int_equal(o.com1.data_bits, 7);
    assert_int_equal(o.com1.parity, 'e');
    assert_int_equal(o.com1.stop_bits, 2);
    assert_int_equal(o.com1.port, 0x3e8);
    assert_int_equal(o.com1.irq, 5);
    assert_int_equal(o.loglvl.always, LOG_DEBUG);
    assert_int_equal(o.guest_loglvl.always, LOG_ERROR);
    assert_int_equal(o.guest_loglvl.limited, LOG_INFO);
    assert_true(o.noreboot);
    assert_int_equal(o.maxcpus, 2);
    assert_int_equal(o.dom0_max_vcpus.least, 1);
    assert_int_equal(o.dom0_max_vcpus.most, 4);
    assert_int_equal(o.conring_size, 131072);
    assert_int_equal(o.watchdog_timeout, 5);
    assert_true(o.watchdog);
}

static void flags_both_ways(void **state)
{
    assert_string_equal(parse("noreboot=1 no-noreboot"), "");
    assert_false(o.noreboot);
    assert_string_equal(parse("noreboot=maybe no-maxcpus no-such watchdog=on"),
                        "bad:noreboot=maybe;bad:no-maxcpus=;unknown:no-such=;");
    assert_true(o.watchdog);
}

static void amounts(void **state)
{
    assert_string_equal(parse("dom0_mem=25%"), "");
    assert_int_equal(mem_amount_bytes(&o.dom0_mem, 4 * GIB), 4 * GIB / 100 * 25);
    assert_string_equal(parse("dom0_mem=-256M"), "");
    assert_int_equal(mem_amount_bytes(&o.dom0_mem, GIB), 768 * MIB);
    assert_int_equal(mem_amount_bytes(&o.dom0_mem, 100 * MIB), 0);
    assert_string_equal(parse("dom0_mem=1G+10%,min:0x100,max:2T"), "");
    assert_int_equal(mem_amount_bytes(&o.dom0_mem, 10 * GIB), GIB + 10 * GIB / 100 * 10);
    assert_int_equal(mem_amount_bytes(&o.dom0_mem, 512 * MIB), 512 * MIB);
    assert_int_equal(o.dom0_mem_min.bytes, 256 * 1024);
    assert_int_equal(mem_amount_bytes(&o.dom0_mem_max, GIB), GIB);
    assert_string_equal(parse("dom0_mem=1048576"), "");
    assert_int_equal(o.dom0_mem.bytes, GIB);
    assert_int_equal(mem_amount_bytes(&o.dom0_mem_min, GIB), 0);
}

static void bad_amounts_change_nothing(void **state)
{
    static const char *const bad[] = { "",    "x",    "5Q",   "101%",   "1G+",      "1G+5",
                                       "1G,", "--1G", "1G1G", "10%5",   "max:",     "min:1G,foo:2G",
                                       "0xg", "08",   "-",    "1G+5%%", "20000000T" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[100], expected[100];

        snprintf(line, sizeof(line), "dom0_mem=64M dom0_mem=%s", bad[i]);
        snprintf(expected, sizeof(expected), "bad:dom0_mem=%s;", bad[i]);
        assert_string_equal(parse(line), expected);
        assert_int_equal(o.dom0_mem.bytes, 64 * MIB);
        assert_false(o.dom0_mem_max.set || o.dom0_mem_min.set);
    }
}

static void serial_forms(void **state)
{
    assert_string_equal(parse("com1=auto"), "");
    assert_true(o.com1.set);
    assert_int_equal(o.com1.baud, 0);
    assert_string_equal(parse("com1=,,0x2e8 com2=115200/1843200,8n1"), "");
    assert_int_equal(o.com1.baud, 115200);
    assert_int_equal(o.com1.port, 0x2e8);
    assert_int_equal(o.com2.baud, 115200);
    assert_string_equal(parse("com1=115200,8n1,pci com1=9600,9n1 com1=9600,8n1,0,4 com1=1,8n1,0x3f8,4,5"),
                        "bad:com1=115200,8n1,pci;bad:com1=9600,9n1;bad:com1=9600,8n1,0,4;"
                        "bad:com1=1,8n1,0x3f8,4,5;");
    assert_false(o.com1.set);
}

static void lists_and_ranges(void **state)
{
    assert_string_equal(parse("console=none"), "");
    assert_int_equal(o.console, 0);
    assert_string_equal(parse("console=com1,xhci"), "bad:console=com1,xhci;");
    assert_int_equal(o.console, CONSOLE_COM1 | CONSOLE_VGA);
    assert_string_equal(parse("dom0_max_vcpus=2-"), "");
    assert_int_equal(o.dom0_max_vcpus.most, UINT32_MAX);
    assert_string_equal(parse("dom0_max_vcpus=-3"), "");
    assert_int_equal(o.dom0_max_vcpus.least, 1);
    assert_int_equal(o.dom0_max_vcpus.most, 3);
    assert_string_equal(
        parse("dom0_max_vcpus=4-2 dom0_max_vcpus=- dom0_max_vcpus=0 maxcpus=99999 loglvl=loud"),
        "bad:dom0_max_vcpus=4-2;bad:dom0_max_vcpus=-;bad:dom0_max_vcpus=0;"
        "bad:maxcpus=99999;bad:loglvl=loud;");
    assert_false(o.dom0_max_vcpus.set);
}

static void quotes_and_long_words(void **state)
{
    char line[1000] = "a=\"b c\"  d \t\"";

    assert_string_equal(parse(line), "unknown:a=b c;unknown:d=;unknown:=;");
    memset(line, 'x', sizeof(line) - 1);
    memcpy(line, "watchdog ", 9);
    parse(line);
    assert_memory_equal(problems, "long:xxx", 8);
    assert_true(o.watchdog);
}

static void image_name_is_skipped(void **state)
{
    assert_string_equal(cmdline_skip_image("/boot/hauch  noreboot", "qemu"), "noreboot");
    assert_string_equal(cmdline_skip_image("noreboot", "GRUB 2.06-13"), "noreboot");
    assert_string_equal(cmdline_skip_image("/boot/hauch", ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(a_usual_line),
        cmocka_unit_test(flags_both_ways),
        cmocka_unit_test(amounts),
        cmocka_unit_test(bad_amounts_change_nothing),
        cmocka_unit_test(serial_forms),
        cmocka_unit_test(lists_and_ranges),
        cmocka_unit_test(quotes_and_long_words),
        cmocka_unit_test(image_name_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
