/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors and what to call when they are ready, on one epoll instance.
 *
 * A source is the first member of an object from malloc(). One call of loop_step() may hand out several
 * events, and the handler of one may end the object of another; so objects end by source_end(), which frees
 * them after the step.
 */
#ifndef HAUCH_CONSOLE_LOOP_H
#define HAUCH_CONSOLE_LOOP_H

#include <stdint.h>

struct source {
    int fd;
    uint32_t events;                            /* EPOLLIN, EPOLLOUT asked for */
    int watched;
    void (*ready)(struct source *source, uint32_t events);
    struct source *next_ended;
};

struct loop {
    int epoll;
    struct source *ended;
};

int loop_open(struct loop *loop);               /* 0 or a negative errno */
void loop_close(struct loop *loop);

/*
 * Waits at most timeout_ms (-1: for ever) and calls the handlers of what is ready. Returns 0 or a negative
 * errno.
 */
int loop_step(struct loop *loop, int timeout_ms);

/* Frees what source_end() left. The caller does this when no pointer to an ended object is in use. */
void loop_sweep(struct loop *loop);

/* Watches for events from now on (EPOLLHUP and EPOLLERR always come too). Returns 0 or a negative errno. */
int source_watch(struct loop *loop, struct source *source, uint32_t events);
void source_unwatch(struct loop *loop, struct source *source);

/* Closes the descriptor (if >= 0) and frees the object later; its handler is not called any more. */
void source_end(struct loop *loop, struct source *source);

#endif
