/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up what is not needed any more, once devices and socket are open. */
#ifndef HAUCH_CONSOLE_PRIVILEGE_H
#define HAUCH_CONSOLE_PRIVILEGE_H

#include <sys/types.h>

/* Looks the user up. Returns 0 or -ENOENT after a report. */
int privilege_user(const char *name, uid_t *uid, gid_t *gid);

/*
 * Becomes the user for good, without other groups and capabilities. Returns 0 or a negative errno after a
 * report.
 */
int privilege_drop(uid_t uid, gid_t gid);

/*
 * From here on: no new rights by executing anything, and only the system calls that serving consoles takes
 * (the list in privilege.c says what for); any other fails with EPERM. Returns 0 or a negative errno after a
 * report.
 */
int privilege_seal(void);

#endif
