/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/xs_client.c against the daemon's own loop, over a real socket: the server is a child of the test. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/xs_wire.h"
#include "dom0/store/server.h"
#include "lib/xs_client.h"

struct world {
    char folder[64], path[96];
    pid_t server;
    struct xs_client *xs;
};

static void serve(const char *path, int ready) {
    struct store s;
    struct server srv;
    alarm(60);
    if (store_init(&s, NULL) < 0 || server_open(&srv, &s, path) < 0)
        _exit(1);
    if (write(ready, "", 1) != 1)
        _exit(1);
    server_run(&srv);
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    int ready[2];
    char byte;
    strcpy(w->folder, "/tmp/store-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof(w->path), "%s/socket", w->folder);
    assert_int_equal(pipe(ready), 0);
    w->server = fork();
    if (w->server == 0) {
        serve(w->path, ready[1]);
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(xs_client_open(&w->xs, w->path), 0);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    xs_client_close(w->xs);
    kill(w->server, SIGKILL);
    waitpid(w->server, NULL, 0);
    unlink(w->path);
    strcat(w->path, "_ro");
    unlink(w->path);
    rmdir(w->folder);
    free(w);
    return 0;
}

/* The second socket: everything may be read, nothing changed. */
static void readers(void **state) {
    struct world *w = *state;
    struct xs_client *xs;
    char path[128], *value;
    uint32_t tx;
    snprintf(path, sizeof(path), "%s_ro", w->path);
    assert_int_equal(xs_client_write(w->xs, 0, "/a", "1", 1), 0);
    assert_int_equal(xs_client_open(&xs, path), 0);
    assert_int_equal(xs_client_read(xs, 0, "/a", &value, NULL), 0);
    free(value);
    assert_int_equal(xs_client_watch(xs, "/a", "t"), 0);
    assert_int_equal(xs_client_transaction_start(xs, &tx), 0);
    assert_int_equal(xs_client_write(xs, tx, "/a", "2", 1), -EROFS);
    assert_int_equal(xs_client_transaction_end(xs, tx, true), 0);
    assert_int_equal(xs_client_write(xs, 0, "/a", "2", 1), -EROFS);
    assert_int_equal(xs_client_mkdir(xs, 0, "/b"), -EROFS);
    assert_int_equal(xs_client_rm(xs, 0, "/a"), -EROFS);
    assert_int_equal(xs_client_set_perms(xs, 0, "/a", &(struct xs_client_perm){ 0, 'r' }, 1), -EROFS);
    assert_int_equal(xs_client_release(xs, 5), -EROFS);
    assert_int_equal(xs_client_control(xs, "check", 5, &value), -EROFS);
    xs_client_close(xs);
    unlink(path);
}

static void values(void **state) {
    struct world *w = *state;
    char *value;
    size_t len;
    uint64_t number;
    assert_int_equal(xs_client_write(w->xs, 0, "/a/b", "x\0y", 3), 0);
    assert_int_equal(xs_client_read(w->xs, 0, "/a/b", &value, &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(value, "x\0y", 4);
    free(value);
    assert_int_equal(xs_client_writef(w->xs, 0, "/n", "%d", 42), 0);
    assert_int_equal(xs_client_read_u64(w->xs, 0, "/n", &number), 0);
    assert_int_equal(number, 42);
    assert_int_equal(xs_client_read_u64(w->xs, 0, "/a/b", &number), -EINVAL);
    assert_string_equal(xs_client_error(w->xs), "read /a/b: 'x' is not a number");
    assert_int_equal(xs_client_exists(w->xs, 0, "/a"), 1);
    assert_int_equal(xs_client_rm(w->xs, 0, "/a"), 0);
    assert_int_equal(xs_client_rm(w->xs, 0, "/a/b/c"), 0);
    assert_int_equal(xs_client_exists(w->xs, 0, "/a"), 0);
    assert_int_equal(xs_client_read(w->xs, 0, "/a", &value, NULL), -ENOENT);
    assert_string_equal(xs_client_error(w->xs), "read /a: there is no such node (ENOENT)");
    char *big = calloc(1, 5000);
    assert_int_equal(xs_client_write(w->xs, 0, "/big", big, 5000), -E2BIG);
    free(big);
}

static void names(void **state) {
    struct world *w = *state;
    char **list;
    assert_int_equal(xs_client_mkdir(w->xs, 0, "/empty"), 0);
    assert_int_equal(xs_client_directory(w->xs, 0, "/empty", &list), 0);
    free(list);
    for (int i = 0; i < 700; i++) {
        char path[40];
        snprintf(path, sizeof(path), "/many/child-number-%d", i);
        assert_int_equal(xs_client_write(w->xs, 0, path, "", 0), 0);
    }
    assert_int_equal(xs_client_directory(w->xs, 0, "/many", &list), 700);
    assert_string_equal(list[0], "child-number-0");
    assert_string_equal(list[699], "child-number-699");
    free(list);
    assert_int_equal(xs_client_directory(w->xs, 0, "/none", &list), -ENOENT);
}

static void permissions(void **state) {
    struct world *w = *state;
    struct xs_client_perm *got, set[] = { { 0, 'n' }, { 7, 'r' } };
    assert_int_equal(xs_client_mkdir(w->xs, 0, "/p"), 0);
    assert_int_equal(xs_client_set_perms(w->xs, 0, "/p", set, 2), 0);
    assert_int_equal(xs_client_get_perms(w->xs, 0, "/p", &got), 2);
    assert_int_equal(got[1].domid, 7);
    assert_int_equal(got[1].letter, 'r');
    free(got);
    assert_int_equal(xs_client_release(w->xs, 7), 0);
    assert_int_equal(xs_client_release(w->xs, 7), -ENOENT);
}

static int wait_event(struct xs_client *xs, struct xs_client_event *e) {
    struct pollfd p = { xs_client_fd(xs), POLLIN, 0 };
    int rc;
    while ((rc = xs_client_next_event(xs, e)) == 0)
        if (poll(&p, 1, 5000) <= 0)
            return -ETIMEDOUT;
    return rc;
}

static void events(void **state) {
    struct world *w = *state;
    struct xs_client *other;
    struct xs_client_event e;
    assert_int_equal(xs_client_open(&other, w->path), 0);
    assert_int_equal(xs_client_watch(w->xs, "/w", "mine"), 0);
    assert_int_equal(wait_event(w->xs, &e), 1);
    assert_string_equal(e.path, "/w");
    assert_int_equal(xs_client_write(other, 0, "/w/x", "1", 1), 0);
    assert_int_equal(wait_event(w->xs, &e), 1);
    assert_string_equal(e.path, "/w/x");
    assert_string_equal(e.token, "mine");
    assert_int_equal(xs_client_write(w->xs, 0, "/w/y", "1", 1), 0); /* comes before the answer, and is kept */
    assert_int_equal(xs_client_write(w->xs, 0, "/w/z", "1", 1), 0);
    assert_int_equal(wait_event(w->xs, &e), 1);
    assert_string_equal(e.path, "/w/y");
    assert_int_equal(wait_event(w->xs, &e), 1);
    assert_string_equal(e.path, "/w/z");
    assert_int_equal(xs_client_unwatch(w->xs, "/w", "mine"), 0);
    assert_int_equal(xs_client_next_event(w->xs, &e), 0);
    xs_client_close(other);
}

struct disturbance {
    struct xs_client *other;
    int runs, disturb;
};

static int increment(struct xs_client *xs, uint32_t tx, void *arg) {
    struct disturbance *d = arg;
    uint64_t n;
    if (xs_client_read_u64(xs, tx, "/count", &n) < 0)
        return -1;
    if (d->runs++ < d->disturb)
        xs_client_writef(d->other, 0, "/count", "%d", 100 * d->runs);
    return xs_client_writef(xs, tx, "/count", "%d", (int)n + 1);
}

static int give_up(struct xs_client *xs, uint32_t tx, void *arg) {
    xs_client_writef(xs, tx, "/count", "9");
    return 5;
}

static void transactions(void **state) {
    struct world *w = *state;
    struct disturbance d = { .disturb = 3 };
    uint64_t n;
    assert_int_equal(xs_client_open(&d.other, w->path), 0);
    assert_int_equal(xs_client_writef(w->xs, 0, "/count", "0"), 0);
    assert_int_equal(xs_client_transaction(w->xs, increment, &d), 0);
    assert_int_equal(d.runs, 4);
    assert_int_equal(xs_client_read_u64(w->xs, 0, "/count", &n), 0);
    assert_int_equal(n, 301);
    assert_int_equal(xs_client_transaction(w->xs, give_up, NULL), 5);
    assert_int_equal(xs_client_read_u64(w->xs, 0, "/count", &n), 0);
    assert_int_equal(n, 301);
    d.disturb = 1000;
    assert_int_equal(xs_client_transaction(w->xs, increment, &d), -EAGAIN);
    xs_client_close(d.other);
}

/* More requests than one batch holds, a reading one between, and what an error leaves behind. */
static void batches(void **state) {
    struct world *w = *state;
    char path[32], **list;
    xs_client_batch_begin(w->xs);
    for (int i = 0; i < 150; i++) {
        snprintf(path, sizeof(path), "/many/%d", i);
        assert_int_equal(xs_client_writef(w->xs, 0, path, "%d", i), 0);
    }
    assert_int_equal(xs_client_rm(w->xs, 0, "/many/7"), 0);
    assert_int_equal(xs_client_rm(w->xs, 0, "/nothing/here"), 0);
    assert_int_equal(xs_client_directory(w->xs, 0, "/many", &list), 149);
    free(list);
    assert_int_equal(xs_client_write(w->xs, 0, "/after", "x", 1), 0);
    assert_int_equal(xs_client_batch_end(w->xs), 0);
    assert_int_equal(xs_client_exists(w->xs, 0, "/after"), 1);

    xs_client_batch_begin(w->xs);
    assert_int_equal(xs_client_write(w->xs, 0, "/good", "x", 1), 0);
    assert_int_equal(xs_client_write(w->xs, 0, "/bad//path", "x", 1), 0);
    assert_int_equal(xs_client_exists(w->xs, 0, "/good"), -EINVAL); /* the batch's error */
    assert_int_equal(xs_client_write(w->xs, 0, "/never", "x", 1), -EINVAL);
    assert_int_equal(xs_client_batch_end(w->xs), -EINVAL);
    assert_non_null(strstr(xs_client_error(w->xs), "write /bad//path: "));
    assert_int_equal(xs_client_exists(w->xs, 0, "/good"), 1);
    assert_int_equal(xs_client_exists(w->xs, 0, "/never"), 0);
}

/* A server that goes in the middle of a batch ends it. */
static void batch_without_server(void **state) {
    struct world *w = *state;
    xs_client_batch_begin(w->xs);
    assert_int_equal(xs_client_write(w->xs, 0, "/a", "x", 1), 0);
    kill(w->server, SIGKILL);
    assert_int_equal(xs_client_batch_end(w->xs), -EPIPE);
    assert_int_equal(xs_client_write(w->xs, 0, "/a", "x", 1), -EPIPE);
}

static void domains(void **state) {
    struct world *w = *state;
    char *path, *answer;
    assert_int_equal(xs_client_get_domain_path(w->xs, 9, &path), 0);
    assert_string_equal(path, "/local/domain/9");
    free(path);
    assert_int_equal(xs_client_is_introduced(w->xs, 9), 0);
    assert_int_equal(xs_client_is_introduced(w->xs, 0), 1);
    assert_int_equal(xs_client_introduce(w->xs, 9, 1, 1), -ENOSYS);
    assert_string_equal(xs_client_error(w->xs),
                        "introduce domain 9: this store does not know that request (ENOSYS)");
    assert_int_equal(xs_client_control(w->xs, "check", 5, &answer), 0);
    assert_string_equal(answer, "OK");
    free(answer);
}

/* A client that sends garbage is thrown out; one that fills its socket and never reads harms nobody. */
static void bad_clients(void **state) {
    struct world *w = *state;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    strcpy(addr.sun_path, w->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), deaf = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(connect(deaf, (struct sockaddr *)&addr, sizeof(addr)), 0);
    char garbage[64], request[] = "\x0a\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0"
                                  "3";
    memset(garbage, 0xff, sizeof(garbage));
    assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
    struct pollfd p = { fd, POLLIN, 0 };
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_true(read(fd, garbage, sizeof(garbage)) <= 0);
    for (int i = 0; i < 200000 && write(deaf, request, 18) == 18; i++)
        ;
    assert_int_equal(xs_client_write(w->xs, 0, "/still/there", "", 0), 0);
    close(fd);
    close(deaf);
    assert_int_equal(xs_client_write(w->xs, 0, "/still/there", "", 0), 0);
}

static void server_gone(void **state) {
    struct world *w = *state;
    char *value;
    kill(w->server, SIGKILL);
    assert_int_equal(xs_client_read(w->xs, 0, "/x", &value, NULL), -EPIPE);
    assert_int_equal(xs_client_read(w->xs, 0, "/x", &value, NULL), -EPIPE);
    struct xs_client *none;
    assert_true(xs_client_open(&none, "/nonexistent/socket") < 0);
    assert_null(none);
}

static void second_server_is_refused(void **state) {
    struct world *w = *state;
    struct store s;
    struct server srv;
    assert_int_equal(store_init(&s, NULL), 0);
    assert_int_equal(server_open(&srv, &s, w->path), -EADDRINUSE);
    server_close(&srv); /* and takes nothing from the other */
    store_destroy(&s);
    assert_int_equal(xs_client_write(w->xs, 0, "/x", "", 0), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* As Xen's own store does it: the name is taken away and bound anew. We say so once, and leave it to who
 * has it. */
static char said[2048];
static unsigned int lines;

static void note_line(const char *line) {
    snprintf(said, sizeof(said), "%s", line);
    lines++;
}

static int bind_at(const char *path) {
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(a.sun_path, path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void look(struct server *srv) {
    struct pollfd state = { .fd = srv->lookout.fd, .events = POLLIN };
    while (poll(&state, 1, 0) == 1)
        srv->lookout.ready(&srv->lookout, EPOLLIN);
}

static void socket_taken_away(void **state) {
    struct world *w = *state;
    struct store s;
    struct server srv;
    char path[128], beside[128];
    snprintf(path, sizeof(path), "%s/mine", w->folder);
    snprintf(beside, sizeof(beside), "%s/beside", w->folder);
    assert_int_equal(store_init(&s, note_line), 0);
    assert_int_equal(server_open(&srv, &s, path), 0);
    lines = 0;
    close(bind_at(beside)); /* something else happens in the folder */
    unlink(beside);
    look(&srv);
    assert_int_equal(lines, 0);
    int other = bind_at(path);
    look(&srv);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(said, "/mine was taken by another program: programs that connect from now on do "
                                 "not reach this store, which all domains use. Stop the other store if one "
                                 "was started (xenstored?), then: systemctl restart hauch-store. It takes up "
                                 "all nodes and domains"));
    look(&srv);
    server_close(&srv);
    assert_int_equal(lines, 1);
    assert_int_equal(access(path, F_OK), 0); /* not ours to remove */
    close(other);
    unlink(path);

    assert_int_equal(server_open(&srv, &s, path), 0);
    unlink(path);
    look(&srv);
    assert_int_equal(lines, 2);
    assert_non_null(strstr(said, "/mine was removed: programs"));
    server_close(&srv);
    store_destroy(&s);
    strcat(path, "_ro"); /* left alone: it may have been taken, too */
    unlink(path);
}

/* The server stops at the first line that it logs. */
static struct server *logging;

static void stop_line(const char *line) {
    note_line(line);
    logging->stop = 1;
}

static void too_many_and_too_long(void **state) {
    struct world *w = *state;
    const struct xsd_sockmsg header = { XS_READ, 1, 0, 4097 };
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct store s;
    struct server srv;
    int fd[2];
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/small", w->folder);
    assert_int_equal(store_init(&s, stop_line), 0);
    assert_int_equal(server_open(&srv, &s, a.sun_path), 0);
    logging = &srv;
    srv.client_limit = 1;
    for (int i = 0; i < 2; i++) {
        fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd[i], (struct sockaddr *)&a, sizeof(a)), 0);
    }
    server_run(&srv);
    assert_string_equal(said, "a client was turned away: 1 are connected, the limit is 1; raise "
                              "LimitNOFILE= of "
                              "hauch-store");
    srv.stop = 0;
    assert_int_equal(write(fd[0], &header, sizeof(header)), sizeof(header));
    server_run(&srv);
    assert_string_equal(said, "a socket client sent a message longer than 4096 bytes: disconnected");
    close(fd[0]);
    close(fd[1]);
    server_close(&srv);
    store_destroy(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(readers),
        T(values),      T(names),        T(permissions),
        T(events),      T(transactions), T(batches), T(batch_without_server), T(domains),
        T(bad_clients), T(server_gone),  T(second_server_is_refused),
        T(socket_taken_away), T(too_many_and_too_long),
    };
    signal(SIGPIPE, SIG_IGN);
    alarm(120);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
