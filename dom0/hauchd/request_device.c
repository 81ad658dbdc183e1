/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about devices of a running domain. */
#define _GNU_SOURCE
#include "dom0/hauchd/request.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "dom0/hauchd/hotplug.h"

int do_devices(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct json_object *o;
    struct target       t;
    int                 rc = target_find(h, rq->domain, &t, f);

    if (!rc && !t.d && t.id)
        rc = fault_set(f, -ENOTSUP, "domain %u was not made by hauchd: its devices are not known here", t.id);
    if (rc)
        return rc;
    o = json_object_new_object();
    json_number(o, "domid", t.id);
    json_object_object_add(o, "devices", report_devices(t.d));
    client_answer(c, o);
    return 0;
}

/* A domain of ours that is complete, and the kind of device. */
static int device_target(struct hauchd *h, const struct wire_request *rq, struct target *t, enum device *kind,
                         struct fault *f)
{
    struct xen_domctl_getdomaininfo info;
    int                             rc = guest_find(h, rq->domain, t, f);

    *kind = strcmp(rq->type, "disk") ? DEVICE_VIF : DEVICE_DISK;
    if (!rc && *kind == DEVICE_VIF && strcmp(rq->type, "vif"))
        rc = fault_set(f, -EINVAL, "device type \"%.40s\": disk or vif is wanted", rq->type);
    rc = rc ? rc : running_find(h, rq->domain, t, &info, f);
    if (!rc && !t->d)
        rc = fault_set(f, -ENOTSUP, "domain %u was not made by hauchd: use the tools that made it", t->id);
    if (!rc && t->d->off)
        rc = fault_set(f, -ENOTSUP, "domain %s has ended and is only kept: hauch destroy removes it",
                       t->d->entry.name);
    return rc;
}

int do_attach(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct json_object *notes = NULL;
    struct target       t;
    enum device         kind;
    int                 rc = device_target(h, rq, &t, &kind, f);

    if (rc)
        return rc;
    rc = hotplug_attach(t.d, kind, rq->spec, c, &notes, f);
    if (rc)
        client_fail(c, f, notes);
    json_object_put(notes);
    return 0;
}

int do_detach(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f)
{
    struct target t;
    enum device   kind;
    int           rc = device_target(h, rq, &t, &kind, f);

    return rc ? rc : hotplug_detach(t.d, kind, rq->device, rq->force, c, f);
}
