/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about definitions, and about the host's own beginning and end. */
#define _GNU_SOURCE
#include "dom0/hauchd/request.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "dom0/hauchd/registry.h"

enum { HALT_SECONDS = 60, HALT_SECONDS_MAX = 3600 };

static int answer_empty(struct client *c)
{
    client_answer(c, json_object_new_object());
    return 0;
}

/* The text has to make sense before it is kept. */
int do_define(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct domain_config config;
    struct json_object  *notes = NULL, *o;
    int                  rc = domain_understand(rq, &config, &notes, f);

    if (rc) {
        client_fail(c, f, notes);
        json_object_put(notes);
        return 0;
    }
    rc = registry_define(h, config.name, rq->config, f);
    o = json_object_new_object();
    json_text(o, "name", config.name);
    json_object_object_add(o, "notes", notes);
    domain_config_free(&config);
    if (rc) {
        json_object_put(o);
        return rc;
    }
    client_answer(c, o);
    return 0;
}

int do_undefine(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    int rc = registry_undefine(h, rq->domain, f);

    return rc ? rc : answer_empty(c);
}

int do_autostart(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    int rc = registry_autostart(h, rq->domain, rq->on, f);

    return rc ? rc : answer_empty(c);
}

int do_definitions(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    return answer_with(c, "definitions", registry_report(h), f);
}

int do_definition(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    char *text = NULL;
    int   rc = registry_text(h, rq->domain, &text, f);

    rc = rc ? rc : answer_with(c, "config", json_object_new_string(text), f);
    free(text);
    return rc;
}

int do_start(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct wire_request create = { .op = WIRE_CREATE, .paused = rq->paused, .progress = rq->progress,
                                   .name = rq->domain, .source = rq->domain };
    int                 rc = registry_text(h, rq->domain, &create.config, f);

    rc = rc ? rc : do_create(h, c, &create, f);
    free(create.config);
    return rc;
}

int do_boot(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    h->halting = false;
    return answer_with(c, "started", registry_bring(h), f);
}

/* What runs is noted first: whatever happens from here on, it comes back. */
int do_halt(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    int64_t seconds = rq->given & F_SECONDS ? rq->seconds : HALT_SECONDS;
    int     rc;

    if (seconds < 0 || seconds > HALT_SECONDS_MAX)
        return fault_set(f, -EINVAL, "%lld seconds: 0 to %d are possible", (long long)seconds,
                         HALT_SECONDS_MAX);
    rc = registry_note_running(h, f);
    if (rc)
        return rc;
    h->halting = true;
    h->halt_deadline_ms = now_ms() + seconds * 1000;
    for (struct index_entry *e = h->domains.first; !rc && e; e = e->next)
        rc = client_wait(c, domain_of(e), WAIT_GONE);
    if (rc)
        return fault_memory(f);
    domains_ask_all(h, "poweroff");
    return client_busy(c) ? 0 : answer_empty(c);
}

int do_events(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    client_subscribe(c);
    return answer_empty(c);
}
