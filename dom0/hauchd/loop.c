/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: one epoll set, one thread; every descriptor knows whose it is. */
#define _GNU_SOURCE
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#include "lib/dev_link.h"

enum { EVENTS = 32, SOURCE_SHIFT = 56, PEER_TRY_MS = 300 };

uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000;
}

void say(const char *fmt, ...)
{
    char    line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(stderr, "hauchd: %s\n", line);
}

/* The source rides in the top byte: user-space pointers have 47 bits. */
static struct epoll_event event_of(enum source source, struct client *c, uint32_t events)
{
    return (struct epoll_event){ .events = events,
                                 .data.u64 = (uint64_t)source << SOURCE_SHIFT | (uintptr_t)c };
}

int loop_add(struct hauchd *h, int fd, enum source source, struct client *c)
{
    struct epoll_event ev = event_of(source, c, EPOLLIN);

    return epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

void loop_want(struct hauchd *h, int fd, struct client *c, uint32_t events)
{
    struct epoll_event ev = event_of(FROM_CLIENT, c, events);

    epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, fd, &ev);
}

static void dispatch(struct hauchd *h, const struct epoll_event *ev)
{
    switch ((enum source)(ev->data.u64 >> SOURCE_SHIFT)) {
    case FROM_CLIENT:
        client_event((struct client *)(uintptr_t)(ev->data.u64 & ((UINT64_C(1) << SOURCE_SHIFT) - 1)),
                     ev->events);
        return;
    case FROM_WORKER:
        worker_event(h);
        return;
    case FROM_LISTEN:
        client_accept(h);
        return;
    case FROM_EVTCHN:
        death_event(h);
        return;
    case FROM_STORE:
        peer_store_event(h);
        return;
    case FROM_CONSOLE:
        peer_console_event(h);
        return;
    case FROM_LINK:
        dev_monitor_drain(h->link_fd);
        domains_poke_waiting(h);
        return;
    case FROM_UEVENT:
        devices_event(h);
        return;
    }
}

/* Milliseconds to the next thing that has to be looked at without an event. */
static int patience(struct hauchd *h)
{
    uint64_t until = domains_deadline(h), now = now_ms();

    if (h->clients_more)
        return 0;
    if (h->look_due_ms && until > h->look_due_ms)
        until = h->look_due_ms;
    if ((!h->xs || h->console_fd < 0) && until > now + PEER_TRY_MS)
        until = now + PEER_TRY_MS;
    return until == UINT64_MAX ? -1 : until > now ? (int)(until - now) : 0;
}

void loop_once(struct hauchd *h, int limit_ms)
{
    struct epoll_event ev[EVENTS];
    int                wait = patience(h), n;

    if (limit_ms >= 0 && (wait < 0 || wait > limit_ms))
        wait = limit_ms;
    n = epoll_wait(h->epoll_fd, ev, EVENTS, wait);
    for (int i = 0; i < n; i++)
        dispatch(h, &ev[i]);
    clients_serve(h);
    death_look_if_due(h);
    domains_poke_waiting(h);
    hotplug_poke(h);
    if (h->halting && h->domains.count && now_ms() >= h->halt_deadline_ms)
        domains_halt_late(h);
    peers_connect(h);
    /* Events that arrived beside the answers of other calls. */
    if (h->xs)
        peer_store_event(h);
    h->clients_more = clients_settle(h);
}
