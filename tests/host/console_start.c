/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauch-console says when it is started wrongly: each text names the object, its value, the limit if it
 * is one, and what to do. */
#define _GNU_SOURCE
#define main daemon_main
int daemon_main(int argc, char **argv);
#include "dom0/console/main.c"
#undef main

#include "tests/host/run_main.h"

#define LONG_PATH "@/01234567890123456789012345678901234567890123456789" \
                  "01234567890123456789012345678901234567890123456789"
#define RINGS "--ring-dir", "@/rings"

static const struct start options_cases[] = {
    { 0, { "--help" }, { "Usage: hauch-console", "--log-dir DIR" } },
    { 2, { "--frob" }, { "--frob", "hauch-console --help" } },
    { 2, { "--socket" }, { "--socket", "argument", "hauch-console --help" } },
    { 2, { "stray" }, { "stray: no operands are taken", "--help" } },
    { 2, { "--cap", "12x" }, { "--cap 12x", "from 4096 to 1024G", "such as 8M" } },
    { 2, { "--cap", "4095" }, { "--cap 4095", "from 4096 to 1024G" } },
    { 2, { "--cap", "1025G" }, { "--cap 1025G", "from 4096 to 1024G" } },
    { 2, { "--cap", "-1" }, { "--cap -1", "from 4096 to 1024G" } },
};

static const struct start paths_cases[] = {
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/out/c" },
      { "/out: ", "another path with --socket" } },
    { 1, { RINGS, "--log-dir", "@/log", "--socket", LONG_PATH },
      { "cannot listen on", "File name too long", "at most 107 bytes", "another path with --socket" } },
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/taken" },
      { "cannot listen on", "/taken: ", "another hauch-console serves there; stop it", "--socket" } },
    { 1, { RINGS, "--log-dir", "@/out/log", "--socket", "@/c" },
      { "cannot make directory", "/out/log: Not a directory", "--log-dir" } },
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/c", "--pid-file", "@/absent/pid" },
      { "cannot write --pid-file", "/absent/pid: No such file", "another path" } },
    { 1, { "--ring-dir", "@/absent", "--log-dir", "@/log", "--socket", "@/c" },
      { "/absent/daemon: No such file", "does the directory exist?" } },
};

static const struct start users_cases[] = {
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/c", "--user", "no-such-user" },
      { "--user no-such-user: no such user", "adduser --system --group no-such-user",
        "leave the option out" } },
};

/* On a machine that is no dom0. */
static const struct start devices_cases[] = {
    { 1, { "--log-dir", "@/log", "--socket", "@/c" },
      { "cannot open /dev/xen/gntdev", "module xen-gntdev loaded?", "running in dom0?" } },
};

static void run_cases(const struct start *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_start("hauch-console", &cases[i]);
}

#define RUN(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_options(void **state) { RUN(options_cases); }
static void test_users(void **state) { RUN(users_cases); }

static void test_paths(void **state)
{
    run_listen("taken");
    RUN(paths_cases);
}

static void test_devices(void **state)
{
    if (access("/dev/xen/gntdev", F_OK) == 0)
        skip();
    RUN(devices_cases);
}

static int setup(void **state)
{
    return run_setup(state) || mkdir("rings", 0700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_devices),
    };

    return cmocka_run_group_tests(tests, setup, run_teardown);
}
