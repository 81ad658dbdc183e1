/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to the control socket: see control.h. The next request is read only when the answer to the
 * last one is out, so a client that does not read costs one answer.
 */
#define _GNU_SOURCE
#include "dom0/console/control.h"

#include "dom0/console/request.h"
#include "dom0/console/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ERROR_MAX 384

struct control {
    struct source source;
    struct server *server;
    TAILQ_ENTRY(control) link;
    char line[REQUEST_LINE_MAX];
    size_t len;
    char *answer;
    size_t answer_len, answer_sent;
    int leaving;                    /* close when the answer is out */
};

static void control_end(struct control *control)
{
    TAILQ_REMOVE(&control->server->controls, control, link);
    control->server->client_count--;
    free(control->answer);
    source_end(&control->server->loop, &control->source);
}

void control_close_all(struct server *server)
{
    while (!TAILQ_EMPTY(&server->controls))
        control_end(TAILQ_FIRST(&server->controls));
}

__attribute__((format(printf, 2, 3)))
static void control_answer(struct control *control, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vasprintf(&control->answer, format, args);
    va_end(args);
    if (n < 0) {
        control->answer = NULL;
        control->leaving = 1;
        n = 0;
    }
    control->answer_len = (size_t)n;
    control->answer_sent = 0;
}

/* Returns 1 when the answer is out, 0 if some of it waits, or a negative errno. */
static int control_flush(struct control *control)
{
    while (control->answer_sent < control->answer_len) {
        ssize_t n = send(control->source.fd, control->answer + control->answer_sent,
                         control->answer_len - control->answer_sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        control->answer_sent += (size_t)n;
    }
    free(control->answer);
    control->answer = NULL;
    control->answer_len = 0;
    control->answer_sent = 0;
    return 1;
}

static void list_console(FILE *out, const struct console *console)
{
    fprintf(out, "%u %s %s %u viewers=%u read=%llu lost=%llu log=%s\n", console->domid, console->name,
            console_state_name(console), console->port, console->viewer_count,
            (unsigned long long)console->read_total, (unsigned long long)console->log.lost,
            console->log.path);
}

static void answer_list(struct control *control)
{
    struct server *server = control->server;
    struct console *console;
    FILE *out = open_memstream(&control->answer, &control->answer_len);

    if (!out) {
        control_answer(control, "error %d no memory for the list\n", ENOMEM);
        return;
    }
    fprintf(out, "ok %u\n", server->live_count + server->dead_count);
    TAILQ_FOREACH(console, &server->live, all)
        list_console(out, console);
    TAILQ_FOREACH(console, &server->dead, all)
        list_console(out, console);
    if (fclose(out) != 0)
        control->leaving = 1;
    control->answer_sent = 0;
}

static int answer_tty(struct control *control, struct console *console, char *error)
{
    const char *path = NULL;
    int r = console->tty ? 0 : console_may_view(console, error, ERROR_MAX);

    if (r < 0)
        return r;
    if (console->state == CONSOLE_DEAD) {
        snprintf(error, ERROR_MAX, "domain %u is dead; `attach` shows its last screen, `log` its log",
                 console->domid);
        return -ESRCH;
    }
    r = viewer_tty(console, &path);
    if (r < 0)
        snprintf(error, ERROR_MAX, "cannot make a pseudo-terminal for domain %u: %s (raise "
                                   "kernel.pty.max)", console->domid,
                 strerror(-r));
    else
        control_answer(control, "ok %s\n", path);
    return r;
}

/* What the client sent after the request line is typed at the console already. */
static int answer_attach(struct control *control, struct console *console, char *error)
{
    struct server *server = control->server;
    char hello[LOG_NAME_MAX + 32];
    int r = console_may_view(console, error, ERROR_MAX);

    if (r < 0)
        return r;
    snprintf(hello, sizeof(hello), "ok %u %s\n", console->domid, console->name);
    source_unwatch(&server->loop, &control->source);
    r = viewer_attach(console, control->source.fd, hello);
    if (r < 0) {
        snprintf(error, ERROR_MAX, "cannot attach to domain %u: %s", console->domid, strerror(-r));
        return r;
    }
    console_type(console, control->line, control->len);
    control->source.fd = -1;                /* the viewer's now, and its place among the clients too */
    server->client_count++;
    control_end(control);
    return 0;
}

static int answer_one(struct control *control, const struct request *request, char *error)
{
    struct server *server = control->server;
    struct console *console;

    if (request->kind == REQUEST_ADD)
        return console_add(server, request, error, ERROR_MAX);
    if (request->kind == REQUEST_REMOVE)
        return console_remove(server, request->domid, error, ERROR_MAX);
    int r = console_find(server, request->domid, &console, error, ERROR_MAX);
    if (r < 0)
        return r;
    if (request->kind == REQUEST_TTY)
        return answer_tty(control, console, error);
    if (request->kind == REQUEST_ATTACH)
        return answer_attach(control, console, error);
    control_answer(control, "ok %s\n", console->log.path);
    return 0;
}

/* The n bytes at line are one request. */
static void control_request(struct control *control, const char *line, size_t n)
{
    char error[ERROR_MAX] = "";
    struct request request;
    int r = request_parse(line, n, &request, error, sizeof(error));

    if (r == 0 && request.kind == REQUEST_LIST) {
        answer_list(control);
        return;
    }
    if (r == 0)
        r = answer_one(control, &request, error);
    if (r < 0)
        control_answer(control, "error %d %s\n", -r, error);
    else if (control->source.ready && !control->answer)
        control_answer(control, "ok\n");
}

/* Answers the first complete line, if there is one. Returns whether it did something. */
static int control_line(struct control *control)
{
    char line[REQUEST_LINE_MAX];
    char *newline = memchr(control->line, '\n', control->len);

    if (!newline && control->len < sizeof(control->line))
        return 0;
    if (!newline) {
        control_answer(control, "error %d request longer than %d bytes\n", EMSGSIZE, REQUEST_LINE_MAX);
        control->leaving = 1;
        return 1;
    }
    size_t n = (size_t)(newline - control->line);
    memcpy(line, control->line, n);
    control->len -= n + 1;
    memmove(control->line, newline + 1, control->len);
    control_request(control, line, n);
    return 1;
}

/* Returns 0 while the connection is alive. */
static int control_read(struct control *control)
{
    ssize_t n = read(control->source.fd, control->line + control->len, sizeof(control->line) - control->len);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    control->len += (size_t)n;
    return n == 0 ? -EPIPE : 0;
}

/* Sends what waits, and answers requests as long as answers go out. */
static void control_go_on(struct control *control)
{
    int r;

    do {
        r = control_flush(control);
        if (r < 0 || (r == 1 && control->leaving)) {
            control_end(control);
            return;
        }
    } while (r == 1 && control_line(control) && control->source.ready);
    if (!control->source.ready)
        return;                             /* attached */
    if (source_watch(&control->server->loop, &control->source, r == 1 ? EPOLLIN : EPOLLOUT) < 0)
        control_end(control);
}

static void control_ready(struct source *source, uint32_t events)
{
    struct control *control = (struct control *)source;
    int r = events & EPOLLIN ? control_read(control) : 0;

    if (r < 0 || (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN)))
        control_end(control);
    else
        control_go_on(control);
}

void control_open(struct server *server, int fd)
{
    struct control *control = server->client_count < CLIENTS_MAX ? calloc(1, sizeof(*control)) : NULL;

    if (!control) {
        static const char text[] = "error 28 too many connections; close one first\n";
        send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
        close(fd);
        return;
    }
    control->source = (struct source){ .fd = fd, .ready = control_ready };
    control->server = server;
    server->client_count++;
    TAILQ_INSERT_TAIL(&server->controls, control, link);
    if (source_watch(&server->loop, &control->source, EPOLLIN) < 0)
        control_end(control);
}
