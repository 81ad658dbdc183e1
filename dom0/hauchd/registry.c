/* SPDX-License-Identifier: BSD-2-Clause */
/* Definitions: domains that this host knows whether they run or not. One file NAME.cfg each, in the words of
 * xl.cfg(5), in a folder that people may also look at and edit; an empty file autostart/NAME says that the
 * domain starts with the host. Names are indexed; text is read when it is needed, so that it is the file's.
 *
 * What runs when the host goes down is written down with all that is needed to make it again, and is made
 * again when the host comes up, defined or not. Nothing here ever touches a disk of a domain. */
#define _GNU_SOURCE
#include "dom0/hauchd/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFINITIONS_MAX = 4096 };

static void path_of(const struct hauchd *h, const char *name, char out[512])
{
    snprintf(out, 512, "%.300s/%s.cfg", h->registry_dir, name);
}

static void autostart_path(const struct hauchd *h, const char *name, char out[512])
{
    snprintf(out, 512, "%.300s/autostart/%s", h->registry_dir, name);
}

static void running_path(const struct hauchd *h, char out[512])
{
    snprintf(out, 512, "%.300s/running.json", h->lib_dir);
}

static struct definition *definition_of(const struct hauchd *h, const char *name)
{
    return (struct definition *)index_by_name(&h->definitions, name);
}

static struct definition *remember(struct hauchd *h, const char *name)
{
    struct definition *def = definition_of(h, name);
    char               path[512];

    if (!def)
        def = h->definitions.count < DEFINITIONS_MAX ? calloc(1, sizeof(*def)) : NULL;
    else
        return def;
    if (def && index_insert(&h->definitions, &def->entry, name)) {
        free(def);
        def = NULL;
    }
    if (!def)
        return NULL;
    autostart_path(h, name, path);
    def->autostart = !access(path, F_OK);
    return def;
}

void registry_load(struct hauchd *h)
{
    DIR           *dir = opendir(h->registry_dir);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        size_t n = strlen(e->d_name);
        char   name[INDEX_NAME_MAX + 1];

        if (n < 5 || n - 4 > INDEX_NAME_MAX || strcmp(e->d_name + n - 4, ".cfg"))
            continue;
        memcpy(name, e->d_name, n - 4);
        name[n - 4] = 0;
        if (!remember(h, name))
            say("%s/%s: not a definition: its name is none that a domain can have, or there are %d already",
                h->registry_dir, e->d_name, DEFINITIONS_MAX);
    }
    if (dir)
        closedir(dir);
}

void registry_free(struct hauchd *h)
{
    while (h->definitions.first) {
        struct index_entry *e = h->definitions.first;

        index_remove(&h->definitions, e);
        free(e);
    }
    index_free(&h->definitions);
}

/* A folder and the one above it. */
static void folder(const char *path)
{
    char  parent[512];
    char *slash;

    snprintf(parent, sizeof(parent), "%s", path);
    slash = strrchr(parent, '/');
    if (slash && slash > parent) {
        *slash = 0;
        mkdir(parent, 0755);
    }
    mkdir(path, 0700);
}

/* Beside and renamed: nobody ever reads half a file, also after a power failure. */
static int file_replace(const char *path, const char *text, struct fault *f)
{
    char fresh[520];
    int  fd, rc = 0;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_errno(f, -errno, "cannot write %s (make room there, or make it writable)", fresh);
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd))
        rc = fault_errno(f, errno ? -errno : -EIO, "cannot write %s (make room there, or make it "
                                                   "writable)", fresh);
    close(fd);
    if (!rc && rename(fresh, path))
        rc = fault_errno(f, -errno, "cannot write %s (make room there, or make it writable)", path);
    if (rc)
        unlink(fresh);
    return rc;
}

int registry_define(struct hauchd *h, const char *name, const char *text, struct fault *f)
{
    char path[512];
    int  rc;

    folder(h->registry_dir);
    path_of(h, name, path);
    rc = file_replace(path, text, f);
    if (!rc && !remember(h, name)) {
        rc = fault_set(f, -ENOSPC, "%s: more than %d definitions; undefine some", name, DEFINITIONS_MAX);
        unlink(path);
    }
    return rc;
}

static struct definition *find(struct hauchd *h, const char *name, struct fault *f)
{
    struct definition *def = definition_of(h, name);

    if (!def)
        fault_set(f, -ENOENT, "there is no definition %.127s; hauch list --defined shows those that are",
                  name);
    return def;
}

int registry_undefine(struct hauchd *h, const char *name, struct fault *f)
{
    struct definition *def = find(h, name, f);
    char               path[512];

    if (!def)
        return -ENOENT;
    path_of(h, name, path);
    if (unlink(path) && errno != ENOENT)
        return fault_errno(f, -errno, "cannot remove %s (make its folder writable)", path);
    autostart_path(h, name, path);
    unlink(path);
    index_remove(&h->definitions, &def->entry);
    free(def);
    return 0;
}

int registry_autostart(struct hauchd *h, const char *name, bool on, struct fault *f)
{
    struct definition *def = find(h, name, f);
    char               path[512];
    int                fd = 0;

    if (!def)
        return -ENOENT;
    snprintf(path, sizeof(path), "%.300s/autostart", h->registry_dir);
    mkdir(path, 0700);
    autostart_path(h, name, path);
    if (on)
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || (!on && unlink(path) && errno != ENOENT))
        return fault_errno(f, -errno, "cannot change %s (make its folder writable)", path);
    if (on)
        close(fd);
    def->autostart = on;
    return 0;
}

int registry_text(struct hauchd *h, const char *name, char **text, struct fault *f)
{
    char    path[512];
    FILE   *in;
    size_t  n;

    if (!find(h, name, f))
        return -ENOENT;
    path_of(h, name, path);
    in = fopen(path, "re");
    *text = in ? malloc(CONFIG_FILE_MAX + 1) : NULL;
    if (!*text) {
        if (in)
            fclose(in);
        return fault_errno(f, in ? -ENOMEM : -errno, "cannot read %s (its permissions?)", path);
    }
    n = fread(*text, 1, CONFIG_FILE_MAX, in);
    (*text)[n] = 0;
    fclose(in);
    return 0;
}

struct json_object *registry_report(struct hauchd *h)
{
    struct json_object *list = json_object_new_array();

    for (struct index_entry *e = h->definitions.first; e; e = e->next) {
        struct index_entry *runs = index_by_name(&h->domains, e->name);
        struct json_object *o = json_object_new_object();
        char                path[512];

        path_of(h, e->name, path);
        json_text(o, "name", e->name);
        json_text(o, "file", path);
        json_object_object_add(o, "running", json_object_new_boolean(runs != NULL));
        if (runs && runs->id != INDEX_NO_ID)
            json_number(o, "domid", runs->id);
        json_object_object_add(o, "autostart", json_object_new_boolean(((struct definition *)e)->autostart));
        json_object_array_add(list, o);
    }
    return list;
}

/* ---- the host goes down and comes up ---- */
static struct json_object *running_json(struct hauchd *h)
{
    struct json_object *list = json_object_new_array();

    for (struct index_entry *e = h->domains.first; e; e = e->next) {
        const struct domain *d = domain_of(e);
        struct json_object  *o, *set;

        /* What is being made, or made anew, runs as far as people care. */
        if (d->off || (d->job.state == JOB_BACKWARD && d->fate == FATE_GONE))
            continue;
        o = json_object_new_object();
        set = json_object_new_array();
        json_text(o, "name", e->name);
        json_text(o, "source", d->update ? d->update->source : d->source);
        json_text(o, "config", d->update ? d->update->config : d->text);
        for (unsigned i = 0; i < (d->update ? d->update->set_count : d->set_count); i++)
            json_object_array_add(set, json_object_new_string(d->update ? d->update->set[i] : d->set[i]));
        json_object_object_add(o, "set", set);
        json_object_array_add(list, o);
    }
    return list;
}

int registry_note_running(struct hauchd *h, struct fault *f)
{
    struct json_object *list = running_json(h);
    char                path[512];
    int                 rc;

    folder(h->lib_dir);
    running_path(h, path);
    rc = file_replace(path, json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN), f);
    json_object_put(list);
    return rc;
}

static void told(struct json_object *list, const char *name, const char *error)
{
    struct json_object *o = json_object_new_object();

    json_text(o, "name", name);
    if (error)
        json_text(o, "error", error);
    json_object_array_add(list, o);
}

/* One domain, unless it runs already; what became of it goes into @list. */
static void bring(struct hauchd *h, const struct wire_request *rq, const char *name, struct json_object *list)
{
    struct json_object *notes = NULL;
    struct fault        f = { 0 };
    struct domain      *d;

    if (index_by_name(&h->domains, name))
        return;
    d = domain_new(h, rq, name, &notes, &f);
    told(list, name, d ? NULL : f.text);
    if (!d)
        say("%s: not started: %s", name, f.text);
    if (d)
        domain_start(d);
    json_object_put(notes);
}

static void bring_remembered(struct hauchd *h, struct json_object *list)
{
    struct json_object *all, *o;
    char                path[512];

    running_path(h, path);
    all = json_object_from_file(path);
    for (size_t i = 0; json_object_is_type(all, json_type_array) && i < json_object_array_length(all); i++) {
        struct wire_request rq;

        o = json_object_array_get_idx(all, i);
        rq = state_request(o);
        bring(h, &rq, state_text(o, "name"), list);
    }
    json_object_put(all);
    unlink(path);
}

struct json_object *registry_bring(struct hauchd *h)
{
    struct json_object *list = json_object_new_array();

    bring_remembered(h, list);
    for (struct index_entry *e = h->definitions.first; e; e = e->next) {
        struct wire_request rq = { .op = WIRE_CREATE };
        struct fault        f = { 0 };
        char                path[512];

        if (!((struct definition *)e)->autostart || index_by_name(&h->domains, e->name))
            continue;
        path_of(h, e->name, path);
        rq.source = path;
        if (registry_text(h, e->name, &rq.config, &f))
            told(list, e->name, f.text);
        else
            bring(h, &rq, e->name, list);
        free(rq.config);
    }
    return list;
}
