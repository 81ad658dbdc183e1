/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of a running domain come and go: the same steps as at its making, for one device.
 *
 * To come is a list of steps with undos, as a domain's own making is (step.h). To go begins with a question:
 * a guest that uses the device is asked to let go, by its back end's state, and may take its time or refuse;
 * only then, or when it never used it, or with force, the list is walked backwards. While that lasts the
 * device stands in the domain's lists, so that the end of the domain in between takes it away like any other.
 *
 * The domain's settings are kept in step (`disk=[...]`, `vif=[...]`): a restart of the domain, or of hauchd,
 * finds the devices of now, not those of the file. */
#define _GNU_SOURCE
#include "dom0/hauchd/hotplug.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dev_link.h"
#include "lib/dev_nodes.h"

enum { BACKEND_MS = 60000, ASK_MS = 10000, STATE_CONNECTED = 4, STATE_CLOSED = 6, SPEC_MAX = 4096 };

struct hot {
    struct hot    *next;
    struct domain *d;
    enum device    kind;
    unsigned       devid;
    struct job     job;
    bool           asking;        /* the guest has been asked to let go */
    uint64_t       ask_until_ms;
    struct client *client;        /* NULL: does not want to know any more */
};

static const char *type_of(enum device kind)
{
    return kind == DEVICE_DISK ? "vbd" : "vif";
}

/* Where the device stands in the domain's lists; -1: not any more. */
static int place_of(const struct domain *d, enum device kind, unsigned devid)
{
    for (size_t i = 0; kind == DEVICE_DISK && i < d->config.disk_count; i++)
        if (d->config.disks[i].number == devid)
            return i;
    for (size_t i = 0; kind == DEVICE_VIF && i < d->config.vif_count; i++)
        if (d->config.vifs[i].devid == devid)
            return i;
    return -1;
}

/* ---- settings that say what devices there are ---- */
/* "disk=['...','...']" of all that stand in the list, and @more; NULL: too long or no memory. */
static char *setting_of(const struct domain *d, enum device kind, const char *more)
{
    char **specs = kind == DEVICE_DISK ? d->disk_specs : d->vif_specs;
    size_t n = kind == DEVICE_DISK ? d->config.disk_count : d->config.vif_count, size = 0;
    char  *text = NULL;
    FILE  *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fputs(kind == DEVICE_DISK ? "disk=[" : "vif=[", out);
    for (size_t i = 0; i < n + (more != NULL); i++) {
        const char *spec = i < n ? specs[i] : more;
        char        quote = strchr(spec, '\'') ? '"' : '\'';

        fprintf(out, "%s%c%s", i ? "," : "", quote, spec);
        if (i < n && kind == DEVICE_VIF && !strstr(spec, "devid="))
            fprintf(out, ",devid=%u", d->config.vifs[i].devid);
        fputc(quote, out);
    }
    fputc(']', out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

/* Puts @setting among those of the domain, in place of an older one of the same key; takes it. */
static int setting_put(struct domain *d, char *setting)
{
    size_t key = strcspn(setting, "=") + 1;
    char **set;

    for (unsigned i = 0; i < d->set_count; i++)
        if (!strncmp(d->set[i], setting, key)) {
            free(d->set[i]);
            d->set[i] = setting;
            return 0;
        }
    set = d->set_count < WIRE_SET_MAX ? realloc(d->set, (d->set_count + 2) * sizeof(*set)) : NULL;
    if (!set) {
        free(setting);
        return -ENOMEM;
    }
    d->set = set;
    set[d->set_count++] = setting;
    return 0;
}

static void settings_update(struct domain *d, enum device kind)
{
    char *setting = setting_of(d, kind, NULL);

    if (!setting || setting_put(d, setting))
        say("%s (%u): after a restart it has the devices of before", d->entry.name, d->entry.id);
    state_remember(d);
}

/* ---- the steps ---- */
static int hot_place(struct hot *hot)
{
    return place_of(hot->d, hot->kind, hot->devid);
}

static int disk_run(void *ctx, struct fault *f)
{
    struct hot *hot = ctx;
    int         rc = hot->kind == DEVICE_DISK ? dev_disk_attach(&hot->d->disks[hot_place(hot)], f) : 0;

    if (!rc)
        state_remember(hot->d);
    return rc;
}

static int disk_undo(void *ctx, struct fault *f)
{
    struct hot *hot = ctx;

    return hot->kind == DEVICE_DISK ? dev_disk_detach(&hot->d->disks[hot_place(hot)], f) : 0;
}

static int nodes_run(void *ctx, struct fault *f)
{
    struct hot *hot = ctx;

    return device_write(hot->d, hot->kind, hot_place(hot), f);
}

static int nodes_undo(void *ctx, struct fault *f)
{
    struct hot *hot = ctx;

    return device_erase(hot->d, hot->kind, hot_place(hot), f);
}

static int backend_run(void *ctx, struct fault *f)
{
    struct hot *hot = ctx;

    return device_connect(hot->d, hot->kind, hot_place(hot), f);
}

static int backend_undo(void *ctx, struct fault *f)
{
    struct hot *hot = ctx;

    return device_disconnect(hot->d, hot->kind, hot_place(hot), f);
}

static const struct step hot_steps[] = {
    { "disk",     disk_run,    disk_undo,    0 },
    { "device",   nodes_run,   nodes_undo,   0 },
    { "back end", backend_run, backend_undo, BACKEND_MS },
};

/* ---- ends ---- */
static void hot_free(struct hot *hot)
{
    struct hot **p = &hot->d->h->hots;

    while (*p != hot)
        p = &(*p)->next;
    *p = hot->next;
    job_clear(&hot->job);
    free(hot);
}

static void hot_answer(struct hot *hot, const struct fault *f)
{
    struct json_object *o;
    struct client      *c = hot->client;

    hot->client = NULL;
    if (f && f->text[0])
        say("%s (%u): %s", hot->d->entry.name, hot->d->entry.id, f->text);
    if (!c)
        return;
    client_unhold(c);
    if (f) {
        client_fail(c, f, NULL);
        return;
    }
    o = json_object_new_object();
    json_text(o, "name", hot->d->entry.name);
    json_number(o, "domid", hot->d->entry.id);
    json_number(o, "devid", hot->devid);
    client_answer(c, o);
}

static void hot_done(struct hot *hot)
{
    struct domain *d = hot->d;

    event_emit(d->h, hot->job.state == JOB_DOWN ? "detached" : "attached", d, d->entry.id,
               hot->kind == DEVICE_DISK ? "disk" : "network card");
    if (hot->job.state == JOB_DOWN) {
        device_forget(d, hot->kind, hot_place(hot));
        settings_update(d, hot->kind);
    } else {
        state_remember(d);
    }
    hot_answer(hot, hot->job.fault);
    hot_free(hot);
}

/* A guest that was asked: has it let go? */
static void hot_ask_look(struct hot *hot)
{
    struct domain *d = hot->d;
    struct fault   f = { 0 };
    const char    *type = type_of(hot->kind);

    if ((d->h->xs && dev_backend_state(d->h->xs, type, d->entry.id, hot->devid) == STATE_CLOSED) ||
        !dev_backend_device(type, d->entry.id, hot->devid)) {
        hot->asking = false;
        job_undo(&hot->job, now_ms());
        return;
    }
    if (now_ms() < hot->ask_until_ms)
        return;
    fault_set(&f, -EBUSY, "domain %s does not let go of %s %u within %d s: end its use there, or say --force",
              d->entry.name, hot->kind == DEVICE_DISK ? "disk" : "network card", hot->devid, ASK_MS / 1000);
    hot_answer(hot, &f);
    hot_free(hot);
}

void hotplug_poke(struct hauchd *h)
{
    struct hot *hot, *next;

    for (hot = h->hots; hot; hot = next) {
        next = hot->next;
        if (hot->asking)
            hot_ask_look(hot);
        else
            job_poke(&hot->job, now_ms());
    }
    for (hot = h->hots; hot; hot = next) {
        next = hot->next;
        if (!hot->asking && (hot->job.state == JOB_UP || hot->job.state == JOB_DOWN))
            hot_done(hot);
    }
}

void hotplug_end(struct domain *d)
{
    static const struct fault gone = { -ESRCH, "the domain ended meanwhile" };
    struct hot               *hot, *next;

    for (hot = d->h->hots; hot; hot = next) {
        next = hot->next;
        if (hot->d != d)
            continue;
        hot_answer(hot, &gone);
        hot_free(hot);
    }
}

void hotplug_forget(struct hauchd *h, struct client *c)
{
    for (struct hot *hot = h->hots; hot; hot = hot->next)
        if (hot->client == c)
            hot->client = NULL;
}

void hotplug_hurry(struct hauchd *h)
{
    for (struct hot *hot = h->hots; hot; hot = hot->next)
        hot->ask_until_ms = now_ms();
}

/* ---- beginnings ---- */
static struct hot *hot_new(struct domain *d, enum device kind, unsigned devid, struct client *c,
                           struct fault *f)
{
    struct hot *hot = calloc(1, sizeof(*hot));

    if (!hot) {
        fault_memory(f);
        return NULL;
    }
    hot->d = d;
    hot->kind = kind;
    hot->devid = devid;
    hot->client = c;
    client_hold(c);
    job_init(&hot->job, hot_steps, sizeof(hot_steps) / sizeof(hot_steps[0]), hot);
    hot->next = d->h->hots;
    d->h->hots = hot;
    return hot;
}

static bool busy(const struct domain *d, enum device kind, unsigned devid)
{
    for (const struct hot *hot = d->h->hots; hot; hot = hot->next)
        if (hot->d == d && hot->kind == kind && hot->devid == devid)
            return true;
    return false;
}

/* A card whose number is not given gets the first that is free; @out has SPEC_MAX bytes. */
static int spec_complete(const struct domain *d, enum device kind, const char *spec, char *out,
                         struct fault *f)
{
    unsigned devid = 0;
    int      n;

    while (place_of(d, DEVICE_VIF, devid) >= 0)
        devid++;
    if (kind == DEVICE_VIF && !strstr(spec, "devid="))
        n = snprintf(out, SPEC_MAX, "%s%sdevid=%u", spec, *spec ? "," : "", devid);
    else
        n = snprintf(out, SPEC_MAX, "%s", spec);
    return n < SPEC_MAX ? 0
                        : fault_set(f, -E2BIG, "a device of %zu bytes, at most %d are possible; give "
                                               "shorter paths", strlen(spec),
                                    SPEC_MAX - 32);
}

/* Undo of a beginning that led to nothing. */
static void hot_drop(struct hot *hot, struct client *c)
{
    hot->client = NULL;
    client_unhold(c);
    hot_free(hot);
}

/* The whole configuration is read again with the new device in it, so that every rule is looked at. */
int hotplug_attach(struct domain *d, enum device kind, const char *words, struct client *c,
                   struct json_object **notes, struct fault *f)
{
    char        spec[SPEC_MAX], *setting;
    struct hot *hot;
    int         rc = spec_complete(d, kind, words, spec, f), devid;

    if (rc)
        return rc;
    setting = setting_of(d, kind, spec);
    if (!setting)
        return fault_memory(f);
    devid = device_add(d, kind, setting, spec, notes, f);
    if (devid < 0) {
        free(setting);
        return devid;
    }
    rc = setting_put(d, setting);
    hot = rc ? NULL : hot_new(d, kind, devid, c, f);
    if (!hot) {
        device_forget(d, kind, place_of(d, kind, devid));
        return fault_memory(f);
    }
    job_start(&hot->job, now_ms());
    hotplug_poke(d->h);
    return 0;
}

/* A number, the name of a disk, or the address of a card. */
static int device_find(const struct domain *d, enum device kind, const char *which, struct fault *f)
{
    uint32_t number;
    unsigned mac[6];
    char     end;
    int      i = -1;

    if (kind == DEVICE_DISK && !config_vdev_number(which, &number))
        i = place_of(d, kind, number);
    else if (kind == DEVICE_VIF && sscanf(which, "%x:%x:%x:%x:%x:%x%c", &mac[0], &mac[1], &mac[2], &mac[3],
                                          &mac[4], &mac[5], &end) == 6) {
        for (size_t v = 0; v < d->config.vif_count; v++) {
            const uint8_t *m = d->config.vifs[v].mac;

            if (m[0] == mac[0] && m[1] == mac[1] && m[2] == mac[2] && m[3] == mac[3] && m[4] == mac[4] &&
                m[5] == mac[5])
                i = v;
        }
    } else if (*which && !which[strspn(which, "0123456789")])
        i = place_of(d, kind, strtoul(which, NULL, 10));
    if (i < 0)
        return fault_set(f, -ENOENT, "domain %s has no %s %.60s; hauch %s shows those it has", d->entry.name,
                         kind == DEVICE_DISK ? "disk" : "network card", which,
                         kind == DEVICE_DISK ? "block-list" : "network-list");
    return kind == DEVICE_DISK ? d->config.disks[i].number : d->config.vifs[i].devid;
}

int hotplug_detach(struct domain *d, enum device kind, const char *which, bool force, struct client *c,
                   struct fault *f)
{
    int         devid = device_find(d, kind, which, f), rc;
    struct hot *hot;

    if (devid < 0)
        return devid;
    if (busy(d, kind, devid))
        return fault_set(f, -EBUSY, "%s of domain %s is coming or going already", which, d->entry.name);
    rc = peer_store_need(d->h, f);
    if (rc)
        return rc;
    hot = hot_new(d, kind, devid, c, f);
    if (!hot)
        return -ENOMEM;
    job_adopt(&hot->job);
    hot->asking = !force &&
                  dev_frontend_state(d->h->xs, type_of(kind), d->entry.id, devid) == STATE_CONNECTED;
    hot->ask_until_ms = now_ms() + ASK_MS;
    if (hot->asking)
        rc = dev_ask_close(d->h->xs, type_of(kind), d->entry.id, devid, f);
    if (rc) {
        hot_drop(hot, c);
        return rc;
    }
    if (!hot->asking)
        job_undo(&hot->job, now_ms());
    hotplug_poke(d->h);
    return 0;
}
