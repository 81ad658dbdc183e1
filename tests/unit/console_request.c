/* SPDX-License-Identifier: BSD-2-Clause */
/* The request lines of the console daemon. */
#include "dom0/console/request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *line, struct request *request, char *error)
{
    return request_parse(line, strlen(line), request, error, 256);
}

static void test_good(void **state)
{
    struct request request;
    char error[256];

    assert_int_equal(parse("add 7 web 12", &request, error), 0);
    assert_int_equal(request.kind, REQUEST_ADD);
    assert_int_equal(request.domid, 7);
    assert_string_equal(request.name, "web");
    assert_int_equal(request.port, 12);
    assert_int_equal(request.cap, 0);
    assert_int_equal(parse("  add 32751  x 4294967295 cap=65536 ", &request, error), 0);
    assert_int_equal(request.domid, 32751);
    assert_int_equal(request.port, UINT32_MAX);
    assert_int_equal(request.cap, 65536);
    assert_int_equal(parse("list", &request, error), 0);
    assert_int_equal(request.kind, REQUEST_LIST);
    assert_int_equal(parse("attach 3", &request, error), 0);
    assert_int_equal(request.kind, REQUEST_ATTACH);
}

static void test_bad(void **state)
{
    static const char *const rows[][2] = {
        { "", "request '': expected add, remove, list, tty, attach or log" },
        { "ad 1 x 2", "request 'ad'" },
        { "add 1 x", "add DOMID NAME PORT" },       { "add 1 x 2 3 4 5 6 7", "add DOMID NAME PORT" },
        { "add 32752 x 2", "domain '32752': expected a domain id from 0 to 32751" },
        { "add -1 x 2", "domain '-1'" },
        { "add 1 x 4294967296", "port '4294967296': expected an event channel number from 0 to 4294967295" },
        { "add 1 x 2 cap=", "option 'cap=': expected cap=BYTES, from 4096 to 2^40, or 0: default" },
        { "add 1 x 2 cap=10", "option 'cap=10'" },
        { "add 1 x\x1b[2J 2", "name 'x?[2J': expected at most 128 bytes without control characters" },
        { "remove", "remove DOMID" },               { "remove 99999999999999999999999", "domain '9999" },
        { "list 1", "list" },                       { "add 1 x 2 lid=5000", "option 'lid=5000'" },
    };
    struct request request;
    char error[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        error[0] = 0;
        assert_int_equal(parse(rows[i][0], &request, error), -EINVAL);
        if (!strstr(error, rows[i][1]))
            fail_msg("'%s' gave '%s'", rows[i][0], error);
    }
}

static void test_name_length(void **state)
{
    char line[256] = "add 1 ", error[256];
    struct request request;

    memset(line + 6, 'n', 128);
    strcpy(line + 6 + 128, " 5");
    assert_int_equal(parse(line, &request, error), 0);
    assert_int_equal(strlen(request.name), 128);
    memset(line + 6, 'n', 129);
    strcpy(line + 6 + 129, " 5");
    assert_int_equal(parse(line, &request, error), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_name_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
