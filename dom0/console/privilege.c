/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up privileges: see privilege.h. */
#define _GNU_SOURCE
#include "dom0/console/privilege.h"

#include "dom0/console/report.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

int privilege_user(const char *name, uid_t *uid, gid_t *gid)
{
    const struct passwd *user = getpwnam(name);

    if (!user) {
        report("--user %s: no such user; make it (adduser --system) or leave the option out", name);
        return -ENOENT;
    }
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return 0;
}

int privilege_drop(uid_t uid, gid_t gid)
{
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        int r = -errno;
        report("cannot become user %u: %m (started as root?)", uid);
        return r;
    }
    if (uid != 0 && setuid(0) == 0) {
        report("still able to become root after becoming user %u; giving up", uid);
        return -EPERM;
    }
    return 0;
}

int privilege_seal(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return 0;
    int r = -errno;
    report("cannot set no_new_privs: %m");
    return r;
}
