/* SPDX-License-Identifier: BSD-2-Clause */
/* Whoever looks at a console: see viewer.h. */
#define _GNU_SOURCE
#include "dom0/console/viewer.h"

#include "dom0/console/console.h"
#include "dom0/console/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#define VIEWER_QUEUE (32u << 10)
#define INPUT_PIECE  1024

static void viewer_ready(struct source *source, uint32_t events);

/* Asks for the events that the state calls for. A terminal that nobody has open is not watched at all. */
static void viewer_watch(struct viewer *viewer)
{
    uint32_t events = 0;

    if (viewer->tty && !viewer->source.watched)
        return;
    if (viewer->console && !viewer->input_ended && queue_space(&viewer->console->input) > 0)
        events |= EPOLLIN;
    if (!queue_empty(&viewer->queue))
        events |= EPOLLOUT;
    source_watch(&viewer->server->loop, &viewer->source, events);
}

static void viewer_leave(struct viewer *viewer)
{
    if (!viewer->console) {
        TAILQ_REMOVE(&viewer->server->leaving, viewer, link);
        return;
    }
    TAILQ_REMOVE(&viewer->console->viewers, viewer, link);
    viewer->console->viewer_count--;
    if (viewer->console->tty == viewer)
        viewer->console->tty = NULL;
    viewer->console = NULL;
}

void viewer_end(struct viewer *viewer)
{
    viewer_leave(viewer);
    queue_free(&viewer->queue);
    if (viewer->tty)
        inotify_rm_watch(viewer->server->ttys->fd, viewer->tty_watch);
    else
        viewer->server->client_count--;
    free(viewer->tty);
    source_end(&viewer->server->loop, &viewer->source);
}

/* The other side is gone: a client for good, a terminal until it is opened again. */
static void viewer_hung_up(struct viewer *viewer)
{
    if (!viewer->tty || !viewer->console) {
        viewer_end(viewer);
        return;
    }
    source_unwatch(&viewer->server->loop, &viewer->source);
    queue_free(&viewer->queue);
}

/* Returns 0, or a negative errno when the other side is gone. */
static int viewer_flush(struct viewer *viewer)
{
    const char *bytes;
    size_t n;

    while ((n = queue_peek(&viewer->queue, &bytes)) > 0) {
        ssize_t r = write(viewer->source.fd, bytes, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return errno == EAGAIN ? 0 : -errno;
        queue_consume(&viewer->queue, (size_t)r);
    }
    return 0;
}

/* Writes what it can and settles what comes next: more later, or the end. */
static void viewer_go_on(struct viewer *viewer)
{
    if (viewer_flush(viewer) < 0)
        viewer_hung_up(viewer);
    else if (!viewer->console && queue_empty(&viewer->queue))
        viewer_end(viewer);
    else
        viewer_watch(viewer);
}

void viewer_show(struct viewer *viewer, const char *text, size_t n)
{
    if (viewer->tty && !viewer->source.watched)
        return;
    queue_push(&viewer->queue, text, n);
    viewer_go_on(viewer);
}

void viewer_wake(struct viewer *viewer)
{
    viewer_watch(viewer);
}

void viewer_dismiss(struct viewer *viewer, const char *text)
{
    struct server *server = viewer->server;

    if (viewer->tty) {          /* its path means this console; it cannot outlive it */
        if (text)
            viewer_show(viewer, text, strlen(text));
        viewer_end(viewer);
        return;
    }
    viewer_leave(viewer);
    TAILQ_INSERT_TAIL(&server->leaving, viewer, link);
    if (text)
        queue_push(&viewer->queue, text, strlen(text));
    viewer_go_on(viewer);
}

/* Returns what read() does; 0 also when there was no space to read into. */
static ssize_t viewer_read(struct viewer *viewer)
{
    char buf[INPUT_PIECE];
    size_t space = queue_space(&viewer->console->input);
    ssize_t n = read(viewer->source.fd, buf, space < sizeof(buf) ? space : sizeof(buf));

    if (n > 0)
        console_type(viewer->console, buf, (size_t)n);
    if (n == 0 && space > 0)
        viewer->input_ended = 1;
    return n;
}

static void viewer_ready(struct source *source, uint32_t events)
{
    struct viewer *viewer = (struct viewer *)source;

    while (viewer->console && (events & EPOLLIN) && !viewer->input_ended && viewer_read(viewer) > 0) {
        if (!(events & EPOLLHUP))       /* last words are read whole, others one piece a turn */
            break;
    }
    if (!source->ready)
        return;                         /* typing broke the ring, and telling so ended us */
    if (events & (EPOLLHUP | EPOLLERR))
        viewer_hung_up(viewer);
    else
        viewer_go_on(viewer);
}

static struct viewer *viewer_new(struct console *console, int fd)
{
    struct viewer *viewer = calloc(1, sizeof(*viewer));

    if (!viewer)
        return NULL;
    viewer->source = (struct source){ .fd = fd, .ready = viewer_ready };
    viewer->server = console->server;
    viewer->console = console;
    queue_init(&viewer->queue, VIEWER_QUEUE);
    TAILQ_INSERT_TAIL(&console->viewers, viewer, link);
    console->viewer_count++;
    return viewer;
}

int viewer_attach(struct console *console, int fd, const char *hello)
{
    struct viewer *viewer = viewer_new(console, fd);

    if (!viewer)
        return -ENOMEM;
    int r = source_watch(&console->server->loop, &viewer->source, EPOLLIN);
    if (r < 0) {
        viewer_leave(viewer);
        free(viewer);
        return r;
    }
    queue_push(&viewer->queue, hello, strlen(hello));
    console_replay(console, viewer);
    if (viewer->source.ready && console->state == CONSOLE_DEAD)
        viewer_dismiss(viewer, "\r\n[hauch-console: domain is gone]\r\n");
    else if (viewer->source.ready)
        viewer_go_on(viewer);
    return 0;
}

/*
 * ---- pseudo-terminals -----------------------------------------------------------------------------------
 */

/* Sets raw mode (echo and line editing are the guest's), and leaves the slave closed once: see viewer.h. */
static int tty_prepare(int master, const char *path)
{
    struct termios mode;
    int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (slave < 0)
        return -errno;
    int r = tcgetattr(slave, &mode);
    cfmakeraw(&mode);
    if (r == 0)
        r = tcsetattr(slave, TCSANOW, &mode);
    int saved = errno;
    close(slave);
    return r == 0 ? fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) : -saved;
}

static int tty_make(int *master, char *path, size_t size)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0)
        return -errno;
    int r = grantpt(*master) < 0 || unlockpt(*master) < 0 ? -errno : -ptsname_r(*master, path, size);
    if (r == 0)
        r = tty_prepare(*master, path);
    if (r < 0)
        close(*master);
    return r;
}

static int tty_viewer(struct console *console, int master, const char *path)
{
    struct viewer *viewer = viewer_new(console, master);

    if (!viewer)
        return -ENOMEM;
    viewer->tty = strdup(path);
    viewer->tty_watch = inotify_add_watch(console->server->ttys->fd, path, IN_OPEN);
    if (!viewer->tty || viewer->tty_watch < 0) {
        int r = viewer->tty ? -errno : -ENOMEM;
        viewer_leave(viewer);
        free(viewer->tty);
        free(viewer);
        return r;
    }
    console->tty = viewer;
    return 0;
}

int viewer_tty(struct console *console, const char **path)
{
    char name[64];
    int master;

    if (!console->tty) {
        if (!console->server->ttys)
            return -ENOSYS;
        int r = tty_make(&master, name, sizeof(name));
        if (r < 0)
            return r;
        r = tty_viewer(console, master, name);
        if (r < 0) {
            close(master);
            return r;
        }
    }
    *path = console->tty->tty;
    return 0;
}

/* Somebody opened the slave; perhaps it is closed again already. */
static void tty_opened(struct viewer *viewer)
{
    struct pollfd state = { .fd = viewer->source.fd };

    if (viewer->source.watched || poll(&state, 1, 0) < 0 || (state.revents & POLLHUP))
        return;
    if (source_watch(&viewer->server->loop, &viewer->source, EPOLLIN) == 0)
        console_replay(viewer->console, viewer);
}

static void ttys_opened(struct server *server, int watch)
{
    struct console *console;

    TAILQ_FOREACH(console, &server->live, all) {
        if (console->tty && console->tty->tty_watch == watch) {
            tty_opened(console->tty);
            return;
        }
    }
}

struct ttys {
    struct source source;
    struct server *server;
};

static void ttys_ready(struct source *source, uint32_t events)
{
    char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(source->fd, buf, sizeof(buf));

    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(buf + at);
        if (event->mask & IN_OPEN)
            ttys_opened(((struct ttys *)source)->server, event->wd);
        at += (ssize_t)(sizeof(*event) + event->len);
    }
}

struct source *viewer_ttys_open(struct server *server)
{
    struct ttys *ttys = calloc(1, sizeof(*ttys));

    if (!ttys)
        return NULL;
    ttys->server = server;
    ttys->source = (struct source){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .ready = ttys_ready };
    if (ttys->source.fd < 0 || source_watch(&server->loop, &ttys->source, EPOLLIN) < 0) {
        source_end(&server->loop, &ttys->source);
        return NULL;
    }
    return &ttys->source;
}
