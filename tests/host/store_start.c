/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauch-store says when it is started wrongly: each text names the object, its value, the limit if it is
 * one, and what to do. */
#define _GNU_SOURCE
#define main daemon_main
int daemon_main(int argc, char **argv);
#include "dom0/store/main.c"
#undef main

#include <sys/eventfd.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "tests/host/fail_call.h"

#define LONG_PATH "@/01234567890123456789012345678901234567890123456789" \
                  "01234567890123456789012345678901234567890123456789"
#define ALMOST    "@/0101234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define NO_PID    "--pid-file", "@/absent/pid"     /* ends a start that has come that far */

static const struct start options_cases[] = {
    { 0, { "--help" }, { "usage: hauch-store", "--socket PATH", "--state DIR" } },
    { 2, { "--frob" }, { "--frob", "usage: hauch-store" } },
    { 2, { "--socket" }, { "--socket", "argument", "usage: hauch-store" } },
    { 2, { "stray" }, { "hauch-store: 'stray' is not expected here\nusage: hauch-store" } },
};

static const struct start users_cases[] = {
    { 1, { "-nN", "-s", "@/s", "--user", "no-such-user" },
      { "hauch-store: there is no user 'no-such-user'; make it (adduser --system --group no-such-user, or "
        "systemd-sysusers) or leave out --user\n" } },
};

static const struct start sockets_cases[] = {
    { 1, { "-nN", "--socket", "@/absent/s" },
      { "hauch-store: cannot listen at @/absent/s: No such file or directory (make that folder, or choose "
        "another path "
        "with --socket)\n" } },
    { 1, { "-nN", "--socket", "@/out/s" },
      { "cannot listen at", "Not a directory", "another path with --socket" } },
    { 1, { "-nN", "--socket", LONG_PATH },
      { "hauch-store: cannot listen at " LONG_PATH
        ": File name too long (a path of a socket has at most 107 bytes; choose another path with "
        "--socket)\n" } },
    { 1, { "-nN", "--socket", "@/taken" },
      { "hauch-store: cannot listen at @/taken: Address already in use (another store serves there; stop "
        "it, or choose "
        "another path with --socket)\n" } },
    { 1, { "-nN", "--socket", ALMOST, NO_PID },
      { "hauch-store: cannot listen at " ALMOST "_ro: File name too long; clients that only read are not "
                                                "served\n" } },
    { 1, { "-nN", "--socket", "@/s", NO_PID },
      { "hauch-store: cannot write the pid file @/absent/pid: No such file or directory (choose another "
        "path with "
        "--pid-file)\n" } },
};

static const struct start states_cases[] = {
    { 1, { "-n", "-s", "@/s", "--state", "@/out/state", NO_PID },
      { "hauch-store: the store cannot be kept in @/out/state: Not a directory (make it writable, choose "
        "another "
        "folder with --state, or say --no-state). It serves all the same, but a restart would lose "
        "everything\n" } },
    { 1, { "-n", "-s", "@/s", "--state", "@/held", NO_PID },
      { "hauch-store: the store cannot be kept in @/held: Device or resource busy (another hauch-store "
        "keeps its state "
        "there; choose another folder with --state). It serves all the same, but a restart would lose "
        "everything\n" } },
    { 1, { "-n", "-s", "@/s", "--state", "@/foreign", NO_PID },
      { "hauch-store: @/foreign/journal was not written by this version of hauch-store; the store begins "
        "empty\n" } },
};

/* ---- what a predecessor left ---- */
#define KEPT(words) { 1, { "-n", "-s", "@/s", "--state", "@/kept", NO_PID }, { words } }

static const struct start begun = KEPT(NULL);
static const struct start kept = KEPT("hauch-store: took up 13 nodes and 0 domains from @/kept\n");
static const struct start damaged =
    KEPT("hauch-store: @/kept/journal is damaged; what is behind the damage is lost\n");
static const struct start incomplete =
    KEPT("hauch-store: the last daemon could not keep all in @/kept: what changed at its end is lost\n");

/* One byte of the journal, or more bits of its flags. */
static void spoil(off_t at, uint32_t bits)
{
    int fd = open("kept/journal", O_RDWR | O_CLOEXEC);
    uint32_t word = 0;

    assert_int_equal(pread(fd, &word, sizeof(word), at), sizeof(word));
    word ^= bits;
    assert_int_equal(pwrite(fd, &word, sizeof(word), at), sizeof(word));
    close(fd);
}

static void test_predecessors(void **state)
{
    run_start("hauch-store", &begun);
    run_start("hauch-store", &kept);
    spoil(offsetof(struct journal_header, flags), JOURNAL_INCOMPLETE);
    run_start("hauch-store", &incomplete);
    spoil(sizeof(struct journal_header) + sizeof(struct journal_group) + 16, 0xff);
    run_start("hauch-store", &damaged);
}

/* ---- calls that fail; below /proc/xen there are files of the test's own ---- */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    return __real_open(!strcmp(path, "/proc/xen/xsd_port") ? "port" : !strcmp(path,
        "/proc/xen/xsd_kva") ? "kva" : path,
                       flags, 0600);
}

/* The libraries: what they open is one thing, and nothing comes from it. */
xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags)
{
    return fails("evtchn") ? NULL : (xenevtchn_handle *)&failing;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags)
{
    return fails("gnttab") ? NULL : (xengnttab_handle *)&failing;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *h, uint32_t domid, evtchn_port_t port)
{
    return fails("interdomain") ? -1 : 7;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *h, unsigned virq)
{
    return fails("virq") ? -1 : 8;
}

int xenevtchn_close(xenevtchn_handle *h) { return 0; }
int xengnttab_close(xengnttab_handle *h) { return 0; }
int xenevtchn_fd(xenevtchn_handle *h) { return eventfd(0, EFD_CLOEXEC); }
int xenevtchn_unbind(xenevtchn_handle *h, evtchn_port_t port) { return 0; }
int xenevtchn_notify(xenevtchn_handle *h, evtchn_port_t port) { return 0; }
int xenevtchn_unmask(xenevtchn_handle *h, evtchn_port_t port) { return 0; }
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *h) { return -1; }
void *xengnttab_map_grant_ref(xengnttab_handle *h, uint32_t domid, uint32_t ref, int prot) { return NULL; }
int xengnttab_unmap(xengnttab_handle *h, void *page, uint32_t count) { return 0; }

#define IS_IT " (is this domain 0, with modules xen-evtchn, xen-gntdev and xenfs?)\n"

static const struct failing failing_cases[] = {
    { "setresuid", EPERM,
      { 1, { "-nN", "-s", "@/s", "--user", "root" },
        { "hauch-store: cannot become user 0: Operation not permitted (start it as root)\n" } } },
    { "prctl", EINVAL,
      { 1, { "-nN", "-s", "@/s" },
        { "hauch-store: there is no user 'hauch-store'; make it (adduser --system --group hauch-store, or "
          "systemd-sysusers); staying root until then\n",
          "hauch-store: cannot give up system calls: Invalid argument (a kernel without seccomp "
          "filters?)\n" } } },
    { "evtchn", ENOENT,
      { 1, { "-N", "-s", "@/s" }, { "hauch-store: /dev/xen/evtchn: No such file or directory" IS_IT } } },
    { "gnttab", EACCES,
      { 1, { "-N", "-s", "@/s" }, { "hauch-store: /dev/xen/gntdev: Permission denied" IS_IT } } },
    { "interdomain", EINVAL,
      { 1, { "-N", "-s", "@/s" },
        { "hauch-store: event channel of the kernel's store ring: Invalid argument (is this domain 0, with "
          "modules "
          "xen-evtchn, xen-gntdev and xenfs?)\n" } } },
    { "virq", EEXIST,
      { 1, { "-ND", "-s", "@/s" },
        { "hauch-store: --deaths: cannot bind VIRQ_DOM_EXC: File exists (hauchd or another store has it; "
          "leave out "
          "--deaths while hauchd runs)\n" } } },
};

static void test_failing_calls(void **state)
{
    int port = open("port", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int kva = open("kva", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(port, "5", 1), 1);
    assert_int_equal(ftruncate(kva, 4096), 0);
    close(port);
    close(kva);
    run_failing("hauch-store", failing_cases, sizeof(failing_cases) / sizeof(failing_cases[0]));
    unlink("port");
}

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
        cmocka_unit_test(test_predecessors),
        cmocka_unit_test(test_failing_calls),
    };

    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
