/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the daemon: one epoll over the UNIX socket, its clients, signals and the event channel
 * descriptor. */
#ifndef STORE_SERVER_H
#define STORE_SERVER_H

#include <stdint.h>

#include "dom0/store/store.h"

/* Something to wait for. */
struct source {
    int fd;
    void (*ready)(struct source *src, uint32_t events);
};

struct server {
    struct store *store;
    int epoll;
    struct source listener, reader_listener;
    struct source lookout;  /* inotify: what happens in the socket's folder */
    const char *path;       /* of the socket; removed at the end, if it still is ours */
    uint64_t device, inode; /* of the socket's name */
    bool replaced;          /* it is not ours any more, and that has been said */
    char reader_path[108];  /* the same and "_ro" */
    unsigned int clients, client_limit;
    volatile int stop;
};

#define SERVER_READERS "hauch" /* group of those who may read, if there is one; else root */

/* Listens at path, and for clients that may only read at path_ro (mode 0660, group SERVER_READERS); path may
 * be that of a dead predecessor's socket but not of a living one. Negative errno with a message on stderr.
 * server_close() may follow in either case. */
int server_open(struct server *srv, struct store *s, const char *path);
void server_close(struct server *srv);

/* Adds a readable source. -errno or 0. */
int server_add(struct server *srv, struct source *src);

/* Is the socket's name still ours? If not, says so, once. */
bool server_check_name(struct server *srv);

/* Runs until srv->stop. */
void server_run(struct server *srv);

#endif
