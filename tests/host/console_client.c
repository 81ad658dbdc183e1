/* SPDX-License-Identifier: BSD-2-Clause */
/* The client library of the console daemon, against a socket pair that plays the daemon. */
#define _GNU_SOURCE
#include "lib/console_client.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS 10000       /* never waited out */

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char *get(int fd)
{
    static char text[8192];
    ssize_t n = read(fd, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = 0;
    return text;
}

static void pair(int *fds)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void test_requests(void **state)
{
    static const struct {
        const char *reply;
        int result;
        const char *text;
    } rows[] = {
        { "ok\n", 0, "" },
        { "ok 7 web\nlogin: ", 0, "7 web" },
        { "error 17 name in use\n", -EEXIST, "name in use" },
        { "error 5\n", -EIO, "" },
        { "okay\n", -EPROTO, "" },
        { "error x\n", -EPROTO, "" },
        { "error 0 fine\n", -EPROTO, "" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answer[64];
        int fds[2];
        pair(fds);
        put(fds[1], rows[i].reply);
        assert_int_equal(console_attach(fds[0], 7, answer, sizeof(answer)), rows[i].result);
        assert_string_equal(answer, rows[i].text);
        assert_string_equal(get(fds[1]), "attach 7\n");
        if (i == 1)
            assert_string_equal(get(fds[0]), "login: ");    /* nothing of the stream is swallowed */
        close(fds[0]);
        close(fds[1]);
    }
}

static void test_daemon_gone(void **state)
{
    char answer[64];
    int fds[2];

    pair(fds);
    close(fds[1]);
    assert_int_equal(console_request(fds[0], "list", answer, sizeof(answer)), -EPIPE);
    close(fds[0]);
    assert_int_equal(console_connect("out/no-such-socket"), -ENOENT);
}

static void test_requests_that_cannot_be_lines(void **state)
{
    char answer[128], name[600];
    int fds[2];

    pair(fds);
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = 0;
    assert_int_equal(console_request(fds[0], "remove 1\nremove 2", answer, sizeof(answer)), -EINVAL);
    assert_string_equal(answer, "a request to hauch-console has 17 bytes: one line of at most 512 is "
                                "possible");
    assert_int_equal(console_add(fds[0], 1, name, 3, 0, answer, sizeof(answer)), -EINVAL);
    assert_int_equal(console_add(fds[0], 1, "a b", 3, 0, answer, sizeof(answer)), -EINVAL);
    assert_string_equal(answer,
                        "name \"a b\" of domain 1: at most 128 bytes without spaces are possible; rename it");
    assert_int_equal(console_add(fds[0], 1, "", 3, 0, answer, sizeof(answer)), -EINVAL);
    put(fds[1], "ok\n");
    assert_int_equal(console_add(fds[0], 1, "web", 3, 65536, answer, sizeof(answer)), 0);
    assert_string_equal(get(fds[1]), "add 1 web 3 cap=65536\n");
    close(fds[0]);
    close(fds[1]);
}

static void test_join_pipes(void **state)
{
    int fds[2], in[2], out[2];

    pair(fds);
    assert_int_equal(pipe(in) | pipe(out), 0);
    put(in[1], "typed");
    close(in[1]);
    put(fds[1], "shown");
    struct console_join join = { fds[0], in[0], out[1], CONSOLE_ESCAPE, 100 };
    assert_int_equal(console_join(&join), CONSOLE_END_TIMEOUT);     /* the end of stdin is not the end */
    assert_string_equal(get(out[0]), "shown");
    assert_string_equal(get(fds[1]), "typed");
    assert_string_equal(get(fds[1]), "");                           /* but the daemon is told of it */
    put(fds[1], "bye");
    close(fds[1]);
    join.timeout_ms = LONG_MS;
    join.in = -1;
    assert_int_equal(console_join(&join), CONSOLE_END_GONE);
    assert_string_equal(get(out[0]), "bye");
    close(fds[0]);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}

static void open_terminal(int *master, int *slave)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    *slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    assert_true(*slave >= 0);
}

static void test_join_terminal(void **state)
{
    int fds[2], master, slave;
    struct termios before, after;

    pair(fds);
    open_terminal(&master, &slave);
    assert_int_equal(tcgetattr(slave, &before), 0);
    /*
     * Typed ahead in cooked mode, so a line end makes it readable; the escape character leaves the rest
     * unsent.
     */
    put(master, "ab\x1dzz\n");
    struct console_join join = { fds[0], slave, 1, CONSOLE_ESCAPE, LONG_MS };
    assert_int_equal(console_join(&join), CONSOLE_END_LEFT);
    assert_string_equal(get(fds[1]), "ab");
    assert_int_equal(tcgetattr(slave, &after), 0);
    assert_int_equal(before.c_lflag, after.c_lflag);
    assert_int_equal(before.c_iflag, after.c_iflag);
    put(master, "\x1dq\n");
    join.escape = -1;
    join.timeout_ms = 100;
    assert_int_equal(console_join(&join), CONSOLE_END_TIMEOUT);
    assert_string_equal(get(fds[1]), "\x1dq\n");
    close(fds[0]);
    close(fds[1]);
    close(master);
    close(slave);
}

static void test_join_signal(void **state)
{
    int fds[2], master, slave;
    struct termios before, after;
    sigset_t block, was;

    pair(fds);
    open_terminal(&master, &slave);
    tcgetattr(slave, &before);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &was);       /* so that it is pending when the join begins */
    raise(SIGTERM);
    struct console_join join = { fds[0], slave, 1, CONSOLE_ESCAPE, 100 };
    assert_int_equal(console_join(&join), CONSOLE_END_TIMEOUT);     /* blocked before, blocked now */
    signal(SIGTERM, SIG_IGN);                   /* drops the pending one */
    sigprocmask(SIG_SETMASK, &was, NULL);
    pid_t self = getpid(), child = fork();
    if (child == 0) {                           /* signals until it is killed, at most ten seconds */
        for (int i = 0; i < 1000; i++) {
            kill(self, SIGTERM);
            usleep(10000);
        }
        _exit(0);
    }
    assert_true(child > 0);
    join.timeout_ms = LONG_MS;
    assert_int_equal(console_join(&join), CONSOLE_END_SIGNAL);
    kill(child, SIGKILL);
    tcgetattr(slave, &after);
    assert_int_equal(before.c_lflag, after.c_lflag);
    close(fds[0]);
    close(fds[1]);
    close(master);
    close(slave);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_daemon_gone),
        cmocka_unit_test(test_requests_that_cannot_be_lines),
        cmocka_unit_test(test_join_pipes),
        cmocka_unit_test(test_join_terminal),
        cmocka_unit_test(test_join_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
