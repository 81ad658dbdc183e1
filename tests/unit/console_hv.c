/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's console: levels and rates, the ring, who gets what is typed, what domains may write. */
#include "console_hv_fake.h"

#include <hv/machine.h>
#include <hv/timer.h>

#include <abi/xen.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define RING 65536u
#define SECOND 1000000000ull

/* Every test begins with a console fresh from boot, but for the ring, whose contents only grow. */
static void start(struct log_options hv, struct log_options guest)
{
    machine.options = (struct cmdline_options){ .loglvl = hv, .guest_loglvl = guest, .conring_size = RING };
    fake_now += 10 * SECOND;
    console_init_early();
    console_init(&machine.options);
    console_give_to_dom0();
    fake_tasks();
    fake_clear();
}

static int quiet(void **state)
{
    start((struct log_options){ LOG_WARNING, LOG_WARNING }, (struct log_options){ LOG_NONE, LOG_WARNING });
    return 0;
}

static int loud(void **state)
{
    start((struct log_options){ LOG_DEBUG, LOG_DEBUG }, (struct log_options){ LOG_DEBUG, LOG_DEBUG });
    return 0;
}

static void say(enum log_level level, const char *text) { console_emit(level, text, strlen(text)); }
static void say_guest(enum log_level level, const char *text)
{
    console_emit_guest(level, text, strlen(text));
}

static unsigned count(const char *what)
{
    unsigned n = 0;

    for (const char *p = fake_screen; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static void levels_decide(void **state)
{
    say(LOG_ERROR, "one\n");
    say(LOG_INFO, "two\n");
    say(LOG_NONE, "three\n");
    assert_string_equal(fake_screen, "one\nthree\n");
    fake_tasks();
    assert_int_equal(fake_virq[VIRQ_CON_RING], 1);
}

static void boot_is_told_whatever_the_level(void **state)
{
    machine.options.loglvl = (struct log_options){ LOG_NONE, LOG_NONE };
    console_init(&machine.options);
    say(LOG_INFO, "booting\n");
    say(LOG_DEBUG, "details\n");
    console_give_to_dom0();
    fake_clear();
    say(LOG_ERROR, "later\n");
    assert_string_equal(fake_screen, "");
}

static void guests_are_limited(void **state)
{
    for (unsigned i = 0; i < 50; i++)
        say_guest(LOG_WARNING, "word\n");
    say_guest(LOG_INFO, "detail\n");
    assert_int_equal(count("word"), 10);
    assert_int_equal(count("detail"), 0);
    fake_now += SECOND;
    say_guest(LOG_WARNING, "word\n");
    assert_int_equal(count("word"), 11);
    assert_int_equal(count("(40 messages left out)"), 1);
}

static void stamps_begin_lines(void **state)
{
    machine.options.console_timestamps = true;
    console_init(&machine.options);
    fake_now = 71 * SECOND + 42000;
    say(LOG_ERROR, "a ");
    say(LOG_ERROR, "b\n");
    say(LOG_ERROR, "c\n");
    assert_string_equal(fake_screen, "[    71.000042] a b\n[    71.000042] c\n");
    machine.options.console_timestamps = false;
    console_init(&machine.options);
}

/* ---- the ring ---- */

static size_t drain(char *buf, size_t room, size_t piece, uint32_t *index)
{
    size_t used = 0, n;
    bool incremental = false;

    while (used < room && (n = console_read_ring(buf + used, MIN(piece, room - used), index, incremental))) {
        used += n;
        incremental = true;
    }
    return used;
}

static void ring_is_read_in_pieces(void **state)
{
    static char buf[2 * RING];
    uint32_t index = 0, again;
    size_t n;

    n = drain(buf, sizeof(buf), 700, &index);
    console_clear_ring(index);
    say(LOG_ERROR, "first\nsecond\n");
    n = drain(buf, sizeof(buf), 4, &again);
    assert_int_equal(n, 13);
    assert_memory_equal(buf, "first\nsecond\n", 13);
    assert_int_equal(again, index + 13);
    n = console_read_ring(buf, 100, &again, true);
    assert_int_equal(n, 0);
    say(LOG_ERROR, "third\n");
    n = console_read_ring(buf, 100, &again, true);
    assert_memory_equal(buf, "third\n", 6);
    assert_int_equal(n, 6);
}

static void ring_forgets_the_oldest(void **state)
{
    static char buf[2 * RING];
    uint32_t index = 0, lost;
    size_t n;

    (void)drain(buf, sizeof(buf), RING, &index);
    lost = index;
    for (unsigned i = 0; i < 8000; i++) {
        char line[16];

        console_emit(LOG_ERROR, line, format(line, sizeof(line), "line %05u\n", i));
    }
    n = drain(buf, sizeof(buf), 1000, &index);
    assert_int_equal(n, RING);
    assert_memory_equal(buf + n - 11, "line 07999\n", 11);
    n = console_read_ring(buf, 100, &lost, true);       /* what it points at is gone: the oldest there is */
    assert_int_equal(n, 100);
    assert_int_equal(lost, index - RING + 100);
    lost = index + 5000;                                /* nor is there a future */
    assert_int_equal(console_read_ring(buf, 100, &lost, true), 100);
    console_clear_ring(index);
    assert_int_equal(console_read_ring(buf, 100, &lost, false), 0);
    console_clear_ring(index - RING / 2);               /* forgotten is forgotten */
    assert_int_equal(console_read_ring(buf, 100, &lost, false), 0);
}

static void ring_grows_and_keeps_its_text(void **state)
{
    static char buf[8 * RING];
    uint32_t index;
    size_t before, after;

    say(LOG_ERROR, "a mark\n");
    before = drain(buf, sizeof(buf), RING, &index);
    machine.options.conring_size = 3 * RING;
    console_give_to_dom0();
    after = drain(buf, sizeof(buf), RING, &index);
    assert_true(after >= before);
    assert_non_null(strstr(buf, "a mark\n"));
    for (unsigned i = 0; i < 4 * RING / 8; i++)
        say(LOG_ERROR, "1234567\n");
    assert_int_equal(drain(buf, sizeof(buf), RING, &index), 4 * RING);
}

/* ---- input ---- */

static const char *taken(void)
{
    static char buf[2048];

    buf[console_take_input(buf, sizeof(buf) - 1)] = '\0';
    return buf;
}

static void typing_is_for_dom0(void **state)
{
    fake_type("ls\r");
    assert_int_equal(fake_virq[VIRQ_CONSOLE], 1);
    assert_string_equal(taken(), "ls\r");
    assert_string_equal(taken(), "");
    assert_string_equal(fake_keys, "");
}

static void three_times_switches(void **state)
{
    fake_type("a\001\001\001hq\001\001\001b");
    assert_string_equal(taken(), "ab");
    assert_string_equal(fake_keys, "hq");
    fake_type("\001\001\001");
    assert_int_equal(count("*** input goes to Hauch"), 1);
    fake_type("x");
    fake_type("\001\001\001");
    assert_int_equal(count("*** input goes to dom0"), 1);
    assert_string_equal(fake_keys, "hqx");
}

static void fewer_belong_to_the_text(void **state)
{
    fake_type("\001");
    assert_string_equal(taken(), "");
    fake_type("x\001\001y\001z");
    assert_string_equal(taken(), "\001x\001\001y\001z");
    assert_string_equal(fake_keys, "");
}

static void input_overflows_quietly(void **state)
{
    char big[600];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    fake_type(big);
    assert_int_equal(strlen(taken()), 256);
    fake_type("y");
    assert_string_equal(taken(), "y");
}

static void without_interrupt_it_is_polled(void **state)
{
    uint64_t first;

    fake_no_irq = true;
    host_timer = NULL;
    console_give_to_dom0();
    fake_no_irq = false;
    assert_non_null(host_timer);
    first = host_timer->deadline;
    assert_in_range(first - fake_now, 1, SECOND / 10);
    host_timer->fn(host_timer->arg, first);
    assert_true(host_timer->deadline > first);
}

/* ---- console_io ---- */

static long io(struct vcpu *v, uint64_t cmd, const char *text)
{
    return hc_console_io(v, cmd, strlen(text), (uint64_t)text, 0, 0);
}

static void dom0_writes_as_it_is(void **state)
{
    assert_int_equal(io(&fake_v0, CONSOLEIO_write, "\033[1mlogin: "), 0);
    assert_string_equal(fake_screen, "\033[1mlogin: ");
}

static void dom0_reads_what_was_typed(void **state)
{
    char buf[16];

    fake_type("abcdef");
    assert_int_equal(hc_console_io(&fake_v0, CONSOLEIO_read, 4, (uint64_t)buf, 0, 0), 4);
    assert_memory_equal(buf, "abcd", 4);
    assert_int_equal(hc_console_io(&fake_v0, CONSOLEIO_read, 16, 8, 0, 0), -XEN_EFAULT);
    assert_int_equal(hc_console_io(&fake_v0, CONSOLEIO_read, 16, (uint64_t)buf, 0, 0), 0);
    assert_int_equal(hc_console_io(&fake_vu, CONSOLEIO_read, 16, (uint64_t)buf, 0, 0), -XEN_EPERM);
}

static void guests_write_harmless_lines(void **state)
{
    io(&fake_vu, CONSOLEIO_write, "hel");
    io(&fake_vu, CONSOLEIO_write, "lo\033[2J\r\nsecond");
    io(&fake_vu2, CONSOLEIO_write, "mine\n");
    assert_string_equal(fake_screen, "(d5) hello\\x1b[2J\n(d5) second\n(d6) mine\n");
}

static void a_long_line_is_cut(void **state)
{
    char big[401];

    memset(big, 'z', 400);
    big[400] = '\0';
    io(&fake_vu, CONSOLEIO_write, big);
    io(&fake_vu, CONSOLEIO_write, "\n");
    assert_int_equal(count("(d5) "), 3);
    assert_int_equal(count("z"), 400);
}

static void guests_are_not_heard_by_default(void **state)
{
    assert_int_equal(io(&fake_vu, CONSOLEIO_write, "hello\n"), 0);
    assert_string_equal(fake_screen, "");
}

static void long_writes_are_interrupted(void **state)
{
    char big[1001];

    memset(big, 'z', 1000);
    big[1000] = '\0';
    fake_preempt = true;
    assert_int_equal(io(&fake_v0, CONSOLEIO_write, big), 0);
    assert_int_equal(fake_restarts, 1);
    assert_int_equal(fake_restart[0], CONSOLEIO_write);
    assert_int_equal(fake_restart[1], 1000 - count("z"));
    assert_int_equal(fake_restart[2], (uint64_t)big + count("z"));
}

static void bad_arguments(void **state)
{
    assert_int_equal(hc_console_io(&fake_v0, 7, 1, 8, 0, 0), -XEN_ENOSYS);
    assert_int_equal(hc_console_io(&fake_v0, CONSOLEIO_write, 1, 8, 0, 0), -XEN_EFAULT);
    assert_int_equal(hc_console_io(&fake_v0, CONSOLEIO_write, 0x80000000u, 8, 0, 0), -XEN_E2BIG);
    assert_int_equal(hc_console_io(&fake_v0, CONSOLEIO_write, 0, 8, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(levels_decide, quiet),
        cmocka_unit_test_setup(boot_is_told_whatever_the_level, quiet),
        cmocka_unit_test_setup(guests_are_limited, quiet),
        cmocka_unit_test_setup(stamps_begin_lines, loud),
        cmocka_unit_test_setup(ring_is_read_in_pieces, loud),
        cmocka_unit_test_setup(ring_forgets_the_oldest, loud),
        cmocka_unit_test_setup(typing_is_for_dom0, quiet),
        cmocka_unit_test_setup(three_times_switches, quiet),
        cmocka_unit_test_setup(fewer_belong_to_the_text, quiet),
        cmocka_unit_test_setup(input_overflows_quietly, quiet),
        cmocka_unit_test_setup(without_interrupt_it_is_polled, quiet),
        cmocka_unit_test_setup(dom0_writes_as_it_is, quiet),
        cmocka_unit_test_setup(dom0_reads_what_was_typed, quiet),
        cmocka_unit_test_setup(guests_write_harmless_lines, loud),
        cmocka_unit_test_setup(a_long_line_is_cut, loud),
        cmocka_unit_test_setup(guests_are_not_heard_by_default, quiet),
        cmocka_unit_test_setup(long_writes_are_interrupted, quiet),
        cmocka_unit_test_setup(bad_arguments, quiet),
        cmocka_unit_test_setup(ring_grows_and_keeps_its_text, loud),    /* last: the ring stays large */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
