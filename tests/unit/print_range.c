/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting against the C library's; ranges against a bit map; the ring of refusals; the order of locks. */
#include "fake.h"

#include <hv/print.h>
#include <hv/range.h>
#include <hv/refusal.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SAME(...) do { \
        char ours[200], theirs[200]; \
        size_t n = format(ours, sizeof(ours), __VA_ARGS__); \
        assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
        assert_string_equal(ours, theirs); \
    } while (0)

static void formats_as_the_c_library(void **state)
{
    SAME("plain, %%, %c|%3c|%-3c", 'a', 'b', 'c');
    SAME("%d %d %d %i", 0, -1, 2147483647, -2147483647 - 1);
    SAME("%5d|%-5d|%05d|%05d", 42, 42, 42, -42);
    SAME("%u %x %X %#x", 4294967295u, 0xbeefu, 0xbeefu, 0xbeefu);
    SAME("%lu %ld %lx %llu %llx", ~0ul, -9223372036854775807l - 1, ~0ul, ~0ull, 1ull << 63);
    SAME("%016lx|%16lx|%-16lx|", 0x123abcul, 0x123abcul, 0x123abcul);
    SAME("%s|%10s|%-10s|%.2s|%.*s", "word", "word", "word", "word", 3, "word");
    SAME("%zu %*d", (size_t)7, 6, 12);
    SAME("%p", (void *)0x1234);
}

static void long_text_is_cut_and_counted(void **state)
{
    char buf[8];

    memset(buf, 'x', sizeof(buf));
    assert_int_equal(format(buf, 5, "%s", "abcdefgh"), 8);
    assert_string_equal(buf, "abcd");
    assert_int_equal(buf[5], 'x');
    assert_int_equal(format(buf, 0, "%d", 12345), 5);
}

static void a_log_line_that_is_too_long_keeps_its_end(void **state)
{
    char text[1000];

    memset(text, 'y', sizeof(text));
    text[999] = '\0';
    fake_machine(1);
    printk(LOG_INFO, "%s\n", text);
    assert_int_equal(fake_console_len, 511);
    assert_int_equal(fake_console[510], '\n');
}

/* ---- ranges ---- */

static bool all_set(const bool *map, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        if (!map[i])
            return false;
    return true;
}

static void compact(const struct ranges *s)
{
    for (uint32_t i = 0; i < s->used; i++) {
        assert_true(s->r[i].first <= s->r[i].last);
        if (i)
            assert_true(s->r[i].first > s->r[i - 1].last + 1);
    }
}

static void ranges_agree_with_a_bit_map(void **state)
{
    bool map[128] = { false };
    struct ranges s = { 0 };

    fake_machine(1);
    fake_seed(7);
    for (int i = 0; i < 20000; i++) {
        unsigned first = fake_random(128), longest = fake_random(12), last = MIN(127u, first + longest);
        unsigned a = fake_random(128), b = fake_random(128);
        bool add = fake_random(2);

        assert_int_equal(add ? ranges_add(&s, first, last) : ranges_remove(&s, first, last), 0);
        for (unsigned n = first; n <= last; n++)
            map[n] = add;
        compact(&s);
        assert_int_equal(ranges_have(&s, MIN(a, b), MAX(a, b)), all_set(map, MIN(a, b), MAX(a, b)));
        assert_int_equal(ranges_have(&s, a, a), map[a]);
    }
    ranges_free(&s);
    assert_int_equal(fake_leaks(), 0);
}

static void ranges_reach_both_ends(void **state)
{
    struct ranges s = { 0 };

    fake_machine(1);
    assert_int_equal(ranges_add(&s, 0, ~0ull), 0);
    assert_true(ranges_have(&s, 0, ~0ull));
    assert_int_equal(ranges_remove(&s, 5, 5), 0);
    assert_false(ranges_have(&s, 0, 5));
    assert_true(ranges_have(&s, 6, ~0ull));
    assert_int_equal(ranges_add(&s, 5, 5), 0);
    assert_int_equal(s.used, 1);
    assert_int_equal(ranges_add(&s, 9, 8), -XEN_EINVAL);
    assert_false(ranges_have(&s, 9, 8));
    ranges_free(&s);
}

/* ---- refusals ---- */

static void refusals_are_kept_merged_and_limited(void **state)
{
    struct domain *d;
    char text[2000];
    size_t len;

    fake_machine(1);
    d = fake_domain(1, 1, false, 31);
    for (int i = 0; i < 5; i++)
        refusal_note(d, 32, 4, -XEN_EINVAL, 17, 0);
    refusal_note(d, 12, 0xffff, -XEN_ENOMEM, 1, 2);
    refusal_note(d, 99, 7, -XEN_ENOSYS, 0, 0);
    refusal_format(d, text, sizeof(text));
    assert_string_equal(text, "[1.000000] event_channel_op send: error -22, values 0x11 0x0, again 4\n"
                              "[1.000000] memory_op : error -12, values 0x1 0x2, again 0\n"
                              "[1.000000] 99 7: error -38, values 0x0 0x0, again 0\n");
    for (uint64_t i = 0; i < 100; i++)
        refusal_note(d, 1, 1, -XEN_EPERM, i, 0);
    len = refusal_format(d, text, sizeof(text));
    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, "87 further refusals not kept\n"));
    len = refusal_format(d, text, 70);                  /* whole lines only */
    assert_int_equal(text[len - 1], '\n');
    text[len] = '\0';
    assert_true(strlen(text) < 70);
    fake_domain_end(d);
    assert_int_equal(fake_leaks(), 0);
}

/* ---- locks: the order, checked in a child that is to die ---- */

static bool dies(void (*fn)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        fclose(stderr);
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static spinlock_t outer = SPINLOCK(LOCK_DOMAIN), inner = SPINLOCK(LOCK_EVENT), twin = SPINLOCK(LOCK_EVENT);

static void in_order(void)
{
    spin_lock(&outer);
    spin_lock2(&inner, &twin);
    spin_unlock(&outer);
    spin_unlock2(&inner, &twin);
    spin_lock2(&inner, &inner);
    spin_unlock2(&inner, &inner);
}

static void against_the_order(void) { spin_lock(&inner); spin_lock(&outer); }
static void twice_the_level(void) { spin_lock(&inner); spin_lock(&twin); }
static void not_held(void) { spin_unlock(&inner); }

static void trying_is_always_allowed(void)
{
    spin_lock(&inner);
    if (!spin_trylock(&outer) || spin_trylock(&outer))
        _exit(1);
    spin_unlock(&inner);
    spin_unlock(&outer);
    in_order();
}

static void locks_keep_their_order(void **state)
{
    fake_machine(1);
    assert_false(dies(in_order));
    assert_false(dies(trying_is_always_allowed));
    assert_true(dies(against_the_order));
    assert_true(dies(twice_the_level));
    assert_true(dies(not_held));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_the_c_library),
        cmocka_unit_test(long_text_is_cut_and_counted),
        cmocka_unit_test(a_log_line_that_is_too_long_keeps_its_end),
        cmocka_unit_test(ranges_agree_with_a_bit_map),
        cmocka_unit_test(ranges_reach_both_ends),
        cmocka_unit_test(locks_keep_their_order),
        cmocka_unit_test(refusals_are_kept_merged_and_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
