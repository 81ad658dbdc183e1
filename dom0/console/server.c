/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon without its process: see server.h. */
#define _GNU_SOURCE
#include "dom0/console/server.h"

#include "dom0/console/backend.h"
#include "dom0/console/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_A_TURN  256      /* of the backend, before other descriptors get a look */
#define ACCEPTS_A_TURN 16

struct server_source {
    struct source source;
    struct server *server;
};

/*
 * ---- order of service -----------------------------------------------------------------------------------
 */

static struct console_list *wait_list(struct server *server, const struct console *console)
{
    return console->wait == WAIT_PARKED ? &server->parked : &server->ready;
}

void server_forget_ready(struct server *server, struct console *console)
{
    if (console->wait != WAIT_NOT)
        TAILQ_REMOVE(wait_list(server, console), console, waiting);
    console->wait = WAIT_NOT;
}

static void server_wait(struct server *server, struct console *console, enum console_wait wait)
{
    console->wait = wait;
    TAILQ_INSERT_TAIL(wait_list(server, console), console, waiting);
}

void server_ready(struct server *server, struct console *console)
{
    if (console->wait == WAIT_NOT)
        server_wait(server, console, WAIT_READY);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A new period lets the parked ones go on. Returns the milliseconds that are left of the current one. */
static int server_period(struct server *server)
{
    uint64_t now = now_ms();

    if (now / PERIOD_MS != server->period) {
        server->period = now / PERIOD_MS;
        while (!TAILQ_EMPTY(&server->parked)) {
            struct console *console = TAILQ_FIRST(&server->parked);
            server_forget_ready(server, console);
            server_ready(server, console);
        }
    }
    return PERIOD_MS - (int)(now % PERIOD_MS);
}

/* Whether the guest has used up its services of this period. */
static int server_count_service(struct server *server, struct console *console)
{
    if (console->period != server->period) {
        console->period = server->period;
        console->services = 0;
    }
    return ++console->services > SERVICES_A_PERIOD;
}

static void server_serve(struct server *server, struct console *console)
{
    server_forget_ready(server, console);
    if (server_count_service(server, console))
        server_wait(server, console, WAIT_PARKED);
    else if (console_serve(console))
        server_ready(server, console);
    else if (console->state == CONSOLE_LIVE)
        server->backend->ops->unmask(server->backend, console->local);
}

/*
 * Serves each console that is ready now once; those that become ready again come after the next look around.
 */
static void server_round(struct server *server)
{
    struct console *last = TAILQ_LAST(&server->ready, console_list);

    while (last) {
        struct console *console = TAILQ_FIRST(&server->ready);
        server_serve(server, console);
        if (console == last)
            break;
    }
}

int server_step(struct server *server, int timeout_ms)
{
    int left = server_period(server);

    if (!TAILQ_EMPTY(&server->ready))
        timeout_ms = 0;
    else if (!TAILQ_EMPTY(&server->parked) && (timeout_ms < 0 || timeout_ms > left))
        timeout_ms = left;
    int r = loop_step(&server->loop, timeout_ms);
    server_period(server);
    server_round(server);
    loop_sweep(&server->loop);
    return r;
}

/*
 * ---- descriptors ----------------------------------------------------------------------------------------
 */

static void events_ready(struct source *source, uint32_t events)
{
    struct server *server = ((struct server_source *)source)->server;

    for (int i = 0; i < EVENTS_A_TURN; i++) {
        int local = server->backend->ops->pending(server->backend);
        if (local < 0)
            return;
        struct console *console = (size_t)local < server->ports ? server->by_port[local] : NULL;
        if (console && console->state == CONSOLE_LIVE)
            server_ready(server, console);
    }
}

static void listener_ready(struct source *source, uint32_t events)
{
    struct server *server = ((struct server_source *)source)->server;

    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        control_open(server, fd);
    }
}

static struct source *server_source(struct server *server, int fd, void (*ready)(struct source *, uint32_t))
{
    struct server_source *own = calloc(1, sizeof(*own));

    if (!own)
        return NULL;
    own->server = server;
    own->source = (struct source){ .fd = fd, .ready = ready };
    if (source_watch(&server->loop, &own->source, EPOLLIN) == 0)
        return &own->source;
    free(own);
    return NULL;
}

/*
 * ---- begin and end --------------------------------------------------------------------------------------
 */

/* Removes a socket that nobody listens on any more. Returns 0, or -EADDRINUSE if somebody does. */
static int socket_clear(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    int r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
    close(fd);
    if (r == 0 || r == EAGAIN)
        return -EADDRINUSE;
    if (r == ECONNREFUSED)
        unlink(address->sun_path);
    return 0;
}

/* Returns a listening descriptor or a negative errno. */
static int socket_listen(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int r = socket_clear(&address);
    if (r < 0)
        return r;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    mode_t mask = umask(0177);
    r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0 ? -errno : 0;
    umask(mask);
    if (r == 0)
        return fd;
    close(fd);
    return r;
}

static void server_lists(struct server *server)
{
    TAILQ_INIT(&server->live);
    TAILQ_INIT(&server->dead);
    TAILQ_INIT(&server->ready);
    TAILQ_INIT(&server->parked);
    TAILQ_INIT(&server->controls);
    TAILQ_INIT(&server->leaving);
}

static int server_sources(struct server *server)
{
    const char *path = server->options.socket;
    int fd = socket_listen(path);

    if (fd < 0) {
        report("cannot listen at %s: %s (%schoose another path with --socket)", path, strerror(-fd),
               fd == -EADDRINUSE ? "another hauch-console serves there; stop it, or " :
               fd == -ENAMETOOLONG ? "a path of a socket has at most 107 bytes; " : "");
        return fd;
    }
    server->listener = server_source(server, fd, listener_ready);
    server->events = server_source(server, server->backend->fd, events_ready);
    server->ttys = viewer_ttys_open(server);
    if (!server->ttys)
        report("no inotify: %m; consoles will have no pseudo-terminals (raise "
               "fs.inotify.max_user_instances)");
    if (server->listener && server->events)
        return 0;
    if (!server->listener)
        close(fd);
    report("cannot watch descriptors: %m (are too many open?)");
    return -ENOMEM;
}

struct server *server_open(const struct server_options *options, struct backend *backend)
{
    struct server *server = calloc(1, sizeof(*server));

    if (!server) {
        backend->ops->close(backend);
        return NULL;
    }
    server->options = *options;
    server->backend = backend;
    server_lists(server);
    int r = loop_open(&server->loop);
    if (r < 0)
        report("cannot watch descriptors: %s (are too many open?)", strerror(-r));
    if (r == 0)
        r = server_sources(server);
    if (r == 0)
        return server;
    server_close(server);
    return NULL;
}

static void server_close_sources(struct server *server)
{
    if (server->listener) {
        unlink(server->options.socket);
        source_end(&server->loop, server->listener);
    }
    if (server->ttys)
        source_end(&server->loop, server->ttys);
    if (server->events) {
        server->events->fd = -1;        /* the backend closes it */
        source_end(&server->loop, server->events);
    }
}

void server_close(struct server *server)
{
    control_close_all(server);
    while (!TAILQ_EMPTY(&server->live))
        console_close(TAILQ_FIRST(&server->live));
    while (!TAILQ_EMPTY(&server->dead))
        console_close(TAILQ_FIRST(&server->dead));
    while (!TAILQ_EMPTY(&server->leaving))
        viewer_end(TAILQ_FIRST(&server->leaving));
    server_close_sources(server);
    loop_close(&server->loop);
    server->backend->ops->close(server->backend);
    free(server->by_port);
    free(server);
}
