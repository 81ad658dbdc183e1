/* SPDX-License-Identifier: BSD-2-Clause */
/* What the request_*.c files share: finding the object of a request, answering. */
#ifndef HAUCHD_REQUEST_H
#define HAUCHD_REQUEST_H

#include "dom0/hauchd/hauchd.h"

/* One function a request: 0 (answered, or will be), or negative errno with the reason. */
typedef int (*request_fn)(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

/* What a request is about: a domain of ours, or one that only the hypervisor knows (d NULL). */
struct target {
    struct domain *d;
    uint16_t       id;
};

/* A domain of another toolstack may be named by number or its name in the store; domain 0 also as Domain-0.
 */
int target_find(struct hauchd *h, const char *who, struct target *t, struct fault *f);
/* The same, but domain 0 is not to be touched. */
int guest_find(struct hauchd *h, const char *who, struct target *t, struct fault *f);

/* target_find() of one that is complete, with what the hypervisor says of it. */
int running_find(struct hauchd *h, const char *who, struct target *t, struct xen_domctl_getdomaininfo *info,
                 struct fault *f);

int answer_done(struct client *c, const struct target *t);
/* {"KEY": value}; takes the reference. No value: the error in @f. */
int answer_with(struct client *c, const char *key, struct json_object *value, const struct fault *f);

int do_create(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

/* request_sched.c */
int do_vcpus(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_vcpu_set(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_vcpu_pin(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_sched(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

/* request_guest.c */
int do_config_update(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_sysrq(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_mem_set(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_mem_max(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_devices(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_wait(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

/* request_device.c */
int do_attach(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_detach(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

/* dump.c */
int do_dump(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

/* request_registry.c */
int do_define(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_undefine(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_autostart(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_definitions(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_definition(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_start(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_boot(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_halt(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);
int do_events(struct hauchd *h, struct client *c, const struct wire_request *rq, struct fault *f);

#endif
