/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauch-store says when it is started wrongly: each text names the object, its value, the limit if it is
 * one, and what to do. */
#define _GNU_SOURCE
#define main daemon_main
int daemon_main(int argc, char **argv);
#include "dom0/store/main.c"
#undef main

#include "tests/host/run_main.h"

#define LONG_PATH "@/01234567890123456789012345678901234567890123456789" \
                  "01234567890123456789012345678901234567890123456789"
#define NO_PID    "--pid-file", "@/absent/pid"     /* ends a start that has come that far */

static const struct start options_cases[] = {
    { 0, { "--help" }, { "usage: hauch-store", "--socket PATH", "--state DIR" } },
    { 2, { "--frob" }, { "--frob", "usage: hauch-store" } },
    { 2, { "--socket" }, { "--socket", "argument", "usage: hauch-store" } },
    { 2, { "stray" }, { "'stray' is not expected here", "usage: hauch-store" } },
};

static const struct start users_cases[] = {
    { 1, { "-nN", "-s", "@/s", "--user", "no-such-user" },
      { "no user 'no-such-user'", "adduser --system --group no-such-user", "leave out --user" } },
};

static const struct start sockets_cases[] = {
    { 1, { "-nN", "--socket", "@/absent/s" },
      { "cannot listen at", "/absent/s: No such file", "make that folder", "another path with --socket" } },
    { 1, { "-nN", "--socket", "@/out/s" },
      { "cannot listen at", "Not a directory", "another path with --socket" } },
    { 1, { "-nN", "--socket", LONG_PATH },
      { "cannot listen at", "File name too long", "at most 107 bytes", "another path with --socket" } },
    { 1, { "-nN", "--socket", "@/taken" },
      { "cannot listen at", "already in use", "another store serves there; stop it", "--socket" } },
    { 1, { "-nN", "--socket", "@/s", NO_PID },
      { "pid file", "/absent/pid: No such file", "another path with --pid-file" } },
};

static const struct start states_cases[] = {
    { 1, { "-n", "-s", "@/s", "--state", "@/out/state", NO_PID },
      { "cannot be kept in", "/out/state: Not a directory", "another folder with --state", "--no-state",
        "a restart would lose everything" } },
    { 1, { "-n", "-s", "@/s", "--state", "@/held", NO_PID },
      { "cannot be kept in", "/held: ", "another hauch-store keeps its state there", "--state" } },
    { 1, { "-n", "-s", "@/s", "--state", "@/foreign", NO_PID },
      { "/foreign/journal was not written by this version of hauch-store", "the store begins empty" } },
};

static void run_cases(const struct start *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_start("hauch-store", &cases[i]);
}

#define RUN(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_options(void **state) { RUN(options_cases); }
static void test_users(void **state) { RUN(users_cases); }

static void test_sockets(void **state)
{
    run_listen("taken");
    RUN(sockets_cases);
}

static void test_states(void **state)
{
    static const char junk[4096] = "this is no journal";
    struct journal_file held = { .folder = -1, .fd = -1, .old_fd = -1 };
    int fd;

    assert_int_equal(journal_file_open(&held, "held", (uid_t)-1, (gid_t)-1), 0);
    assert_int_equal(mkdir("foreign", 0700), 0);
    fd = open("foreign/journal", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
    close(fd);
    RUN(states_cases);
    journal_file_close(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
