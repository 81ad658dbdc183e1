/* SPDX-License-Identifier: BSD-2-Clause */
/* One request to hauchd and its answer: see hauch.h. */
#define _GNU_SOURCE
#include "dom0/hauch/hauch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/wire_line.h"
#include "lib/wire_request.h"

bool ask_quiet;

struct json_object *request_new(const char *op, const char *domain)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "op", json_object_new_string(op));
    if (domain)
        json_object_object_add(o, "domain", json_object_new_string(domain));
    return o;
}

void request_flag(struct json_object *rq, const char *key, bool value)
{
    if (value)
        json_object_object_add(rq, key, json_object_new_boolean(true));
}

static int connect_hauchd(void)
{
    const char        *path = getenv("HAUCHD_SOCKET") ? getenv("HAUCHD_SOCKET") : WIRE_SOCKET;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && strlen(path) >= sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
    } else if (fd >= 0) {
        strcpy(addr.sun_path, path);
        if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
            return fd;
    }
    fprintf(stderr, "hauch: cannot reach hauchd at %s: %s; %s\n", path, strerror(errno),
            errno == EACCES ? RIGHTS_REMEDY : "start hauchd");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One more line from the socket; NULL at its end. */
static char *read_line(int fd, struct wire_in *in)
{
    char    buf[16384], *line;
    ssize_t n;

    while (!(line = wire_in_next(in))) {
        n = read(fd, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || wire_in_feed(in, buf, n))
            return NULL;
    }
    return line;
}

static void show_notes(struct json_object *answer)
{
    struct json_object *notes = member(answer, "notes");

    for (size_t i = 0; notes && i < json_object_array_length(notes); i++) {
        show_text(stderr, json_object_get_string(json_object_array_get_idx(notes, i)));
        fputc('\n', stderr);
    }
}

/* Progress is for people: only on a terminal, and gone when the answer is there. */
static bool is_progress(struct json_object *o)
{
    if (!member(o, "progress"))
        return false;
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        show_text(stderr, text_in(o, "progress"));
        fflush(stderr);
    }
    return true;
}

/* Whoever waits on a terminal for more than a second is told so, second by second. True if something was
 * shown. */
static bool patience(int fd, const char *op)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    unsigned      seconds = 0;

    if (!isatty(STDERR_FILENO) || ask_quiet)
        return false;
    while (!poll(&p, 1, 1000)) {
        fprintf(stderr, "\r\033[K%s: %u s", op, ++seconds);
        fflush(stderr);
    }
    return seconds;
}

static struct json_object *read_answer(int fd, const char *op)
{
    struct wire_in      in = { 0 };
    struct json_object *o = NULL;
    bool                progress = patience(fd, op);
    char               *line;

    while ((line = read_line(fd, &in))) {
        o = json_tokener_parse(line);
        if (!o || !is_progress(o))
            break;
        progress = true;
        json_object_put(o);
        o = NULL;
    }
    if (progress && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    wire_in_free(&in);
    return o;
}

static int send_request(int fd, struct json_object *rq)
{
    struct wire_out out = { 0 };
    int             rc = wire_out_line(&out, json_object_to_json_string_ext(rq, JSON_C_TO_STRING_PLAIN));

    rc = rc ? rc : wire_out_flush(&out, fd);
    wire_out_free(&out);
    json_object_put(rq);
    return rc;
}

int ask(struct json_object *rq, struct json_object **answer)
{
    int                 fd = connect_hauchd(), rc = EXIT_DONE;
    struct json_object *o;
    char                op[32];

    if (fd < 0) {
        json_object_put(rq);
        return EXIT_FAILED;
    }
    snprintf(op, sizeof(op), "%s", text_in(rq, "op"));
    o = send_request(fd, rq) ? NULL : read_answer(fd, op);
    close(fd);
    if (o && !ask_quiet)
        show_notes(o);
    if (!o || !json_object_get_boolean(member(o, "ok"))) {
        fputs("hauch: ", stderr);
        show_text(stderr, o ? text_in(o, "error") : "hauchd closed the connection without an answer; its "
                                                    "log says why, hauch list what it left");
        fputc('\n', stderr);
        rc = EXIT_FAILED;
    }
    if (answer && !rc)
        *answer = o;
    else
        json_object_put(o);
    return rc;
}

int ask_stream(struct json_object *rq, void (*show)(struct json_object *o))
{
    struct wire_in      in = { 0 };
    struct json_object *o;
    int                 fd = connect_hauchd();
    char               *line;

    if (fd < 0) {
        json_object_put(rq);
        return EXIT_FAILED;
    }
    if (send_request(fd, rq))
        shutdown(fd, SHUT_RD);
    while ((line = read_line(fd, &in))) {
        o = json_tokener_parse(line);
        show(o);
        json_object_put(o);
    }
    wire_in_free(&in);
    close(fd);
    fputs("hauch: hauchd closed the connection; start hauchd, and this again\n", stderr);
    return EXIT_FAILED;
}

int ask_simple(const char *op, const char *domain)
{
    return ask(request_new(op, domain), NULL);
}
