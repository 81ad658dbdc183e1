/* SPDX-License-Identifier: BSD-2-Clause */
/* One console: see console.h. */
#define _GNU_SOURCE
#include "dom0/console/console.h"

#include "dom0/console/backend.h"
#include "dom0/console/report.h"
#include "dom0/console/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_LIMIT   4096
#define SERVICE_BYTES 2048      /* a whole `out` ring */
#define LAST_WORDS    4096      /* drained at remove; a guest that still writes gets no more */

const char *console_state_name(const struct console *console)
{
    static const char *const names[] = {
        [CONSOLE_LIVE] = "live", [CONSOLE_BAD] = "bad", [CONSOLE_DEAD] = "dead",
    };

    return names[console->state];
}

int console_find(struct server *server, uint16_t domid, struct console **console, char *error, size_t size)
{
    *console = server->by_domid[domid];
    if (*console)
        return 0;
    snprintf(error, size, "no console for domain %u; `list` shows what there is, `add` makes one", domid);
    return -ENOENT;
}

/*
 * ---- bytes ----------------------------------------------------------------------------------------------
 */

static void console_show(struct console *console, const char *text, size_t n)
{
    struct viewer *viewer, *next;

    for (viewer = TAILQ_FIRST(&console->viewers); viewer; viewer = next) {
        next = TAILQ_NEXT(viewer, link);
        viewer_show(viewer, text, n);
    }
}

static void console_output(struct console *console, const char *text, size_t n)
{
    struct log *log = &console->log;

    console->read_total += n;
    if (log_write(log, text, n) && log->error)
        report("log %s of domain %u: %s; leaving bytes out until it works again", log->path, console->domid,
               strerror(log->error));
    else if (log->error == 0 && log->missing == 0 && console->log_failed)
        report("log %s of domain %u works again; %llu bytes were lost so far", log->path, console->domid,
               (unsigned long long)log->lost);
    console->log_failed = log->error != 0;
    replay_append(&console->replay, text, n);
    console_show(console, text, n);
}

static void console_bad(struct console *console)
{
    static const char text[] = "\r\n[hauch-console: the guest broke its console ring; ignored now]\r\n";

    report("domain %u: ring indices out of range; ignored until it is added again", console->domid);
    console->state = CONSOLE_BAD;
    server_forget_ready(console->server, console);
    queue_free(&console->input);
    console_show(console, text, sizeof(text) - 1);
}

/* Gives the guest what was typed, as far as it has space. Returns the number of bytes or -EPROTO. */
static int console_give(struct console *console)
{
    const char *bytes;
    size_t n;
    int total = 0;

    while ((n = queue_peek(&console->input, &bytes)) > 0) {
        int r = ring_write(&console->ring, bytes, n);
        if (r < 0)
            return r;
        if (r == 0)
            break;
        queue_consume(&console->input, (size_t)r);
        total += r;
    }
    return total;
}

static void console_wake_viewers(struct console *console)
{
    struct viewer *viewer;

    TAILQ_FOREACH(viewer, &console->viewers, link)
        viewer_wake(viewer);
}

/* Returns the number of bytes that the guest had for us, or -EPROTO. */
static int console_move(struct console *console)
{
    char buf[SERVICE_BYTES];
    int given = console_give(console);
    int taken = ring_read(&console->ring, buf, sizeof(buf));

    if (given < 0 || taken < 0)
        return -EPROTO;
    if (taken > 0)
        console_output(console, buf, (size_t)taken);
    ring_publish(&console->ring);       /* only now: killed before, the next daemon reads and logs it again */
    if (given > 0 || taken > 0)
        console->server->backend->ops->notify(console->server->backend, console->local);
    if (given > 0)
        console_wake_viewers(console);
    return taken;
}

int console_serve(struct console *console)
{
    int taken = console_move(console);

    if (taken < 0) {
        console_bad(console);
        return 0;
    }
    return taken == SERVICE_BYTES;
}

void console_type(struct console *console, const char *buf, size_t n)
{
    if (console->state != CONSOLE_LIVE)
        return;
    queue_push(&console->input, buf, n);
    int given = console_give(console);
    if (given < 0)
        console_bad(console);
    else if (given > 0)
        console->server->backend->ops->notify(console->server->backend, console->local);
}

void console_replay(const struct console *console, struct viewer *viewer)
{
    char text[REPLAY_SIZE];
    size_t n = replay_copy(&console->replay, text);

    if (n > 0)
        viewer_show(viewer, text, n);
}

/*
 * ---- life -----------------------------------------------------------------------------------------------
 */

/* -EEXIST if a living domain other than domid has the name: two guests must never share a log. */
static int name_check(struct server *server, uint16_t domid, const char *name, char *error, size_t size)
{
    struct console *other;

    TAILQ_FOREACH(other, &server->live, all) {
        if (other->domid != domid && strcmp(other->name, name) == 0) {
            snprintf(error, size, "name %s is in use by domain %u; remove that first or take another name",
                     name, other->domid);
            return -EEXIST;
        }
    }
    return 0;
}

static int console_log_open(struct console *console, const char *name, uint64_t cap, char *error, size_t size)
{
    const struct server_options *options = &console->server->options;
    char file[3 * LOG_NAME_MAX + sizeof(".log")], *path = NULL;
    struct log log;
    int r = log_file_name(name, file, sizeof(file));

    if (r == 0 && asprintf(&path, "%s/%s", options->log_dir, file) < 0)
        r = -ENOMEM;
    if (r == 0)
        r = log_open(&log, path, cap ? cap : options->cap, &log_ops_file, NULL);
    free(path);
    if (r < 0) {
        snprintf(error, size, "cannot open a log for the name %s: %s (take another "
                              "name)", name, strerror(-r));
        return r;
    }
    if (log.error)
        report("log %s: %s; trying again with each write", log.path, strerror(log.error));
    console->log_failed = log.error != 0;
    log_free(&console->log);
    console->log = log;
    strcpy(console->name, name);
    return 0;
}

/* Add said again for a console that is there: take a new name or cap, give a broken ring another chance. */
static int console_update(struct console *console, const struct request *request, char *error, size_t size)
{
    uint64_t cap = request->cap ? request->cap : console->log.cap;

    if (strcmp(console->name, request->name) != 0) {
        int r = console_log_open(console, request->name, cap, error, size);
        if (r < 0)
            return r;
    }
    console->log.cap = cap;
    if (console->state == CONSOLE_BAD && ring_open(&console->ring, console->ring.shared) == 0)
        console->state = CONSOLE_LIVE;
    if (console->state == CONSOLE_LIVE)
        server_ready(console->server, console);
    return 0;
}

static int port_record(struct server *server, int local, struct console *console)
{
    if ((size_t)local >= server->ports) {
        size_t ports = (size_t)local + 64;
        struct console **grown = reallocarray(server->by_port, ports, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        memset(grown + server->ports, 0, (ports - server->ports) * sizeof(*grown));
        server->by_port = grown;
        server->ports = ports;
    }
    server->by_port[local] = console;
    return 0;
}

/* Gives ring and port back. */
static void console_unplug(struct console *console)
{
    struct backend *backend = console->server->backend;

    if (console->local >= 0) {
        if ((size_t)console->local < console->server->ports)
            console->server->by_port[console->local] = NULL;
        backend->ops->unbind(backend, console->local);
    }
    if (console->ring.shared)
        backend->ops->unmap(backend, console->ring.shared);
    console->local = -1;
    console->ring.shared = NULL;
}

static int console_plug(struct console *console, char *error, size_t size)
{
    struct backend *backend = console->server->backend;
    struct xencons_interface *shared;
    int r = backend->ops->map(backend, console->domid, &shared);

    if (r < 0) {
        snprintf(error, size, "domain %u: cannot map its console ring (grant 0): %s; is the domain there?",
                 console->domid, strerror(-r));
        return r;
    }
    if (ring_open(&console->ring, shared) < 0)
        console->state = CONSOLE_BAD;
    r = backend->ops->bind(backend, console->domid, console->port);
    if (r >= 0) {
        console->local = r;
        r = port_record(console->server, r, console);
    }
    if (r < 0)
        snprintf(error, size, "domain %u: cannot bind to its event channel %u: %s; is it unbound and for us?",
                 console->domid, console->port, strerror(-r));
    return r;
}

static void console_free(struct console *console)
{
    console_unplug(console);
    log_free(&console->log);
    replay_free(&console->replay);
    queue_free(&console->input);
    free(console);
}

static struct console *console_new(struct server *server, const struct request *request)
{
    struct console *console = calloc(1, sizeof(*console));

    if (!console)
        return NULL;
    console->server = server;
    console->domid = request->domid;
    console->port = request->port;
    console->local = -1;
    console->log.fd = -1;
    queue_init(&console->input, INPUT_LIMIT);
    TAILQ_INIT(&console->viewers);
    return console;
}

static int console_create(struct server *server, const struct request *request, char *error, size_t size)
{
    struct console *console = console_new(server, request);

    if (!console) {
        snprintf(error, size, "no memory for the console of domain %u", request->domid);
        return -ENOMEM;
    }
    int r = console_plug(console, error, size);
    if (r == 0)
        r = console_log_open(console, request->name, request->cap, error, size);
    if (r < 0) {
        console_free(console);
        return r;
    }
    server->by_domid[console->domid] = console;
    TAILQ_INSERT_TAIL(&server->live, console, all);
    server->live_count++;
    if (console->state == CONSOLE_BAD)
        console_bad(console);
    else
        server_ready(server, console);      /* what it wrote before we came */
    return 0;
}

/* Tells the viewers, and sends them away. */
static void console_dismiss(struct console *console, const char *text)
{
    while (!TAILQ_EMPTY(&console->viewers))
        viewer_dismiss(TAILQ_FIRST(&console->viewers), text);
}

static void console_die(struct console *console)
{
    struct server *server = console->server;
    char text[80];

    for (int left = LAST_WORDS; console->state == CONSOLE_LIVE && left > 0; left -= SERVICE_BYTES) {
        if (!console_serve(console))
            break;
    }
    server_forget_ready(server, console);
    snprintf(text, sizeof(text), "\r\n[hauch-console: domain %u is gone]\r\n", console->domid);
    console_dismiss(console, text);
    console_unplug(console);
    log_close(&console->log);
    queue_free(&console->input);
    console->state = CONSOLE_DEAD;
    TAILQ_REMOVE(&server->live, console, all);
    server->live_count--;
    TAILQ_INSERT_TAIL(&server->dead, console, all);
    server->dead_count++;
}

/* Ends the memory of a dead one. */
static void console_bury(struct console *console)
{
    struct server *server = console->server;

    TAILQ_REMOVE(&server->dead, console, all);
    server->dead_count--;
    server->by_domid[console->domid] = NULL;
    console_free(console);
}

int console_add(struct server *server, const struct request *request, char *error, size_t size)
{
    struct console *old = server->by_domid[request->domid];
    int r = name_check(server, request->domid, request->name, error, size);

    if (r < 0)
        return r;
    if (old && old->state != CONSOLE_DEAD && old->port == request->port)
        return console_update(old, request, error, size);
    if (old && old->state != CONSOLE_DEAD)
        console_die(old);
    if (old)
        console_bury(old);
    if (server->live_count >= CONSOLES_MAX) {
        snprintf(error, size, "%u consoles is the limit; remove one first", CONSOLES_MAX);
        return -ENOSPC;
    }
    return console_create(server, request, error, size);
}

int console_remove(struct server *server, uint16_t domid, char *error, size_t size)
{
    struct console *console;
    int r = console_find(server, domid, &console, error, size);

    if (r < 0 || console->state == CONSOLE_DEAD)
        return r;
    console_die(console);
    while (server->dead_count > DEAD_MAX)
        console_bury(TAILQ_FIRST(&server->dead));
    return 0;
}

int console_may_view(const struct console *console, char *error, size_t size)
{
    if (console->viewer_count < VIEWERS_MAX)
        return 0;
    snprintf(error, size, "domain %u has %u viewers, the limit; close one first", console->domid,
             VIEWERS_MAX);
    return -ENOSPC;
}

void console_close(struct console *console)
{
    struct server *server = console->server;
    struct console_list *list = console->state == CONSOLE_DEAD ? &server->dead : &server->live;

    server_forget_ready(server, console);
    console_dismiss(console, "\r\n[hauch-console: ending]\r\n");
    TAILQ_REMOVE(list, console, all);
    server->by_domid[console->domid] = NULL;
    console_free(console);
}
