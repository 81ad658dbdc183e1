/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the console daemon can still do after it has given up its rights: children try it and say how it
 * went.
 */
#define _GNU_SOURCE
#include "dom0/console/privilege.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SEAL_FAILED 250
#define RESULT      100     /* so that no other way to end looks like EPERM, which is 1 */

/*
 * Runs try() in a child after the seal. Returns its result, or -1 if it ended otherwise. It ends by the bare
 * system call: what the address sanitizer does before _exit() is sealed too.
 */
static int sealed(int (*try)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        syscall(SYS_exit_group, privilege_seal() < 0 ? SEAL_FAILED : RESULT + try());
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) >= RESULT ? WEXITSTATUS(status) - RESULT : -1;
}

static int outcome(long r)
{
    return r >= 0 ? 0 : errno;
}

static int try_write(void)   { return outcome(syscall(SYS_write, STDOUT_FILENO, "", 0)); }
static int try_execve(void)  { return outcome(syscall(SYS_execve, "/bin/true", NULL, NULL)); }
static int try_fork(void)    { return outcome(syscall(SYS_fork)); }
static int try_socket(void)  { return outcome(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)); }
static int try_kill(void)    { return outcome(syscall(SYS_kill, getpid(), 0)); }
static int try_ptrace(void)  { return outcome(syscall(SYS_ptrace, 0, 0, 0, 0)); }
static int try_setuid(void)  { return outcome(syscall(SYS_setuid, getuid())); }

static void test_serving_is_possible(void **state)
{
    assert_int_equal(sealed(try_write), 0);
}

static void test_the_rest_is_not(void **state)
{
    assert_int_equal(sealed(try_execve), EPERM);
    assert_int_equal(sealed(try_fork), EPERM);
    assert_int_equal(sealed(try_socket), EPERM);
    assert_int_equal(sealed(try_kill), EPERM);
    assert_int_equal(sealed(try_ptrace), EPERM);
    assert_int_equal(sealed(try_setuid), EPERM);
}

static void test_unknown_user(void **state)
{
    uid_t uid;
    gid_t gid;

    assert_int_equal(privilege_user("no-such-user-here", &uid, &gid), -ENOENT);
    assert_int_equal(privilege_user("root", &uid, &gid), 0);
    assert_int_equal(uid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serving_is_possible),
        cmocka_unit_test(test_the_rest_is_not),
        cmocka_unit_test(test_unknown_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
