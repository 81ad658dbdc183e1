/* SPDX-License-Identifier: BSD-2-Clause */
/* What viewers see: the queue that forgets the oldest, and the last screen. */
#include "dom0/console/queue.h"
#include "dom0/console/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t random_state = 3;

static uint32_t rnd(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Takes at most n bytes, appends them to text. */
static size_t take(struct queue *queue, char *text, size_t n)
{
    const char *bytes;
    size_t got = queue_peek(queue, &bytes);

    if (got > n)
        got = n;
    if (got > 0)
        strncat(text, bytes, got);
    queue_consume(queue, got);
    return got;
}

static void test_queue_forgets_the_oldest_and_says_so(void **state)
{
    char text[256] = "";
    struct queue queue;

    queue_init(&queue, 8);
    assert_true(queue_empty(&queue));
    queue_push(&queue, "abcdef", 6);
    assert_int_equal(queue_space(&queue), 2);
    queue_push(&queue, "ghijk", 5);
    while (take(&queue, text, 5) > 0)
        ;
    assert_string_equal(text, "\r\n[hauch-console: 3 bytes left out]\r\ndefghijk");
    assert_true(queue_empty(&queue));
    assert_null(queue.bytes);
}

/* A sentence of which a part is out is finished as it began; the next gap gets its own. */
static void test_queue_gap_during_the_sentence(void **state)
{
    char text[256] = "";
    struct queue queue;

    queue_init(&queue, 4);
    queue_push(&queue, "123456789", 9);
    take(&queue, text, 10);
    queue_push(&queue, "xy", 2);
    while (take(&queue, text, 64) > 0)
        ;
    assert_string_equal(text, "\r\n[hauch-console: 5 bytes left out]\r\n"
                              "\r\n[hauch-console: 2 bytes left out]\r\n89xy");
    queue_free(&queue);
}

/* Without gaps the queue is a FIFO of all bytes; with gaps the sentences account for each missing byte. */
static void test_queue_accounts_for_all_bytes(void **state)
{
    struct queue queue;
    uint64_t pushed = 0, told = 0, taken = 0;
    char buf[64];

    queue_init(&queue, 50);
    memset(buf, '.', sizeof(buf));
    for (int i = 0; i < 100000; i++) {
        size_t n = rnd(64);
        queue_push(&queue, buf, n);
        pushed += n;
        for (uint32_t turns = rnd(4); turns > 0; turns--) {
            const char *bytes;
            size_t got = queue_peek(&queue, &bytes);
            if (got > 0 && bytes[0] == '\r') {
                told += strtoull(strchr(bytes, ':') + 1, NULL, 10);
                queue_consume(&queue, got);
                continue;
            }
            got = got ? rnd((uint32_t)got + 1) : 0;
            queue_consume(&queue, got);
            taken += got;
        }
        assert_true(queue.len <= 50);
        assert_int_equal(pushed, told + taken + queue.len + queue.dropped);
    }
    queue_free(&queue);
}

static size_t shown(struct replay *replay, char *out)
{
    size_t n = replay_copy(replay, out);
    out[n] = 0;
    return n;
}

static void test_replay_short(void **state)
{
    struct replay replay = { 0 };
    char out[REPLAY_SIZE + 1];

    assert_int_equal(shown(&replay, out), 0);
    replay_append(&replay, "login: ", 7);
    shown(&replay, out);
    assert_string_equal(out, "login: ");
    replay_free(&replay);
}

static void test_replay_last_lines(void **state)
{
    struct replay replay = { 0 };
    char out[REPLAY_SIZE + 1], line[32];

    for (int i = 0; i < 5000; i++) {
        int n = snprintf(line, sizeof(line), "line %d\n", i);
        replay_append(&replay, line, (size_t)n);
    }
    shown(&replay, out);
    assert_memory_equal(out, "line 4936\n", 10);
    assert_string_equal(out + strlen(out) - 10, "line 4999\n");
    replay_free(&replay);
}

/* Long lines: no more than fits, beginning with a whole line; one endless line: what fits of its end. */
static void test_replay_long_lines(void **state)
{
    struct replay replay = { 0 };
    char out[REPLAY_SIZE + 1], line[1001];

    memset(line, 'a', 1000);
    line[0] = '^';
    line[1000] = '\n';
    for (int i = 0; i < 20; i++)
        replay_append(&replay, line, 1001);
    assert_int_equal(shown(&replay, out), 8 * 1001);
    assert_int_equal(out[0], '^');
    replay_free(&replay);
    for (int i = 0; i < 20; i++)
        replay_append(&replay, line, 1000);
    assert_int_equal(shown(&replay, out), REPLAY_SIZE);
    char *big = calloc(1, 3 * REPLAY_SIZE);
    assert_non_null(big);
    replay_append(&replay, big, 3 * REPLAY_SIZE);
    assert_int_equal(shown(&replay, out), REPLAY_SIZE);
    free(big);
    replay_free(&replay);
}

static void test_replay_asks_nothing(void **state)
{
    static const char *const rows[][2] = {
        { "~ # \033[6n", "~ # " },              { "a\033[cb\033[0cb\033[>cb", "abbb" },
        { "\033[31mred\033[m", "\033[31mred\033[m" },   { "\033]0;title\a#", "#" },
        { "\033P$qm\033\\#", "#" },             { "\005who", "who" },       { "\033Zx\0337y", "x\0337y" },
        { "cut \033[", "cut " },                { "cut \033", "cut " },     { "\033[\033[6nx", "x" },
        { "\033\033[6nx", "x" },                { "\033[?25hx\033[?25$px", "\033[?25hxx" },
    };
    char text[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        strcpy(text, rows[i][0]);
        text[replay_quiet(text, strlen(text))] = 0;
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_forgets_the_oldest_and_says_so),
        cmocka_unit_test(test_queue_gap_during_the_sentence),
        cmocka_unit_test(test_queue_accounts_for_all_bytes),
        cmocka_unit_test(test_replay_short),
        cmocka_unit_test(test_replay_last_lines),
        cmocka_unit_test(test_replay_long_lines),
        cmocka_unit_test(test_replay_asks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
