/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One console: a ring on the guest's side; a log, a last screen and viewers on ours.
 *
 *   add -> LIVE -- remove -> DEAD (log, last screen kept) -- newer dead ones, or domid used again -> freed
 *            ^ \-- ring indices make no sense -> BAD (ring not touched, port masked) -- remove -> DEAD
 *            \------------- add again ------------/
 */
#ifndef HAUCH_CONSOLE_CONSOLE_H
#define HAUCH_CONSOLE_CONSOLE_H

#include "dom0/console/log.h"
#include "dom0/console/queue.h"
#include "dom0/console/replay.h"
#include "dom0/console/ring.h"
#include "dom0/console/viewer.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct request;
struct server;

enum console_state { CONSOLE_LIVE, CONSOLE_BAD, CONSOLE_DEAD };
enum console_wait { WAIT_NOT, WAIT_READY, WAIT_PARKED };

struct console {
    struct server *server;
    uint16_t domid;
    uint32_t port;                      /* the guest's */
    int local;                          /* ours; -1 when dead */
    enum console_state state;
    char name[LOG_NAME_MAX + 1];
    struct ring ring;
    struct log log;
    struct replay replay;
    struct queue input;                 /* typed, and the ring has no space yet */
    struct viewer_list viewers;
    struct viewer *tty;                 /* among the viewers; or NULL */
    unsigned viewer_count;
    uint64_t read_total;                /* bytes that the guest wrote since add */
    int log_failed;                     /* the last write did; its end is worth a report too */
    enum console_wait wait;             /* which list of the server `waiting` links it to */
    uint64_t period;                    /* for which `services` counts */
    unsigned services;
    TAILQ_ENTRY(console) all, waiting;
};
TAILQ_HEAD(console_list, console);

/* The four below: 0 or a negative errno with a sentence for people in error. */
int console_add(struct server *server, const struct request *request, char *error, size_t size);
int console_remove(struct server *server, uint16_t domid, char *error, size_t size);
int console_find(struct server *server, uint16_t domid, struct console **console, char *error, size_t size);
/* Whether one more viewer may look: -ENOSPC if not. */
int console_may_view(const struct console *console, char *error, size_t size);

/* Moves bytes both ways, at most one ring's worth each. Returns 1 if the guest may have more, else 0. */
int console_serve(struct console *console);

/* What a viewer typed; n at most queue_space(&console->input). Thrown away unless the console is live. */
void console_type(struct console *console, const char *buf, size_t n);

/* Shows the last screen to one viewer. */
void console_replay(const struct console *console, struct viewer *viewer);

const char *console_state_name(const struct console *console);

/* For the end of the daemon: lets everything go, tells nobody. The guest notices nothing. */
void console_close(struct console *console);

#endif
