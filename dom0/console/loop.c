/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors on epoll: see loop.h. */
#define _GNU_SOURCE
#include "dom0/console/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_A_STEP 64

int loop_open(struct loop *loop)
{
    loop->ended = NULL;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll < 0 ? -errno : 0;
}

void loop_close(struct loop *loop)
{
    loop_sweep(loop);
    if (loop->epoll >= 0)
        close(loop->epoll);
    loop->epoll = -1;
}

int loop_step(struct loop *loop, int timeout_ms)
{
    struct epoll_event events[EVENTS_A_STEP];
    int n = epoll_wait(loop->epoll, events, EVENTS_A_STEP, timeout_ms);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        struct source *source = events[i].data.ptr;
        if (source->ready)
            source->ready(source, events[i].events);
    }
    return 0;
}

void loop_sweep(struct loop *loop)
{
    while (loop->ended) {
        struct source *source = loop->ended;
        loop->ended = source->next_ended;
        free(source);
    }
}

int source_watch(struct loop *loop, struct source *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };

    if (source->watched && source->events == events)
        return 0;
    if (epoll_ctl(loop->epoll, source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, source->fd, &event) < 0)
        return -errno;
    source->watched = 1;
    source->events = events;
    return 0;
}

void source_unwatch(struct loop *loop, struct source *source)
{
    if (source->watched)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    source->watched = 0;
}

void source_end(struct loop *loop, struct source *source)
{
    source_unwatch(loop, source);
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    source->ready = NULL;
    source->next_ended = loop->ended;
    loop->ended = source;
}
