/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole daemon without its process: consoles by domain and by port, the sockets, and the order in which
 * consoles are served. main.c gives it options and a backend; tests do the same and turn the handle
 * themselves.
 *
 * Order of service: a console whose guest signalled goes to the end of the ready list. A round serves each
 * console that was on the list once, at most one ring (2 KiB) each, then looks at descriptors again. A guest
 * that signals without end is served SERVICES_A_PERIOD times in PERIOD_MS; then it is parked, its port
 * masked, until the next period. Its ring fills, and it waits: nobody else does.
 */
#ifndef HAUCH_CONSOLE_SERVER_H
#define HAUCH_CONSOLE_SERVER_H

#include "dom0/console/console.h"
#include "dom0/console/control.h"
#include "dom0/console/loop.h"
#include "dom0/console/request.h"

#include <stddef.h>
#include <stdint.h>

#ifndef CONSOLES_MAX
#define CONSOLES_MAX 4096           /* living domains */
#endif
#ifndef DEAD_MAX
#define DEAD_MAX 64                 /* ended domains whose last screen is kept */
#endif
#define CLIENTS_MAX        256      /* connections in all */
#define VIEWERS_MAX        16       /* viewers of one console */
#define SERVICES_A_PERIOD  128
#define PERIOD_MS          100

struct backend;

struct server_options {
    const char *socket;
    const char *log_dir;
    uint64_t cap;                   /* of a log whose console names none */
};

struct server {
    struct server_options options;
    struct backend *backend;
    struct loop loop;
    struct source *events, *listener, *ttys;    /* backend, control socket, inotify on pseudo-terminals */
    struct console *by_domid[REQUEST_DOMID_MAX + 1];
    struct console **by_port;       /* by our own port; ports entries */
    size_t ports;
    struct console_list live, dead; /* oldest first */
    unsigned live_count, dead_count, client_count;
    struct console_list ready, parked;
    uint64_t period;                /* number of the current one */
    struct control_list controls;
    struct viewer_list leaving;     /* viewers of no console any more, with something left to show */
};

/*
 * Makes and listens on the socket. Takes the backend over, also on failure. SIGPIPE must be ignored.
 * Returns NULL after a report.
 */
struct server *server_open(const struct server_options *options, struct backend *backend);
void server_close(struct server *server);

/*
 * Waits at most timeout_ms (-1: for ever) for something to do, and does one round of it. 0 or a negative
 * errno.
 */
int server_step(struct server *server, int timeout_ms);

/* Puts a living console on the ready list. */
void server_ready(struct server *server, struct console *console);
/* Takes it off any list it waits on. */
void server_forget_ready(struct server *server, struct console *console);

#endif
