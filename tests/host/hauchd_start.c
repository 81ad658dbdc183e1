/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauchd says when it is started wrongly: its main() on the pretended host. */
#define _GNU_SOURCE
#define main daemon_main
int daemon_main(int argc, char **argv);
#include "dom0/hauchd/main.c"
#undef main

#include <sys/eventfd.h>

#include "tests/host/hauchd_world.h"
#include "tests/host/run_main.h"

#define PLACES "--state", "@/state", "--registry", "@/registry", "--lib", "@/lib"
#define TEN    "0123456789"
#define LONG   "@/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static bool no_epoll, no_eventfd;

/* The group is there, and nothing can be given to it. */
struct group *__wrap_getgrnam(const char *name);
struct group *__wrap_getgrnam(const char *name)
{
    static struct group g = { .gr_gid = 7 };

    return &g;
}

int __wrap_chown(const char *path, uid_t uid, gid_t gid);
int __wrap_chown(const char *path, uid_t uid, gid_t gid)
{
    errno = EPERM;
    return -1;
}

int __real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    errno = ENOSPC;
    return no_epoll ? -1 : __real_epoll_ctl(epoll, op, fd, event);
}

static const struct start options_cases[] = {
    { 0, { "--help" }, { "usage: hauchd [options]", "--socket PATH" } },
    { 2, { "--frob" }, { "--frob", "usage: hauchd [options]" } },
    { 2, { "stray" }, { "hauchd: 'stray' is not expected here\nusage: hauchd [options]" } },
};

static const struct start places_cases[] = {
    { 1, { "--socket", "@/s", "--state", "@/out/state" },
      { "hauchd: cannot make @/out/state (choose another folder with --state): Not a directory\n" } },
    { 1, { "--socket", "@/absent/s", PLACES },
      { "hauchd: cannot listen at @/absent/s (choose another path with --socket): No such file or "
        "directory\n" } },
    { 1, { "--socket", "@/taken", PLACES },
      { "hauchd: another hauchd answers at @/taken; stop it, or choose another path with --socket\n" } },
    { 1, { "--socket", LONG, PLACES },
      { "hauchd: socket path " LONG " has 124 bytes, at most 107 are possible; choose another with "
                                    "--socket\n" } },
    { 1, { "--socket", "@/s", PLACES, "--pid-file", "@/absent/pid" },
      { "hauchd: @/s: group hauch is not admitted: Operation not permitted; only root can use it\n",
        "hauchd: cannot write the pid file @/absent/pid (choose another path with --pid-file): No such "
        "file or "
        "directory\n" } },
};

static const struct start plain_case = { 1, { "--socket", "@/s", PLACES }, { NULL } };

static void run_all(const struct start *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_start("hauchd", &cases[i]);
}

#define RUN(cases) run_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void says(const char *words)
{
    struct start s = plain_case;

    s.says[0] = words;
    run_start("hauchd", &s);
}

static void test_options(void **state) { RUN(options_cases); }

static void test_places(void **state)
{
    run_listen("taken");
    RUN(places_cases);
}

static void test_hypervisor(void **state)
{
    world.evtchn_error = ENOENT;
    says("hauchd: cannot open /dev/xen/evtchn (load the kernel module xen-evtchn): No such file or "
         "directory\n");
    world.evtchn_error = 0;
    world.virq_error = EPERM;
    says("hauchd: cannot bind the domain-death interrupt (hauch dmesg --refusals 0 may say why): Operation "
         "not "
         "permitted\n");
    world.virq_error = 0;
}

static void test_descriptors(void **state)
{
    no_epoll = true;
    says("hauchd: cannot watch descriptors (are too many open?): No space left on device\n");
    no_epoll = false;
    no_eventfd = true;
    says("hauchd: cannot start threads (are too many files open?): Too many open files\n");
    no_eventfd = false;
}

static void test_threads(void **state)
{
    setenv("NO_THREADS", "1", 1);
    says("hauchd: cannot start a thread (are there too many?): Resource temporarily unavailable\n");
    unsetenv("NO_THREADS");
}

int __real_pthread_create(pthread_t *id, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
    return getenv("NO_THREADS") ? EAGAIN : __real_pthread_create(id, a, run, arg);
}

static int setup(void **state)
{
    world_reset();
    return run_setup(state);
}

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags)
{
    errno = EMFILE;
    return no_eventfd && flags & EFD_NONBLOCK ? -1 : __real_eventfd(count, flags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),     cmocka_unit_test(test_places),  cmocka_unit_test(test_hypervisor),
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, setup, run_teardown);
}
