/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving up rights, for daemons that serve what guests can write to: own user, no new rights, a list of
 * system calls. Nothing is printed here. To be called in this order, by a process with one thread, once
 * devices, sockets and files are open. All return 0 or a negative errno.
 */
#ifndef LIB_PRIVILEGE_H
#define LIB_PRIVILEGE_H

#include <stddef.h>
#include <sys/types.h>

/* A user by name, or a number for both user and group. -ENOENT. */
int privilege_find(const char *name, uid_t *uid, gid_t *gid);

/* Becomes the user for good: no other groups, no capabilities. -EPERM also if root could be had again. */
int privilege_become(uid_t uid, gid_t gid);

/* From here on nothing gives new rights, and system calls other than those fail with EPERM. A call by the
 * numbers of another architecture ends the process. At most 250 calls. */
int privilege_keep_calls(const unsigned int *calls, size_t count);

#endif
