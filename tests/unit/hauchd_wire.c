/* SPDX-License-Identifier: BSD-2-Clause */
/* Framing and requests of hauchd's socket, and the kernel's device messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/dev_link.h"
#include "lib/wire_line.h"
#include "lib/wire_request.h"

/* Three lines, cut into pieces of every size. */
static void test_lines_in_pieces(void **state)
{
    static const char text[] = "first\n\nthird line\nrest";

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        static const char *const want[] = { "first", "", "third line" };
        struct wire_in           in = { 0 };
        unsigned                 n = 0;

        for (size_t at = 0; at < strlen(text); at += piece) {
            size_t left = strlen(text) - at;
            char  *line;

            assert_int_equal(wire_in_feed(&in, text + at, left < piece ? left : piece), 0);
            while ((line = wire_in_next(&in)))
                assert_string_equal(line, want[n++]);
        }
        assert_int_equal(n, 3);
        assert_int_equal(wire_in_feed(&in, "\n", 1), 0);
        assert_string_equal(wire_in_next(&in), "rest");
        assert_null(wire_in_next(&in));
        wire_in_free(&in);
    }
}

static void test_line_limits(void **state)
{
    struct wire_in in = { 0 };
    char          *big = malloc(WIRE_LINE_MAX);

    memset(big, 'x', WIRE_LINE_MAX);
    assert_int_equal(wire_in_feed(&in, "a\0b", 3), -EBADMSG);
    assert_int_equal(wire_in_feed(&in, big, WIRE_LINE_MAX), 0);
    assert_int_equal(wire_in_feed(&in, "x", 1), -E2BIG);
    wire_in_free(&in);
    free(big);
}

static void test_out(void **state)
{
    struct wire_out out = { 0 };
    int             fd[2], rc;
    char           *text = malloc(1 << 20), *back = malloc(1 << 20);
    size_t          got = 0;

    memset(text, 'y', 1 << 20);
    text[(1 << 20) - 2] = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    assert_int_equal(wire_out_line(&out, text), 0);
    do {
        ssize_t n;

        rc = wire_out_flush(&out, fd[0]);
        assert_in_range(rc, 0, 1);
        while ((n = read(fd[1], back + got, (1 << 20) - got)) > 0)
            got += n;
    } while (rc);
    assert_true(wire_out_empty(&out));
    assert_int_equal(got, (1 << 20) - 1);
    assert_int_equal(back[got - 1], '\n');
    close(fd[1]);
    assert_int_equal(wire_out_line(&out, "gone"), 0);
    assert_int_equal(wire_out_flush(&out, fd[0]), -EPIPE);
    close(fd[0]);
    wire_out_free(&out);
    free(text);
    free(back);
}

static void test_good_requests(void **state)
{
    struct wire_request rq;
    struct fault        f = { 0 };

    assert_int_equal(wire_request_parse("{\"op\":\"create\",\"config\":\"a\\nb\",\"source\":\"s\",\"set\":["
                                        "\"x=1\",\"y=2\"],"
                                        "\"paused\":true}",
                                        &rq, &f),
                     0);
    assert_int_equal(rq.op, WIRE_CREATE);
    assert_string_equal(rq.config, "a\nb");
    assert_int_equal(rq.set_count, 2);
    assert_string_equal(rq.set[1], "y=2");
    assert_true(rq.paused && !rq.dry);
    wire_request_free(&rq);
    assert_int_equal(wire_request_parse(" {\"wait\":true, \"op\":\"shutdown\",\"all\":true}", &rq, &f), 0);
    assert_true(rq.op == WIRE_SHUTDOWN && rq.wait && rq.all && !rq.domain);
    wire_request_free(&rq);
}

static void test_bad_requests(void **state)
{
    static const char *const bad[][2] = {
        { "", "JSON" },
        { "{", "JSON" },
        { "[]", "a request is a JSON object on one line" },
        { "1", "object" },
        { "null", "not JSON" },
        { "{\"op\":1}", "no \"op\"" },
        { "{\"op\":\"fly\"}", "unknown request \"fly\"" },
        { "{\"op\":\"list\"} x", "JSON" },
        { "{\"op\":\"pause\"}", "needs field \"domain\"" },
        { "{\"op\":\"pause\",\"domain\":3}", "field \"domain\" is not of type string" },
        { "{\"op\":\"pause\",\"domain\":\"a\",\"wait\":true}", "request \"pause\" has no field \"wait\"" },
        { "{\"op\":\"create\",\"config\":\"\",\"set\":[1]}", "\"set\" entry 0 is not a string" },
        { "{\"op\":\"create\",\"config\":\"\",\"set\":\"a\"}", "type array" },
        { "{\"op\":\"create\",\"config\":\"a\\u0000b\"}", "a string contains a NUL character" },
        { "{\"op\":\"create\",\"config\":\"\",\"paused\":1}", "type boolean" },
        { "{\"op\":[[[[[[[[]]]]]]]]}", "JSON" },
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct wire_request rq;
        struct fault        f = { 0 };

        assert_true(wire_request_parse(bad[i][0], &rq, &f) < 0);
        if (!strstr(f.text, bad[i][1]))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i][0], f.text, bad[i][1]);
    }
}

static void test_too_many_settings(void **state)
{
    struct wire_request rq;
    struct fault        f = { 0 };
    char               *text = malloc(16 * (WIRE_SET_MAX + 2));
    size_t              n = 0;

    n += sprintf(text, "{\"op\":\"create\",\"config\":\"\",\"set\":[\"\"");
    for (int i = 0; i < WIRE_SET_MAX; i++)
        n += sprintf(text + n, ",\"\"");
    strcpy(text + n, "]}");
    assert_int_equal(wire_request_parse(text, &rq, &f), -E2BIG);
    assert_string_equal(f.text, "\"set\" has 257 entries, at most 256 are possible; write some into the "
                                "configuration");
    free(text);
}

static void test_uevents(void **state)
{
    struct dev_uevent ev;

    assert_int_equal(dev_uevent_parse("remove@/devices/vbd-3-51712", &ev), 1);
    assert_string_equal(ev.type, "vbd");
    assert_int_equal(ev.domid, 3);
    assert_int_equal(ev.devid, 51712);
    assert_int_equal(dev_uevent_parse("remove@/devices/vif-32751-63", &ev), 1);
    assert_int_equal(dev_uevent_parse("remove@/devices/vbd-3-51712/more", &ev), 0);
    assert_int_equal(dev_uevent_parse("add@/devices/vbd-3-51712", &ev), 0);
    assert_int_equal(dev_uevent_parse("remove@/devices/console-0", &ev), 0);
    assert_int_equal(dev_uevent_parse("remove@/devices/vbd-3-", &ev), 0);
    assert_int_equal(dev_uevent_parse("remove@/devices/abcdefghijk-3-4", &ev), 0);
    assert_int_equal(dev_uevent_parse("", &ev), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_in_pieces), cmocka_unit_test(test_line_limits),
        cmocka_unit_test(test_out),             cmocka_unit_test(test_good_requests),
        cmocka_unit_test(test_bad_requests),    cmocka_unit_test(test_too_many_settings),
        cmocka_unit_test(test_uevents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
