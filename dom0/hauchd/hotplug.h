/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of a running domain: hotplug.c brings and takes them, with what devices.c does for one device. */
#ifndef HAUCHD_HOTPLUG_H
#define HAUCHD_HOTPLUG_H

#include "dom0/hauchd/hauchd.h"

/* Begin to bring a device as @spec says, or to take one away; the client is answered at the end. Negative
 * errno with the reason if it does not even begin; then the client has not been answered. */
int hotplug_attach(struct domain *d, enum device kind, const char *spec, struct client *c,
                   struct json_object **notes, struct fault *f);
int hotplug_detach(struct domain *d, enum device kind, const char *which, bool force, struct client *c,
                   struct fault *f);

#endif
