/* SPDX-License-Identifier: BSD-2-Clause */
/* A call of the system that fails once a daemon is started: a test wraps it (-Wl,--wrap), and asks here. */
#ifndef FAIL_CALL_H
#define FAIL_CALL_H

#include <pwd.h>

#include "tests/host/run_main.h"

struct failing {
    const char  *call;
    int          error;                    /* errno */
    struct start start;
};

static const struct failing *failing;

/* -1 and errno if it is the call that has to fail. */
static int fails(const char *call)
{
    if (!failing || strcmp(failing->call, call))
        return 0;
    errno = failing->error;
    return -1;
}

static void run_failing(const char *program, const struct failing *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        failing = &cases[i];
        run_start(program, &cases[i].start);
    }
    failing = NULL;
}

/* A wrapped call that either fails or is made. */
#define WRAP(result, name, parameters, arguments)                                                            \
    result __real_##name parameters;                                                                         \
    result __wrap_##name parameters;                                                                         \
    result __wrap_##name parameters { return fails(#name) ? (result)-1 : __real_##name arguments; }

/* Whoever runs the test, the daemon is started by root, on a machine where no other user exists. */
WRAP(int, setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s))
WRAP(int, prctl, (int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d),
     (what, a, b, c, d))

uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void) { return 0; }

struct passwd *__real_getpwnam(const char *name);
struct passwd *__wrap_getpwnam(const char *name);
struct passwd *__wrap_getpwnam(const char *name)
{
    return !strcmp(name, "root") ? __real_getpwnam(name) : NULL;
}

#endif
