/* SPDX-License-Identifier: BSD-2-Clause */
/* Definitions of domains, and what starts with the host: see registry.c. */
#ifndef HAUCHD_REGISTRY_H
#define HAUCHD_REGISTRY_H

#include "dom0/hauchd/hauchd.h"

struct definition {
    struct index_entry entry;        /* first: its name */
    bool               autostart;
};

void registry_load(struct hauchd *h);
void registry_free(struct hauchd *h);

/* Under that name from now on, in place of what was: 0, -EINVAL (name), -ENOSPC, or what the file gave. */
int registry_define(struct hauchd *h, const char *name, const char *text, struct fault *f);
int registry_undefine(struct hauchd *h, const char *name, struct fault *f);
int registry_autostart(struct hauchd *h, const char *name, bool on, struct fault *f);
/* The text as it is now; the caller frees it. */
int registry_text(struct hauchd *h, const char *name, char **text, struct fault *f);
struct json_object *registry_report(struct hauchd *h);

/* Write down what runs, for registry_bring() after the next start of the host. */
int registry_note_running(struct hauchd *h, struct fault *f);
/* Start what was noted and what starts with the host, unless it runs: a list of names, with "error" where it
 * did not even begin. */
struct json_object *registry_bring(struct hauchd *h);

#endif
