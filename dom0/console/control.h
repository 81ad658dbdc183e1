/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection to the control socket: request lines in, answers out, until `attach` makes a viewer of it. */
#ifndef HAUCH_CONSOLE_CONTROL_H
#define HAUCH_CONSOLE_CONTROL_H

#include <sys/queue.h>

struct control;
struct server;
TAILQ_HEAD(control_list, control);

/*
 * Takes a connected non-blocking descriptor over; closes it if there is no memory or CLIENTS_MAX is reached.
 */
void control_open(struct server *server, int fd);

/* Closes every connection of the server. */
void control_close_all(struct server *server);

#endif
