/* SPDX-License-Identifier: BSD-2-Clause */
/* What survives a restart of hauchd: one small JSON file a running domain, in /run, which is gone after a
 * reboot as the domains are. It is written as soon as the hypervisor knows the domain, again when loop
 * devices are attached and when it is complete, and removed when it is destroyed: so a file tells of a
 * domain that runs, died while nobody looked, or was never finished. Of one that is made anew it goes when
 * the next one is there. Marks beside it, N.going and N.dump, tell what was under way; they are symbolic
 * links, made by one call. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void path_of(const struct hauchd *h, uint16_t domid, char *out, size_t size)
{
    snprintf(out, size, "%s/%u.json", h->state_dir, domid);
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(struct json_object *o, const char *key, int64_t n)
{
    json_object_object_add(o, key, json_object_new_int64(n));
}

static struct json_object *disks_json(const struct domain *d)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < d->config.disk_count; i++)
        json_object_array_add(list, json_object_new_int(d->disks[i].loop.number));
    return list;
}

/* What the next restart is made of, if that is not what the domain was made of. */
static struct json_object *update_json(const struct wire_request *rq)
{
    struct json_object *o = json_object_new_object(), *set = json_object_new_array();

    add_text(o, "source", rq->source);
    add_text(o, "config", rq->config);
    for (unsigned i = 0; i < rq->set_count; i++)
        json_object_array_add(set, json_object_new_string(rq->set[i]));
    json_object_object_add(o, "set", set);
    return o;
}

static struct json_object *state_json(const struct domain *d)
{
    struct json_object *o = json_object_new_object(), *set = json_object_new_array(),
                       *vifs = json_object_new_array();

    add_number(o, "domid", d->entry.id);
    add_text(o, "name", d->entry.name);
    add_text(o, "uuid", d->uuid_text);
    add_text(o, "source", d->source);
    add_text(o, "config", d->text);
    for (unsigned i = 0; i < d->set_count; i++)
        json_object_array_add(set, json_object_new_string(d->set[i]));
    for (size_t i = 0; i < d->config.vif_count; i++)
        json_object_array_add(vifs, json_object_new_string(d->vifs[i].name));
    json_object_object_add(o, "set", set);
    json_object_object_add(o, "loops", disks_json(d));
    json_object_object_add(o, "vifs", vifs);
    add_number(o, "store_port", d->store_port);
    add_number(o, "console_port", d->console_port);
    add_number(o, "store_mfn", d->store_mfn);
    add_number(o, "console_mfn", d->console_mfn);
    add_number(o, "started_at", d->started_at);
    add_number(o, "off", d->off);
    add_number(o, "complete", d->job.state == JOB_UP);
    add_number(o, "again", d->again);
    if (d->update)
        json_object_object_add(o, "update", update_json(d->update));
    return o;
}

/* Written beside and renamed: a reader, or a hauchd that is killed, never sees half a file. */
int state_save(const struct domain *d, struct fault *f)
{
    struct json_object *o = state_json(d);
    char                path[256], fresh[264];
    int                 rc = 0;

    if (d->entry.id == INDEX_NO_ID) {       /* nothing to find again yet */
        json_object_put(o);
        return 0;
    }
    path_of(d->h, d->entry.id, path, sizeof(path));
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (json_object_to_file_ext(fresh, o, JSON_C_TO_STRING_PLAIN) || rename(fresh, path)) {
        rc = fault_errno(f, errno ? -errno : -EIO,
                         "cannot write %s; after a restart of hauchd this domain will not be "
                         "looked after (make room there)",
                         path);
        unlink(fresh);
    }
    json_object_put(o);
    return rc;
}

void state_remember(const struct domain *d)
{
    struct fault f = { 0 };

    if (state_save(d, &f))
        say("%s (%u): %s", d->entry.name, d->entry.id, f.text);
}

static void mark_path(const struct hauchd *h, uint16_t domid, const char *mark, char out[256])
{
    snprintf(out, 256, "%s/%u.%s", h->state_dir, domid, mark);
}

void state_mark(struct hauchd *h, uint16_t domid, const char *mark, const char *text)
{
    char path[256];
    int  rc;

    mark_path(h, domid, mark, path);
    rc = symlink(text, path);
    if (rc && errno == EEXIST && !unlink(path))
        rc = symlink(text, path);
    if (rc)
        say("domain %u: cannot mark it as %s in %s: %s; make room there", domid, mark, path, strerror(errno));
}

void state_unmark(struct hauchd *h, uint16_t domid, const char *mark)
{
    char path[256];

    mark_path(h, domid, mark, path);
    unlink(path);
}

static bool marked(const struct hauchd *h, uint16_t domid, const char *mark, char text[16])
{
    char    path[256];
    ssize_t n;

    mark_path(h, domid, mark, path);
    n = readlink(path, text, 15);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* The marks first: one that is left alone would be taken for the next domain's of that number. */
void state_drop(struct hauchd *h, uint16_t domid)
{
    char path[256];

    state_unmark(h, domid, "going");
    state_unmark(h, domid, "dump");
    path_of(h, domid, path, sizeof(path));
    unlink(path);
}

/* The number may be another domain's by now. */
void state_forget_old(struct domain *d)
{
    if (d->old_id && !index_by_id(&d->h->domains, d->old_id))
        state_drop(d->h, d->old_id);
    d->old_id = 0;
}

void state_begin(struct domain *d)
{
    state_unmark(d->h, d->entry.id, "going");
    state_unmark(d->h, d->entry.id, "dump");
    d->left_nodes = false;
    state_remember(d);
    state_forget_old(d);
}

/* ---- reading them back ---- */
const char *state_text(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ?
           json_object_get_string(v) : "";
}

static int64_t number_in(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v) : 0;
}

static struct json_object *list_in(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_array) ? v : NULL;
}

static void devices_restore(struct domain *d, struct json_object *o)
{
    struct json_object *loops = list_in(o, "loops"), *vifs = list_in(o, "vifs");
    struct fault        f = { 0 };

    if (devices_probe(d, &f))
        say("%s (%u): a disk or bridge is not what it was: %s", d->entry.name, d->entry.id, f.text);
    for (size_t i = 0; loops && i < d->config.disk_count && i < json_object_array_length(loops); i++)
        d->disks[i].loop.number = json_object_get_int(json_object_array_get_idx(loops, i));
    for (size_t i = 0; vifs && i < d->config.vif_count && i < json_object_array_length(vifs); i++)
        snprintf(d->vifs[i].name, sizeof(d->vifs[i].name), "%s",
                 json_object_get_string(json_object_array_get_idx(vifs, i)));
}

/* Text and settings of a configuration as they stand in a file; nothing is copied. */
struct wire_request state_request(struct json_object *o)
{
    struct wire_request rq = { .op = WIRE_CREATE, .config = (char *)state_text(o, "config"),
                               .source = (char *)state_text(o, "source") };
    struct json_object *set = list_in(o, "set");

    for (; set && rq.set_count < WIRE_SET_MAX && rq.set_count < json_object_array_length(set); rq.set_count++)
        rq.set[rq.set_count] = (char *)json_object_get_string(json_object_array_get_idx(set, rq.set_count));
    return rq;
}

static void update_restore(struct domain *d, struct json_object *o)
{
    struct json_object *update = NULL, *notes = NULL;
    struct fault        f = { 0 };
    struct wire_request rq;

    if (!json_object_object_get_ex(o, "update", &update))
        return;
    rq = state_request(update);
    if (domain_update(d, &rq, &notes, &f))
        say("%s (%u): the configuration for its restart is not understood: %s; hauch config-update gives "
            "another",
            d->entry.name, d->entry.id, f.text);
    json_object_put(notes);
}

/* Also for its next life. */
static void uuid_restore(struct domain *d, const char *text)
{
    snprintf(d->uuid_text, sizeof(d->uuid_text), "%s", text);
    for (int i = 0; i < 16; i++, text += 2) {
        unsigned byte;

        text += *text == '-';
        if (sscanf(text, "%2x", &byte) != 1)
            return;
        d->config.uuid[i] = byte;
    }
}

/* What an earlier hauchd had begun with it. */
static void begun_restore(struct domain *d, struct json_object *o)
{
    char text[16];
    bool going = marked(d->h, d->entry.id, "going", text);

    d->half_made = going || !number_in(o, "complete");
    d->fate = !strcmp(text, "restart") || (!going && number_in(o, "again")) ? FATE_RESTART : FATE_GONE;
    if (marked(d->h, d->entry.id, "dump", text) && !d->half_made)
        xc_domain_unpause(d->h->xc, d->entry.id, NULL);
    state_unmark(d->h, d->entry.id, "dump");
}

static int domain_restore(struct domain *d, struct json_object *o)
{
    int64_t id = number_in(o, "domid");

    uuid_restore(d, state_text(o, "uuid"));
    d->store_port = number_in(o, "store_port");
    d->console_port = number_in(o, "console_port");
    d->store_mfn = number_in(o, "store_mfn");
    d->console_mfn = number_in(o, "console_mfn");
    d->started_at = number_in(o, "started_at");
    d->off = number_in(o, "off");
    d->started_ms = 0;        /* longer ago than what counts as too quick for a restart */
    if (id < 1 || id >= INDEX_IDS || index_set_id(&d->h->domains, &d->entry, id))
        return -EINVAL;
    devices_restore(d, o);
    update_restore(d, o);
    job_adopt(&d->job);
    d->settled = true;
    begun_restore(d, o);
    say("%s (%u): found again%s%s", d->entry.name, d->entry.id, d->half_made ? ", half made" : "",
        d->half_made && d->fate == FATE_RESTART ? ": is made anew" : "");
    return 0;
}

/* Domains in whose making or removal an earlier hauchd was killed: nobody waits for them any more. */
static void half_made_remove(struct hauchd *h)
{
    struct index_entry *e = h->domains.first, *next;

    for (; e; e = next) {
        next = e->next;
        if (domain_of(e)->half_made)
            domain_unmake(domain_of(e), domain_of(e)->fate);
    }
}

/* The number may have been given to another domain since: the UUID tells. */
static bool same_domain(struct hauchd *h, uint16_t domid, const char *uuid)
{
    struct xen_domctl_getdomaininfo info;
    char                            text[37] = "";

    if (xc_domain_info(h->xc, domid, &info, NULL))
        return true;             /* gone: still ours to clean up */
    for (int i = 0, at = 0; i < 16; i++)
        at += snprintf(text + at, sizeof(text) - at, "%s%02x",
                       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.handle[i]);
    return !strcmp(text, uuid);
}

static void file_restore(struct hauchd *h, const char *path)
{
    struct json_object *o = json_object_from_file(path), *notes = NULL;
    struct wire_request rq;
    struct fault        f = { 0 };
    struct domain      *d;

    if (!o || !same_domain(h, number_in(o, "domid"), state_text(o, "uuid"))) {
        say("%s: not the state of a domain; removed", path);
        unlink(path);
        json_object_put(o);
        return;
    }
    rq = state_request(o);
    d = domain_new(h, &rq, state_text(o, "name"), &notes, &f);
    if (!d) {
        say("%s: %s", path, f.text);
    } else if (domain_restore(d, o)) {
        say("%s: domain number %lld is none, or taken; removed", path, (long long)number_in(o, "domid"));
        unlink(path);
        domain_free(d);
    }
    json_object_put(notes);
    json_object_put(o);
}

void state_restore(struct hauchd *h)
{
    struct dirent *e;
    DIR           *dir = opendir(h->state_dir);
    char           path[512];

    while (dir && (e = readdir(dir))) {
        size_t n = strlen(e->d_name);

        if (n < 6 || strcmp(e->d_name + n - 5, ".json"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", h->state_dir, e->d_name);
        file_restore(h, path);
    }
    if (dir)
        closedir(dir);
    half_made_remove(h);
}
