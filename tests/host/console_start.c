/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauch-console says when it is started wrongly: each text names the object, its value, the limit if it
 * is one, and what to do. */
#define _GNU_SOURCE
#define main daemon_main
int daemon_main(int argc, char **argv);
#include "dom0/console/main.c"
#undef main

#include <sys/epoll.h>
#include <sys/inotify.h>

#include "tests/host/fail_call.h"

#define LONG_PATH "@/01234567890123456789012345678901234567890123456789" \
                  "01234567890123456789012345678901234567890123456789"
#define RINGS "--ring-dir", "@/rings"

static const struct start options_cases[] = {
    { 0, { "--help" }, { "Usage: hauch-console", "--log-dir DIR" } },
    { 2, { "--frob" }, { "--frob", "Try: hauch-console --help\n" } },
    { 2, { "--socket" }, { "--socket", "argument", "hauch-console --help" } },
    { 2, { "stray" }, { "hauch-console: 'stray' is not expected here; see --help\n" } },
    { 2, { "--cap", "12x" }, { "hauch-console: --cap 12x: expected a number of bytes from 4096 to 1024G, "
                               "such as 8M\n" } },
    { 2, { "--cap", "4095" }, { "--cap 4095", "from 4096 to 1024G" } },
    { 2, { "--cap", "1025G" }, { "--cap 1025G", "from 4096 to 1024G" } },
    { 2, { "--cap", "-1" }, { "--cap -1", "from 4096 to 1024G" } },
};

static const struct start paths_cases[] = {
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/out/c" },
      { "cannot use directory @/out: Permission denied (choose another path with --socket)\n" } },
    { 1, { RINGS, "--log-dir", "@/log", "--socket", LONG_PATH },
      { "hauch-console: cannot listen at " LONG_PATH
        ": File name too long (a path of a socket has at most 107 bytes; choose another path with "
        "--socket)\n" } },
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/taken" },
      { "cannot listen at @/taken: Address already in use (another hauch-console serves there; stop it, or "
        "choose "
        "another path with --socket)\n" } },
    { 1, { RINGS, "--log-dir", "@/out/log", "--socket", "@/c" },
      { "cannot make directory @/out/log: Not a directory (choose another with --log-dir or --socket)\n" } },
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/c", "--pid-file", "@/absent/pid" },
      { "cannot write the pid file @/absent/pid: No such file or directory (choose another path with "
        "--pid-file)\n" } },
    { 1, { "--ring-dir", "@/absent", "--log-dir", "@/log", "--socket", "@/c" },
      { "cannot listen at @/absent/daemon: No such file or directory (does the directory exist?)\n" } },
};

static const struct start users_cases[] = {
    { 1, { RINGS, "--log-dir", "@/log", "--socket", "@/c", "--user", "no-such-user" },
      { "hauch-console: there is no user 'no-such-user'; make it (adduser --system --group no-such-user, or "
        "systemd-sysusers) or leave out --user\n" } },
};

/* On a machine that is no dom0. */
static const struct start devices_cases[] = {
    { 1, { "--log-dir", "@/log", "--socket", "@/c" },
      { "hauch-console: cannot open /dev/xen/gntdev: No such file or directory (is this domain 0, with "
        "module xen-gntdev?)\n",
        "hauch-console: cannot open /dev/xen/evtchn: No such file or directory (is this domain 0, with "
        "module xen-evtchn?)\n" } },
};

/* ---- calls that fail ---- */
WRAP(int, fchown, (int fd, uid_t u, gid_t g), (fd, u, g))
WRAP(int, epoll_create1, (int flags), (flags))
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd, event))
WRAP(int, inotify_init1, (int flags), (flags))
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags))

#define ARGUMENTS RINGS, "--log-dir", "@/log", "--socket", "@/c"
#define NO_PID    "--pid-file", "@/absent/pid"     /* ends a start that has come that far */

static const struct failing failing_cases[] = {
    { "setresuid", EPERM,
      { 1, { ARGUMENTS, "--user", "root" },
        { "hauch-console: cannot become user 0: Operation not permitted (start it as root)\n" } } },
    { "fchown", EPERM,
      { 1, { ARGUMENTS, "--user", "root" },
        { "hauch-console: cannot give @/log to user root: Operation not permitted (choose another with "
          "--log-dir)\n" } } },
    { "prctl", EINVAL,
      { 1, { ARGUMENTS },
        { "hauch-console: cannot give up system calls: Invalid argument (a kernel without seccomp "
          "filters?)\n" } } },
    { "epoll_create1", EMFILE,
      { 1, { ARGUMENTS },
        { "hauch-console: cannot watch descriptors: Too many open files (are too many open?)\n" } } },
    { "epoll_ctl", ENOSPC,
      { 1, { ARGUMENTS },
        { "hauch-console: cannot watch descriptors: No space left on device (are too many open?)\n" } } },
    { "inotify_init1", EMFILE,
      { 1, { ARGUMENTS, NO_PID },
        { "hauch-console: no inotify: Too many open files; consoles will have no pseudo-terminals (raise "
          "fs.inotify.max_user_instances)\n" } } },
    { "pipe2", EMFILE,
      { 1, { ARGUMENTS, "--daemon" },
        { "hauch-console: cannot go to the background: Too many open files (leave out --daemon)\n" } } },
    { "", 0,
      { 1, { ARGUMENTS, NO_PID },
        { "hauch-console: there is no user 'hauch-console'; make it (adduser --system --group "
          "hauch-console, or "
          "systemd-sysusers); staying root until then\n" } } },
};

static void test_failing_calls(void **state)
{
    run_failing("hauch-console", failing_cases, sizeof(failing_cases) / sizeof(failing_cases[0]));
}

/* The service manager gave up meanwhile. */
static void test_nobody_waits(void **state)
{
    char text[256];
    int ready[2], status, fd;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    close(ready[0]);
    fflush(NULL);
    pid = fork();
    if (!pid) {
        signal(SIGPIPE, SIG_IGN);
        dup2(open("out", O_RDWR | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        background_ready(ready[1]);
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    n = read(fd = open("out", O_RDONLY), text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    assert_string_equal(text, "hauch-console: nobody waits for the daemon to be ready\n");
}

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
        cmocka_unit_test(test_failing_calls),
        cmocka_unit_test(test_nobody_waits),
    };

    return cmocka_run_group_tests(tests, setup, run_teardown);
}
