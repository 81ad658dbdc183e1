/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever looks at a console: a client of the control socket that attached, or the pseudo-terminal.
 *
 * The pseudo-terminal is a viewer that comes and goes: as long as nobody has its slave open, nothing is
 * written to it (the kernel would keep the first 4 KiB and show stale text later). Linux tells when the last
 * one closes it (EPOLLHUP on our side), but of an opening only inotify tells. Each time it is opened, the
 * last screen comes first.
 */
#ifndef HAUCH_CONSOLE_VIEWER_H
#define HAUCH_CONSOLE_VIEWER_H

#include "dom0/console/loop.h"
#include "dom0/console/queue.h"

#include <stddef.h>
#include <sys/queue.h>

struct console;
struct server;

struct viewer {
    struct source source;
    struct server *server;
    struct console *console;        /* NULL: dismissed, shows what is queued and ends */
    struct queue queue;
    int input_ended;                /* the client shut down its sending side */
    char *tty;                      /* path of the slave, for a pseudo-terminal */
    int tty_watch;                  /* its inotify watch */
    TAILQ_ENTRY(viewer) link;
};
TAILQ_HEAD(viewer_list, viewer);

/*
 * Makes a viewer of a connected non-blocking socket, which it takes over on success, and shows it `hello`,
 * then the last screen. A dead console's viewer is dismissed at once. Returns 0 or a negative errno.
 */
int viewer_attach(struct console *console, int fd, const char *hello);

/* The path of the console's pseudo-terminal, made if need be. Returns 0 or a negative errno. */
int viewer_tty(struct console *console, const char **path);

/* Queues and, as far as possible, writes. May end the viewer. */
void viewer_show(struct viewer *viewer, const char *text, size_t n);

/* The console has space for input again. */
void viewer_wake(struct viewer *viewer);

/* Shows a last text (or none: NULL), then ends the viewer as soon as it has read everything. */
void viewer_dismiss(struct viewer *viewer, const char *text);

/* Ends it now. */
void viewer_end(struct viewer *viewer);

/*
 * Opens the inotify instance for pseudo-terminals. Returns its source, or NULL (then there are no
 * terminals).
 */
struct source *viewer_ttys_open(struct server *server);

#endif
