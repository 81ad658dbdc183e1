/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client side of hauch-console's socket: see console_client.h.
 *
 * Answers are read a byte at a time up to the newline: after the answer to `attach` every further byte
 * belongs to the console, and nothing of it may be swallowed here.
 */
#define _GNU_SOURCE
#include "lib/console_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PIECE 4096

int console_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (!path)
        path = CONSOLE_SOCKET;
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until end for poll(); end -1: for ever. */
static int left_ms(int64_t end)
{
    int64_t left = end - now_ms();

    if (end < 0)
        return -1;
    return left < 0 ? 0 : (int)left;
}

/* Returns 0 when fd is ready for events, -ETIMEDOUT, or another negative errno. */
static int wait_for(int fd, short events, int64_t end)
{
    struct pollfd state = { .fd = fd, .events = events };
    int n;

    do
        n = poll(&state, 1, left_ms(end));
    while (n < 0 && errno == EINTR);
    return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

/*
 * ---- requests -------------------------------------------------------------------------------------------
 */

static int send_all(int fd, const char *text, size_t n, int64_t end)
{
    while (n > 0) {
        int r = wait_for(fd, POLLOUT, end);
        if (r < 0)
            return r;
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return errno == ECONNRESET ? -EPIPE : -errno;
        if (sent > 0) {
            text += sent;
            n -= (size_t)sent;
        }
    }
    return 0;
}

/* Reads up to the newline, which is taken but not kept. A line longer than size - 1 is cut. */
static int read_line(int fd, char *line, size_t size, int64_t end)
{
    size_t n = 0;
    char c;

    for (;;) {
        int r = wait_for(fd, POLLIN, end);
        if (r < 0)
            return r;
        ssize_t got = recv(fd, &c, 1, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return -EPIPE;
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 1 && c == '\n')
            break;
        if (got == 1 && n + 1 < size)
            line[n++] = c;
    }
    line[n] = 0;
    return 0;
}

/* Takes an answer apart: the text goes to answer, the error is returned. */
static int read_answer(const char *line, char *answer, size_t size)
{
    char *text;

    if (strncmp(line, "ok", 2) == 0 && (line[2] == 0 || line[2] == ' ')) {
        snprintf(answer, size, "%s", line[2] ? line + 3 : "");
        return 0;
    }
    if (strncmp(line, "error ", 6) != 0)
        return -EPROTO;
    long code = strtol(line + 6, &text, 10);
    if (code <= 0 || code > 4095 || (*text && *text != ' '))
        return -EPROTO;
    snprintf(answer, size, "%s", *text ? text + 1 : "");
    return (int)-code;
}

int console_request(int fd, const char *line, char *answer, size_t size)
{
    int64_t end = now_ms() + CONSOLE_TIMEOUT_MS;
    char text[CONSOLE_LINE_MAX + 1];
    int n = snprintf(text, sizeof(text), "%s\n", line);

    if (size > 0)
        answer[0] = 0;
    if (n >= (int)sizeof(text) || memchr(line, '\n', strlen(line))) {
        snprintf(answer, size, "a request to hauch-console has %zu bytes: one line of at most %d is "
                               "possible", strlen(line),
                 CONSOLE_LINE_MAX);
        return -EINVAL;
    }
    int r = send_all(fd, text, (size_t)n, end);
    if (r == 0)
        r = read_line(fd, text, sizeof(text), end);
    return r < 0 ? r : read_answer(text, answer, size);
}

int console_more(int fd, char *line, size_t size)
{
    return read_line(fd, line, size, now_ms() + CONSOLE_TIMEOUT_MS);
}

int console_add(int fd, uint16_t domid, const char *name, uint32_t port, uint64_t cap, char *answer,
                size_t size)
{
    char line[CONSOLE_LINE_MAX];
    int n = snprintf(line, sizeof(line), "add %u %s %u cap=%llu", domid, name, port, (unsigned long long)cap);

    if (n < (int)sizeof(line) && *name && !strpbrk(name, " \n"))
        return console_request(fd, line, answer, size);
    snprintf(answer, size, "name \"%.140s\" of domain %u: at most 128 bytes without spaces are possible; "
                           "rename it", name, domid);
    return -EINVAL;
}

static int domid_request(int fd, const char *verb, uint16_t domid, char *answer, size_t size)
{
    char line[32];

    snprintf(line, sizeof(line), "%s %u", verb, domid);
    return console_request(fd, line, answer, size);
}

int console_remove(int fd, uint16_t domid, char *answer, size_t size)
{
    return domid_request(fd, "remove", domid, answer, size);
}

int console_attach(int fd, uint16_t domid, char *answer, size_t size)
{
    return domid_request(fd, "attach", domid, answer, size);
}

/*
 * ---- a person's terminal --------------------------------------------------------------------------------
 */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t signalled;

static void on_signal(int signal)
{
    signalled = 1;
}

/* What console_join() changes and puts back. Signals are blocked but while it waits, so none is missed. */
struct terminal {
    int raw;
    struct termios mode;
    struct sigaction actions[SIGNALS];
    sigset_t mask;
};

static void terminal_enter(struct terminal *terminal, int in)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t block;

    signalled = 0;
    sigemptyset(&block);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&block, signals[i]);
    sigprocmask(SIG_BLOCK, &block, &terminal->mask);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &terminal->actions[i]);
    terminal->raw = in >= 0 && tcgetattr(in, &terminal->mode) == 0;
    if (!terminal->raw)
        return;
    struct termios raw = terminal->mode;
    cfmakeraw(&raw);
    tcsetattr(in, TCSANOW, &raw);
}

static void terminal_leave(const struct terminal *terminal, int in)
{
    if (terminal->raw)
        tcsetattr(in, TCSADRAIN, &terminal->mode);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &terminal->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &terminal->mask, NULL);
}

/*
 * ---- both ways ------------------------------------------------------------------------------------------
 */

struct flow {
    const struct console_join *join;
    int64_t end;
    int raw;
    int in;                     /* -1 once nothing more will be typed */
    int leave;                  /* the escape character was typed */
    char typed[PIECE];          /* typed and not sent yet */
    size_t typed_from, typed_to;
};

#define GO_ON INT32_MAX         /* neither an enum console_end nor an errno */

/* Writes everything, waiting for a slow terminal. Returns 0 or a negative errno. */
static int write_all(int fd, const char *buf, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, buf, n);
        if (done < 0 && errno == EAGAIN)
            done = wait_for(fd, POLLOUT, -1);
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            buf += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

static int flow_show(const struct flow *flow)
{
    char buf[PIECE];
    ssize_t n = recv(flow->join->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (n > 0) {
        int r = write_all(flow->join->out, buf, (size_t)n);
        return r < 0 ? r : GO_ON;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return GO_ON;
    return n == 0 || errno == ECONNRESET ? CONSOLE_END_GONE : -errno;
}

static void flow_type(struct flow *flow)
{
    ssize_t n = read(flow->in, flow->typed, sizeof(flow->typed));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        flow->in = -1;
        shutdown(flow->join->fd, SHUT_WR);
        return;
    }
    char *escape = memchr(flow->typed, flow->join->escape, (size_t)n);
    if (escape && flow->raw && flow->join->escape >= 0) {
        flow->leave = 1;
        n = escape - flow->typed;
    }
    flow->typed_from = 0;
    flow->typed_to = (size_t)n;
}

static int flow_send(struct flow *flow)
{
    ssize_t n = send(flow->join->fd, flow->typed + flow->typed_from, flow->typed_to - flow->typed_from,
                     MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0)
        flow->typed_from += (size_t)n;
    if (n >= 0 || errno == EAGAIN || errno == EINTR)
        return GO_ON;
    return errno == EPIPE || errno == ECONNRESET ? CONSOLE_END_GONE : -errno;
}

/* Waits for one of the two sides. Returns GO_ON with *states filled in, or how it ended. */
static int flow_wait(const struct flow *flow, struct pollfd *states, const sigset_t *mask)
{
    int waiting = flow->typed_from < flow->typed_to;
    int left = left_ms(flow->end);
    struct timespec time = { left / 1000, left % 1000 * 1000000L };

    states[0] = (struct pollfd){ .fd = flow->join->fd, .events = (short)(POLLIN | (waiting ? POLLOUT : 0)) };
    states[1] = (struct pollfd){ .fd = waiting ? -1 : flow->in, .events = POLLIN };
    int n = ppoll(states, 2, left < 0 ? NULL : &time, mask);
    if (signalled)
        return CONSOLE_END_SIGNAL;
    if (n < 0)
        return errno == EINTR ? GO_ON : -errno;
    return n == 0 ? CONSOLE_END_TIMEOUT : GO_ON;
}

static int flow_step(struct flow *flow, const sigset_t *mask)
{
    struct pollfd states[2] = { 0 };
    int r = flow_wait(flow, states, mask);

    if (r == GO_ON && (states[0].revents & (POLLIN | POLLHUP | POLLERR)))
        r = flow_show(flow);
    if (r == GO_ON && states[1].revents)
        flow_type(flow);
    if (r == GO_ON && flow->typed_from < flow->typed_to)
        r = flow_send(flow);
    if (r == GO_ON && flow->leave && flow->typed_from == flow->typed_to)
        r = CONSOLE_END_LEFT;
    if (r == GO_ON && flow->end >= 0 && now_ms() >= flow->end)
        r = CONSOLE_END_TIMEOUT;        /* also when the console never falls silent */
    return r;
}

int console_join(const struct console_join *join)
{
    struct flow flow = { .join = join, .in = join->in, .end = -1 };
    struct terminal terminal;
    int r;

    if (join->timeout_ms >= 0)
        flow.end = now_ms() + join->timeout_ms;
    terminal_enter(&terminal, join->in);
    flow.raw = terminal.raw;
    do
        r = flow_step(&flow, &terminal.mask);
    while (r == GO_ON);
    terminal_leave(&terminal, join->in);
    return r;
}
