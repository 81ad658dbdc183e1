/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain as hauchd knows it: what was asked for, how far it got, who waits for it. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LOOK_AGAIN_MS = 100 };      /* while a step waits: in case an event was missed */

static void uuid_make(uint8_t uuid[16])
{
    if (getrandom(uuid, 16, 0) != 16)
        memset(uuid, 0x5a, 16);
    uuid[6] = (uuid[6] & 0x0f) | 0x40;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static void uuid_print(const uint8_t *u, char out[37])
{
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

static struct json_object *notes_json(const struct config_log *log)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < log->count; i++)
        json_object_array_add(list, json_object_new_string(log->notes[i].text));
    return list;
}

/* The configuration's text and its overrides, understood; *doc is for the caller to free. */
static int config_understand(const struct wire_request *rq, struct domain_config *out,
                             struct config_doc **doc, struct json_object **notes, struct fault *f)
{
    struct config_log log = { 0 };
    const char       *source = rq->source ? rq->source : "configuration";
    int               rc;

    *doc = NULL;
    rc = config_parse(source, rq->config, strlen(rq->config), doc, &log);
    for (unsigned i = 0; !rc && i < rq->set_count; i++)
        rc = config_override(*doc, rq->set[i], &log);
    rc = rc ? rc : domain_config_read(*doc, out, &log);
    *notes = notes_json(&log);
    if (rc)
        fault_set(f, rc, "%s: %zu error%s", source, log.errors, log.errors == 1 ? "" : "s");
    config_log_free(&log);
    if (!rc)
        return 0;
    config_doc_free(*doc);
    *doc = NULL;
    return rc;
}

int domain_understand(const struct wire_request *rq, struct domain_config *out, struct json_object **notes,
                      struct fault *f)
{
    struct config_doc *doc;
    int                rc = config_understand(rq, out, &doc, notes, f);

    if (!rc)
        config_doc_free(doc);
    return rc;
}

int domain_reread(const struct domain *d, const char *setting, struct domain_config *out,
                  struct config_doc **doc, struct json_object **notes, struct fault *f)
{
    struct wire_request rq = { .config = d->text, .source = d->source };

    for (; rq.set_count < d->set_count; rq.set_count++)
        rq.set[rq.set_count] = d->set[rq.set_count];
    if (setting && rq.set_count == WIRE_SET_MAX)
        return fault_set(f, -E2BIG, "domain %s: %d settings beside its file are the limit; hauch "
                                    "config-update writes them into it", d->entry.name, WIRE_SET_MAX);
    if (setting)
        rq.set[rq.set_count++] = (char *)setting;
    return config_understand(&rq, out, doc, notes, f);
}

static int request_keep(struct domain *d, const struct wire_request *rq)
{
    d->text = strdup(rq->config);
    d->source = strdup(rq->source ? rq->source : "configuration");
    d->set = calloc(rq->set_count + 1, sizeof(*d->set));
    if (!d->text || !d->source || !d->set)
        return -ENOMEM;
    for (unsigned i = 0; i < rq->set_count; i++, d->set_count++) {
        d->set[i] = strdup(rq->set[i]);
        if (!d->set[i])
            return -ENOMEM;
    }
    return 0;
}

static void update_free(struct domain *d)
{
    if (d->update)
        wire_request_free(d->update);
    free(d->update);
    d->update = NULL;
}

static void release(struct domain *d)
{
    devices_free(d);
    domain_config_free(&d->config);
    for (unsigned i = 0; i < d->set_count; i++)
        free(d->set[i]);
    free(d->set);
    free(d->text);
    free(d->source);
    json_object_put(d->warnings);
    update_free(d);
    job_clear(&d->job);
    free(d);
}

static void note_undo(void *ctx, const struct fault *f)
{
    struct domain *d = ctx;

    say("%s (%u): %s", d->entry.name, d->entry.id, f->text);
}

static void note_step(void *ctx, const char *name)
{
    waiters_progress(ctx, name);
}

/* Name taken or bad: say what is in the way. */
static int enter(struct domain *d, const char *name, struct fault *f)
{
    struct index_entry *other = index_by_name(&d->h->domains, name);
    int                 rc = index_insert(&d->h->domains, &d->entry, name);

    if (rc == -EEXIST)
        return fault_set(f, rc,
                         "name %s is taken by domain %u; choose another name=, or destroy or "
                         "rename that domain",
                         name, other->id);
    if (rc)
        return fault_set(f, rc,
                         "name \"%s\" cannot be used: a name has 1 to %d letters, digits or . _ - + and is "
                         "not a number",
                         name, INDEX_NAME_MAX);
    return 0;
}

struct domain *domain_new(struct hauchd *h, const struct wire_request *rq, const char *name,
                          struct json_object **notes, struct fault *f)
{
    struct domain     *d = calloc(1, sizeof(*d));
    struct config_doc *doc;
    int                rc;

    *notes = NULL;
    if (!d) {
        fault_memory(f);
        return NULL;
    }
    d->h = h;
    d->ramdisk_fd = -1;
    if (config_understand(rq, &d->config, &doc, notes, f)) {
        free(d);
        return NULL;
    }
    rc = devices_allocate(d, doc);
    config_doc_free(doc);
    if (rc || request_keep(d, rq))
        fault_memory(f);
    else if (!enter(d, name ? name : d->config.name, f)) {
        if (!d->config.uuid_given)
            uuid_make(d->config.uuid);
        uuid_print(d->config.uuid, d->uuid_text);
        d->start_paused = rq->paused;
        job_init(&d->job, create_steps, create_step_count, d);
        d->job.note = note_undo;
        d->job.enter = note_step;
        return d;
    }
    release(d);
    return NULL;
}

void domain_free(struct domain *d)
{
    index_remove(&d->h->domains, &d->entry);
    release(d);
}

/* A copy, with the UUID that the domain has unless the new configuration names one. */
static struct wire_request *request_copy(const struct wire_request *rq, const char *uuid, bool uuid_given)
{
    struct wire_request *copy = calloc(1, sizeof(*copy));
    char                 set[64];

    if (!copy)
        return NULL;
    copy->config = strdup(rq->config);
    copy->source = strdup(rq->source ? rq->source : "configuration");
    for (; copy->set_count < rq->set_count; copy->set_count++)
        copy->set[copy->set_count] = strdup(rq->set[copy->set_count]);
    snprintf(set, sizeof(set), "uuid=\"%s\"", uuid);
    if (!uuid_given)
        copy->set[copy->set_count++] = strdup(set);
    return copy;
}

int domain_update(struct domain *d, const struct wire_request *rq, struct json_object **notes,
                  struct fault *f)
{
    struct domain_config config;
    struct wire_request *copy;
    struct config_doc   *doc;
    int                  rc = config_understand(rq, &config, &doc, notes, f);

    if (rc)
        return rc;
    config_doc_free(doc);
    if (rq->set_count == WIRE_SET_MAX)
        rc = fault_set(f, -E2BIG, "%d settings beside the file, at most %d are possible here: write some "
                                  "into it",
                       WIRE_SET_MAX, WIRE_SET_MAX - 1);
    copy = rc ? NULL : request_copy(rq, d->uuid_text, config.uuid_given);
    domain_config_free(&config);
    if (!copy)
        return rc ? rc : fault_memory(f);
    update_free(d);
    d->update = copy;
    return 0;
}

int domain_rename(struct domain *d, const char *name, struct fault *f)
{
    struct index_entry *other = index_by_name(&d->h->domains, name);
    char                path[64];
    int                 rc = index_rename(&d->h->domains, &d->entry, name);

    if (rc == -EEXIST)
        return fault_set(f, rc, "name %s is taken by domain %u; choose another, or rename that "
                                "domain", name, other->id);
    if (rc)
        return fault_set(f, rc,
                         "name \"%s\" cannot be used: a name has 1 to %d letters, digits or . _ - + and is "
                         "not a number",
                         name, INDEX_NAME_MAX);
    if (d->entry.id == INDEX_NO_ID)
        return 0;
    snprintf(path, sizeof(path), "/local/domain/%u/name", d->entry.id);
    if (d->h->xs)
        xs_client_write(d->h->xs, 0, path, name, strlen(name));
    snprintf(path, sizeof(path), "/vm/%s/name", d->uuid_text);
    if (d->h->xs)
        xs_client_write(d->h->xs, 0, path, name, strlen(name));
    event_emit(d->h, "renamed", d, d->entry.id, NULL);
    peer_console_add(d->h, d, NULL);
    return state_save(d, f);
}

int domain_disks_check(const struct domain *d, struct fault *f)
{
    for (struct index_entry *e = d->h->domains.first; e; e = e->next) {
        const struct domain *o = domain_of(e);

        if (o == d || o->job.state == JOB_DOWN || o->off)
            continue;
        for (size_t i = 0; i < d->config.disk_count; i++)
            for (size_t j = 0; j < o->config.disk_count; j++)
                if (o->disks[j].target && dev_disk_clash(&d->disks[i], &o->disks[j]))
                    return fault_set(f, -EBUSY,
                                     "disk %s: %s is already disk %s of domain %s (%u)%s; detach it there or "
                                     "give it read-only to both",
                                     d->disks[i].vdev, d->disks[i].target, o->disks[j].vdev, o->entry.name,
                                     o->entry.id, o->disks[j].readonly ? "" : ", which may write to it");
    }
    return 0;
}

/* ---- the job's ends ---- */
static void up(struct domain *d)
{
    d->settled = true;
    d->again = false;
    state_remember(d);
    say("%s (%u): created", d->entry.name, d->entry.id);
    event_emit(d->h, "created", d, d->entry.id, NULL);
    waiters_tell(d, WAIT_UP, NULL);
}

/* Made anew from another configuration: another object under the same name. */
static void restart_updated(struct domain *d)
{
    struct wire_request *rq = d->update;
    struct json_object  *notes = NULL;
    struct fault         f = { 0 };
    struct hauchd       *h = d->h;
    struct domain       *fresh;
    char                 name[INDEX_NAME_MAX + 1];
    uint16_t             old_id = d->old_id;

    snprintf(name, sizeof(name), "%s", d->entry.name);
    d->update = NULL;
    d->old_id = 0;
    waiters_tell(d, WAIT_NOTHING, NULL);
    domain_free(d);
    fresh = domain_new(h, rq, name, &notes, &f);
    if (fresh) {
        fresh->again = true;
        fresh->old_id = old_id;
        domain_start(fresh);
    } else {
        say("%s: not restarted: %s", name, f.text);
        state_drop(h, old_id);
    }
    json_object_put(notes);
    wire_request_free(rq);
    free(rq);
}

static void down(struct domain *d)
{
    if (d->job.failed) {
        say("%s: not created: %s", d->entry.name, d->job.fault->text);
        event_emit(d->h, "failed", d, INDEX_NO_ID, d->job.fault->text);
        waiters_tell(d, WAIT_UP, d->job.fault);
    }
    if (!d->job.failed)
        event_emit(d->h, "gone", d, INDEX_NO_ID, NULL);
    waiters_tell(d, WAIT_OFF, NULL);
    waiters_tell(d, WAIT_GONE, NULL);
    if (d->fate == FATE_RESTART && !d->job.failed) {
        d->fate = FATE_GONE;
        d->start_paused = false;
        d->again = true;
        if (d->update)
            restart_updated(d);
        else
            domain_start(d);
        return;
    }
    state_forget_old(d);
    waiters_tell(d, WAIT_NOTHING, NULL);
    domain_free(d);
}

void domain_poke(struct domain *d)
{
    job_poke(&d->job, now_ms());
    if (d->settled)
        return;
    if (d->job.state == JOB_UP)
        up(d);
    else if (d->job.state == JOB_DOWN)
        down(d);
}

void domain_start(struct domain *d)
{
    d->settled = false;
    d->off = false;
    d->started_ms = now_ms();
    job_start(&d->job, now_ms());
    domain_poke(d);
}

void domain_unmake(struct domain *d, enum fate fate)
{
    d->fate = fate;
    d->settled = false;
    if (d->entry.id != INDEX_NO_ID)
        state_mark(d->h, d->entry.id, "going", fate == FATE_RESTART ? "restart" : "gone");
    hotplug_end(d);
    dumps_forget(d->h, d, NULL);
    job_undo(&d->job, now_ms());
    domain_poke(d);
}

static bool waiting(const struct domain *d)
{
    return d->job.deadline_ms && (d->job.state == JOB_FORWARD || d->job.state == JOB_BACKWARD);
}

void domains_poke_waiting(struct hauchd *h)
{
    struct index_entry *e = h->domains.first, *next;

    for (; e; e = next) {
        next = e->next;
        if (waiting(domain_of(e)))
            domain_poke(domain_of(e));
    }
}

void domains_halt_late(struct hauchd *h)
{
    struct index_entry *e = h->domains.first, *next;

    for (; e; e = next) {
        next = e->next;
        if (domain_of(e)->job.state != JOB_UP)
            continue;
        say("%s (%u): did not end in time: removed", e->name, e->id);
        domain_unmake(domain_of(e), FATE_GONE);
    }
}

uint64_t domains_deadline(const struct hauchd *h)
{
    if (h->hots)
        return now_ms() + LOOK_AGAIN_MS;
    if (h->halting && h->domains.count)
        return h->halt_deadline_ms > now_ms() ? h->halt_deadline_ms : now_ms() + LOOK_AGAIN_MS;
    for (struct index_entry *e = h->domains.first; e; e = e->next)
        if (waiting(domain_of(e)))
            return now_ms() + LOOK_AGAIN_MS;
    return UINT64_MAX;
}
