/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch-store and hauch-console: either may go away and come back at any time. Then the connection is made
 * anew and they are told again what they may have forgotten; both take being told twice. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/console_client.h"

enum { TRY_AGAIN_MS = 300, TRY_HUNG_MS = 10000 };

/* ---- the store ---- */
static void store_lost(struct hauchd *h)
{
    say("the store went away: %s", xs_client_error(h->xs));
    event_emit(h, "store-lost", NULL, INDEX_NO_ID, NULL);
    xs_client_close(h->xs);       /* leaves the epoll set by being closed */
    h->xs = NULL;
}

static int introduce(struct domain *d)
{
    return xs_client_introduce(d->h->xs, d->entry.id, d->store_mfn, d->store_port);
}

static void introduce_all(struct hauchd *h)
{
    for (struct index_entry *e = h->domains.first; h->xs && e; e = e->next)
        if (domain_of(e)->job.state == JOB_UP && xs_client_is_introduced(h->xs, e->id) == 0 &&
            introduce(domain_of(e)))
            say("%s (%u): store: %s", e->name, e->id, xs_client_error(h->xs));
}

static int store_open(struct hauchd *h, struct xs_client **xs)
{
    int rc = xs_client_open(xs, h->store_path);

    if (rc)
        return rc;
    rc = xs_client_watch(*xs, "@releaseDomain", "release");
    rc = rc ? rc : loop_add(h, xs_client_fd(*xs), FROM_STORE, NULL);
    if (rc)
        xs_client_close(*xs);
    return rc;
}

/* One that is there and does not answer costs its time limit at each try, so it is not tried often.
 * -EAGAIN: it does not even take connections. */
static int store_connect(struct hauchd *h)
{
    struct xs_client *xs;
    int               rc;

    if (now_ms() < h->store_hung_until_ms)
        return -ETIMEDOUT;
    rc = store_open(h, &xs);
    if (rc == -ETIMEDOUT || rc == -EAGAIN)
        h->store_hung_until_ms = now_ms() + TRY_HUNG_MS;
    if (rc)
        return rc;
    h->xs = xs;
    introduce_all(h);
    leftovers_sweep(h);
    return h->xs ? 0 : -EPIPE;
}

int peer_store_need(struct hauchd *h, struct fault *f)
{
    int rc = h->xs ? 0 : store_connect(h);

    return rc ? fault_errno(f, rc, "no store at %s; start hauch-store",
                            h->store_path ? h->store_path : XS_CLIENT_SOCKET)
              : 0;
}

int peer_store_introduce(struct domain *d, struct fault *f)
{
    int rc = peer_store_need(d->h, f);

    if (rc)
        return rc;
    rc = introduce(d);
    return rc ? fault_set(f, rc, "store: %s", xs_client_error(d->h->xs)) : 0;
}

/* Tokens: "release", or "dN" for a back end of domain N. */
static void store_told(struct hauchd *h, const char *token)
{
    struct index_entry *e;

    if (!strcmp(token, "release")) {
        if (!h->virq_port)
            death_look(h);
        return;
    }
    e = token[0] == 'd' ? index_by_id(&h->domains, strtoul(token + 1, NULL, 10)) : NULL;
    if (e)
        domain_poke(domain_of(e));
}

void peer_store_event(struct hauchd *h)
{
    struct xs_client_event ev;
    char                   token[16];
    int                    rc = 0;

    while (h->xs && (rc = xs_client_next_event(h->xs, &ev)) > 0) {
        snprintf(token, sizeof(token), "%s", ev.token);
        store_told(h, token);
    }
    if (h->xs && rc < 0)
        store_lost(h);
}

/* ---- the console ---- */
static void console_lost(struct hauchd *h)
{
    close(h->console_fd);
    h->console_fd = -1;
}

static int console_ask_add(struct hauchd *h, const struct domain *d, struct fault *f)
{
    char answer[256] = "";
    int  rc =
        console_add(h->console_fd, d->entry.id, d->entry.name, d->console_port, 0, answer, sizeof(answer));
    if (rc == -EPIPE || rc == -ETIMEDOUT || rc == -EPROTO)
        console_lost(h);
    return rc ? fault_set(f, rc, "console: %s", answer[0] ? answer : strerror(-rc)) : 0;
}

static int console_connect_all(struct hauchd *h)
{
    struct fault f = { 0 };
    int          fd = console_connect(h->console_path);

    if (fd < 0)
        return fd;
    h->console_fd = fd;
    if (loop_add(h, fd, FROM_CONSOLE, NULL))
        return console_lost(h), -ENOMEM;
    for (struct index_entry *e = h->domains.first; h->console_fd >= 0 && e; e = e->next)
        if (domain_of(e)->job.state == JOB_UP && !domain_of(e)->off && console_ask_add(h, domain_of(e), &f))
            say("%s (%u): %s", e->name, e->id, f.text);
    return h->console_fd < 0 ? -EPIPE : 0;
}

int peer_console_add(struct hauchd *h, const struct domain *d, struct fault *f)
{
    int rc = h->console_fd >= 0 ? 0 : console_connect_all(h);

    if (rc)
        return fault_errno(f, rc, "no console daemon at %s; the console is added when hauch-console is there",
                           h->console_path ? h->console_path : CONSOLE_SOCKET);
    return console_ask_add(h, d, f);
}

void peer_console_remove(struct hauchd *h, uint16_t domid)
{
    char answer[256];
    int  rc = 0;

    if (h->console_fd < 0)
        console_connect_all(h);
    if (h->console_fd >= 0)
        rc = console_remove(h->console_fd, domid, answer, sizeof(answer));
    if (rc == -EPIPE || rc == -ETIMEDOUT || rc == -EPROTO)
        console_lost(h);
}

/* Between requests the daemon has nothing to say: readable means that it is gone. */
void peer_console_event(struct hauchd *h)
{
    if (h->console_fd < 0)
        return;
    say("hauch-console went away");
    event_emit(h, "console-lost", NULL, INDEX_NO_ID, NULL);
    console_lost(h);
}

void peers_connect(struct hauchd *h)
{
    if ((h->xs && h->console_fd >= 0) || now_ms() < h->next_peer_try_ms)
        return;
    h->next_peer_try_ms = now_ms() + TRY_AGAIN_MS;
    if (!h->xs && !store_connect(h))
        say("connected to the store"), event_emit(h, "store-back", NULL, INDEX_NO_ID, NULL);
    if (h->console_fd < 0 && !console_connect_all(h))
        say("connected to hauch-console"), event_emit(h, "console-back", NULL, INDEX_NO_ID, NULL);
}
