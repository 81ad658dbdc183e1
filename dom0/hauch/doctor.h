/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hauch doctor` looks at. A check tells what it found with doctor_tell(); one that finds nothing wrong
 * says so once. Files are looked for below $HAUCH_ROOT, so that tests can pretend a host. */
#ifndef HAUCH_DOCTOR_H
#define HAUCH_DOCTOR_H

#include "dom0/hauch/hauch.h"

enum finding { FIND_GOOD, FIND_NOTE, FIND_PROBLEM };

/* One line: what, and what to do about it (NULL: nothing). */
void doctor_tell(enum finding kind, const char *check, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* "/PATH" below the root, for one call at a time. */
const char *doctor_path(const char *path);
/* The first line of a file, "" if it cannot be read. */
void doctor_line(const char *path, char *out, size_t size);
bool doctor_exists(const char *path);
/* How many sockets of that path are listened at, also such as have lost their name to another. */
unsigned doctor_listeners(const char *path);

/* doctor_host.c: the machine and domain 0's kernel */
void doctor_hypervisor(void);
void doctor_kernel(void);
void doctor_network(void);
void doctor_space(void);
/* doctor_domains.c: other toolstacks, and what nobody owns. @domains: hauch list's, or NULL: hauchd is away.
 */
void doctor_toolstacks(void);
void doctor_memory(struct json_object *host);
void doctor_domains(struct json_object *domains);
void doctor_loops(void);

#endif
