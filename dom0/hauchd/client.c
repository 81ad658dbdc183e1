/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections to hauchd's socket. A request is answered, and the answer taken, before the next of the
 * same connection is looked at; until then nothing more is read of it. Each connection gets one request a
 * turn of the loop, so that none holds up the others, and connections are closed only at the end of a turn,
 * so that nobody else has to fear for the one it talks to. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/wire_line.h"

enum { CLIENTS_MAX = 256, READ_BYTES = 16384 };

struct client {
    struct client  *next, *prev;
    struct hauchd  *h;
    int             fd;
    uint32_t        events;         /* that the loop tells of */
    uintptr_t       number;         /* never used again, unlike the address */
    struct wire_in  in;
    struct wire_out out;
    unsigned        waits;          /* domains it waits for */
    bool            failed;         /* one of them */
    bool            broken;         /* to be closed by the loop */
    bool            subscribed;     /* wants to be told of events */
};

unsigned clients_count(const struct hauchd *h)
{
    unsigned n = 0;

    for (struct client *c = h->clients; c; c = c->next)
        n++;
    return n;
}

/* Said to those who are one too many. */
static void turn_away(int fd)
{
    static const char full[] = "{\"ok\":false,\"errno\":11,\"error\":\"hauchd has as many connections as it "
                               "serves (256); try again\"}\n";

    send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

void client_accept(struct hauchd *h)
{
    int            fd = accept4(h->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;

    if (!c || clients_count(h) >= CLIENTS_MAX || loop_add(h, fd, FROM_CLIENT, c)) {
        if (fd >= 0)
            turn_away(fd);
        free(c);
        return;
    }
    c->h = h;
    c->fd = fd;
    c->events = EPOLLIN;
    c->number = ++h->clients_seen;
    c->next = h->clients;
    if (c->next)
        c->next->prev = c;
    h->clients = c;
}

uintptr_t client_number(const struct client *c)
{
    return c->number;
}

struct client *client_find(struct hauchd *h, uintptr_t number)
{
    struct client *c = h->clients;

    while (c && c->number != number)
        c = c->next;
    return c;
}

static void forget_waiter(struct domain *d, struct client *c)
{
    struct waiter **p = &d->waiters, *w;

    while ((w = *p)) {
        if (w->client != c) {
            p = &w->next;
            continue;
        }
        *p = w->next;
        free(w);
    }
}

void client_wait_no_more(struct client *c)
{
    for (struct index_entry *e = c->h->domains.first; c->waits && e; e = e->next)
        forget_waiter(domain_of(e), c);
    c->waits = 0;
    c->failed = false;
}

static void client_close(struct client *c)
{
    struct hauchd *h = c->h;

    client_wait_no_more(c);
    hotplug_forget(h, c);
    dumps_forget(h, NULL, c);
    *(c->prev ? &c->prev->next : &h->clients) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    close(c->fd);
    wire_in_free(&c->in);
    wire_out_free(&c->out);
    free(c);
}

void clients_close(struct hauchd *h)
{
    while (h->clients)
        client_close(h->clients);
}

bool client_busy(const struct client *c)
{
    return c->waits;
}

/* ---- answers ---- */
static void send_json(struct client *c, struct json_object *o)
{
    if (!c->broken && (wire_out_line(&c->out, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) ||
                       wire_out_flush(&c->out, c->fd) < 0))
        c->broken = true;
    json_object_put(o);
}

void client_answer(struct client *c, struct json_object *answer)
{
    json_object_object_add(answer, "ok", json_object_new_boolean(true));
    send_json(c, answer);
}

void client_fail(struct client *c, const struct fault *f, struct json_object *notes)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "ok", json_object_new_boolean(false));
    json_object_object_add(o, "errno", json_object_new_int(-f->code));
    json_object_object_add(o, "error", json_object_new_string(f->text));
    if (notes)
        json_object_object_add(o, "notes", json_object_get(notes));
    send_json(c, o);
}

/* ---- events ---- */
void client_subscribe(struct client *c)
{
    c->subscribed = true;
}

void event_emit(struct hauchd *h, const char *what, const struct domain *d, uint16_t id, const char *detail)
{
    for (struct client *c = h->clients; c; c = c->next) {
        struct json_object *o;

        if (!c->subscribed)
            continue;
        o = json_object_new_object();
        json_text(o, "event", what);
        json_number(o, "time", time(NULL));
        if (d)
            json_text(o, "name", d->entry.name);
        if (id != INDEX_NO_ID)
            json_number(o, "domid", id);
        if (detail)
            json_text(o, "detail", detail);
        send_json(c, o);
    }
}

/* ---- waiting ---- */
int client_wait(struct client *c, struct domain *d, enum wait_for what)
{
    struct waiter *w = malloc(sizeof(*w));

    if (!w)
        return -ENOMEM;
    *w =
        (struct waiter){ d->waiters, c, what == WAIT_UP_PROGRESS ? WAIT_UP : what, what == WAIT_UP_PROGRESS };
    d->waiters = w;
    c->waits++;
    return 0;
}

void client_hold(struct client *c)
{
    c->waits++;
}

void client_unhold(struct client *c)
{
    c->waits--;
}

static void waiter_done(struct domain *d, struct waiter *w, const struct fault *f)
{
    struct client      *c = w->client;
    struct json_object *o;

    c->waits--;
    if (f && !c->failed) {
        c->failed = true;
        client_fail(c, f, d->warnings);
    }
    if (c->waits || c->failed) {
        c->failed = c->waits && c->failed;
        return;
    }
    o = json_object_new_object();
    json_object_object_add(o, "name", json_object_new_string(d->entry.name));
    if (d->entry.id != INDEX_NO_ID)
        json_object_object_add(o, "domid", json_object_new_int(d->entry.id));
    if (d->warnings)
        json_object_object_add(o, "notes", json_object_get(d->warnings));
    client_answer(c, o);
}

void waiters_progress(struct domain *d, const char *step)
{
    char text[INDEX_NAME_MAX + 64];

    snprintf(text, sizeof(text), "%s: %s", d->entry.name, step);
    for (struct waiter *w = d->waiters; w; w = w->next)
        if (w->progress) {
            struct json_object *o = json_object_new_object();

            json_object_object_add(o, "progress", json_object_new_string(text));
            send_json(w->client, o);
        }
}

/* WAIT_NOTHING: the domain goes, nobody may wait for it any longer. */
void waiters_tell(struct domain *d, enum wait_for what, const struct fault *f)
{
    static const struct fault gone = { -ESRCH, "the domain is gone" };
    struct waiter           **p = &d->waiters, *w;

    while ((w = *p)) {
        if (what != WAIT_NOTHING && w->what != what) {
            p = &w->next;
            continue;
        }
        *p = w->next;
        waiter_done(d, w, what == WAIT_NOTHING ? &gone : f);
        free(w);
    }
}

/* ---- input ---- */
static void client_read(struct client *c)
{
    char    buf[READ_BYTES];
    ssize_t n = read(c->fd, buf, sizeof(buf));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || wire_in_feed(&c->in, buf, n))
        c->broken = true;
}

void client_event(struct client *c, uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        c->broken = true;
    if (events & EPOLLOUT && wire_out_flush(&c->out, c->fd) < 0)
        c->broken = true;
    if (events & EPOLLIN)
        client_read(c);
}

/* Nothing of it is under way, nothing waits to go out. */
static bool idle(const struct client *c)
{
    return !c->broken && !client_busy(c) && wire_out_empty(&c->out);
}

void clients_serve(struct hauchd *h)
{
    for (struct client *c = h->clients; c; c = c->next)
        if (idle(c) && wire_in_ready(&c->in))
            request_handle(h, c, wire_in_next(&c->in));
}

bool clients_settle(struct hauchd *h)
{
    struct client *c, *next;
    bool           more = false;

    for (c = h->clients; c; c = next) {
        bool     ready = idle(c) && wire_in_ready(&c->in);
        uint32_t events = (idle(c) && !ready ? EPOLLIN : 0) | (wire_out_empty(&c->out) ? 0 : EPOLLOUT);

        next = c->next;
        if (c->broken) {
            client_close(c);
            continue;
        }
        more |= ready;
        if (events != c->events)
            loop_want(h, c->fd, c, events);
        c->events = events;
    }
    return more;
}
