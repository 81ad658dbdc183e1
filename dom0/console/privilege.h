/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up what is not needed any more, once devices and socket are open. */
#ifndef HAUCH_CONSOLE_PRIVILEGE_H
#define HAUCH_CONSOLE_PRIVILEGE_H

#include <sys/types.h>

/* Looks the user up. Returns 0 or -ENOENT after a report. */
int privilege_user(const char *name, uid_t *uid, gid_t *gid);

/* Becomes the user for good, without other groups and capabilities. Returns 0 or a negative errno after a report. */
int privilege_drop(uid_t uid, gid_t gid);

/* No program that this one might execute can ever gain rights. Returns 0 or a negative errno after a report. */
int privilege_seal(void);

#endif
