/* SPDX-License-Identifier: BSD-2-Clause */
/* What hauch says when a daemon does not answer as it should: the command line as it is, and a peer that
 * takes one request, gives the answer of the case, and closes. */
#define _GNU_SOURCE
#define main daemon_main
int daemon_main(int argc, char **argv);
#include "dom0/hauch/main.c"
#undef main

#include "tests/host/run_main.h"

struct talk {
    struct start start;
    const char  *answer;           /* what the peer sends; NULL: nobody listens at @/peer */
    long         size;             /* of an answer that is no text; negative: errno of each connect(); or 0 */
};

/* A store's answers: type, request, transaction, length of the payload, 32 bits each; payload. */
#define STORE_ERROR "\x10\0\0\0\1\0\0\0\0\0\0\0\x07\0\0\0ENOENT"
#define STORE_NONE  "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0"

static const struct talk *now;

/* No room for a file; what is made is noted, for its removal. */
int __wrap_mkstemp(char *path);
int __real_mkstemp(char *path);
int __wrap_mkstemp(char *path)
{
    int fd = getenv("NO_ROOM") ? -1 : __real_mkstemp(path);

    unlink("edited");
    if (fd >= 0 && symlink(path, "edited"))
        _exit(1);
    errno = ENOSPC;
    return fd;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    errno = now->size < 0 ? -now->size : 0;
    return errno && strstr(path, "/web.log") ? NULL : __real_fopen(path, mode);
}

int __real_connect(int fd, const struct sockaddr *a, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t size)
{
    const char *path = ((const struct sockaddr_un *)a)->sun_path;

    errno = now->size < 0 && (!now->answer || strstr(path, "/console")) ? -now->size : 0;
    return errno ? -1 : __real_connect(fd, a, size);
}

/* ---- hauchd ---- */
#define TEN  "0123456789"
#define LONG "@/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct talk hauchd_cases[] = {
    { { 1, { "list" }, { "hauch: cannot reach hauchd at @/peer: No such file or directory; start "
                         "hauchd\n" } }, NULL, 0 },
    { { 1, { "pause", "a" }, { "hauch: cannot reach hauchd at @/peer: Connection refused; start hauchd\n" } },
      NULL, -ECONNREFUSED },
    { { 1, { "list" },
        { "hauch: cannot reach hauchd at @/peer: Permission denied; run this as root, or as a member of "
          "group hauch\n" } },
      NULL, -EACCES },
    { { 1, { "list" },
        { "hauch: hauchd closed the connection without an answer; its log says why, hauch list what it "
          "left\n" } },
          "", 0 },
    { { 1, { "list" }, { "hauch: hauchd closed the connection without an answer" } }, "not JSON\n", 0 },
    { { 1, { "list" }, { "hauch: no\\x07 such thing\n" } }, "{\"ok\":false,\"error\":\"no\\u0007 such "
                                                            "thing\"}\n", 0 },
    { { 0, { "pause", "a" }, { "web.cfg:1:2: warning: "
                               "x\\x07\n" } }, "{\"ok\":true,\"notes\":[\"web.cfg:1:2: warning: "
                                               "x\\u0007\"]}\n",
      0 },
    { { 1, { "events" }, { "hauch: hauchd closed the connection; start hauchd, and this again\n" } },
      "{\"event\":\"gone\"}\n", 0 },
    { { 0, { "dmesg", "--last-crash" },
        { "no crash is recorded: the machine has not crashed since it was switched on, or the record was "
          "cleared or "
          "lost\n" } },
      "{\"ok\":true,\"log\":\"\"}\n", 0 },
    { { 1, { "logs", "web" }, { "hauch logs: @/web.log: Permission denied; run this as root, or as a "
                                "member of group hauch\n" } }, NULL, -EACCES },
    { { 1, { "doctor" },
        { "problem hauchd does not answer: domains run, but none is made, restarted or cleaned up\n"
          "        do: systemctl start hauchd; its log says why if it ends again\n" } },
      NULL, 0 },
};

static void test_long_path(void **state)
{
    static const struct talk t = {
        { 1, { "list" }, { "hauch: cannot reach hauchd at "
                           "" LONG ": File name too long; start hauchd\n" } }, NULL, 0
    };
    char path[256];

    now = &t;
    setenv("HAUCHD_SOCKET", run_word(LONG, path, sizeof(path)), 1);
    run_start("hauch", &t.start);
}

/* ---- console: hauchd says which domain it is, then the other daemon is asked ---- */
#define DOMAIN_7 "{\"ok\":true,\"domain\":{\"domid\":7}}\n"

static const struct talk no_console_cases[] = {
    { { 1, { "console", "7" },
        { "hauch console: cannot reach hauch-console at @/console: No such file or directory; start "
          "hauch-console\n" } },
      DOMAIN_7, 0 },
    { { 1, { "console", "7" },
        { "hauch console: cannot reach hauch-console at @/console: Permission denied; run this as root, or "
          "as a member of group hauch\n" } },
      DOMAIN_7, -EACCES },
};

static const struct talk console_cases[] = {
    { { 1, { "console", "web" }, { "hauch console: domain 7: no console for domain 7; `list` "
                                   "shows\n" } }, DOMAIN_7, 0 },
};

/* ---- edit ---- */
#define DEFINITION "{\"ok\":true,\"config\":\"name = 'a'\\nkernel = '/k'\\n\"}\n"

static const struct talk edit_cases[] = {
    { { 0, { "edit", "a" }, { "nothing was changed\n" } }, DEFINITION, 0 },
};

static const struct talk no_room_cases[] = {
    { { 1, { "edit", "a" }, { "hauch edit: cannot write /tmp/hauch-edit-XXXXXX: No space left on device; "
                              "make room in /tmp\n" } },
      DEFINITION, 0 },
};

static const struct talk broken_editor_cases[] = {
    { { 1, { "edit", "a" },
        { "hauch edit: the editor false failed; $EDITOR names another\n",
          "hauch edit: nothing was changed; your text is in /tmp/hauch-edit-" } },
      DEFINITION, 0 },
};

/* ---- store ---- */
static const struct talk store_cases[] = {
    { { 1, { "store", "rm", "/a" }, { "hauch store: /a: there is no such "
                                      "node\n" } }, STORE_ERROR, sizeof(STORE_ERROR) },
    { { 1, { "store", "read", "/a" }, { "hauch store: read /a: there is no such node "
                                        "(ENOENT)\n" } }, STORE_ERROR, sizeof(STORE_ERROR) },
    { { 1, { "store", "quota", "7" },
        { "hauch store: domain 7 is not connected to the store; hauch list shows those that are there\n" } },
      STORE_NONE, sizeof(STORE_NONE) - 1 },
    { { 1, { "store", "ls" }, { "hauch store: cannot reach the store at @/peer: Permission denied; run "
                                "this as root, or as a member of group hauch\n" } },
      NULL, -EACCES },
    { { 2, { "store", "write", "/a" }, { "hauch store: write: 1 words are no pairs of PATH and VALUE\n" } },
      "", 0 },
    { { 2, { "store", "ls", "/a", "/b" }, { "hauch store: ls: 2 paths, at most one is possible\n" } },
      "", 0 },
    { { 2, { "store", "quota", "1", "2" }, { "hauch store: quota: 2 domains, at most one is possible\n" } },
      "", 0 },
    { { 2, { "store", "move", "/a" },
        { "hauch store: \"move\": read, write, ls, rm, watch or quota is wanted, with its paths\n" } },
      "", 0 },
};

/* ---- running them ---- */
/* Takes one connection and one request, whatever it is. */
static pid_t peer_begin(const char *name, const char *answer, size_t size)
{
    int fd = run_listen(name), in;
    char request[4096];
    pid_t pid = fork();

    if (!pid) {
        alarm(RUN_SECONDS);
        in = accept(fd, NULL, NULL);
        if (read(in, request, sizeof(request)) > 0 && write(in, answer, size) < 0)
            _exit(1);
        _exit(0);
    }
    close(fd);
    return pid;
}

static void run_talk(const struct talk *t, const char *variable)
{
    char path[256];
    pid_t pid;

    now = t;
    setenv(variable, run_word("@/peer", path, sizeof(path)), 1);
    pid = t->answer ? peer_begin("peer", t->answer, t->size > 0 ? (size_t)t->size : strlen(t->answer)) : 0;
    run_start("hauch", &t->start);
    if (pid)
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    unlink("peer");
}

#define RUN(cases, variable) \
    for (size_t i = 0; i < sizeof(cases) / sizeof((cases)[0]); i++) \
        run_talk(&(cases)[i], variable)

static void test_hauchd(void **state)
{
    setenv("HAUCH_LOGS", run_folder, 1);
    RUN(hauchd_cases, "HAUCHD_SOCKET");
}

static void test_console(void **state)
{
    static const char refusal[] = "error 2 no console for domain 7; `list` shows\n";
    char path[256];
    pid_t pid;

    setenv("HAUCH_CONSOLE_SOCKET", run_word("@/console", path, sizeof(path)), 1);
    RUN(no_console_cases, "HAUCHD_SOCKET");
    pid = peer_begin("console", refusal, sizeof(refusal) - 1);
    RUN(console_cases, "HAUCHD_SOCKET");
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_edit(void **state)
{
    char path[256] = "";

    setenv("VISUAL", "true", 1);
    RUN(edit_cases, "HAUCHD_SOCKET");
    setenv("NO_ROOM", "1", 1);
    RUN(no_room_cases, "HAUCHD_SOCKET");
    unsetenv("NO_ROOM");
    setenv("VISUAL", "false", 1);
    RUN(broken_editor_cases, "HAUCHD_SOCKET");
    assert_true(readlink("edited", path, sizeof(path) - 1) > 0);
    assert_int_equal(unlink(path), 0);
}

static void test_store(void **state)
{
    RUN(store_cases, "XENSTORED_PATH");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hauchd),  cmocka_unit_test(test_long_path), cmocka_unit_test(test_console),
        cmocka_unit_test(test_edit),    cmocka_unit_test(test_store),
    };

    return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
