/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line without a daemon: a case is a command, the request that it has to make, an answer, and
 * what has to appear on the screen. Stands for ask.c. To be included once, first. */
#ifndef HAUCH_CASES_H
#define HAUCH_CASES_H

#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define main hauch_main
int hauch_main(int argc, char **argv);
#include "dom0/hauch/main.c"
#undef main

enum { WORDS = 272, TEXT = 16384 };

struct one {
    const char *argv[WORDS];
    const char *request;       /* NULL: none may be made */
    const char *answer;        /* NULL: nothing is answered but "ok" */
    const char *out;           /* NULL: anything */
    const char *err;           /* part of it; NULL: none */
    int         status;
};

static const struct one *now;        /* the case at work, for ask() */
static unsigned          asked;
static char              out_path[] = "/tmp/hauch-cli-out-XXXXXX", err_path[] = "/tmp/hauch-cli-err-XXXXXX";

/* ---- in place of ask.c ---- */
bool ask_quiet;

struct json_object *request_new(const char *op, const char *domain)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "op", json_object_new_string(op));
    request_text(o, "domain", domain);
    return o;
}

void request_flag(struct json_object *rq, const char *key, bool value)
{
    if (value)
        json_object_object_add(rq, key, json_object_new_boolean(true));
}

int ask(struct json_object *rq, struct json_object **answer)
{
    const char *text = json_object_to_json_string_ext(rq, JSON_C_TO_STRING_PLAIN);

    if (!now->request || ((asked++ || strcmp(text, now->request)) && strcmp(now->request, "*"))) {
        fprintf(stderr, "unexpected request %s\n", text);
        _exit(99);
    }
    json_object_put(rq);
    if (answer)
        *answer = json_tokener_parse(now->answer ? now->answer : "{}");
    return EXIT_DONE;
}

int ask_stream(struct json_object *rq, void (*line)(struct json_object *o))
{
    struct json_object *o = NULL;
    int                 rc = ask(rq, &o);

    line(o);
    json_object_put(o);
    return rc;
}

int ask_simple(const char *op, const char *domain)
{
    return ask(request_new(op, domain), NULL);
}

/* ---- running a case in a process of its own: commands may exit ---- */
static void to_file(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

    dup2(file, fd);
    close(file);
}

static void file_text(const char *path, char out[TEXT])
{
    int     fd = open(path, O_RDONLY);
    ssize_t n = read(fd, out, TEXT - 1);

    out[n > 0 ? n : 0] = 0;
    close(fd);
}

static void run(const struct one *c)
{
    static char out[TEXT], err[TEXT];
    int         status, argc = 0;
    pid_t       pid;

    while (argc < WORDS && c->argv[argc])
        argc++;
    fflush(NULL);
    pid = fork();
    if (!pid) {
        now = c;
        to_file(out_path, 1);
        to_file(err_path, 2);
        status = hauch_main(argc, (char **)c->argv);
        if (c->request && !asked)
            status = 98;
        fflush(NULL);
        _exit(status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    file_text(out_path, out);
    file_text(err_path, err);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != c->status)
        fail_msg("%s %s: status %d, not %d; it said: %s", c->argv[0], c->argv[1], WEXITSTATUS(status),
                 c->status, err);
    if (c->out && strcmp(out, c->out))
        fail_msg("%s %s: printed\n%snot\n%s", c->argv[0], c->argv[1], out, c->out);
    if (c->err ? !strstr(err, c->err) : err[0])
        fail_msg("%s %s: said \"%s\", not \"%s\"", c->argv[0], c->argv[1], err, c->err ? c->err : "");
}

static int setup(void **state)
{
    close(mkstemp(out_path));
    close(mkstemp(err_path));
    return 0;
}

static int teardown(void **state)
{
    unlink(out_path);
    unlink(err_path);
    return 0;
}

#endif
